"""The text of the prompt: what its keys do, sending, older prompts, completion of typed commands.

Nothing typed after Enter is lost while the sent text is being taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from tui_chat.core.text import clean
from tui_chat.widgets.chips import ChipArea
from tui_chat.widgets.completion import Completions
from tui_chat.widgets.recall import KEPT, Recall
from tui_chat.widgets.writing import editing_keys

Complete = Callable[[str], Sequence[tuple[str, str]]]
"""What a line that starts with a slash could become, as (line, explanation) pairs."""

_REPEATED = 0.5
"""Seconds within which a second Enter is the first one, held down."""
_SETTLED = 5.0
"""Seconds within which a sent text is taken by whoever was told of it, even from a slow disk."""


class Editor(ChipArea):
    """The text area of the prompt."""

    DEFAULT_CSS = """
    Editor {
        width: 1fr; height: auto; min-height: 1; max-height: 33vh;
        border: none; padding: 0; background: transparent; scrollbar-size-vertical: 1;
        &:focus { border: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send", id="prompt.send"),
        # The same key, under the same id, where nothing is sent for what is written.
        Binding("enter", "keep", "Save as a branch", id="prompt.send"),
        Binding(
            "ctrl+j,shift+enter,ctrl+enter,alt+enter", "newline", "Newline", id="prompt.newline"
        ),
        Binding("tab", "complete", "Complete", id="prompt.complete"),
        Binding("escape", "close_completions", "Close the list", show=False, id="prompt.close"),
        Binding("ctrl+v", "paste_clipboard", "Paste", show=False, id="prompt.paste"),
        *(binding for binding in editing_keys() if binding.action != "paste"),
    ]

    @dataclass(eq=False, repr=False)
    class Sent(Message):
        """Enter was pressed; the document as it was then."""

        document: str

    def __init__(self, completions: Completions) -> None:
        super().__init__()
        self.commands: Complete | None = None
        self.sends = True
        """Whether Enter sends the text; else it is said that Enter keeps it."""
        self._completions = completions
        self._list_closed = False
        self._recall = Recall()
        self._sent: tuple[float, str] | None = None

    # The document

    def load(self, document: str) -> None:
        """Replace the document, with nothing to undo, and end the walk through older prompts."""
        self.load_text(document)
        self.move_cursor(self.document.end)
        self._recall.leave()
        self._sent = None

    def clear_sent(self) -> None:
        """Empty the document, but for what was typed since it was sent."""
        pending, text = self._sent_within(_SETTLED), self.text
        self.load(text[len(pending) :] if pending and text.startswith(pending) else "")

    def keep_sent(self) -> None:
        """The sent text was refused: it may be sent again at once."""
        self._sent = None

    def fill_recall(self, prompts: Sequence[str]) -> None:
        """Replace the prompts to go back to, oldest first."""
        self._recall.fill([self.attachments.entered(clean(text)) for text in prompts[-KEPT:]])

    def remember(self, text: str) -> None:
        """Add the newest prompt to go back to; chips in it stay chips if it was just sent."""
        sent = self._sent[1] if self._sent else ""
        is_sent = self.attachments.expanded(sent).strip() == text.strip()
        self._recall.add(sent if is_sent else self.attachments.entered(clean(text)))

    def update_suggestion(self) -> None:
        """TextArea calls this after every change of the document."""
        line = self.document.get_line(0) if self.document.line_count == 1 else ""
        is_command = line.startswith("/") and not line.startswith("//")
        if not is_command:
            self._list_closed = False
        wanted = is_command and self.has_focus and not self._list_closed
        self._offer(self.commands(line) if wanted and self.commands else ())

    def watch_has_focus(self, value: bool) -> None:
        super().watch_has_focus(value)
        self.update_suggestion()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave to the room and the program what means nothing here now."""
        if action in ("complete", "close_completions"):
            return self._completions.is_open
        if action in ("send", "keep"):
            return self.sends is (action == "send")
        if action in ("cursor_page_up", "cursor_page_down"):
            return self.max_scroll_y > 0
        return super().check_action(action, parameters)

    def action_send(self) -> None:
        if self._completions.would_complete(self.text):
            self.complete(self._completions.highlighted)
        elif self._ends_in_backslash():
            row, column = self.cursor_location
            self.replace("\n", (row, column - 1), (row, column), maintain_selection_offset=False)
        elif self.text.strip() and not self._sent_within(_REPEATED):
            # The cursor goes to the end, so that what is typed next can be told from what was sent.
            self.move_cursor(self.document.end)
            self._offer(())
            self._sent = time.monotonic(), self.text
            self.post_message(self.Sent(self.text))

    def action_keep(self) -> None:
        """Whoever is told knows that nothing is to be sent for it."""
        self.action_send()

    def _sent_within(self, seconds: float) -> str:
        """The document that was sent so short a time ago and is not yet taken; empty when none was."""
        if self._sent is None or time.monotonic() - self._sent[0] > seconds:
            return ""
        return self._sent[1]

    def _ends_in_backslash(self) -> bool:
        """Whether the cursor is at a line's end, behind a backslash that is not itself escaped."""
        row, column = self.cursor_location
        line = self.document.get_line(row)
        backslashes = len(line) - len(line.rstrip("\\"))
        return self.selection.is_empty and column == len(line) and backslashes % 2 == 1

    def action_newline(self) -> None:
        self.type_over("\n")

    # Completion

    def complete(self, completion: str) -> None:
        """Make the line this completion."""
        self._show(self.attachments.entered(clean(completion)))

    def action_complete(self) -> None:
        self.complete(self._completions.highlighted)

    def action_close_completions(self) -> None:
        self._list_closed = True
        self._offer(())

    def _offer(self, completions: Sequence[tuple[str, str]]) -> None:
        was_open = self._completions.is_open
        self._completions.offer(completions)
        if was_open != self._completions.is_open:
            self.refresh_bindings()

    # Moving

    def _show(self, document: str) -> None:
        """Replace the document, as an edit that can be undone."""
        self.replace(document, (0, 0), self.document.end, maintain_selection_offset=False)

    def _show_recalled(self, document: str) -> None:
        # The arrows go on through older prompts, not into a list of commands.
        self._list_closed = True
        self._show(document)

    def action_cursor_up(self, select: bool = False) -> None:
        if not select and self._completions.is_open:
            self._completions.move(-1)
            return
        if not select and self.navigator.is_first_wrapped_line(self.cursor_location):
            older = self._recall.older(self.text)
            if older is not None:
                self._show_recalled(older)
                # On the first row, so that the next ↑ goes on through older prompts.
                rows = self.wrapped_document.get_offsets(0)
                self.move_cursor((0, rows[0] - 1 if rows else len(self.document.get_line(0))))
                return
        super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if not select and self._completions.is_open:
            self._completions.move(1)
            return
        if not select and self.navigator.is_last_wrapped_line(self.cursor_location):
            newer = self._recall.newer(self.text)
            if newer is not None:
                self._show_recalled(newer)
                return
        super().action_cursor_down(select)
