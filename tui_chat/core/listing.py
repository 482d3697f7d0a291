"""What is saved, said without a screen: `search`, `list` and `show`; `show` in any format of an export.

`search --json` and `list --json` write one object a line. Of a hit: conversation, title, state, starred,
message, role, created, status, endpoint, model, params, snippet, spans (start and end of each match in the
snippet, in characters). Of a conversation: id, title, updated, messages, model, state, starred, tags.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime

from tui_chat.core import exporting
from tui_chat.core.conversation import Headline
from tui_chat.core.errors import ChatError
from tui_chat.core.formats import jsonl
from tui_chat.core.hits import Found, Hit
from tui_chat.core.output import put, tell
from tui_chat.core.query import Query, parse
from tui_chat.core.search import Search
from tui_chat.core.text import clean, one_line
from tui_chat.core.world import World

PATIENCE = 60.0
"""Seconds to wait for the index; after that, messages are read without it."""
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


async def answer(world: World, flags: argparse.Namespace) -> int:
    """Write what was asked for. 0, or 1 when a search found nothing or what is asked cannot be. ChatError, Unwritten."""
    try:
        if flags.command == "show":
            return await _show(world, flags.id, flags.format)
        query = parse(" ".join(flags.query))
        if query.trouble:
            tell(query.trouble)
        if flags.command == "search" and query.of_messages:
            found = await _search(world, query, flags)
        else:
            found = await _list(world, query, flags)
        # For a person only: a program has the exit code.
        if not found and not query.trouble and sys.stderr.isatty():
            shown = one_line(" ".join(flags.query), 60)
            words = f"Nothing matches “{shown}”." if shown else "Nothing is saved yet."
            tell(words)
        return 0 if found or (flags.command == "list" and not query.trouble) else 1
    finally:
        await world.close()


async def _search(world: World, query: Query, flags: argparse.Namespace) -> int:
    search = await world.search()
    if not query.impossible:
        await _built(search)
    left = flags.limit
    found: Found | None = None
    while left > 0 and (found is None or found.more):
        some = min(left, 1000)
        found = await search.hits(query, best=flags.best, limit=some, after=found, within=None)
        left -= len(found.hits)
        for hit in found.hits:
            bold = not flags.json and sys.stdout.isatty()
            block = f"{jsonl.dumped(_hit(hit))}\n" if flags.json else _block(hit, bold)
            put(block, styled=bold)
    return int(flags.limit - left)


async def _built(search: Search) -> None:
    """Bring the index up to date, with a word about it when it takes its time."""
    counter = _Counter()
    try:
        await asyncio.wait_for(search.build(counter), PATIENCE)
    except TimeoutError:
        tell("the index is not complete yet; the messages are read.")
    finally:
        counter.end()


class _Counter:
    """How far the index is, on standard error: one line that counts on a terminal, else a few."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._first: int | None = None
        self._shown = 0

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // max(1, total)
        self._first = done if self._first is None else self._first
        few = total - self._first < 5000
        if few or percent == self._shown or not (self._live or percent // 25 > self._shown // 25):
            return
        self._shown = percent
        end = "\r" if self._live else "\n"
        sys.stderr.write(f"tui-chat: indexing the saved messages: {percent} %   {end}")
        sys.stderr.flush()

    def end(self) -> None:
        if self._live and self._shown:
            sys.stderr.write("\n")


async def _list(world: World, query: Query, flags: argparse.Namespace) -> int:
    store = await world.store()
    if query.of_messages:
        ids = await _conversations(await world.search(), query, flags.limit)
        named = [await store.headline(one) for one in ids]
        lines: Sequence[Headline] = sorted(
            (line for line in named if line is not None), key=lambda line: -line.updated
        )
    else:
        lines = await store.headlines(query.shelf, limit=flags.limit)
    for line in lines:
        put(f"{jsonl.dumped(_line(line))}\n" if flags.json else f"{_row(line)}\n")
    return len(lines)


async def _conversations(search: Search, query: Query, limit: int) -> list[str]:
    """The ids of the conversations with the newest messages that match."""
    if query.impossible:
        return []
    await _built(search)
    ids: dict[str, None] = {}
    found: Found | None = None
    while len(ids) < limit and (found is None or found.more):
        found = await search.hits(query, limit=1000, after=found, within=None)
        ids |= dict.fromkeys(hit.conversation for hit in found.hits)
    return list(ids)[:limit]


async def _show(world: World, typed: str, format: str) -> int:
    store = await world.store()
    found = await store.beginning(typed) if typed else []
    if typed in found:
        found = [typed]
    shown = one_line(typed, 40)
    if len(found) > 1:
        names = ", ".join(one_line(one, 40) for one in found)
        raise ChatError(f"Several conversations begin with “{shown}”: {names}.", "Type more of it.")
    conversation = await store.load(found[0], also_deleted=True) if found else None
    if conversation is None:
        raise ChatError(f"There is no conversation “{shown}”.", "tui-chat list names them.")
    for piece in exporting.pieces(conversation, format):
        put(piece)
    return 0


def _block(hit: Hit, bold: bool) -> str:
    """A hit for people: where and how it was said, the title, the words."""
    made = ""
    if hit.setup is not None:
        made = " · ".join(part for part in (hit.setup.model, hit.setup.params.summary) if part)
    facts = [hit.conversation, _when(hit.created), hit.role, made]
    if hit.state != "kept":
        facts.append(f"({hit.state})")
    first = "  ".join(one_line(fact) for fact in facts if fact)
    words = _marked(hit.snippet, hit.spans) if bold else hit.snippet
    return f"{first}\n  {one_line(hit.title) or 'Untitled'}\n  {words}\n\n"


def _marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text, cleaned, with what matched in bold."""
    marked, at = [], 0
    for start, end in spans:
        marked += [clean(text[at:start]), _BOLD, clean(text[start:end]), _PLAIN]
        at = end
    return "".join([*marked, clean(text[at:])])


def _row(line: Headline) -> str:
    tags = "".join(f"  #{one_line(tag)}" for tag in line.tags)
    star = "* " if line.starred else ""
    state = "" if line.state == "kept" else f"  ({line.state})"
    title = one_line(line.title) or "Untitled"
    model = one_line(line.model, 24)
    return f"{one_line(line.id)}  {_when(line.updated)}  {line.messages:>4}  {model:<24}  {star}{title}{tags}{state}"


def _when(milliseconds: int) -> str:
    """The time on this machine's clock, to the minute."""
    try:
        return f"{datetime.fromtimestamp(milliseconds / 1000):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):
        return jsonl.iso(milliseconds)


def _hit(hit: Hit) -> dict[str, object]:
    setup = hit.setup
    return {
        "conversation": hit.conversation,
        "title": hit.title,
        "state": hit.state,
        "starred": hit.starred,
        "message": hit.message,
        "role": hit.role,
        "created": jsonl.iso(hit.created),
        "status": hit.status,
        "endpoint": setup.endpoint if setup else None,
        "model": setup.model if setup else None,
        "params": dict(setup.params) if setup else {},
        "snippet": hit.snippet,
        "spans": [list(span) for span in hit.spans],
    }


def _line(line: Headline) -> dict[str, object]:
    return {
        "id": line.id,
        "title": line.title,
        "updated": jsonl.iso(line.updated),
        "messages": line.messages,
        "model": line.model,
        "state": line.state,
        "starred": line.starred,
        "tags": list(line.tags),
    }
