"""An app that signals end by the door, as a person would leave it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

from textual.driver import Driver

from tui_chat.widgets.keyed_app import KeyedApp

LEAVE_SECONDS = 3
"""How long a signal leaves for an orderly end."""
ENDING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name)
)
"""The signals that end the program; ctrl+c is a key and none of them while the terminal is ours."""


class SignalledApp(KeyedApp):
    """Subclasses call loop_runs() once mounted."""

    def __init__(self) -> None:
        super().__init__()
        self._running_loop: asyncio.AbstractEventLoop | None = None
        self._ended_by_signal = 0
        """The first signal that said to end; those after it say nothing new."""

    def leave(self, code: int) -> object:
        """Save what there is, end what runs, and go: for subclasses."""
        raise NotImplementedError

    def end_children(self) -> None:
        """End what this program has begun, at once and from any thread: for subclasses."""

    async def end_work(self) -> None:
        """Cancel all work but that of leaving: what it uses is closed next."""
        for worker in list(self.workers):
            if worker.group != "leave":
                worker.cancel()
        await asyncio.sleep(0)

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        if driver.__name__ != "LinuxDriver":
            return driver
        # Deferred: Windows has none of what it needs.
        from tui_chat.widgets.terminal_driver import TerminalDriver

        return TerminalDriver

    def loop_runs(self) -> None:
        """From now on there is a loop to leave by."""
        self._running_loop = asyncio.get_running_loop()
        if self._ended_by_signal:
            self._leave_in_time(self._running_loop)

    def take_signals(self) -> None:
        """Have signals end the program by the door; to be called before the terminal is taken.

        Textual leaves the terminal in its own state when they end it.
        """
        for number in ENDING:
            signal.signal(number, self._ended_by)

    def let_signals_pass(self) -> None:
        """All is saved and given back: signals change nothing of that any more, not even while Python ends."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _ended_by(self, number: int, frame: object) -> None:
        if self._ended_by_signal:
            return
        self._ended_by_signal = number
        loop = self._running_loop
        # A loop that is closed has left already.
        if loop is not None and not loop.is_closed():
            self._leave_in_time(loop)

    def _leave_in_time(self, loop: asyncio.AbstractEventLoop) -> None:
        code = 128 + self._ended_by_signal
        # The loop may be waiting for a disk or a terminal, and never leave. What was said is on disk
        # by then, but for the last checkpoint's time.
        last_resort = threading.Timer(LEAVE_SECONDS, self._end_now, (code,))
        last_resort.daemon = True
        last_resort.start()
        loop.call_soon_threadsafe(self._leave_unless_left, code)

    def _leave_unless_left(self, code: int) -> None:
        if not self._exit:
            self.leave(code)

    def _end_now(self, code: int) -> None:
        if (give_back := getattr(self._driver, "give_back", None)) is not None:
            give_back()
        self.end_children()
        os._exit(code)
