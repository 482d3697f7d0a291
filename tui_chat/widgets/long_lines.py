"""A long line of a text area: for each of its rows Textual cuts all of it, and here only that row is cut out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from rich.containers import Lines
from rich.text import Span, Text

LONG = 2_000
"""Characters from which on a line is one of these."""


class LongLine(Text):
    """Behaves as a Text, but for what divide() gives.

    Rich looks for control characters in all of a line twice for each of its rows, which takes most of the time
    where it is not ASCII. Here only the row that is cut out is looked at: with that nothing else is drawn.
    """

    def __init__(self, line: str) -> None:
        super().__init__(end="", no_wrap=True)
        self._text, self._length = [line], len(line)

    def pad_right(self, count: int, character: str = " ") -> None:
        self._text.append(character * count)
        self._length += count

    def divide(self, offsets: Iterable[int]) -> Lines:
        return _Pieces(self, list(pairwise([0, *offsets, len(self)])))


class _Pieces(Lines):
    """The piece that is asked for first is whole; those asked for after it have no styles: of them, a text area
    only counts the tabs."""

    def __init__(self, line: Text, places: list[tuple[int, int]]) -> None:
        super().__init__()
        self._line, self._plain, self._places = line, line.plain, places
        self._tabs = "\t" in self._plain
        self._asked = False

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Text:  # type: ignore[override]  # no slices are asked for
        if self._asked and not self._tabs:
            return _BLANK
        start, stop = self._places[index]
        piece = Text(self._plain[start:stop], end="", no_wrap=True, tab_size=self._line.tab_size)
        if not self._asked:
            piece.spans = [
                Span(max(first, start) - start, min(last, stop) - start, style)
                for first, last, style in self._line.spans
                if first < stop and last > start
            ]
        self._asked = True
        return piece


_BLANK = Text()
