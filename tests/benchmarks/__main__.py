"""Measurements of the installed program in a real terminal: `python -m tests.benchmarks [NAME…]`.

Each figure stands beside its limit, a small reference program measured in turn with it in the same
run, so that the ratio means the same on a fast machine and on a busy one. Exits with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.benchmarks.lens import lens
from tests.benchmarks.long import save_long
from tests.benchmarks.memory import memory
from tests.benchmarks.models import models
from tests.benchmarks.review import review
from tests.benchmarks.scale import scale
from tests.fake_server import Answer, FakeServer, words
from tests.terminal import TUI_CHAT, Terminal, home_environment

RUNS = 9
KEYS = "αβγδεζηθι"
ENTER, ESCAPE, CTRL_N = "\r", "\x1b", "\x0e"
ESCAPE_WAIT = 100
"""Milliseconds that Textual waits for an escape sequence to go on."""
BARE = (sys.executable, "-m", "tests.benchmarks.bare")


class Row(Protocol):
    """One line that is printed, and whether its bar was met."""

    @property
    def met(self) -> bool: ...

    def row(self) -> str: ...


@dataclass(frozen=True)
class Figure:
    """A median beside the median of its limit, both in milliseconds, and the ratio that is allowed."""

    name: str
    median: float
    limit_name: str
    limit: float
    bar: float

    @property
    def ratio(self) -> float:
        return self.median / self.limit

    @property
    def met(self) -> bool:
        return self.ratio <= self.bar

    def row(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"{self.name:<34}{self.median:>8.0f} ms   {self.limit_name} {self.limit:.0f} ms"
            f"   ratio {self.ratio:.2f}   bar {self.bar:.2f}   {verdict}"
        )


def first_paint() -> list[Figure]:
    """From the start of the process to the first frame, for a new conversation in an empty HOME."""
    bare, ours = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as home:
            bare.append(_painted(BARE, Path(home), "the floor"))
            ours.append(_painted(TUI_CHAT, Path(home), "tui-chat"))
    return [
        Figure("first paint", statistics.median(ours), "bare", statistics.median(bare), 1.3),
        Figure("first paint, fastest of all runs", min(ours), "bare", min(bare), 1.3),
    ]


def _painted(arguments: tuple[str, ...], home: Path, words: str) -> float:
    # Compiled modules are on disk after the first run, as they are for a person.
    with Terminal(arguments, home_environment(home)) as terminal:
        return (terminal.wait_for(words) - terminal.started) * 1000


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
        old.wait_for(f"message {10_000 - 1}")
        # Each key is drawn once: before, it stands nowhere on the screen.
        for key in KEYS:
            new.type(CTRL_N)
            short.append(_sent(new, key))
            long.append(_sent(old, key))
    return [
        Figure(
            "a key behind a send, 10,000 messages",
            statistics.median(long),
            "new",
            statistics.median(short),
            2.0,
        )
    ]


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
    return [Figure("stop", statistics.median(took), "wait for more of a key", ESCAPE_WAIT, 2.0)]


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
        asyncio.run(save_long(home / "config" / "conversations.db", messages))
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


MEASUREMENTS: dict[str, Callable[[], Sequence[Row]]] = {
    "first-paint": first_paint,
    "send-in-10000": send_in_ten_thousand,
    "stop": stop,
    "lens": lens,
    "memory": memory,
    "models": models,
    "scale": scale,
    "review": review,
}
LONG = ("scale", "review")
"""Those that take minutes."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(MEASUREMENTS)}; without a name all but {', '.join(LONG)}, which take minutes",
    )
    usual = [name for name in MEASUREMENTS if name not in LONG]
    names = parser.parse_args(argv).names or usual
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}")
    met = True
    for name in names:
        for figure in MEASUREMENTS[name]():
            print(figure.row(), flush=True)  # noqa: T201  # this program's only output
            met = met and figure.met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
