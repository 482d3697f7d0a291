"""A long conversation that is opened, resized and paged through, from a key to the last that is drawn for it."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.benchmarks.echo import LETTERS, echoed
from tests.benchmarks.figures import Effort, Figure, at_most
from tests.benchmarks.start import LONG, last_words, save_long
from tests.benchmarks.watched import Watched, bare, opened

OPENED = {LONG: 100.0, 10 * LONG: 500.0}
"""Messages, and the milliseconds from Enter on its line to its last words."""
F3, ENTER, NEW, PAGE_UP, TAB = "\x1bOR", "\r", "\x0e", "\x1b[5~", "\t"
SIZES = ((100, 30), (120, 40))


def opening(effort: Effort) -> list[Figure]:
    figures = []
    with bare() as floor:
        for count, bar in OPENED.items():
            with _saved(count) as (home, terminal):
                took = [_opened(terminal, count) for _ in range(effort.runs)]
                query = _queried(home, effort.runs)
                name = f"a conversation of {count:,} messages is opened"
                figures.append(at_most(name, statistics.median(took), query, bar, name="sqlite"))
                if count == LONG:
                    figures += [_resized(terminal, floor, effort), _paged(terminal, floor, effort)]
    return figures


def _opened(terminal: Watched, count: int) -> float:
    """Milliseconds from Enter in the list, whose first line it is, to its last words in the chat."""
    terminal.type(NEW)
    terminal.settle()
    terminal.type(F3)
    terminal.settle(0.6)
    began = monotonic()
    terminal.type(ENTER)
    took = (terminal.until(last_words(count)) - began) * 1000
    terminal.settle()
    return took


def _queried(home: Path, runs: int) -> float:
    """The same rows by a bare query, in milliseconds."""
    took = []
    with closing(sqlite3.connect(home / "config" / "conversations.db")) as connection:
        for _ in range(runs):
            began = monotonic()
            connection.execute("SELECT * FROM message WHERE conversation=1 ORDER BY seq").fetchall()
            took.append((monotonic() - began) * 1000)
    return statistics.median(took)


def _resized(terminal: Watched, floor: Watched, effort: Effort) -> Figure:
    took: dict[bool, list[float]] = {True: [], False: []}
    for run in range(effort.runs):
        for one in (terminal, floor):
            one.settle()
            began = monotonic()
            one.resize(*SIZES[run % 2])
            took[one is terminal].append((one.settle(0.25) - began) * 1000)
    name = f"resized with {LONG:,} messages, to the last that is drawn"
    return at_most(name, statistics.median(took[True]), statistics.median(took[False]), 150)


def _paged(terminal: Watched, floor: Watched, effort: Effort) -> Figure:
    took, keys = [], []
    terminal.type(TAB)
    terminal.settle()
    for letter in LETTERS[: effort.runs * 3]:
        began = monotonic()
        terminal.type(PAGE_UP)
        took.append((terminal.settle(0.15) - began) * 1000)
        floor.settle()
        keys.append(echoed(floor, letter))
    name = f"page up among {LONG:,} messages, to the last that is drawn"
    return at_most(name, statistics.median(took), statistics.median(keys), 16)


@contextmanager
def _saved(count: int) -> Iterator[tuple[Path, Watched]]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        save_long(home, count)
        terminal = stack.enter_context(
            opened(home, "http://127.0.0.1:9/v1", mark=last_words(count))
        )
        terminal.settle(1)
        yield home, terminal
