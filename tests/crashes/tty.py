"""A terminal that the program controls as in life: the kernel hangs up, and what modes it is left in is known."""

from __future__ import annotations

import os
import re
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests import forked
from tests.terminal import TUI_CHAT, Process, Terminal

# Makes the pseudo-terminal the controlling one, where it is to be: only so does the kernel tell of its end. And
# signals do what they do in a shell: who runs this in the background ignores some.
_AS_BY_A_SHELL = """
import fcntl, os, signal, sys, termios

for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
try:
    if sys.argv[1] == "controls":
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
except OSError:
    pass  # It is gone already.
os.execv(sys.argv[2], sys.argv[2:])
"""
_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_KITTY = re.compile(rb"\x1b\[([<>])[\d;]*u")
AT_REST = {7: True, 25: True}
"""The modes that are set in a terminal that nobody uses: lines wrap, the cursor is seen."""
IN_BAND_RESIZE = b"\x1b[?2048$p"


class Tty(Terminal):
    """A terminal with one program in it, which may stop and go on, and whose modes are followed."""

    def __init__(
        self, environ: Mapping[str, str], *, whole: bool = True, controls: bool = True
    ) -> None:
        """Start `tui-chat`: Python and all, where the start is to be `whole`; else see forked.py. Where the
        terminal `controls`, the system tells of its end."""
        self._whole, self._controls = whole, controls
        self.gone = False
        super().__init__(TUI_CHAT, environ)
        self._attributes = self._line()

    def _begun(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        slave: int,
        before: Callable[[], None] | None,
    ) -> Process:
        if not self._whole:
            return forked.started(slave, environ, controls=self._controls)
        how = "controls" if self._controls else "alone"
        wrapped = (sys.executable, "-I", "-S", "-c", _AS_BY_A_SHELL, how, *arguments)
        return super()._begun(wrapped, environ, slave, before)

    def read(self, seconds: float) -> bytes:
        """As Terminal.read(); answers as a terminal of today does when it is asked about resizing."""
        if self.gone:
            time.sleep(seconds)
            return b""
        before = max(len(self.raw) - len(IN_BAND_RESIZE) + 1, 0)
        piece = super().read(seconds)
        if IN_BAND_RESIZE in self.raw[before:]:
            os.write(self._master, b"\x1b[?2048;2$y")
        return piece

    def close(self) -> None:
        """The terminal is gone, as when its window is closed."""
        self.gone = True
        os.close(self._master)
        # Whoever closes it at the end finds something to close.
        self._master = os.open(os.devnull, os.O_RDWR)

    @property
    def taken(self) -> bool:
        """Whether the program has taken the screen so far."""
        return b"\x1b[?1049h" in self.raw

    @property
    def stopped(self) -> bool:
        """Whether the process is stopped by a signal."""
        return _state(self.process.pid) == "T"

    def _line(self) -> list[Any]:
        return termios.tcgetattr(self._master)

    def disorder(self) -> list[str]:
        """What the program has left otherwise than it found it; empty where all is as before."""
        modes: dict[int, bool] = dict(AT_REST)
        for numbers, letter in _MODES.findall(self.raw):
            for number in numbers.split(b";"):
                modes[int(number)] = letter == b"h"
        # Sent around each frame: what is drawn between appears at once.
        pushed = sum(1 if sign == b">" else -1 for sign in _KITTY.findall(self.raw))
        wrong = [
            f"mode {number} is {'on' if on else 'off'}"
            for number, on in sorted(modes.items())
            if on is not AT_REST.get(number, False)
        ]
        if pushed > 0:
            wrong.append("the keys are still reported as kitty does")
        if self._line() != self._attributes:
            wrong.append("the line discipline is another")
        return wrong


def _state(process_id: int) -> str:
    try:
        with open(f"/proc/{process_id}/stat", encoding="latin-1") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
