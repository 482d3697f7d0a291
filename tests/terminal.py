"""The installed program in a real pseudo-terminal: type keys, wait for words, read what reached the screen."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tests.network import guarded

_SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[P_^X][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]"
)
TUI_CHAT = (sys.executable, "-m", "tui_chat")


def home_environment(home: Path, **more: str) -> dict[str, str]:
    """An environment whose every directory is below `home`, with no key and no endpoint in it."""
    kept = (
        "PATH",
        "LANG",
        "LC_ALL",
        "SYSTEMROOT",
        "TMPDIR",
        "VIRTUAL_ENV",
        "COVERAGE_PROCESS_START",
    )
    environ = {name: os.environ[name] for name in kept if name in os.environ}
    return environ | guarded() | {"HOME": str(home), "TERM": "xterm-256color"} | more


class Process(Protocol):
    """What is used here of subprocess.Popen."""

    pid: int

    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Terminal:
    """One program in a pseudo-terminal of its own. A context manager: what still runs is killed at its end."""

    def __init__(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        size: tuple[int, int] = (120, 40),
        before: Callable[[], None] | None = None,
    ) -> None:
        """`before` is called in the new process, before it becomes the program."""
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.started = time.monotonic()
        self.process = self._begun(arguments, environ, slave, before)
        os.close(slave)
        # They grow by small pieces.
        self.raw = bytearray()
        """What was drawn since forget()."""
        self.drawn = bytearray()
        """All that was drawn from the start."""

    def _begun(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        slave: int,
        before: Callable[[], None] | None,
    ) -> Process:
        return subprocess.Popen(
            arguments,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(environ),
            start_new_session=True,
            close_fds=True,
            preexec_fn=before,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self._master)

    def hang_up(self, *, told: bool = True) -> None:
        """Close the terminal under the program, as a window does, and send what the system sends then to who
        has a controlling terminal."""
        os.close(self._master)
        if told:
            os.kill(self.process.pid, signal.SIGHUP)

    @property
    def text(self) -> str:
        """All that was drawn so far without its escape sequences, in the order it was drawn."""
        return _SEQUENCE.sub(b"", self.raw).decode("utf-8", "replace")

    def forget(self) -> None:
        """Look only at what is drawn from now on."""
        self.raw = bytearray()

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def paste(self, text: str) -> None:
        """A bracketed paste, in pieces as the terminal takes them."""
        data = b"\x1b[200~" + text.encode() + b"\x1b[201~"
        while data:
            _, ready, _ = select.select([], [self._master], [], 0.05)
            if ready:
                data = data[os.write(self._master, data[:4096]) :]
            self.read(0)

    def read(self, seconds: float) -> bytes:
        """What arrives within this time; returns at the first bytes."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return b""
        try:
            piece = os.read(self._master, 1 << 16)
        except OSError:  # Linux says so when the other end is closed.
            return b""
        self.raw += piece
        self.drawn += piece
        return piece

    def wait_for(self, words: str, seconds: float = 30) -> float:
        """Read until these words were drawn; the moment by the monotonic clock. AssertionError after a while."""
        deadline = time.monotonic() + seconds
        while words not in self.text:
            if time.monotonic() > deadline or (
                self.process.poll() is not None and not self.read(0.1)
            ):
                raise AssertionError(
                    f"{words!r} was never drawn; the last was:\n{self.text[-3000:]}"
                )
            self.read(0.05)
        return time.monotonic()

    def go(self, keys: str, words: str = "", trials: int = 3) -> None:
        """Type keys and wait until what they lead to is drawn: these words, or anything, and then no more.

        Where it is not, the keys are tried again: on a busy machine they may have come before a dialog in
        front was gone.
        """
        self.forget()
        self.type(keys)
        try:
            if words:
                self.wait_for(words, 5)
            else:
                self.read(1)
        except AssertionError:
            if trials == 1:
                raise
            self.type("\x1b")
            self.read(1)
            self.go(keys, words, trials - 1)
            return
        end = time.monotonic() + 1
        # After an escape the program waits for what may follow it.
        while time.monotonic() < end and self.read(0.15 if not words or keys == "\x1b" else 0.1):
            pass

    def wait_end(self, seconds: float = 15) -> int:
        """Read until the program has ended; its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not end; the last was:\n{self.text[-2000:]}")
            self.read(0.05)
        while self.read(0.05):
            pass
        return self.process.wait()
