"""Draws rows: text in its styles, over it matches and the selection, at its left the cursor's mark.

Every cell says which character of which line it shows, blank ones too: a selection that ended on
a cell without a place would begin at the very start of the document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.widgets.transcript.document import Document, Item, Part, message_key
from tui_chat.widgets.transcript.lines import Line, Row, Span, fitted, sliced
from tui_chat.widgets.transcript.matches import Matches
from tui_chat.widgets.transcript.palette import Palette

_GUTTER = 2
"""Cells at the left of every row: the mark of the cursor and a blank."""
_KEPT = 1_000
"""Rows that are kept drawn."""


def text_width(width: int) -> int:
    """Cells for text in a widget of this width: a gutter at the left, a blank at the right."""
    return max(1, width - _GUTTER - 1)


class Painter:
    """Draws the rows of one document, for one width and one palette at a time."""

    def __init__(self, document: Document, matches: Matches, hint: Sequence[str] = ()) -> None:
        self._document = document
        self._matches = matches
        self._hint = hint
        self._palette: Palette | None = None
        self._strips: dict[tuple[Item, int], Strip] = {}
        self.width = 0

    @property
    def palette(self) -> Palette:
        """The colours; set before anything is drawn."""
        assert self._palette is not None
        return self._palette

    @palette.setter
    def palette(self, palette: Palette) -> None:
        if palette != self._palette:
            self._palette = palette
            self.forget()

    def forget(self) -> None:
        """Draw every row anew."""
        self._strips.clear()

    def row(self, item: Item, number: int) -> Strip:
        """A row of an item, counted from its first."""
        strip = self._strips.pop((item, number), None)
        if strip is None or strip.cell_length != self.width:
            strip = self._drawn(item, number)
            if len(self._strips) >= _KEPT:
                del self._strips[next(iter(self._strips))]
        self._strips[item, number] = strip
        return strip

    def below(self, y: int, height: int) -> Strip:
        """A row under the last message; without a message, one of the hint's in the middle."""
        end = Style(meta={"offset": (0, message_key(len(self._document.messages)))})
        place = y - (height - len(self._hint)) // 2
        if self._document.messages or not 0 <= place < len(self._hint):
            return Strip([Segment(" " * self.width, self.palette.base + end)], self.width)
        text = set_cell_size(self._hint[place], min(self.width, cell_len(self._hint[place])))
        text = " " * ((self.width - cell_len(text)) // 2) + text
        style = self.palette.style("dim") + end
        return Strip([Segment(set_cell_size(text, self.width), style)], self.width)

    def with_cursor(self, strip: Strip, item: Item, number: int) -> Strip:
        """The row with the mark of the cursor, but for the blank row that ends a message."""
        if item.part is Part.FOOT and number == len(self._document.laid(item).rows) - 1:
            return strip
        first, *others = strip
        style = (first.style or Style.null()) + self.palette.style("cursor")
        return Strip([Segment("▌", style), *others], strip.cell_length)

    def with_selection(self, item: Item, number: int, selection: Selection, style: Style) -> Strip:
        """A row of an item with what is selected of it in this style."""
        laid = self._document.laid(item)
        row = laid.rows[number]
        span = selection.get_span(item.key(row.line))
        if span is None:
            return self.row(item, number)
        stop = len(laid.lines[row.line].text) + 1 if span[1] < 0 else span[1]
        # A match may be drawn in reverse, which would turn the selection's colours round as well.
        marked = _Marked(span[0], stop, Style(reverse=False) + style)
        return self._drawn(item, number, [marked])

    def _drawn(self, item: Item, number: int, selected: Sequence[_Marked] = ()) -> Strip:
        laid, palette = self._document.laid(item), self.palette
        row = laid.rows[number]
        marks = [*self._found(item, row), *selected]
        line, key = laid.lines[row.line], item.key(row.line)
        here = Style(meta={"offset": (row.start, key)})
        # One segment for each cell: within a segment, Textual counts characters from its offset.
        segments = [
            Segment(cell, palette.style(span.style) + here)
            for span in (Span(" " * _GUTTER), *self._prefix(line, row.start))
            for cell in span.text
        ]
        # For the same reason what is marked is drawn apart, not painted over later.
        for start, stop in pairwise(_edges(row, marks)):
            for at, span in sliced(line.spans, start, stop):
                style = palette.style(f"{line.fill} {span.style}".strip()) + _meta(
                    at, key, span.link
                )
                segments.append(Segment(span.text, _over(style, marks, at)))
        if row.start == row.stop:
            style = palette.style(line.fill) + here
            segments.append(Segment(" ", _over(style, marks, row.start)))
        return Strip(segments).adjust_cell_length(self.width, palette.style(line.fill))

    def _found(self, item: Item, row: Row) -> Iterator[_Marked]:
        for start, stop, present in self._matches.on_row(item, row):
            style = self.palette.own("match-present" if present else "match")
            yield _Marked(start, stop, style)

    def _prefix(self, line: Line, start: int) -> list[Span]:
        """What stands between the gutter and the text of the row that begins at this character."""
        room = text_width(self.width) - (1 if line.fill else 0)
        spans = fitted(line.hang if start else line.lead, room // 2)
        return [*spans, Span(" ", line.fill)] if line.fill else spans


class _Marked(NamedTuple):
    """The characters of a line to draw in another style."""

    start: int
    stop: int
    style: Style


def _edges(row: Row, marks: Sequence[_Marked]) -> list[int]:
    """Where the row must be cut, its ends among them."""
    edges = {row.start, row.stop}
    for mark in marks:
        edges |= {max(row.start, min(edge, row.stop)) for edge in (mark.start, mark.stop)}
    return sorted(edges)


def _over(style: Style, marks: Sequence[_Marked], character: int) -> Style:
    """The style of a character with that of all marks over it."""
    for mark in marks:
        if mark.start <= character < mark.stop:
            style += mark.style
    return style


def _meta(character: int, key: int, link: str) -> Style:
    meta: dict[str, object] = {"offset": (character, key)}
    if link:
        meta["link"] = link
    return Style(meta=meta)
