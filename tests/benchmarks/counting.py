"""What a key costs to count in a long draft. It is counted on a thread, so that no key waits for it."""

from __future__ import annotations

import statistics
from time import perf_counter

from tests.benchmarks.figures import Effort, Figure, at_most
from tests.benchmarks.texts import tokens
from tui_chat.core.counting import LineCounter, _loaded
from tui_chat.core.errors import ChatError

ENCODING = "o200k_base"
DRAFTS = {20_000: 1.0, 1_000_000: 15.0}
"""Characters of a draft, and the milliseconds that the count of one more key may take."""


def counting(effort: Effort) -> list[Figure]:
    figures = []
    encoding = _loaded(ENCODING)
    assert not isinstance(encoding, ChatError)
    for size, bar in DRAFTS.items():
        draft = "".join(tokens(size // 2))[:size]
        counter, took, whole = LineCounter(), [], []
        counter.count(draft, ENCODING)
        for run in range(effort.runs * 3):
            middle = len(draft) // 2
            draft = f"{draft[:middle]}k{draft[middle:]}"
            began = perf_counter()
            counter.count(draft, ENCODING)
            took.append((perf_counter() - began) * 1000)
            if run < effort.runs:
                began = perf_counter()
                encoding.encode_ordinary(draft)
                whole.append((perf_counter() - began) * 1000)
        name = f"tokens counted again after a key in a draft of {size // 1000:,} KB"
        median, limit = statistics.median(took), statistics.median(whole)
        figures.append(at_most(name, median, limit, bar, name="tiktoken"))
    return figures
