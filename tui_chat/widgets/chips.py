"""A text area in which a large paste is one chip: stepped over, deleted, copied and undone as a whole.

The cursor never stands inside a chip, and no edit cuts one.
"""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.document._document import EditResult, Location, Selection

from tui_chat.widgets.paste import Attachments
from tui_chat.widgets.writing import WritingArea


class ChipArea(WritingArea, inherit_bindings=False):
    """A text area that keeps large pastes out of its document."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chip-area--chip"}
    DEFAULT_CSS = """
    ChipArea .chip-area--chip { color: $text-primary; background: $panel; }
    """

    def __init__(self) -> None:
        # TextArea's constructor moves the cursor, which asks where the chips are.
        self.attachments = Attachments()
        super().__init__()

    def _chip_around(self, location: Location) -> tuple[int, int] | None:
        row, column = location
        if row >= self.document.line_count:
            return None
        spans = self.attachments.spans(self.document.get_line(row))
        return next((span for span in spans if span[0] < column < span[1]), None)

    def _widened(self, start: Location, end: Location) -> tuple[Location, Location]:
        """The range with the whole of every chip that it cuts."""
        top, bottom = sorted((start, end))
        before, after = self._chip_around(top), self._chip_around(bottom)
        if after:
            bottom = (bottom[0], after[1])
        if before:
            top = bottom if start == end else (top[0], before[0])
        return top, bottom

    def delete(
        self, start: Location, end: Location, *, maintain_selection_offset: bool = True
    ) -> EditResult:
        start, end = self._widened(start, end)
        return super().delete(start, end, maintain_selection_offset=maintain_selection_offset)

    def replace(
        self,
        insert: str,
        start: Location,
        end: Location,
        *,
        maintain_selection_offset: bool = True,
    ) -> EditResult:
        start, end = self._widened(start, end)
        return super().replace(
            insert, start, end, maintain_selection_offset=maintain_selection_offset
        )

    def validate_selection(self, selection: Selection) -> Selection:
        """Step over chips: from one edge to the other, from elsewhere to the nearer edge."""
        return Selection(self._outside(selection.start), self._outside(selection.end))

    def _outside(self, location: Location) -> Location:
        chip = self._chip_around(location)
        if chip is None:
            return location
        row, column = location
        left, right = chip
        if self.cursor_location == (row, left):
            return row, right
        if self.cursor_location == (row, right) or column - left < right - column:
            return row, left
        return row, right

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        for start, end in self.attachments.spans(line.plain):
            line.stylize(self.get_component_rich_style("chip-area--chip"), start, end)
        return line

    def entered(self, text: str) -> str:
        return self.attachments.entered(text)

    def taken(self, document: str) -> str:
        return self.attachments.expanded(document)
