"""A text area in which a large paste is one chip: stepped over, deleted, copied and undone as a whole.

The cursor never stands inside a chip, and no edit cuts one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.document._document import EditResult, Location, Selection
from textual.widgets import TextArea

from tui_chat.core.text import clean
from tui_chat.widgets.paste import Attachments

# Cleaning more than this is felt; in a thread only the text area waits for it.
_CLEANED_IN_A_THREAD = 200_000
# The program's own keys, which TextArea binds as well.
_NOT_FOR_EDITING = ("f6", "f7")


def editing_keys() -> Iterator[Binding]:
    """TextArea's bindings without the program's keys, each with an id by which it can be remapped."""
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding) and binding.key not in _NOT_FOR_EDITING:
            action = binding.action
            name = f"prompt.{action.replace('(True)', '_select')}"
            yield Binding(binding.key, action, binding.description, show=False, id=name)


class ChipArea(TextArea, inherit_bindings=False):
    """A soft-wrapped TextArea that keeps large pastes out of its document."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chip-area--chip"}
    DEFAULT_CSS = """
    ChipArea .chip-area--chip { color: $text-primary; background: $panel; }
    """

    def __init__(self) -> None:
        # TextArea's constructor moves the cursor, which asks where the chips are.
        self.attachments = Attachments()
        super().__init__(compact=True, highlight_cursor_line=False)
        self.cursor_blink = False
        self.match_cursor_bracket = False

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

    def type_over(self, text: str) -> None:
        """Put the text where the selection is, as if it were typed."""
        self.replace(text, *self.selection, maintain_selection_offset=False)

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

    async def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        await self._enter(event.text)

    async def action_paste_clipboard(self) -> None:
        await self._enter(self.app.clipboard)

    async def _enter(self, text: str) -> None:
        if len(text) > _CLEANED_IN_A_THREAD:
            text = await asyncio.to_thread(clean, text)
        else:
            text = clean(text)
        if text:
            self.type_over(self.attachments.entered(text))

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.attachments.expanded(self.selected_text))

    def action_cut(self) -> None:
        start, end = self.selection
        if start == end:
            row, _ = start
            start, end = (row, 0), (row + 1, 0)
        self.app.copy_to_clipboard(self.attachments.expanded(self.get_text_range(start, end)))
        self.delete(start, end, maintain_selection_offset=False)
