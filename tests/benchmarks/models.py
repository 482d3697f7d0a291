"""A list of 10,000 models in a real terminal: from a key that narrows it, and one that widens it, to the new list.

Each median stands beside that of the same keys over 20 models, measured in turn with it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.scale import RUNS, Timing
from tests.fake_server import FakeServer
from tests.terminal import TUI_CHAT, Terminal, home_environment

MANY, FEW = 10_000, 20
BAR = 50.0
"""Milliseconds that a key may take longer over many than over few."""
BACKSPACE = "\x7f"


def models(count: int = MANY, runs: int = RUNS) -> list[Timing]:
    """A digit typed into the list's filter, and taken away again."""
    took: dict[str, tuple[list[float], list[float]]] = {"narrow": ([], []), "widen": ([], [])}
    with _opened(count) as many, _opened(FEW) as few:
        for _ in range(runs):
            for place, terminal in enumerate((many, few)):
                took["narrow"][place].append(_key(terminal, "7", "model-00007"))
                took["widen"][place].append(_key(terminal, BACKSPACE, "model-00000"))
    return [
        Timing(
            f"{count:,} models: {name}",
            statistics.median(mine),
            statistics.median(theirs),
            bar=statistics.median(theirs) + BAR,
        )
        for name, (mine, theirs) in took.items()
    ]


def _key(terminal: Terminal, key: str, drawn: str) -> float:
    """Milliseconds from a key to what it leads to."""
    while terminal.read(0.3):
        pass
    terminal.forget()
    began = time.monotonic()
    terminal.type(key)
    return (terminal.wait_for(drawn) - began) * 1000


@contextmanager
def _opened(count: int) -> Iterator[Terminal]:
    """The program with the list of so many models open."""
    names = [f"vendor/model-{number:05}" for number in range(count)]
    with FakeServer(models=names) as server, tempfile.TemporaryDirectory() as home:
        environ = home_environment(
            Path(home),
            OPENAI_BASE_URL=server.base_url,
            TUI_CHAT_CONFIG_DIR=f"{home}/config",
            TUI_CHAT_CACHE_DIR=f"{home}/cache",
        )
        with Terminal(TUI_CHAT, environ) as terminal:
            terminal.wait_for("ready", 60)
            terminal.type("/model ")
            terminal.wait_for("/model")
            terminal.type("\r")
            terminal.wait_for("model-00007", 60)
            yield terminal
