"""Logical lines of styled text, and where they break into rows of a given width.

Rows are cuts of a line, never new text: an offset into a line means the same at every width.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

# Chinese and Japanese are written without blanks: a row may begin with any of their characters.
_WIDE = "\u3001-\u9fff\uff01-\uffef\U00020000-\U0003ffff"
_WORD = rf"\s+|[{_WIDE}]|[^\s{_WIDE}]+"
"""Compiled at its first use, which comes after the first paint: it takes 1.5 ms."""
_COPIED_AS = str.maketrans({"•": "-", "◦": "-", "▪": "-", "▎": ">"})
TAB = 4


class Span(NamedTuple):
    """Text in one style; a style is a string of names, which the palette turns into colours."""

    text: str
    style: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line: what a copy of it gives, and what stands around it on its rows."""

    spans: tuple[Span, ...] = ()
    lead: tuple[Span, ...] = ()
    """Before the first row; not part of the text."""
    hang: tuple[Span, ...] = ()
    """Before every further row; not part of the text."""
    fill: str = ""
    """The style to the right of the text; with one, a blank cell of it also precedes each row."""
    continues: bool = False
    """True when the line before was cut for its length and goes on here."""

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)

    def copied(self, start: int, stop: int | None) -> str:
        """What a copy gives: list and quote marks as they are written in markdown."""
        text = "".join(
            span.text.translate(_COPIED_AS) if "marker" in span.style else span.text
            for span in self.spans
        )
        return text[start:stop]


BLANK = Line()


class Row(NamedTuple):
    """One row: the index of its line and the characters of the line that are on it."""

    line: int
    start: int
    stop: int


def rows_of(lines: Sequence[Line], width: int) -> list[Row]:
    """Where the lines break, so that each row fits into `width` cells."""
    rows: list[Row] = []
    for index, line in enumerate(lines):
        text = line.text
        inset = 1 if line.fill else 0
        first = _room(width - inset, line.lead)
        rest = _room(width - inset, line.hang)
        if len(text) <= first and text.isascii():
            rows.append(Row(index, 0, len(text)))
            continue
        start = 0
        for stop in breaks(text, first, rest):
            rows.append(Row(index, start, stop))
            start = stop
        rows.append(Row(index, start, len(text)))
    return rows


def _room(width: int, prefix: Iterable[Span]) -> int:
    """Cells left for text after a prefix; a prefix never takes more than half of the width."""
    return max(1, width - min(cells(prefix), width // 2))


def cells(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


def breaks(text: str, first: int, rest: int) -> list[int]:
    """Where new rows begin when the first holds `first` cells and the others `rest`, not more.

    Words stay whole where they fit on a row; blanks that do not fit hang over the edge.
    """
    starts: list[int] = []
    width, column = max(1, first), 0
    rest = max(1, rest)
    for match in re.finditer(_WORD, text):
        word = match[0]
        size = cell_len(word)
        if column + size <= width or word.isspace():
            column += size
            continue
        at = match.start()
        if column and size <= rest:
            starts.append(at)
            width, column = rest, size
            continue
        for piece in _chop(word, width - column, rest):
            if piece.start or (column and not piece.fits):
                starts.append(at + piece.start)
                width, column = rest, 0
            column += piece.size
    return starts


class _Piece(NamedTuple):
    start: int
    size: int
    fits: bool


def _chop(word: str, room: int, width: int) -> list[_Piece]:
    """A word too long for a row in pieces: one for the room that is left, then whole rows."""
    head = _head(word, room)
    pieces = [_Piece(0, cell_len(head), fits=True)] if head else []
    at = len(head)
    for chunk in _chunks(word[at:], width) if at < len(word) else ():
        pieces.append(_Piece(at, cell_len(chunk), fits=bool(at)))
        at += len(chunk)
    return pieces


def _chunks(text: str, width: int) -> Iterable[str]:
    """The text in pieces that each fit a row; a single character may be wider."""
    # Rich takes what follows joiners that join nothing for no cells at all, and may make no piece of it.
    for chunk in chop_cells(text, width) or [text]:
        start = 0
        if cell_len(chunk) > width:
            for stop in range(1, len(chunk)):
                if cell_len(chunk[start : stop + 1]) > width and cell_len(chunk[start:stop]):
                    yield chunk[start:stop]
                    start = stop
        yield chunk[start:]


def _head(text: str, room: int) -> str:
    """As much of the beginning of a text as fits."""
    # Of joiners that join nothing, Rich makes no piece at all.
    head = next(iter(chop_cells(text, room)), "") if room > 0 else ""
    return head if cell_len(head) <= room else ""


def sliced(spans: Iterable[Span], start: int, stop: int) -> list[tuple[int, Span]]:
    """The parts of the spans between two offsets, each with the offset of its first character."""
    parts: list[tuple[int, Span]] = []
    at = 0
    for span in spans:
        end = at + len(span.text)
        if end > start and at < stop:
            a, b = max(at, start), min(end, stop)
            parts.append((a, span._replace(text=span.text[a - at : b - at])))
        at = end
    return parts


def fitted(spans: Iterable[Span], width: int) -> list[Span]:
    """The spans cut off where `width` cells are full."""
    parts: list[Span] = []
    for span in spans:
        if cell_len(span.text) > width:
            parts.append(span._replace(text=_head(span.text, width)))
            break
        parts.append(span)
        width -= cell_len(span.text)
    return parts


def literal(text: str, style: str = "") -> tuple[Span, ...]:
    """A line of text as it is, tabs as blanks."""
    return (Span(text.expandtabs(TAB), style),) if text else ()
