"""How many rows each item takes, and which item is at a row, for a hundred thousand items.

A height is an estimate until it was measured; sums are rebuilt from the first change only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Heights:
    """A list of heights in rows, each known to be exact or not, with prefix sums."""

    def __init__(self) -> None:
        self._heights: list[int] = []
        self._exact = bytearray()
        self._ends: list[int] = []
        """Row after each item, as far as it is known."""

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    @property
    def total(self) -> int:
        """The number of rows of all items."""
        return self._sums()[-1] if self._heights else 0

    def is_exact(self, index: int) -> bool:
        return bool(self._exact[index])

    def set(self, index: int, height: int, *, exact: bool) -> None:
        self._exact[index] = exact
        if self._heights[index] != height:
            self._heights[index] = height
            del self._ends[index:]

    def splice(self, start: int, stop: int, heights: Iterable[int]) -> None:
        """Put estimated heights in the place of the items from `start` up to `stop`."""
        new = list(heights)
        self._heights[start:stop] = new
        self._exact[start:stop] = bytes(len(new))
        del self._ends[start:]

    def scale(self, factor: float) -> None:
        """Make every height an estimate, `factor` times what it was; a height of one row stays."""
        self._heights = [h if h <= 1 else max(1, round(h * factor)) for h in self._heights]
        self._exact = bytearray(len(self._heights))
        self._ends.clear()

    def top(self, index: int) -> int:
        """The first row of an item; with the number of items, the row after the last."""
        return self._sums()[index - 1] if index > 0 else 0

    def at(self, row: int) -> int:
        """The index of the item that covers this row; the nearest one for a row outside."""
        return max(0, min(bisect_right(self._sums(), row), len(self._heights) - 1))

    def _sums(self) -> list[int]:
        known = len(self._ends)
        if known < len(self._heights):
            start = self._ends[-1] if self._ends else 0
            sums = accumulate(self._heights[known:], initial=start)
            next(sums)
            self._ends.extend(sums)
        return self._ends
