"""Measurements of the installed program in a real terminal: `python -m tests.benchmarks [NAME…]`.

Each figure stands beside its limit, a small reference program measured in turn with it in the same
run, so that the ratio means the same on a fast machine and on a busy one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.terminal import TUI_CHAT, Terminal, home_environment

RUNS = 9
BARE = (sys.executable, "-m", "tests.benchmarks.bare")


@dataclass(frozen=True)
class Figure:
    """A median beside the median of its limit, both in milliseconds, and the ratio that is allowed."""

    name: str
    median: float
    limit_name: str
    limit: float
    bar: float

    def row(self) -> str:
        ratio = self.median / self.limit
        verdict = "met" if ratio <= self.bar else "MISSED"
        return (
            f"{self.name:<34}{self.median:>8.0f} ms   {self.limit_name} {self.limit:.0f} ms"
            f"   ratio {ratio:.2f}   bar {self.bar:.2f}   {verdict}"
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


MEASUREMENTS: dict[str, Callable[[], list[Figure]]] = {"first-paint": first_paint}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    names = parser.parse_args().names or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}")
    for name in names:
        for figure in MEASUREMENTS[name]():
            print(figure.row())  # noqa: T201  # this program's only output
    return 0


if __name__ == "__main__":
    sys.exit(main())
