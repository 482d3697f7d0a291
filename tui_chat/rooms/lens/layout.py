"""Tokens laid out in lines of a width: every token has its place, white space and parts of characters too.

Lines break before words, and inside them only where a word is longer than a line. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size

_MARKS = 8
"""Characters for each cell of a line at most; there are more only where marks are heaped on letters."""
NEWLINE = "⏎"
TAB = "⇥"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line, of one token."""

    token: int
    text: str
    start: int
    """The column it begins in."""
    width: int


@dataclass(slots=True)
class Line:
    """One line."""

    pieces: list[Piece] = field(default_factory=list)
    ends: bool = False
    """Whether a newline of the text ends it."""

    @property
    def width(self) -> int:
        return self.pieces[-1].start + self.pieces[-1].width if self.pieces else 0

    def add(self, token: int, text: str, width: int) -> None:
        self.pieces.append(Piece(token, text, self.width, width))


class Layout:
    """The lines of a growing sequence of tokens."""

    def __init__(self, width: int) -> None:
        self.width = max(4, width)
        self.lines: list[Line] = [Line()]
        self.count = 0
        """How many tokens there are."""
        self._lines_of: list[int] = []
        """The line in which each token begins, or in which what it is a part of does."""

    def extend(self, texts: Iterable[str]) -> None:
        """Add tokens with these texts at the end."""
        changed = len(self.lines) - 1
        start = self.lines[changed].pieces[0].token if self.lines[changed].pieces else self.count
        before = self.lines[changed - 1].pieces if changed else []
        if before and before[-1].token == start:
            start += 1  # It begins in the line before.
        for text in texts:
            self._add(self.count, text)
            self.count += 1
        del self._lines_of[start:]
        for number in range(changed, len(self.lines)):
            for piece in self.lines[number].pieces:
                # A part of a character has no text of its own: it is where the next one is.
                while len(self._lines_of) <= piece.token:
                    self._lines_of.append(number)

    def _add(self, token: int, text: str) -> None:
        if "\n" not in text:
            if text:
                self._put(token, text.replace("\t", TAB))
            return
        for place, part in enumerate(text.replace("\t", TAB).split("\n")):
            if place:
                self._put(token, NEWLINE, breaks=False)
                self.lines[-1].ends = True
                self.lines.append(Line())
            if part:
                self._put(token, part)

    def _put(self, token: int, text: str, *, breaks: bool = True) -> None:
        width = cell_len(text) if len(text) < _MARKS * self.width else self.width + 1
        line = self.lines[-1]
        if line.width + width <= self.width or not line.pieces or not breaks:
            if width <= self.width or not breaks:
                line.add(token, text, width)
                return
        elif not text.startswith(" ") and (carried := self._last_word(line)):
            # It goes on with a word that began in this line: the word moves as a whole.
            new = Line()
            for piece in carried:
                text_of, width_of = piece.text, piece.width
                if not new.pieces and text_of.startswith(" "):
                    line.add(piece.token, " ", 1)
                    text_of, width_of = text_of[1:], width_of - 1
                if text_of:
                    new.add(piece.token, text_of, width_of)
            self.lines.append(new)
            self._put(token, text)
            return
        if line.pieces:
            if text.startswith(" "):
                # White space between two lines stays at the end of the first, out of the way.
                line.add(token, " ", 1)
                text = text[1:]
            self.lines.append(Line())
        self._put_long(token, text)

    def _last_word(self, line: Line) -> list[Piece]:
        """The pieces of the word that ends this line, taken out of it; none where it fills the line."""
        start = len(line.pieces) - 1
        while start > 0 and not line.pieces[start].text.startswith(" "):
            if line.pieces[start - 1].text.endswith((" ", TAB)):
                break
            start -= 1
        if start <= 0:
            return []
        word, line.pieces[start:] = line.pieces[start:], []
        return word

    def _put_long(self, token: int, text: str) -> None:
        """A text that may be longer than a line, or than a thousand."""
        while len(text) > _MARKS * self.width or cell_len(text) > self.width:
            near = text[: _MARKS * self.width]
            head = set_cell_size(near, self.width) if cell_len(near) > self.width else near
            if cell_len(text[: len(head)]) > self.width or text[: len(head)] != head:
                head = head.rstrip() or text[0]
            self.lines[-1].add(token, head, cell_len(head))
            self.lines.append(Line())
            text = text[len(head) :]
        if text:
            self.lines[-1].add(token, text, cell_len(text))

    # Finding tokens

    def line_of(self, token: int) -> int:
        """The line in which a token begins, or in which what it is a part of does."""
        return self._lines_of[token] if token < len(self._lines_of) else len(self.lines) - 1

    def column_of(self, token: int) -> int:
        """The column in which a token begins."""
        line = self.lines[self.line_of(token)]
        return next((piece.start for piece in line.pieces if piece.token >= token), line.width)

    def token_at(self, line: int, column: int) -> int | None:
        """The token at a place; the nearest one of that line where there is none; None in an empty line."""
        pieces = self.lines[line].pieces if 0 <= line < len(self.lines) else []
        if not pieces:
            return None
        for piece in pieces:
            if piece.start <= column < piece.start + piece.width:
                return piece.token
        return pieces[-1].token if column >= pieces[-1].start else pieces[0].token


def is_word_start(texts: Sequence[str], token: int) -> bool:
    """Whether a word begins with this token: after white space, or with some in front of letters."""
    text = texts[token]
    if not text.strip():
        return False
    if text[0].isspace():
        return True
    before = next((one for one in reversed(texts[max(0, token - 8) : token]) if one), "")
    return not before or before[-1].isspace()
