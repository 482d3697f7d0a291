"""A reply of 5,000 tokens as fast as the server sends, what it costs, and what one costs that arrives steadily."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.benchmarks.figures import Effort, Figure, at_most, times
from tests.benchmarks.texts import END, reply, tokens
from tests.benchmarks.watched import PLAIN, Watched, environment, opened
from tests.load.flood import Flood, event, flood

TOKENS = 5_000
RATE = 200
"""Tokens a second."""
LARGE = 1_000_000
"""Characters of a reply that is long already."""
NEW = "\x0e"
"""Ctrl+n: each reply begins a conversation, so that none has to carry the others."""


class Runs:
    """What each run took: milliseconds to the end on the screen from Enter and from the last byte, and seconds
    of the processor."""

    def __init__(self) -> None:
        self.totals: list[float] = []
        self.lags: list[float] = []
        self.cpu: list[float] = []

    def add(self, terminal: Watched, server: Flood) -> None:
        count, used, began = len(server.done), terminal.cpu, monotonic()
        terminal.type("go\r")
        seen = terminal.until(END)
        terminal.settle(0.7)
        while len(server.done) == count:
            terminal.take(0.01)
        self.totals.append((seen - began) * 1000)
        self.lags.append((seen - server.done[count]) * 1000)
        self.cpu.append(terminal.cpu - used)


def fast(effort: Effort) -> list[Figure]:
    ours, theirs = Runs(), Runs()
    with (
        TemporaryDirectory() as home,
        flood(Path(home) / "flood", reply(TOKENS)) as server,
        opened(Path(home), server.base_url) as terminal,
        Watched((*PLAIN, server.base_url), environment(Path(home))) as plain,
    ):
        plain.until("ready")
        for _ in range(effort.runs + 1):
            theirs.add(plain, server)
            ours.add(terminal, server)
            terminal.type(NEW)
            terminal.settle()
    lag, bar = statistics.median(ours.lags[1:]), statistics.median(theirs.lags[1:])
    total, least = statistics.median(ours.totals[1:]), statistics.median(theirs.totals[1:])
    each = 1000 * 1000 / TOKENS
    cpu = [statistics.median(runs.cpu[1:]) * each for runs in (ours, theirs)]
    name = f"{TOKENS:,} tokens at once"
    return [
        at_most(f"{name}: last byte sent → end visible", lag, bar, 150, name="plain"),
        times(f"{name}: Enter → end visible", total, least, 1.3, name="plain"),
        times("processor for 1,000 tokens at that rate", cpu[0], cpu[1], 1.5, name="plain"),
    ]


def steady(effort: Effort) -> list[Figure]:
    """What part of a core a reply takes that arrives at RATE, at its beginning and once it is LARGE."""
    count = int(RATE * (effort.seconds + 12))
    long = event("".join(tokens(LARGE // 4))[:LARGE] + "\n\n")
    shares: dict[str, float] = {}
    with ExitStack() as stack:
        for name, before in (("short", b""), ("plain", b""), ("long", long)):
            home = Path(stack.enter_context(TemporaryDirectory()))
            server = stack.enter_context(flood(home / "flood", before + reply(count), rate=RATE))
            if name == "plain":
                started = Watched((*PLAIN, server.base_url), environment(home))
                terminal = stack.enter_context(started)
                terminal.until("ready")
            else:
                terminal = stack.enter_context(opened(home, server.base_url))
            terminal.type("go\r")
            terminal.rest(5 if before else 2)
            used, began = terminal.cpu, monotonic()
            terminal.rest(effort.seconds)
            shares[name] = (terminal.cpu - used) / (monotonic() - began) * 100
            terminal.type("\x1b")
            if effort.short and name == "plain":
                break
    figures = [
        at_most(
            f"core used while {RATE} tokens/s arrive",
            shares["short"],
            shares["plain"],
            20,
            unit="%",
            name="plain",
        )
    ]
    if "long" in shares:
        name = "the same in a reply of 1 MB"
        figures.append(times(name, shares["long"], shares["short"], 1.2, unit="%", name="short"))
    return figures
