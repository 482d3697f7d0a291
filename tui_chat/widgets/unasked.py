"""A choice that rises by itself, perhaps under the hands of one who writes: keys that were not meant for it do nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.widgets import OptionList, TextArea

from tui_chat.widgets.choosing import ChoiceDialog

HEARS_AFTER = 1.0
"""Seconds for which it has to be seen before a key is for it."""
PAUSE = 0.4
"""Seconds without a key, after which who wrote on has seen it."""


class UnaskedChoice(ChoiceDialog):
    """Until it hears, what is typed goes to where it was typed before, Enter as a new line; the list has no
    focus then. The first way should be one that does nothing."""

    AUTO_FOCUS: ClassVar[str] = ""

    def __init__(self, title: str, note: str, ways: Sequence[tuple[str, str]]) -> None:
        super().__init__(title, note, ways)
        self.hears = False
        self._typed_at = 0.0

    def on_mount(self) -> None:
        self.call_after_refresh(self.set_timer, HEARS_AFTER, self._look_up)

    def _look_up(self) -> None:
        rest = self._typed_at + PAUSE - time.monotonic()
        if rest > 0:
            self.set_timer(rest, self._look_up)
            return
        self.hears = True
        self.query_one(OptionList).focus()

    def _forward_event(self, event: events.Event) -> None:
        if self.hears or not isinstance(event, events.Key | events.Paste):
            super()._forward_event(event)
            return
        event._set_forwarded()
        # The key that led here, pressed twice, begins no line.
        again = not self._typed_at and isinstance(event, events.Key) and event.key == "enter"
        self._typed_at = time.monotonic()
        below = self.app.screen_stack[-2].focused if len(self.app.screen_stack) > 1 else None
        if isinstance(below, TextArea) and not below.read_only and not again:
            _write(below, event)


def _write(text: TextArea, event: events.Key | events.Paste) -> None:
    if isinstance(event, events.Paste):
        text.post_message(event)
    elif event.key == "enter":
        text.insert("\n")
    elif event.key == "backspace":
        text.action_delete_left()
    elif event.is_printable and event.character:
        text.insert(event.character)
