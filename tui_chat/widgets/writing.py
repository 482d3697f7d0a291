"""A soft-wrapped text area whose keys act in their order, and which takes only clean text.

Every key of its own acts before the next one is looked at, so that a burst of keys ends in the text
that was typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.widgets import TextArea

from tui_chat.core.text import clean
from tui_chat.widgets.long_lines import LONG, LongLine

_ZERO_WIDTH_JOINER = "\u200d"
# Cleaning more than this is felt; in a thread only the text area waits for it.
_CLEANED_IN_A_THREAD = 200_000
MOST_AT_ONCE = 200_000
"""Characters that one paste may put in: of a text that is longer, each key would have to be waited for."""
TOO_LONG = "These are {:,} characters, and {:,} can be pasted here at once. Nothing was pasted."
# The program's own keys, which TextArea binds as well.
_NOT_FOR_EDITING = ("f6", "f7")


def editing_keys() -> Iterator[Binding]:
    """TextArea's bindings without the program's keys, each with an id by which it can be remapped."""
    for binding in TextArea.BINDINGS:
        if isinstance(binding, Binding) and binding.key not in _NOT_FOR_EDITING:
            action = binding.action
            name = f"prompt.{action.replace('(True)', '_select')}"
            yield Binding(binding.key, action, binding.description, show=False, id=name)


class WritingArea(TextArea, inherit_bindings=False):
    """Subclasses bind editing_keys() and their own."""

    def __init__(self) -> None:
        super().__init__(compact=True, highlight_cursor_line=False)
        self.cursor_blink = False
        self.match_cursor_bracket = False

    def type_over(self, text: str) -> None:
        """Put the text where the selection is, as if it were typed."""
        self.replace(text, *self.selection, maintain_selection_offset=False)

    def edit(self, edit: Edit) -> EditResult:
        result = super().edit(edit)
        # Textual looks for its cursor before it makes room for a row that was added at the bottom.
        self.scroll_cursor_visible()
        return result

    def get_line(self, line_index: int) -> Text:
        line = self.document.get_line(line_index)
        return LongLine(line) if len(line) > LONG else Text(line, end="", no_wrap=True)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing is selected there is nothing to copy: ctrl+c is for the room and the program."""
        if action == "copy":
            return not self.selection.is_empty
        return super().check_action(action, parameters)

    async def on_key(self, event: events.Key) -> None:
        """Do what a key of our own does now: by way of the app, the next keys would overtake it."""
        if event.character == _ZERO_WIDTH_JOINER and not self.read_only:
            # It holds typed emoji together, but does not count as printable.
            self.type_over(_ZERO_WIDTH_JOINER)
        elif event.is_printable or not await self._run_own(event.key):
            return
        event.stop()
        event.prevent_default()

    async def _run_own(self, key: str) -> bool:
        bound = self.screen.active_bindings.get(key)
        if bound is None or bound.node is not self:
            return False
        return await self.app.run_action(bound.binding.action, self)

    # The clipboard

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
        if not text or self.read_only:
            return
        text = self.entered(text)
        if why := self.why_not_pasted(text):
            self.notify(why, severity="warning", markup=False)
        else:
            self.type_over(text)

    def why_not_pasted(self, text: str) -> str:
        """In words why this is too much to be put where the selection is; empty where it is not."""
        return TOO_LONG.format(len(text), MOST_AT_ONCE) if len(text) > MOST_AT_ONCE else ""

    def entered(self, text: str) -> str:
        """What a pasted text is in the document: for subclasses."""
        return text

    def taken(self, document: str) -> str:
        """What is copied where this part of the document is: for subclasses."""
        return document

    def action_copy(self) -> None:
        self.app.copy_to_clipboard(self.taken(self.selected_text))

    def action_cut(self) -> None:
        if self.read_only:
            return
        start, end = self.selection
        if start == end:
            row, _ = start
            start, end = (row, 0), (row + 1, 0)
        self.app.copy_to_clipboard(self.taken(self.get_text_range(start, end)))
        self.delete(start, end, maintain_selection_offset=False)
