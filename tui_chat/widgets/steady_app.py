"""An app that is not kept waiting: not by a terminal that reads slowly, not by megabytes pasted into one line."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from textual import events
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from tui_chat.widgets.signalled_app import SignalledApp

_MOST_WAITING = 6
"""Writes that may wait for the terminal; a drawing makes one, or three. Textual has the loop wait from 30 on."""
_LOOK_AGAIN = 0.05
"""Seconds between two looks whether the terminal has read what was drawn."""
MOST_IN_A_LINE = 4_000
"""Characters of a paste into one line; no search, name or path is longer, and Textual draws all of them."""


class SteadyApp(SignalledApp):
    """What cannot be drawn now is not kept: once the terminal reads again, the screen is drawn as it is then.

    Of what is pasted into one line only the beginning is taken, and seen to be taken.
    """

    _owed: Timer | None = None

    @property
    def _waiting(self) -> Any:
        """What waits to be written; None where there is no terminal."""
        writer = getattr(self._driver, "_writer_thread", None)
        return None if writer is None else writer._queue

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        waiting = self._waiting
        if waiting is None:
            super()._display(screen, renderable)
            return
        # The few writes that are no drawings come on top.
        waiting.maxsize = 0
        if self._owed is None and waiting.qsize() <= _MOST_WAITING:
            super()._display(screen, renderable)
        elif self._owed is None:
            self._owed = self.set_interval(_LOOK_AGAIN, self._draw_when_read)

    def _draw_when_read(self) -> None:
        waiting = self._waiting
        if self._owed is not None and (waiting is None or waiting.empty()):
            self._owed.stop()
            self._owed = None
            self.screen.refresh()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Paste) and isinstance(self.focused, Input):
            event.text = event.text[:MOST_IN_A_LINE]
        await super().on_event(event)
