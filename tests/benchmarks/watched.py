"""Programs in a terminal that is watched at next to no cost, and what they use of processor and memory."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.terminal import TUI_CHAT, Terminal, home_environment

BARE = (sys.executable, "-m", "tests.benchmarks.bare")
PLAIN = (sys.executable, "-m", "tests.benchmarks.plain")
_TICKS = os.sysconf("SC_CLK_TCK")
_PR_SET_PDEATHSIG = 1


def _end_with_us() -> None:
    """A program whose terminal is gone may run on at full speed: where the measurement is killed, so is it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Watched(Terminal):
    """A terminal that only looks for marks in the bytes as they arrive, and keeps none of them."""

    arrived = 0
    """Bytes so far."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        super().__init__(arguments, environ, before=_end_with_us)

    def take(self, seconds: float) -> bytes:
        """What arrives within this time; returns at the first bytes."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return b""
        try:
            piece = os.read(self._master, 1 << 16)
        except OSError:  # Linux says so when the other end is closed.
            return b""
        self.arrived += len(piece)
        return piece

    def until(self, mark: str, seconds: float = 60) -> float:
        """Read until this is drawn; the moment by the monotonic clock. AssertionError after a while."""
        sought = mark.encode()
        seen, deadline = b"", time.monotonic() + seconds
        while True:
            piece = self.take(0.2)
            now = time.monotonic()
            seen = seen[-2000:] + piece
            if sought in seen:
                return now
            if now > deadline or self.process.poll() is not None:
                raise AssertionError(f"{mark!r} was never drawn; the last was: {seen!r}")

    def settle(self, seconds: float = 0.3, most: float = 5.0) -> float:
        """Read until nothing is drawn for so long, or at `most`; the moment of the last bytes."""
        last = time.monotonic()
        end = last + most
        while time.monotonic() < end and self.take(seconds):
            last = time.monotonic()
        return last

    def rest(self, seconds: float) -> int:
        """Read for so long; how many bytes arrived."""
        before, end = self.arrived, time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.take(left)
        return self.arrived - before

    def resize(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)
        # The program is a session of its own, with no controlling terminal that would tell it.
        os.kill(self.process.pid, signal.SIGWINCH)

    @property
    def cpu(self) -> float:
        """Seconds of the processor so far, of all its threads, to a hundredth."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def memory(self) -> float:
        """Megabytes that are resident now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def environment(home: Path, base_url: str = "") -> dict[str, str]:
    """As for a person, with nothing of the tests in it. `base_url` is the server that is talked to."""
    environ = home_environment(home)
    # What watches the tests' programs would slow them down.
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    places = {name: str(home / name) for name in ("config", "cache")}
    environ |= {f"TUI_CHAT_{name.upper()}_DIR": place for name, place in places.items()}
    return environ | ({"OPENAI_BASE_URL": base_url} if base_url else {})


@contextmanager
def bare() -> Iterator[Watched]:
    """The floor, ready for keys."""
    with TemporaryDirectory() as home, Watched(BARE, environment(Path(home))) as terminal:
        terminal.until("he floor")
        terminal.settle()
        yield terminal


@contextmanager
def opened(home: Path, base_url: str, mark: str = "ready") -> Iterator[Watched]:
    """The program in this home, ready, with everything loaded."""
    with Watched(TUI_CHAT, environment(home, base_url)) as terminal:
        terminal.until(mark)
        terminal.settle(1.0)
        yield terminal
