"""Lays a table out: columns shrink until they fit, cells wrap, long tables stay readable.

Every row of the screen is a line of its own, which fits the width it was laid out for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from typing import Literal

from tui_chat.widgets.transcript.lines import Line, Span, breaks, cells, sliced

Cell = tuple[Span, ...]
Align = Literal["left", "center", "right"]
_BAR = Span(" │ ", "rule")


@dataclass
class Table:
    """A table as it is read: one alignment for each column, the first row is the head."""

    aligns: list[Align] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)

    def lines(self, width: int) -> list[Line]:
        """The table on lines of at most `width` cells."""
        widths = _fit(self._natural(), width - _separators(len(self.aligns)))
        if widths is None:
            return [_plain(row) for row in self.rows]
        wrapped = [
            [_wrap(cell, w) for cell, w in zip(row, widths, strict=True)] for row in self.rows
        ]
        tall = any(len(parts) > 1 for row in wrapped[1:] for parts in row)
        lines: list[Line] = []
        for index, row in enumerate(wrapped):
            lines.extend(self._row(row, widths, head=index == 0))
            if index == 0 or (tall and index < len(wrapped) - 1):
                rule = "─┼─".join("─" * width for width in widths)
                lines.append(Line((Span(rule, "rule"),)))
        return lines

    def _natural(self) -> list[int]:
        return [max(1, *(cells(row[i]) for row in self.rows)) for i in range(len(self.aligns))]

    def _row(self, row: Sequence[list[Cell]], widths: Sequence[int], *, head: bool) -> list[Line]:
        lines: list[Line] = []
        for parts in zip_longest(*row, fillvalue=()):
            spans: list[Span] = []
            for part, width, align in zip(parts, widths, self.aligns, strict=True):
                if spans:
                    spans.append(_BAR)
                spans.extend(_aligned(part, width, align, head=head))
            lines.append(Line(tuple(spans)))
        return lines


def _separators(columns: int) -> int:
    return len(_BAR.text) * (columns - 1)


def _fit(widths: list[int], room: int) -> list[int] | None:
    """The widths made to fit: the widest column gives first; None when there is no room at all."""
    if room < 2 * len(widths) and room < sum(widths):
        return None
    widths = [min(width, room) for width in widths]
    while (excess := sum(widths) - room) > 0:
        widest = max(widths)
        others = [width for width in widths if width < widest]
        count = len(widths) - len(others)
        step = max(1, min(widest - max(others, default=1), excess // count))
        for index, width in enumerate(widths):
            if width == widest and sum(widths) > room:
                widths[index] -= step
    return widths


def _wrap(cell: Cell, width: int) -> list[Cell]:
    text = "".join(span.text for span in cell)
    edges = [0, *breaks(text, width, width), len(text)]
    rows: list[Cell] = []
    for start, stop in pairwise(edges):
        stop = start + len(text[start:stop].rstrip())
        rows.append(tuple(span for _, span in sliced(cell, start, stop)))
    return rows


def _aligned(cell: Cell, width: int, align: Align, *, head: bool) -> list[Span]:
    space = max(0, width - cells(cell))
    left = {"left": 0, "center": space // 2, "right": space}[align]
    if head:
        cell = tuple(span._replace(style=f"{span.style} strong") for span in cell)
    around = Span(" " * left), *cell, Span(" " * (space - left))
    return [span for span in around if span.text]


def _plain(row: Sequence[Cell]) -> Line:
    """A row of a table with more columns than fit: its cells one after the other."""
    spans: list[Span] = []
    for cell in row:
        spans.extend([_BAR, *cell] if spans else cell)
    return Line(tuple(spans))
