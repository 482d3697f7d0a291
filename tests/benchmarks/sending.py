"""Sending and stopping: a key right behind Enter in a long conversation, and Esc to the server's side."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.figures import Figure, times
from tests.benchmarks.start import last_words, save_long
from tests.fake_server import Answer, FakeServer, words
from tests.terminal import TUI_CHAT, Terminal, home_environment

RUNS = 9
KEYS = "αβγδεζηθι"
ENTER, ESCAPE, CTRL_N = "\r", "\x1b", "\x0e"
ESCAPE_WAIT = 100
"""Milliseconds that Textual waits for an escape sequence to go on."""


def send_in_ten_thousand() -> list[Figure]:
    """From Enter to the echo of a key typed right behind it, in a long saved conversation and a new one."""
    long, short = [], []
    with (
        FakeServer() as server,
        tempfile.TemporaryDirectory() as full,
        tempfile.TemporaryDirectory() as empty,
        _opened(Path(full), server, messages=10_000) as old,
        _opened(Path(empty), server) as new,
    ):
        old.wait_for(last_words(10_000))
        # Each key is drawn once: before, it stands nowhere on the screen.
        for key in KEYS:
            new.type(CTRL_N)
            short.append(_sent(new, key))
            long.append(_sent(old, key))
    name = "a key behind a send, 10,000 messages"
    return [times(name, statistics.median(long), statistics.median(short), 2.0, name="new")]


def _sent(terminal: Terminal, key: str) -> float:
    terminal.forget()
    terminal.type("hello")
    terminal.wait_for("hello")
    terminal.forget()
    began = time.monotonic()
    terminal.type(ENTER)
    terminal.type(key)
    echoed = terminal.wait_for(key)
    _settle(terminal, "complete")
    return (echoed - began) * 1000


def stop() -> list[Figure]:
    """From Esc, while a reply arrives, to the server seeing that its reader left."""
    took = []
    with (
        FakeServer(Answer(words("word " * 5000), delay=0.01)) as server,
        tempfile.TemporaryDirectory() as home,
        _opened(Path(home), server) as terminal,
    ):
        for _ in range(RUNS):
            terminal.forget()
            before, left = len(server.sent), len(server.disconnects)
            terminal.type("go" + ENTER)
            _until(terminal, server.sent, before + 20)
            began = time.monotonic()
            terminal.type(ESCAPE)
            _until(terminal, server.disconnects, left)
            took.append((server.disconnects[-1] - began) * 1000)
            _settle(terminal, "stopped")
    # Esc alone is told from the beginning of another key by waiting this long.
    return [times("stop", statistics.median(took), ESCAPE_WAIT, 2.0, name="wait")]


@contextmanager
def _opened(home: Path, server: FakeServer, messages: int = 0) -> Iterator[Terminal]:
    """The program, ready, in a home of its own with a saved conversation of so many messages."""
    environ = home_environment(
        home,
        OPENAI_BASE_URL=server.base_url,
        TUI_CHAT_CONFIG_DIR=str(home / "config"),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )
    if messages:
        save_long(home, messages)
    with Terminal(TUI_CHAT, environ) as terminal:
        terminal.wait_for("ready", 60)
        yield terminal


def _settle(terminal: Terminal, words: str) -> None:
    """Wait until the reply's end was drawn, and nothing more is."""
    terminal.wait_for(words)
    while terminal.read(0.3):
        pass


def _until(terminal: Terminal, events: Sequence[object], count: int) -> None:
    """Read what is drawn until there are more events than these."""
    deadline = time.monotonic() + 30
    while len(events) <= count:
        assert time.monotonic() < deadline, terminal.text[-2000:]
        terminal.read(0.005)
