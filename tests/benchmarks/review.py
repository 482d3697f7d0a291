"""The review room over 100,000 conversations, in a real terminal: from a key to what it leads to.

Each median stands beside that of the same keys over a library of 60 conversations, measured in turn with it.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.library import fill
from tests.benchmarks.scale import CONVERSATIONS, RUNS, Timing
from tests.fake_server import FakeServer
from tests.terminal import TUI_CHAT, Terminal, home_environment
from tui_chat.core.conversation import now
from tui_chat.core.query import parse
from tui_chat.core.search import Search
from tui_chat.core.store import Store

SMALL = 60
F3, ESCAPE, ENTER, DOWN, CLEAR = "\x1bOR", "\x1b", "\r", "\x1b[B", "\x15"
_FIELD = rb"\x1b\[2;2H(?:\x1b\[[\d;]*m)* (?:\x1b\[[\d;]*m)*"
"""The second row, where the field's text begins in the third column."""
WORDS = ("the", "that", "code", "model")
"""Looked for one after the other, each typed letter by letter."""
BAR = 100.0
"""Milliseconds."""
DRAWN = 100.0
"""Milliseconds to what must be drawn over a whole screen, at the pace of a terminal."""


def review(conversations: int = CONVERSATIONS) -> list[Timing]:
    """The list, the first hits, the echo of a key meanwhile, the preview, and opening."""
    with (
        tempfile.TemporaryDirectory() as large,
        tempfile.TemporaryDirectory() as small,
        FakeServer() as server,
    ):
        expected = []
        for home, count in ((large, conversations), (small, SMALL)):
            fill(Path(home) / "config" / "conversations.db", count)
            expected.append(asyncio.run(_prepared(Path(home))))
        with _opened(Path(large), server) as ours, _opened(Path(small), server) as other:
            took: dict[str, tuple[list[float], list[float]]] = {}
            for run in range(RUNS):
                for place, terminal in enumerate((ours, other)):
                    word = WORDS[run % len(WORDS)]
                    for name, milliseconds in _walk(terminal, expected[place], word):
                        took.setdefault(name, ([], []))[place].append(milliseconds)
    return [
        Timing(
            name,
            statistics.median(mine),
            statistics.median(theirs),
            bar=DRAWN if name in ("list", "opening") else BAR,
        )
        for name, (mine, theirs) in took.items()
    ]


@dataclass(frozen=True)
class Expected:
    """What is drawn for the list and for each of WORDS."""

    newest: str
    """The title of the first line."""
    first: dict[str, str]
    """The beginning of what is marked in the first hit, and what follows it."""
    second: dict[str, str]
    """The longest word of the second hit, to be read in the chat."""


async def _prepared(home: Path) -> Expected:
    """The index is made; what to wait for."""
    database = home / "config" / "conversations.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        # Else it is time to empty the trash, and the index is made again.
        connection.execute("UPDATE conversation SET deleted_at=? WHERE deleted_at>0", (now(),))
    store = await Store.open(database)
    search = Search(database, home / "cache" / "search.db")
    try:
        await search.build()
        (newest,) = await store.headlines(limit=1)
        found = {word: (await search.hits(parse(word), limit=2)).hits for word in WORDS}
    finally:
        await search.close()
        await store.close()
    first, second = {}, {}
    for word, (hit, other) in found.items():
        start = hit.spans[0][0]
        first[word] = hit.snippet[start : start + len(word) + 6]
        second[word] = max(other.snippet[:100].split()[1:-1], key=len)
    return Expected(newest.title, first, second)


def _walk(terminal: Terminal, seen: Expected, word: str) -> Iterator[tuple[str, float]]:
    """Through the room once, from the chat back to the chat."""
    yield "list", _after(terminal, F3, seen.newest)
    _settle(terminal)
    terminal.type(CLEAR)
    _settle(terminal)
    for end in range(1, len(word) + 1):
        yield "echo of a key that searches", _echo(terminal, word[:end])
    terminal.type(CLEAR)
    _settle(terminal)
    yield "first hits", _after(terminal, word, seen.first[word])
    _settle(terminal)
    yield "preview, to the last of it", _whole(terminal, DOWN)
    yield "opening", _after(terminal, ENTER, seen.second[word])
    _settle(terminal)
    # What was looked for stays in the field.
    for key in (F3, CLEAR, F3):
        terminal.type(key)
        _settle(terminal)


def _after(terminal: Terminal, key: str, words: str) -> float:
    """Milliseconds from a key to these words being drawn."""
    terminal.forget()
    began = time.monotonic()
    terminal.type(key)
    return (terminal.wait_for(words) - began) * 1000


def _echo(terminal: Terminal, typed: str) -> float:
    """Milliseconds from the last key of what is typed to its being drawn in the field."""
    drawn = re.compile(_FIELD + re.escape(typed).encode() + rb"\x1b")
    terminal.forget()
    began = time.monotonic()
    terminal.type(typed[-1])
    while not drawn.search(terminal.raw):
        assert time.monotonic() < began + 30, terminal.raw
        terminal.read(0.05)
    return (time.monotonic() - began) * 1000


def _whole(terminal: Terminal, key: str) -> float:
    """Milliseconds from a key to the last that is drawn for it."""
    began = last = time.monotonic()
    terminal.type(key)
    while terminal.read(0.3):
        last = time.monotonic()
    return (last - began) * 1000


def _settle(terminal: Terminal) -> None:
    while terminal.read(0.3):
        pass


@contextmanager
def _opened(home: Path, server: FakeServer) -> Iterator[Terminal]:
    environ = home_environment(
        home,
        OPENAI_BASE_URL=server.base_url,
        TUI_CHAT_CONFIG_DIR=str(home / "config"),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )
    with Terminal(TUI_CHAT, environ) as terminal:
        terminal.wait_for("ready", 60)
        _settle(terminal)
        yield terminal
