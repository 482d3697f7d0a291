"""From a key to its letter on the screen: at rest, in a long conversation, and while a reply arrives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.benchmarks.figures import Effort, Figure, at_most, percentile, times
from tests.benchmarks.start import LONG, last_words, save_long
from tests.benchmarks.texts import reply
from tests.benchmarks.watched import Watched, bare, opened
from tests.load.flood import flood

LETTERS = [chr(code) for code in range(0x100, 0x180)]
"""Each is typed once, and stands nowhere else: whoever sees it, sees the key's echo."""
BETWEEN = 0.05
"""Seconds between two keys."""
STREAMED = {100: 25.0, 200: 35.0}
"""Tokens a second, and the milliseconds that 95 of 100 keys may take meanwhile. The best other program that was
measured needs 27 at 100."""


def echo(effort: Effort) -> list[Figure]:
    rates = {200: STREAMED[200]} if effort.short else STREAMED
    took: dict[str, list[float]] = {}
    with ExitStack() as stack:
        terminals = {"bare": stack.enter_context(bare()), "rest": stack.enter_context(_new())}
        if not effort.short:
            terminals["long"] = stack.enter_context(_long())
        for rate in rates:
            terminals[f"{rate}"] = stack.enter_context(_streaming(rate))
        # In turn, so that all of them have the same machine.
        for letter in LETTERS[: effort.keys]:
            for name, terminal in terminals.items():
                terminal.rest(BETWEEN / len(terminals))
                took.setdefault(name, []).append(echoed(terminal, letter))
    # Of few keys, the worst are an accident.
    part = 0.5 if effort.short else 0.95
    worst = {name: percentile(values, part) for name, values in took.items()}
    floor = worst["bare"]
    figures = [times("key echo at rest, 95 of 100 keys", worst["rest"], floor, 1.5)]
    if not effort.short:
        name = f"key echo in a conversation of {LONG:,} messages"
        figures.append(times(name, worst["long"], floor, 1.5))
    for rate, bar in rates.items():
        name = f"key echo while {rate} tokens/s arrive"
        figures.append(at_most(name, worst[f"{rate}"], floor, bar))
    return figures


def echoed(terminal: Watched, letter: str) -> float:
    """Milliseconds from a key to its letter. What was drawn before is read first."""
    terminal.take(0)
    began = monotonic()
    terminal.type(letter)
    return (terminal.until(letter) - began) * 1000


@contextmanager
def _new() -> Iterator[Watched]:
    with TemporaryDirectory() as home, opened(Path(home), "http://127.0.0.1:9/v1") as terminal:
        yield terminal


@contextmanager
def _long() -> Iterator[Watched]:
    with TemporaryDirectory() as home:
        save_long(Path(home), LONG)
        with opened(Path(home), "http://127.0.0.1:9/v1", last_words(LONG)) as terminal:
            terminal.settle(2)
            yield terminal


@contextmanager
def _streaming(rate: int) -> Iterator[Watched]:
    """The program while a reply arrives that does not end before the measurement."""
    with (
        TemporaryDirectory() as home,
        flood(Path(home) / "flood", reply(200 * rate), rate=rate) as server,
        opened(Path(home), server.base_url) as terminal,
    ):
        terminal.type("go\r")
        terminal.rest(1.5)
        yield terminal
