"""The review room over 100,000 conversations, in a real terminal: from a key to what it leads to.

Each median stands beside that of the same keys over a library of 60 conversations, measured in turn with it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.library import fill
from tests.benchmarks.scale import CONVERSATIONS, RUNS, Timing
from tests.fake_server import FakeServer
from tests.terminal import TUI_CHAT, Terminal, home_environment
from tui_chat.core.search import Search

SMALL = 60
F3, ESCAPE, ENTER, DOWN, CLEAR = "\x1bOR", "\x1b", "\r", "\x1b[B", "\x15"
WORDS = ("the", "and", "model", "temperature")
"""Looked for one after the other, each typed letter by letter."""
BAR = 100.0
"""Milliseconds."""
DRAWN = 150.0
"""Milliseconds to what must be drawn over a whole screen, at the pace of a terminal."""


def review(conversations: int = CONVERSATIONS) -> list[Timing]:
    """The list, the first hits, the echo of a key meanwhile, the preview, and opening."""
    with (
        tempfile.TemporaryDirectory() as large,
        tempfile.TemporaryDirectory() as small,
        FakeServer() as server,
    ):
        for home, count in ((large, conversations), (small, SMALL)):
            fill(Path(home) / "config" / "conversations.db", count)
            asyncio.run(_index(Path(home)))
        with _opened(Path(large), server) as ours, _opened(Path(small), server) as other:
            took: dict[str, tuple[list[float], list[float]]] = {}
            for run in range(RUNS):
                for place, terminal in enumerate((ours, other)):
                    for name, milliseconds in _walk(terminal, WORDS[run % len(WORDS)]):
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


async def _index(home: Path) -> None:
    search = Search(home / "config" / "conversations.db", home / "cache" / "search.db")
    await search.build()
    await search.close()


def _walk(terminal: Terminal, word: str) -> Iterator[tuple[str, float]]:
    """Through the room once, from the chat back to the chat."""
    yield "list", _after(terminal, F3, "newest first")
    _settle(terminal)
    terminal.type(CLEAR)
    _settle(terminal)
    for end in range(1, len(word)):
        yield "echo of a key that searches", _after(terminal, word[end - 1], word[:end])
    terminal.type(CLEAR)
    _settle(terminal)
    yield "first hits", _after(terminal, word, "hit")
    _settle(terminal)
    yield "preview, to the last of it", _whole(terminal, DOWN)
    yield "opening", _after(terminal, ENTER, "draft")
    _settle(terminal)


def _after(terminal: Terminal, key: str, words: str) -> float:
    """Milliseconds from a key to these words being drawn."""
    terminal.forget()
    began = time.monotonic()
    terminal.type(key)
    return (terminal.wait_for(words) - began) * 1000


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
