"""Cuts a text into blocks that are drawn one by one, of about 6,000 characters at most.

A settled block never changes, whatever text arrives later: so cutting a growing text again from
its first unsettled block gives the same blocks as cutting the whole text at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

LIMIT = 6_000
"""Characters of a block at most: what one drawing costs is bounded, whatever a model sends."""

CODE_LIMIT = 3_000
"""The same for code, whose colours cost more."""
FAR = 20_000
"""Characters from a text's beginning from which on short paragraphs share a block, so that the blocks of a
giant are some thousands."""
_TOGETHER = 2_000
"""Characters that such paragraphs have together, about."""
_MOST_LINES = 400
"""Lines of a block: thousands of them can be one row, and a screen of such rows would take long to draw."""
_LIST_LIMIT = 1_500
"""Characters after which a list is cut at its next item, where no cut can be seen."""
_FENCE = re.compile(r"( *)(?P<fence>`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})(?P<info>[^\n]*)")
_BLANK_LINES = re.compile(r"[ \t\n]*\n")
_LIST_MARKER = re.compile(r"( *)(?:[-*+]|\d{1,9}[.)])(?: {1,4}(?=\S)|(?=[ \t]*\n)| )")
_PARAGRAPH = re.compile(r"\n[ \t]*\n(?=\S)")
_LANGUAGE = re.compile(r"[\w+#.-]+")
_MAY_OPEN = ("", "`", "``", "~", "~~")
_NO_LIST = 99


@dataclass(frozen=True, slots=True)
class Fence:
    """How a code fence was opened: what it takes to close it again."""

    character: str
    length: int
    language: str = ""
    indent: int = 0
    """Columns to take away from each line of the code."""
    inside: bool = False
    """True when the fence belongs to a list item."""

    def closes(self, line: str) -> bool:
        """Whether this complete line ends the code."""
        mark = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        only = mark == self.character * len(mark)
        return only and len(mark) >= self.length and indent <= self.indent + 3

    def may_close(self, line: str) -> bool:
        """Whether this line, still arriving, may become the one that ends the code."""
        mark = line.strip()
        return mark == self.character * len(mark)


@dataclass(frozen=True, slots=True)
class State:
    """What a cutter must know to go on from a place where a block begins."""

    fence: Fence | None = None
    """The fence whose code goes on; None outside of code."""
    midline: bool = False
    """True when the line before was too long and goes on here."""
    joined: bool = False
    """True when no blank row parts the block that begins here from what is above it."""


START = State(joined=True)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a text: where it is, how to draw it, and whether it can still change."""

    kind: Literal["markdown", "code", "plain", "rest"]
    """`rest` is what was not cut yet."""
    start: int
    end: int
    before: State = START
    after: State = State()
    body: tuple[int, int] = (0, 0)
    """Where the code is, without the lines of its fence."""
    fence: Fence | None = None
    settled: bool = True


def cut(text: str, at: int = 0, state: State = START, *, final: bool) -> list[Block]:
    """The blocks of a markdown text from `at` on, where a block begins in this state.

    `final` says that no more text will come; otherwise what the next characters could still
    change is not settled.
    """
    return list(cutting(text, at, state, final=final))


def cutting(text: str, at: int = 0, state: State = START, *, final: bool) -> Iterator[Block]:
    """The same, one after the other: a giant takes seconds to be cut, each of its blocks some milliseconds."""
    return _Cutter(text, final).blocks(at, state)


def cut_plain(text: str) -> list[Block]:
    """The blocks of a text that is shown as it was typed."""
    blocks: list[Block] = []
    at, state = 0, START
    while at < len(text):
        end = _piece_end(text, at, len(text))
        blocks.append(Block("plain", at, end, state))
        at, state = end, State(midline=text[end - 1] != "\n", joined=True)
    return blocks


def _piece_end(text: str, start: int, stop: int, limit: int = LIMIT) -> int:
    """Where a piece that starts here ends: at a line's end, else a word's, else anywhere."""
    if stop - start <= limit:
        return stop
    for separator in ("\n", " "):
        if (at := text.rfind(separator, start, start + limit)) > start:
            return at + 1
    return start + limit


