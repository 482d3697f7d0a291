"""How much memory the program takes: at rest, and with the largest that it is given. Read from /proc: for Linux.

Each figure is of a program of its own in a real terminal, beside that of the bare one at rest: the most that it
ever took, and what it still has a second after.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.start import last_words, save_long
from tests.load.flood import event, flood, with_candidates
from tests.terminal import TUI_CHAT, Terminal, home_environment

BARE = (sys.executable, "-m", "tests.benchmarks.bare")
ENTER = "\r"
_LOGPROBS = event(" word", with_candidates(" word"))
REPLIES = {
    "a reply of one word": (event("ok"), 1, 0, 100),
    "a reply of 5 MB in one line": (event("word " * 1_000_000), 1, 0, 120),
    "10,000 tokens/s for 5 s": (event(" word"), 50_000, 10_000, 110),
    "a line of 50 MB": (event("Hello") + event("x" * 50_000_000), 1, 0, 110),
    "10,000 tokens, 20 candidates each": (_LOGPROBS, 10_000, 0, 160),
}
"""What the server sends, how often and at which rate, and by how many MB the program may grow for it."""
PASTE, PASTED = "some words here\n" * 625_000, 160
MESSAGES, OPENED = 10_000, 90
AT_REST = 100


@dataclass(frozen=True)
class Taken:
    """Megabytes: the most that was taken, what is taken in the end, what the bare program takes at rest, and the
    most that is allowed."""

    name: str
    most: float
    after: float
    bare: float
    bar: float

    @property
    def met(self) -> bool:
        return self.most <= self.bar

    def row(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"{self.name:<34}{self.most:>8.0f} MB at most {self.after:>5.0f} MB after"
            f"   bare {self.bare:.0f} MB   bar {self.bar:.0f} MB   {verdict}"
        )


def memory() -> list[Taken]:
    """At rest; after each of the largest replies; after a paste; with a long conversation open."""
    with tempfile.TemporaryDirectory() as home, Terminal(BARE, home_environment(Path(home))) as one:
        one.wait_for("the floor", 60)
        _settle(one)
        bare, _ = _megabytes(one)
    with _opened(event("ok")) as one:
        rest, after = _megabytes(one)
        found = [Taken("at rest", rest, after, bare, AT_REST)]
    for name, (events, count, rate, more) in REPLIES.items():
        with _opened(events, count, rate) as one:
            _answered(one, "hi")
            found.append(Taken(name, *_megabytes(one), bare, rest + more))
    with _opened(event("ok")) as one:
        one.paste(PASTE)
        one.wait_for("pasted", 60)
        _answered(one, "")
        found.append(Taken("10 MB pasted and sent", *_megabytes(one), bare, rest + PASTED))
    with _opened(event("ok"), messages=MESSAGES) as one:
        one.wait_for(last_words(MESSAGES), 60)
        _settle(one)
        name = f"{MESSAGES:,} messages opened"
        found.append(Taken(name, *_megabytes(one), bare, rest + OPENED))
    return found


@contextmanager
def _opened(
    events: bytes, count: int = 1, rate: float = 0, messages: int = 0
) -> Iterator[Terminal]:
    """The program at rest, with a server that answers so, and a saved conversation of so many messages."""
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        if messages:
            save_long(home, messages)
        with flood(home / "flood", events, count, rate) as server:
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


def _answered(terminal: Terminal, words: str) -> None:
    terminal.type(words + ENTER)
    # An end that was none is told by another word.
    deadline = time.monotonic() + 120
    while not any(end in terminal.text for end in ("complete", " cut")):
        assert time.monotonic() < deadline, terminal.text[-2000:]
        terminal.read(0.05)
    _settle(terminal)


def _settle(terminal: Terminal) -> None:
    """Read what is drawn for two seconds: all is loaded and written by then. A cursor may blink on."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        terminal.read(0.1)


def _megabytes(terminal: Terminal) -> tuple[float, float]:
    """The most that was ever taken, and what is taken now."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    most, now = (int(status.partition(f"{name}:")[2].split()[0]) for name in ("VmHWM", "VmRSS"))
    return most / 1024, now / 1024
