"""Where something is found in what is shown, and which match comes next.

A text is looked at as it was written first; only where something stands in it are its lines laid
out. What is found in lines that are drawn is kept until they are laid out anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

from tui_chat.core.conversation import Message
from tui_chat.widgets.transcript.document import Document, Item, Laid, Part
from tui_chat.widgets.transcript.lines import Line, Row

Find = Callable[[str], Sequence[tuple[int, int]]]
"""Where something stands in a text: (start, end) pairs of characters, in order."""

_PIECE = 20_000
"""Characters of a text that are looked at in one go."""
_OVERLAP = 200
"""Characters by which such pieces overlap, for what stands across their ends."""
_KEPT = 600
"""Items of which is kept what was found in them."""
_SAID = (Part.REASONING, Part.BODY)
"""What is looked at: what was said. The words around it are ours."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is found in the lines of one item, as characters of the text that the lines add up to."""

    spans: Sequence[tuple[int, int]]
    starts: Sequence[int]
    """Where each line begins in that text."""

    @classmethod
    def in_lines(cls, lines: Sequence[Line], find: Find) -> Found:
        """A line that goes on in the next is one with it: so words are found across both."""
        starts: list[int] = []
        parts: list[str] = []
        at = 0
        for line in lines:
            if parts and not line.continues:
                parts.append("\n")
                at += 1
            starts.append(at)
            parts.append(line.text)
            at += len(parts[-1])
        return cls([(a, b) for a, b in find("".join(parts)) if 0 <= a < b <= at], starts)

    def on_row(self, row: Row) -> Iterator[tuple[int, int, int]]:
        """What of each match is on a row: from and up to which character of its line, and where
        the match begins."""
        line = self.starts[row.line]
        first, last = line + row.start, line + row.stop
        for start, stop in self.spans:
            if start >= last:
                return
            if stop > first:
                yield max(start, first) - line, min(stop, last) - line, start

    def place(self, character: int) -> tuple[int, int]:
        """The line of a character of the text, and which character of the line it is."""
        line = bisect_right(self.starts, character) - 1
        return line, character - self.starts[line]


@dataclass(frozen=True, slots=True)
class Match:
    """One match, or the head of a message whose match stands in nothing that is drawn."""

    item: Item
    start: int
    line: int
    character: int
    folded: bool = False
    """Whether the message must be unfolded to see it."""

    @property
    def order(self) -> tuple[int, int]:
        """Grows down the document, whatever the width."""
        return self.item.key(), self.start


Search = Iterator[Match | None]
"""Finds a match at its own pace: None after each piece of the work, at last the match."""


class Matches:
    """What is found in a document; nothing while `find` is None."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._find: Find | None = None
        self._found: dict[Item, tuple[Laid, Found]] = {}
        self._known: dict[str, tuple[Message, bool]] = {}
        self.present: Match | None = None
        """The match that was gone to last."""

    @property
    def find(self) -> Find | None:
        """What says where something is found."""
        return self._find

    @find.setter
    def find(self, find: Find | None) -> None:
        self._find = find
        self.present = None
        self._found.clear()
        self._known.clear()

    def on_row(self, item: Item, row: Row) -> Iterator[tuple[int, int, bool]]:
        """From and up to which characters of its line a row shows matches, and whether it is the
        present one."""
        if self._find is None or item.part not in _SAID:
            return
        present = self.present.order if self.present else None
        for start, stop, match in self._drawn(item, self._find).on_row(row):
            yield start, stop, (item.key(), match) == present

    def _drawn(self, item: Item, find: Find) -> Found:
        laid = self._document.laid(item)
        kept = self._found.pop(item, None)
        if kept is None or kept[0] is not laid:
            kept = laid, Found.in_lines(laid.lines, find)
            if len(self._found) >= _KEPT:
                del self._found[next(iter(self._found))]
        self._found[item] = kept
        return kept[1]

    def search(self, place: int, step: int, beyond: Match | None = None) -> Search:
        """The next match downwards (1) or upwards (-1): `beyond` a match of the message at this
        place, or from the message itself on; without one it ends with no match."""
        while 0 <= place < len(self._document.messages):
            yield from self.search_message(place, step, beyond)
            place, beyond = place + step, None

    def search_message(self, place: int, step: int, beyond: Match | None = None) -> Search:
        """The same in this message only."""
        find, message = self._find, self._document.messages[place]
        if find is None:
            return
        known, says = self._known.get(message.id, (None, False))
        if known is not message:
            says = yield from _stands(find, message.reasoning, message.content)
            self._known[message.id] = message, says
        if not says:
            return
        folded = yield from _stands(find, self._document.hidden(place))
        items = yield from self._document.whole(place, unfolded=folded)
        for item in items[::step]:
            yield None
            if item.part not in _SAID or not find(self._document.source(item)):
                continue
            found = Found.in_lines(self._document.lines(item), find)
            for start, _ in found.spans[::step]:
                order = item.key(), start
                if beyond is None or (order > beyond.order if step > 0 else order < beyond.order):
                    yield Match(item, start, *found.place(start), folded)
        if beyond is None:
            # It is said in what is not drawn as text, such as the address of a link.
            yield Match(items[0], 0, 0, 0)


def _stands(find: Find, *texts: str) -> Generator[None, None, bool]:
    """Whether something is found in a text as it was written, looked at piece by piece."""
    for text in texts:
        for at in range(0, len(text), _PIECE):
            if find(text[max(0, at - _OVERLAP) : at + _PIECE]):
                return True
            yield None
    return False


def advance(search: Search, seconds: float) -> tuple[Match | None, bool]:
    """Go on with a search for so long at most: the match, and whether the search is over."""
    deadline = monotonic() + seconds
    for match in search:
        if match is not None:
            return match, True
        if monotonic() > deadline:
            return None, False
    return None, True
