"""`tui-chat export`: saved conversations to standard output or to a file, in any of the formats."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tui_chat.core.errors import ChatError
from tui_chat.core.exporting import FORMATS, Export, format_for, left_out_words, write
from tui_chat.core.output import put, tell
from tui_chat.core.query import parse
from tui_chat.core.store import Store
from tui_chat.core.text import one_line
from tui_chat.core.world import World


async def export(world: World, flags: argparse.Namespace) -> int:
    """Write what was asked for, and say on standard error what was left out. ChatError, Unwritten; an id
    that there is not is said before anything is written."""
    to = None if flags.to in (None, "-") else Path(flags.to).absolute()
    form = flags.format or (_format_of(to) if to is not None else "jsonl")
    try:
        store = await world.store()
        ids = await _ids(world, store, flags)
        if to is None:
            words = await _put(store, ids, form)
        else:
            words = await _write(store, ids, form, to, flags.overwrite)
    finally:
        await world.close()
    if words:
        tell(words)
    return 0


def _format_of(path: Path) -> str:
    """The format that a file's suffix asks for; ChatError where it asks for none of ours."""
    form = format_for(path)
    if form is None and path.suffix:
        kinds = ", ".join(one.suffix for one in FORMATS.values())
        raise ChatError(
            f"There is no format for a file that ends in {one_line(path.suffix, 20)}.",
            f"These have one: {kinds}; for another name say it by --format.",
        )
    return form or "jsonl"


async def _write(
    store: Store, ids: list[str] | None, format: str, path: Path, overwrite: bool
) -> str:
    """Write to a file; the report in words."""
    line = _Line()
    try:
        report = await write(store, ids, format, path, overwrite=overwrite, progress=line)
    finally:
        line.clear()
    return report.words


class _Line:
    """How far it is: a line on standard error that counts, where a person sees it."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._words = ""

    def __call__(self, done: int, total: int) -> None:
        # By the percent: a line for each of a hundred thousand would take longer than they do.
        words = f"tui-chat: {100 * done // max(1, total)} % of {total:,} conversations"
        if self._live and words != self._words:
            self._words = words
            sys.stderr.write(f"\r{words}")
            sys.stderr.flush()

    def clear(self) -> None:
        if self._words:
            sys.stderr.write(f"\r{'':<{len(self._words)}}\r")
            sys.stderr.flush()


async def _put(store: Store, ids: list[str] | None, format: str) -> str:
    """Write to standard output; what is to be said of those that were left out."""
    going = Export(store, ids, format)
    async for part in going.parts():
        for piece in part:
            put(piece)
    words = "; ".join(left_out_words(going.left_out, going.missing))
    return f"Of the conversations, {words}." if words else ""


async def _ids(world: World, store: Store, flags: argparse.Namespace) -> list[str] | None:
    """The ids of the conversations meant; None for all."""
    if flags.search is not None:
        query = parse(flags.search)
        if query.trouble:
            tell(query.trouble)
        found = await (await world.search()).ids(query)
        if not found:
            raise ChatError(f"Nothing was found for “{one_line(flags.search, 80)}”.")
        return found
    if not flags.id:
        return None
    lines = {one: await store.headline(one) for one in flags.id}
    unknown = [_quoted(one) for one, line in lines.items() if line is None]
    if unknown:
        there = "is no conversation" if len(unknown) == 1 else "are no conversations"
        raise ChatError(f"There {there} {', '.join(unknown)}.", "F3 and tui-chat list show them.")
    gone = [_quoted(one) for one, line in lines.items() if line and line.state == "deleted"]
    if gone:
        raise ChatError(f"In the trash: {', '.join(gone)}.", "F3 brings it back.")
    return list(lines)


def _quoted(id: str) -> str:
    return f"“{one_line(id, 40)}”"
