"""Bringing conversations along: from which file, how far it is, and what could not be read."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.widget import Widget
from textual.widgets import Static

from tui_chat.core.errors import ChatError
from tui_chat.core.importing import Progress, Report, import_file
from tui_chat.core.text import one_line
from tui_chat.core.unsaved import not_written
from tui_chat.widgets.dialogs import Dialog, LineDialog, YesDialog
from tui_chat.widgets.taking import placed

if TYPE_CHECKING:
    from textual.app import App

    from tui_chat.core.world import World

NOTE = (
    "ChatGPT's export (the zip as it is, or conversations.json), llm's logs.db, fine-tuning JSONL,"
    " ShareGPT, or JSON Lines exported here. What is there already is not added twice."
)
MOST_PLACES = 8
"""How many of the places that cannot be read the question names."""


class Waiting(Dialog):
    """Says how far an import is; Esc gives it up."""

    def content(self) -> Iterator[Widget]:
        self._line = Static("", markup=False)
        yield self._line

    def show(self, progress: Progress) -> None:
        if self.is_attached:
            self._line.update(
                f"{progress.step}: {progress.done / 1e6:,.1f} of {progress.total / 1e6:,.1f} MB"
            )


def named_files(words: str) -> list[str]:
    """The files that a typed line names: one with spaces in it as it is, several as a shell reads them.
    Looks at the disk. ChatError when a quote is not closed, or for a home directory that there is not."""
    if not words or os.path.exists(placed(words)):  # noqa: PTH110  # False for a name too long.
        return [words] if words else []
    # A backslash is no escape where it stands in every path.
    lexer = shlex.shlex(words, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    lexer.escape = "" if os.sep == "\\" else lexer.escape
    try:
        return list(lexer)
    except ValueError as error:
        raise ChatError("A quote in these names is not closed.") from error


async def bring_along(app: App[Any], world: World, files: Sequence[str] = ()) -> bool:
    """Import these files one after the other, or ask for one; whether anything was. For workers. ChatError."""
    if world.ephemeral:
        raise not_written("nothing was imported")
    found = [await _brought(app, world, words) for words in files or ("",)]
    return any(found)


async def _brought(app: App[Any], world: World, words: str) -> bool:
    """Import a file, and ask for it where none is named or this one cannot be imported."""
    wrong, asked = "", not words
    while True:
        if asked:
            answer = await app.push_screen_wait(LineDialog("Import", NOTE, words, wrong))
            if not answer:
                return False
            words = answer
        asked = True
        try:
            report = await _whole_or_rest(app, world, placed(words))
        except ChatError as error:
            wrong = str(error)
            continue
        if report is None:
            return False
        app.notify(f"{report.words}.", markup=False, timeout=10)
        return True


async def _whole_or_rest(app: App[Any], world: World, path: Path) -> Report | None:
    """Import the whole file, or what can be read of it once that was confirmed; None for neither."""
    report = await _imported(app, world, path, skip=False)
    if report is None or report.added is not None:
        return report
    places = [f"{one.place}: {one_line(one.words, 120)}" for one in report.unreadable[:MOST_PLACES]]
    if (more := report.unreadable_total - len(places)) > 0:
        places.append(f"and {more:,} more")
    question = YesDialog("Import the rest of it?", "\n".join(["Not readable:", *places]))
    if await app.push_screen_wait(question) is None:
        return None
    return await _imported(app, world, path, skip=True)


async def _imported(app: App[Any], world: World, path: Path, *, skip: bool) -> Report | None:
    """Import it while a dialog shows how far it is; None when that was given up."""
    waiting = Waiting("Import", one_line(str(path), 200))
    importing = asyncio.ensure_future(
        import_file(
            await world.store(),
            path,
            world.places.importing,
            progress=waiting.show,
            skip_unreadable=skip,
        )
    )

    def give_up(answer: str | None) -> None:
        importing.cancel()

    await app.push_screen(waiting, give_up)
    try:
        await asyncio.wait([importing])
    except asyncio.CancelledError:
        importing.cancel()
        raise
    if importing.cancelled():
        return None
    await waiting.dismiss()
    return importing.result()
