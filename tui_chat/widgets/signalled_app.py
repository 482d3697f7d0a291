"""An app that signals end by the door, as a person would leave it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

from tui_chat.widgets.keyed_app import KeyedApp

LEAVE_SECONDS = 3
"""How long a signal leaves for an orderly end."""


class SignalledApp(KeyedApp):
    """Subclasses call loop_runs() once mounted."""

    def __init__(self) -> None:
        super().__init__()
        self._running_loop: asyncio.AbstractEventLoop | None = None
        self._ended_early = 0
        """The signal that came before there was a loop to leave by."""

    def leave(self, code: int) -> object:
        """Save what there is, end what runs, and go: for subclasses."""
        raise NotImplementedError

    def loop_runs(self) -> None:
        """From now on there is a loop to leave by."""
        self._running_loop = asyncio.get_running_loop()
        if self._ended_early:
            self._ended_by(self._ended_early, None)

    def take_signals(self) -> None:
        """Have signals end the program by the door; to be called before the terminal is taken.

        Textual leaves the terminal in its own state when they end it.
        """
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            signal.signal(number, self._ended_by)

    def _ended_by(self, number: int, frame: object) -> None:
        if self._running_loop is None:
            self._ended_early = number
            return
        code = 128 + number
        # The loop may be waiting for a terminal that is gone, and never leave. What was said is on
        # disk by then, but for the last checkpoint's time.
        last_resort = threading.Timer(LEAVE_SECONDS, os._exit, (code,))
        last_resort.daemon = True
        last_resort.start()
        self._running_loop.call_soon_threadsafe(self.leave, code)
