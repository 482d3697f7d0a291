"""Makes what is on the screen exact without moving what is being read.

One item, the anchor, keeps its place on the screen while the items around it get their true
heights; nothing outside of the screen is laid out.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.widgets.transcript.document import Document, Item, Part


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a text that can be found again when heights, width or items have changed."""

    item: Item
    line: int
    character: int
    row: int
    """On which row of the screen it is."""


class Viewport:
    """Which rows of a document are on the screen: `height` rows from `top` on."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.top = 0
        self.height = 0

    @property
    def max_top(self) -> int:
        return max(0, self._document.heights.total - self.height)

    @property
    def at_end(self) -> bool:
        return self.top >= self.max_top

    def shows(self, place: int) -> bool:
        """Whether anything of a message is on the screen."""
        first, after = self._document.span(place)
        heights = self._document.heights
        return heights.top(first) < self.top + self.height and heights.top(after) > self.top

    def reveal(self, place: int) -> None:
        """Scroll as little as needed to show a message, or its beginning if it is too tall."""
        spot = self.spot()
        rows = self.rows_of(place, self.height)
        if spot is not None:
            self.show(spot)
        index = self._document.span(place)[0]
        head = self._document.heights.top(index) - self.top
        if head < 0 or rows >= self.height:
            self.settle(index, 0)
        elif head + rows > self.height:
            self.settle(index, self.height - rows)

    def settle(self, index: int, row: int) -> None:
        """Make all that is shown exact while the item at `index` starts on this row of the screen.

        The row may be outside of the screen; at either end of the document the text moves instead.
        """
        heights = self._document.heights
        while True:
            self.top = max(0, min(heights.top(index) - row, self.max_top))
            todo = self._inexact(index)
            if todo is None:
                return
            grown = self._document.make_exact(todo)
            if todo < index:
                index += grown

    def settle_at_end(self) -> None:
        """Show the end of the document, all of it exact."""
        index, rows = len(self._document.items) - 1, 0
        while index >= 0 and rows < self.height:
            if self._document.heights.is_exact(index):
                rows += self._document.heights[index]
                index -= 1
            else:
                index += self._document.make_exact(index)
        self.top = self.max_top

    def scroll(self, top: int) -> None:
        """Show the rows from `top` on; heights that turn out different do not move the text."""
        if not self._document.items:
            self.top = 0
            return
        anchor = self._anchor() if abs(top - self.top) <= self.height else None
        if anchor is None:
            self.jump(top)
        else:
            self.settle(anchor, self._document.heights.top(anchor) - top)

    def jump(self, top: int) -> None:
        """Show the rows from `top` on, nothing of what was shown before."""
        heights = self._document.heights
        at = float(max(0, min(top, self.max_top)))
        index = heights.at(int(at))
        while not heights.is_exact(index):
            start, height = heights.top(index), max(1, heights[index])
            fraction = (at - start) / height
            stop = index + self._document.make_exact(index) + 1
            at = start + fraction * (heights.top(stop) - start)
            index = heights.at(int(at)) if stop > index + 1 else index
        self.settle(index, heights.top(index) - int(at))

    def spot(self) -> Spot | None:
        """Where the first exact row on the screen is."""
        index = self._anchor()
        if index is None:
            return None
        item = self._document.items[index]
        start = self._document.heights.top(index)
        rows = self._document.laid(item).rows
        if not rows:
            return Spot(item, 0, 0, start - self.top)
        inside = max(0, min(self.top - start, len(rows) - 1))
        row = rows[inside]
        return Spot(item, row.line, row.start, start + inside - self.top)

    def show(self, spot: Spot) -> None:
        """Show a place again on the row of the screen where it was."""
        index = self.find(spot.item)
        item = self._document.items[index]
        if item.part is Part.CLOSED:
            self._document.make_exact(index)
            item = self._document.items[index]
        self._document.make_exact(index)
        inside = 0
        if (item.part, item.block and item.block.start) == (
            spot.item.part,
            spot.item.block and spot.item.block.start,
        ):
            for number, row in enumerate(self._document.laid(item).rows):
                if (row.line, row.start) <= (spot.line, spot.character):
                    inside = number
        self.settle(index, spot.row - inside)

    def bring(self, item: Item, line: int, character: int) -> None:
        """Show a place with what is around it: on a row a third down the screen."""
        index = self._document.span(item.message)[0]
        if self._document.items[index].part is Part.CLOSED:
            self._document.make_exact(index)
        self.show(Spot(item, line, character, self.height // 3))

    def rows_of(self, place: int, most: int) -> int:
        """How many rows a message takes, measured up to `most`."""
        heights = self._document.heights
        start, stop = self._document.span(place)
        index, rows = start, 0
        while index < stop and rows < most:
            if heights.is_exact(index):
                rows += heights[index]
                index += 1
            else:
                stop += self._document.make_exact(index)
        return rows

    def _anchor(self) -> int | None:
        """The first item on the screen whose height is exact."""
        items, heights = self._document.items, self._document.heights
        if not items or self.height < 1:
            return None
        for index in range(heights.at(self.top), heights.at(self.top + self.height - 1) + 1):
            if heights.is_exact(index) and heights[index]:
                return index
        return None

    def _inexact(self, index: int) -> int | None:
        """The next item to make exact: from the anchor down, then from the anchor up."""
        heights = self._document.heights
        first = heights.at(self.top)
        last = heights.at(self.top + max(0, self.height - 1))
        below = range(max(index, first), last + 1)
        above = range(min(index, last), first - 1, -1)
        return next((at for at in (*below, *above) if not heights.is_exact(at)), None)

    def find(self, item: Item) -> int:
        """The index of an item, or of what is now in its place."""
        start, stop = self._document.span(item.message)
        index = start
        for index in range(start, stop):
            if self._document.items[index].key() >= item.key():
                break
        return index
