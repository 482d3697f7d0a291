"""Textual's driver for terminals, mended: stopped and gone on with safely, left as it was found, quiet when it is gone.

Only the event loop may write to the terminal: a handler of signals runs in the middle of anything, also
of a write, and would wait for itself for ever.
"""

from __future__ import annotations

import os
import signal
import termios
import threading
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, cast

from textual.drivers.linux_driver import LinuxDriver
from textual.messages import InBandWindowResize

if TYPE_CHECKING:
    from textual.app import App
    from textual.message import Message

_PIXELS_OFF = "\x1b[?1016l"
_GIVEN_BACK = (
    b"\x1b[?2026l\x1b[?2004l\x1b[?2048l\x1b[?1016l\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1000l"
    b"\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""What leaves the terminal as it was, whatever was asked of it."""


class _Lasting:
    """A stream to a terminal that may go away: what is written then is nobody's any more.

    An error would end the thread that writes, and whoever writes next would wait for it for ever.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


class _UntilGone(threading.Event):
    """Set by Textual when nothing is to be read any more, and by itself once there is no terminal to read from.

    A terminal that was hung up is for ever at its end, which Textual takes for a pause: it would look again
    without a rest, and the program go on for nobody.
    """

    def __init__(self, fileno: int) -> None:
        super().__init__()
        self._fileno = fileno

    def is_set(self) -> bool:
        if not super().is_set() and not os.isatty(self._fileno):
            self.set()
            # Who has no controlling terminal is not told by the system.
            os.kill(os.getpid(), signal.SIGHUP)
        return super().is_set()


class TerminalDriver(LinuxDriver):
    """The driver of the program in a terminal."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast("Any", _Lasting(cast("IO[str]", self._file)))
        self.exit_event = _UntilGone(self.fileno)
        self._taken = False
        """Whether the terminal is in our hands."""
        self._suspended = False
        """Whether it was given back for a while by a signal."""
        self._modes = threading.Lock()
        self._stopping = False

    def start_application_mode(self) -> None:
        # It refuses where we are in the background; then there is no thread that writes.
        before = self._writer_thread
        self._stopping = False
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._taken = self._writer_thread is not before

    def stop_application_mode(self) -> None:
        with self._modes:
            self._taken, self._stopping = False, True
        super().stop_application_mode()

    def process_message(self, message: Message) -> None:
        # The terminal may answer at the very end, on the thread that reads: what is turned on then stays on.
        with self._modes:
            if not (self._stopping and isinstance(message, InBandWindowResize)):
                super().process_message(message)

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse_pixels:
            self.write(_PIXELS_OFF)

    def give_back(self) -> None:
        """Give the terminal back from any thread, without waiting for anybody: the last thing that is done."""
        if not self._taken:
            return
        with suppress(OSError, termios.error):
            # A file of its own: one that does not wait is not made of the shell's.
            flags = os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK
            handle = os.open(os.ttyname(self.fileno), flags)
            os.write(handle, _GIVEN_BACK)
            if self.attrs_before is not None:
                termios.tcsetattr(handle, termios.TCSANOW, self.attrs_before)

    # Stopped, and on again

    def _sigtstp_application(self, *_: object) -> None:
        if self._auto_restart:
            self._loop.call_soon_threadsafe(self._suspend)
        else:
            # Another program has the terminal, and the loop waits for its end.
            os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        if self._auto_restart:
            self._loop.call_soon_threadsafe(self._go_on)

    def _suspend(self) -> None:
        if self._app._exit:
            return  # What gives the terminal back is on its way: the end is near, and comes first.
        if self._taken:
            self._suspended = True
            self.suspend_application_mode()
        # The process stands still in here until it is told to go on.
        os.kill(os.getpid(), signal.SIGSTOP)

    def _go_on(self) -> None:
        if self._taken:
            # It was stopped without being asked; whoever had the terminal meanwhile may have changed it.
            self.suspend_application_mode()
        elif not self._suspended:
            return  # It was not in our hands, or is given back for good.
        self._must_signal_resume = True
        self.resume_application_mode()
        self._suspended = not self._taken
        self._app.call_later(self._app.refresh, layout=True)

    # Gone

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            # The terminal is gone; the system may not have said so.
            os.kill(os.getpid(), signal.SIGHUP)