class _Cutter:
    def __init__(self, text: str, final: bool) -> None:
        self._text = text
        self._final = final

    def blocks(self, at: int, state: State) -> Iterator[Block]:
        while at < len(self._text):
            if state.fence is not None:
                block = self._code(at, at, state, state.fence)
            elif state.midline:
                block = self._long_line(at, state)
            else:
                if blank := _BLANK_LINES.match(self._text, at):
                    state = State(joined=state.joined and at == 0)
                    at = blank.end()
                if len(self._text) - at <= LIMIT and not self._text[at:].strip(" \t"):
                    return
                if (fence := self._fence(at, range(4))) is not None:
                    block = self._code(at, self._line_end(at), state, fence)
                else:
                    block = self._markdown(at, state)
            yield block
            at, state = block.end, block.after

    def _line_end(self, at: int) -> int:
        """Where the next line starts, or the end of the text."""
        return self._text.find("\n", at) + 1 or len(self._text)

    def _complete(self, end: int) -> bool:
        """Whether the line that ends here can no longer grow."""
        return self._final or self._text[end - 1] == "\n"

    def _fence(self, at: int, indents: range) -> Fence | None:
        """The fence that the line at this place opens, if it does."""
        match = _FENCE.match(self._text, at)
        if match is None or len(match[1]) not in indents:
            return None
        language = _LANGUAGE.search(match["info"])
        name = language[0].lower() if language else ""
        return Fence(match["fence"][0], len(match["fence"]), name, len(match[1]))

    def _code(self, start: int, body: int, before: State, fence: Fence) -> Block:
        """One piece of code: up to the closing fence, or as much as a block may hold."""

        def piece(stop: int, end: int, after: State, *, settled: bool) -> Block:
            return Block("code", start, end, before, after, (body, stop), fence, settled)

        text, at, midline = self._text, body, before.midline
        while at < len(text):
            end = self._line_end(at)
            if not midline and end - at <= CODE_LIMIT:
                line = text[at:end]
                if self._complete(end) and fence.closes(line):
                    return piece(at, end, State(joined=fence.inside), settled=True)
                if not self._complete(end) and fence.may_close(line):
                    return piece(at, end, State(), settled=False)
            if end - body > CODE_LIMIT:
                stop = self._code_stop(body, at, end)
                after = State(fence, text[stop - 1] != "\n", joined=True)
                return piece(stop, stop, after, settled=True)
            at, midline = end, False
        return piece(at, at, State(), settled=self._final)

    def _code_stop(self, start: int, stop: int, line_end: int) -> int:
        """Where code that grew too long with the line from `stop` on is best cut.

        That is before text at the margin, or else at the end of a line: what spans many lines,
        such as a comment, is coloured wrongly behind a cut through it.
        """
        if start == stop:
            return _piece_end(self._text, start, line_end, CODE_LIMIT)
        breaks = _PARAGRAPH.finditer(self._text, (start + stop) // 2, stop)
        return max((match.end() for match in breaks), default=stop)

    def _long_line(self, start: int, before: State) -> Block:
        """One piece of a line that is longer than a block may be."""
        line_end = self._line_end(start)
        end = _piece_end(self._text, start, line_end)
        after = State(midline=end < line_end, joined=True)
        settled = end < line_end or self._complete(end)
        return Block("plain", start, end, before, after, settled=settled)

    def _markdown(self, start: int, before: State) -> Block:
        """A block that ends at a blank line before text at the margin, or before a fence."""
        text, at, blank = self._text, start, False
        items, least = _ListItems(), start + (_TOGETHER if start >= FAR else 0)
        lines = 0
        while at < len(text):
            lines += 1
            end = self._line_end(at)
            if blank_lines := _BLANK_LINES.match(text, at):
                at, blank = blank_lines.end(), True
                continue
            line = text[at:end]
            indent = len(line) - len(line.lstrip(" \t"))
            if blank and indent == 0:
                if at >= least:
                    return Block("markdown", start, at, before)
                items = _ListItems()
            if items.leaves_code(indent) and at > start and self._fence(at, items.outside):
                # What follows a fence of backticks may still turn out to hold a backtick.
                settled = self._complete(end)
                return Block("markdown", start, at, before, settled=settled)
            if items.goes_on(line) and at - start > _LIST_LIMIT and not blank:
                return Block("markdown", start, at, before, State(joined=True))
            undecided = not self._complete(end) and line.strip() in _MAY_OPEN
            if (end - start > LIMIT or lines > _MOST_LINES) and not undecided:
                return self._cut_markdown(start, at, State(items.code, joined=not blank), before)
            if self._complete(end):
                items.read(line, self._fence(at, items.inside))
            at, blank = end, False
        return Block("markdown", start, at, before, settled=self._final)

    def _cut_markdown(self, start: int, at: int, after: State, before: State) -> Block:
        """The block grew too long with the line at this place: what is above it is the piece."""
        if at > start:
            return Block("markdown", start, at, before, after)
        return replace(self._long_line(start, before), before=before)


class _ListItems:
    """What the lines of a block so far say about code inside of its list items."""

    def __init__(self) -> None:
        self._content = _NO_LIST
        """The column where the text of the outermost list item begins."""
        self.code: Fence | None = None
        """The fence that is open inside of an item."""

    @property
    def outside(self) -> range:
        """The columns at which a fence belongs to no item."""
        return range(min(self._content, 4))

    @property
    def inside(self) -> range:
        """The columns at which a fence belongs to an item."""
        return range(self._content, _NO_LIST)

    def leaves_code(self, indent: int) -> bool:
        """Whether a line that begins at this column is not in an item's code; ends that code."""
        if self.code is not None and indent < self._content:
            self.code = None
        return self.code is None

    def goes_on(self, line: str) -> bool:
        """Whether this line begins another item of the outermost list."""
        return self.code is None and self._content != _NO_LIST and self._marker(line) is not None

    def _marker(self, line: str) -> re.Match[str] | None:
        marker = _LIST_MARKER.match(line)
        return marker if marker and len(marker[1]) in self.outside else None

    def read(self, line: str, fence: Fence | None) -> None:
        """Take in a complete line and the fence that it opens inside of an item."""
        if self.code is not None:
            if self.code.closes(line):
                self.code = None
        elif fence is not None:
            self.code = replace(fence, inside=True)
        elif marker := self._marker(line):
            self._content = marker.end()
