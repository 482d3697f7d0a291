"""An app that is not kept waiting: not by a terminal that reads slowly, not by megabytes pasted into one line,
not by a window that is dragged to other sizes."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any

from rich.console import RenderableType
from textual import events
from textual.app import ScreenError
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input

from tui_chat.widgets.signalled_app import SignalledApp

_MOST_WAITING = 6
"""Writes that may wait for the terminal; a drawing makes one, or three. Textual has the loop wait from 30 on."""
_LOOK_AGAIN = 0.05
"""Seconds between two looks whether the terminal has read what was drawn."""
_SOON = 1 / 120
"""Seconds to the layout for a new size, as Textual has it."""
BETWEEN_SIZES = 0.05
"""Seconds between two such layouts, at least: at 500 columns and 200 rows one takes as long."""
HELD = 0.25
"""Seconds for which drawing may be held; a key is echoed no later."""
MOST_IN_A_LINE = 4_000
"""Characters of a paste into one line; no search, name or path is longer, and Textual draws all of them."""


class SteadyApp(SignalledApp):
    """What cannot be drawn now is not kept: once the terminal reads again, the screen is drawn as it is then.

    Of what is pasted into one line only the beginning is taken, and seen to be taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held_drawing = ExitStack()

    def hold_drawing(self) -> None:
        """Draw nothing until draw_again(), or HELD at most: for many changes that are to be seen as one."""
        self._held_drawing.enter_context(self.batch_update())
        self.set_timer(HELD, self.draw_again)

    def draw_again(self) -> None:
        """Draw what hold_drawing() kept back, if it did."""
        self._held_drawing.close()

    _owed: Timer | None = None
    _next_size = 0.0
    """From when on the screen may be laid out for another size."""

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

    async def _on_resize(self, event: events.Resize) -> None:
        if self._size is None:
            return
        # Textual's own handler, which comes next, leaves a size that is known alone.
        self._resize_event, self._size = event, event.size
        if self._resize_timer is None:
            wait = max(_SOON, self._next_size - monotonic())
            self._resize_timer = self.set_timer(wait, self._check_resize)

    def _check_resize(self) -> None:
        began = monotonic()
        self._next_size = began + BETWEEN_SIZES
        super()._check_resize()
        # At the end there is none.
        with suppress(ScreenError):
            self.screen.call_after_refresh(self._sized, began)

    def _sized(self, began: float) -> None:
        """The screen was drawn in a new size: keys have as long for themselves as that took."""
        now = monotonic()
        self._next_size = now + max(BETWEEN_SIZES, now - began)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Paste) and isinstance(self.focused, Input):
            event.text = event.text[:MOST_IN_A_LINE]
        await super().on_event(event)
