"""The program left alone: what it uses of the processor, and what it sends to the terminal."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.benchmarks.figures import Effort, Figure, at_most, beyond
from tests.benchmarks.watched import Watched, bare, opened

_PLACE = re.compile(rb"\x1b\[(\d+);\d+H")


def idle(effort: Effort) -> list[Figure]:
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        terminals = [
            stack.enter_context(bare()),
            stack.enter_context(opened(home, "http://127.0.0.1:9/v1")),
        ]
        for terminal in terminals:
            terminal.settle(2)
        shares, drawn = [], []
        for terminal in terminals:
            used, began = terminal.cpu, monotonic()
            drawn.append(_drawn(terminal, effort.idle))
            shares.append((terminal.cpu - used) / (monotonic() - began) * 100)
    elsewhere = sum(map(_beside_the_cursor, drawn))
    return [
        at_most("core used while nothing happens", shares[1], shares[0], 0.2, unit="%"),
        beyond(
            "sent to the terminal meanwhile, beside the cursor's line",
            elsewhere,
            0,
            0,
            unit="bytes",
            name="none",
        ),
    ]


def _drawn(terminal: Watched, seconds: float) -> bytes:
    drawn, end = b"", monotonic() + seconds
    while (left := end - monotonic()) > 0:
        drawn += terminal.take(left)
    return drawn


def _beside_the_cursor(drawn: bytes) -> int:
    """Bytes that were drawn on other lines than the one that was drawn most often: there the cursor blinks."""
    parts = _PLACE.split(drawn)
    lines: dict[bytes, list[int]] = {}
    for row, words in zip(parts[1::2], parts[2::2], strict=True):
        lines.setdefault(row, []).append(len(words))
    often = max(lines.values(), key=len, default=[])
    return sum(sum(sizes) for sizes in lines.values() if sizes is not often)
