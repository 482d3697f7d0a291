"""The program started in a terminal by a fork of a process that has loaded its libraries: a second of a processor less
for each start.

All else is as a shell starts it: a session, a terminal and a process of its own, whose end is Python's. What happens
while Python loads the program, or depends on how it does, needs a start of its own. Where processes cannot be
watched by a handle, each has one.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests import failing_disk
from tests.network import guarded
from tests.terminal import TUI_CHAT, Process, Terminal

_MOST = 1 << 16
"""Bytes of an order."""


class Forked:
    """A program that was started so, as subprocess.Popen shows one."""

    def __init__(self, process_id: int, ended: int) -> None:
        self.pid = process_id
        self.returncode: int | None = None
        self._ended = ended

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._looked(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended; TimeoutError."""
        code = self._looked(timeout)
        if code is None:
            raise TimeoutError
        return code

    def _looked(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._ended], [], [], seconds)[0]:
            self.returncode = int(os.read(self._ended, 16))
            os.close(self._ended)
        return self.returncode


class _Forker:
    """The process that is forked, of one test process."""

    def __init__(self) -> None:
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forked", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[1],
                env=dict(os.environ) | guarded(),
                start_new_session=True,
            )
        self._free = threading.Lock()
        atexit.register(self._end)

    def _end(self) -> None:
        self._link.close()
        self._process.kill()
        self._process.wait()

    def start(
        self, terminal: int, environ: Mapping[str, str], arguments: Sequence[str], controls: bool
    ) -> Forked:
        ended, tells = os.pipe()
        order = json.dumps(
            {"environ": dict(environ), "arguments": list(arguments), "controls": controls}
        )
        with self._free:
            socket.send_fds(self._link, [order.encode()], [terminal, tells])
            os.close(tells)
            return Forked(int(self._link.recv(16)), ended)


_forkers: list[_Forker] = []
_making = threading.Lock()


def started(
    terminal: int,
    environ: Mapping[str, str],
    arguments: Sequence[str] = (),
    *,
    controls: bool = True,
) -> Forked:
    """Start `tui-chat` with this terminal, which is its controlling one where it `controls`."""
    with _making:
        if not _forkers:
            _forkers.append(_Forker())
    return _forkers[0].start(terminal, environ, arguments, controls)


class LoadedTerminal(Terminal):
    """`tui-chat` with these arguments in a terminal, for what does not depend on its start."""

    def __init__(
        self, environ: Mapping[str, str], *arguments: str, size: tuple[int, int] = (120, 40)
    ) -> None:
        super().__init__((*TUI_CHAT, *arguments), environ, size)

    def _begun(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        slave: int,
        before: Callable[[], None] | None,
    ) -> Process:
        if not hasattr(os, "pidfd_open"):
            return super()._begun(arguments, environ, slave, before)
        return started(slave, environ, arguments[len(TUI_CHAT) :], controls=False)


# The other side


def _serve(link: socket.socket) -> None:
    """Fork for each order; returns in each child, which is to become the program, and when nobody orders any more."""
    _load()
    running: dict[int, tuple[int, int]] = {}
    """The handle of each process, with its id and who is told of its end."""
    while True:
        ready, _, _ = select.select([link.fileno(), *running], [], [])
        for handle in ready:
            if handle != link.fileno():
                process, tells = running.pop(handle)
                _, status = os.waitpid(process, 0)
                os.write(tells, str(os.waitstatus_to_exitcode(status)).encode())
                os.close(tells)
                os.close(handle)
                continue
            said, handles, _, _ = socket.recv_fds(link, _MOST, 2)
            if not said:
                sys.exit()
            terminal, tells = handles
            if not (process := os.fork()):
                link.detach()  # Closed with all else.
                _become(**json.loads(said), terminal=terminal)
                return
            os.close(terminal)
            running[os.pidfd_open(process)] = (process, tells)
            link.send(str(process).encode())


def _load() -> None:
    """All that a start loads sooner or later."""
    import tui_chat.__main__
    import tui_chat.app
    import tui_chat.rooms.chat.screen
    import tui_chat.rooms.completion.screen
    import tui_chat.rooms.welcome.screen  # noqa: F401
    from tui_chat.core import counting, pricing, reply, store  # noqa: F401
    from tui_chat.core.client import made
    from tui_chat.core.endpoints import Endpoint

    made(Endpoint("none", "http://127.0.0.1:9/v1"), "none", 1)
    counting.count_text("a word", counting.encoding_for("fake-1", openai=False)[0])
    assert threading.active_count() == 1, "a fork has one thread"


def _become(
    environ: Mapping[str, str], arguments: Sequence[str], controls: bool, terminal: int
) -> None:
    """Have what a shell gives to a program."""
    os.setsid()
    for number in range(3):
        os.dup2(terminal, number)
    os.closerange(3, 1024)
    if controls:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None  # Asked for anew in this environment.
    # Who runs this in the background ignores some.
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = sys.__stdin__ = os.fdopen(0, "r", encoding="utf-8")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", encoding="utf-8")  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace")  # type: ignore[misc]
    sys.argv = ["tui-chat", *arguments]
    failing_disk.obey()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from tui_chat.__main__ import main

    sys.exit(main())
