"""The text of the completion room: edited like any text, grown by the model, marked where it wrote.

Undo goes back through what was typed and what the model wrote alike, each continuation as a whole.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.document._document import EditResult, Location
from textual.document._edit import Edit
from textual.message import Message

from tui_chat.rooms.completion.giants import GROWN, PASTED, fitting, is_giant
from tui_chat.rooms.completion.history import History, State
from tui_chat.rooms.completion.marks import Marks, difference, edited, grown
from tui_chat.widgets.writing import WritingArea, editing_keys

HINT = "Write how a text begins.\nF5 has the model continue it. F9 has examples."


class TextEditor(WritingArea, inherit_bindings=False):
    """The whole text; while it grows it is only read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"text-editor--model"}
    # In italics too: colour is not everybody's.
    DEFAULT_CSS = """
    TextEditor {
        width: 1fr; height: 1fr; border: none; padding: 0 1; background: transparent;
        scrollbar-size-vertical: 1;
        &:focus { border: none; }
        & .text-editor--model { color: $text-primary; background: $primary 12%; text-style: italic; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+v", "paste_clipboard", "Paste", show=False, id="prompt.paste"),
        *(binding for binding in editing_keys() if binding.action != "paste"),
    ]

    @dataclass(eq=False, repr=False)
    class Restored(Message):
        """The text is what it was before, or again, by undo or redo."""

    def __init__(self) -> None:
        self.marks: Marks = ()
        self._steps = History(State())
        self._recording = False
        """Whether an edit is a person's, and a step of its own."""
        self._grows_at = 0
        self._full = False
        """Whether what grows is too long to be shown."""
        self._starts: list[int] | None = None
        super().__init__()
        self.placeholder = Content(HINT)
        self._recording = True

    # Places

    @property
    def cursor(self) -> int:
        """Where the cursor stands, in characters."""
        return self._index(self.cursor_location)

    @property
    def at_end(self) -> bool:
        return self.cursor_location == self.document.end

    def _index(self, location: Location) -> int:
        row, column = location
        return self._row_starts[row] + column

    def _location(self, index: int) -> Location:
        starts = self._row_starts
        row = max(0, bisect_left(starts, index + 1) - 1)
        return row, min(index - starts[row], len(self.document.get_line(row)))

    @property
    def _row_starts(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *accumulate(len(line) + 1 for line in self.document.lines[:-1])]
        return self._starts

    # Changes

    def edit(self, edit: Edit) -> EditResult:
        """All changes but a new document come by here."""
        at = self._index(edit.top)
        removed, before = self._index(edit.bottom) - at, self.cursor
        result = super().edit(edit)
        self._starts = None
        if self._recording:
            self._mark(edited(self.marks, at, removed, len(edit.text)))
            if not edit.text and not removed:
                return result
            if before != self._steps.present.cursor:
                self._steps.moved(before)
            self._steps.take(self._state(), _kind(edit.text, removed), time.monotonic())
        return result

    def _state(self) -> State:
        return State(self.text, self.cursor, self.marks)

    def _mark(self, marks: Marks) -> None:
        if marks != self.marks:
            self.marks = marks
        self._line_cache.clear()
        self.refresh()

    def load(self, text: str, marks: Marks, cursor: int = -1) -> None:
        """Begin with another text, with nothing to undo."""
        self.load_text(text)
        self._starts = None
        self._mark(marks)
        self.move_cursor(self._location(len(text) if cursor < 0 else min(cursor, len(text))))
        self._steps = History(self._state())

    def _put(self, state: State) -> None:
        """Make the text this, by the smallest change, which is no step."""
        old = self.text
        start, end = difference(old, state.text)
        self._recording = False
        try:
            top, bottom = self._location(start), self._location(len(old) - end)
            new = state.text[start : len(state.text) - end]
            if new or top != bottom:
                self.replace(new, top, bottom, maintain_selection_offset=False)
        finally:
            self._recording = True
        self._mark(state.marks)
        self.move_cursor(self._location(state.cursor))

    def put(self, text: str, marks: Marks, cursor: int = -1) -> None:
        """Make the text this, or of a giant its beginning, as a step that can be undone."""
        if is_giant(text):
            text = fitting(text)
            marks = tuple((start, min(end, len(text))) for start, end in marks if start < len(text))
            self._say_full()
        self._put(State(text, len(text) if cursor < 0 else cursor, marks))
        self._steps.take(self._state())

    # What the model writes

    def begin(self, before: str, after: str) -> None:
        """The model writes on, between these two."""
        old, new = self.text, before + after
        start, end = difference(old, new)
        marks = edited(self.marks, start, len(old) - end - start, len(new) - end - start)
        self._put(State(new, len(before), marks))
        self._grows_at = len(before)
        self._full = False

    def grow(self, text: str) -> None:
        """It wrote this, at the place where it writes. What is too long is not shown."""
        if not self._full and is_giant(self.text + text):
            self._full = True
            self._say_full()
        if self._full:
            return
        at = self._location(self._grows_at)
        self._recording = False
        try:
            self.replace(text, at, at, maintain_selection_offset=False)
        finally:
            self._recording = True
        self._mark(grown(self.marks, self._grows_at, len(text)))
        self._grows_at += len(text)

    def _say_full(self) -> None:
        self.notify(GROWN, severity="warning", timeout=10, markup=False)

    def end_growing(self) -> None:
        """What it wrote is one step."""
        if self.text != self._steps.present.text:
            self._steps.take(self._state())

    def why_not_pasted(self, text: str) -> str:
        if why := super().why_not_pasted(text):
            return why
        whole, (top, bottom) = self.text, sorted(self.selection)
        grown = whole[: self._index(top)] + text + whole[self._index(bottom) :]
        return PASTED if is_giant(grown) else ""

    # Undo

    def undo(self) -> None:
        self._restore(self._steps.undo() if not self.read_only else None)

    def redo(self) -> None:
        self._restore(self._steps.redo() if not self.read_only else None)

    def _restore(self, state: State | None) -> None:
        if state is not None:
            # The cursor goes to what changed, wherever it stood.
            _, end = difference(self.text, state.text)
            self._put(replace(state, cursor=len(state.text) - end))
            self.post_message(self.Restored())

    # What is shown

    def get_line(self, line_index: int) -> Text:
        line = super().get_line(line_index)
        start = self._row_starts[line_index]
        end = start + len(line.plain)
        style = None
        for first, last in self.marks:
            if first < end and last > start:
                style = style or self.get_component_rich_style("text-editor--model")
                line.stylize(style, max(first, start) - start, min(last, end) - start)
        return line


def _kind(text: str, removed: int) -> str:
    """Keys of which kind it was; empty for what is a step by itself."""
    if removed and not text:
        return "deleting" if removed == 1 else ""
    return "typing" if len(text) == 1 and not removed and text != "\n" else ""
