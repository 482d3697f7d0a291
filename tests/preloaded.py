"""The program run to its end in a fork of a process that has loaded its libraries: each start would else take a
second of a processor for that alone.

All else is as a shell starts it: its own arguments, environment, directory and streams. What depends on how Python
itself starts (a locale, flags, closed streams) needs a start of its own. Where there is no fork, each has one.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from tests import failing_disk

Done = subprocess.CompletedProcess[bytes]
_STREAMS = 3


class _Server:
    """The process that is forked, of one test process; started at the first use."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.preloaded", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parent.parent,
                env=dict(os.environ),
            )
        self._socket = ours
        self._free = threading.Lock()
        atexit.register(self._end)

    def _end(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def run(self, order: Mapping[str, object], streams: Sequence[IO[bytes]], seconds: float) -> int:
        with self._free, tempfile.TemporaryFile() as file:
            file.write(json.dumps(order).encode())
            file.flush()
            handles = [*(one.fileno() for one in streams), file.fileno()]
            self._socket.settimeout(seconds)
            socket.send_fds(self._socket, [b"run"], handles)
            try:
                return int(self._socket.recv(64))
            except TimeoutError:
                # Its answer would be taken for that of the next run.
                self._end()
                _servers.remove(self)
                raise


_servers: list[_Server] = []


def run(
    arguments: Sequence[str | bytes],
    environ: Mapping[str, str],
    *,
    given: bytes = b"",
    seconds: float = 60,
) -> Done:
    """`tui-chat` with these arguments, run to its end. TimeoutError where it does not end in time."""
    command = [sys.executable, "-m", "tui_chat", *arguments]
    if not hasattr(os, "fork"):
        return subprocess.run(
            command,
            env=dict(environ),
            input=given,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    if not _servers:
        _servers.append(_Server())
    order = {
        "arguments": [os.fsdecode(one) for one in arguments],
        "environ": dict(environ),
        "directory": str(Path.cwd()),
    }
    with (
        tempfile.TemporaryFile() as stdin,
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
    ):
        stdin.write(given)
        stdin.seek(0)
        code = _servers[0].run(order, (stdin, stdout, stderr), seconds)
        for one in (stdout, stderr):
            one.seek(0)
        return Done(command, code, stdout.read(), stderr.read())


# The other side


def _serve(handle: int) -> None:
    from tui_chat import __main__ as door  # noqa: F401
    from tui_chat.core import client, counting, oneshot, pricing, reply, store  # noqa: F401
    from tui_chat.core.client import made
    from tui_chat.core.endpoints import Endpoint

    made(Endpoint("none", "http://127.0.0.1:9/v1"), "none", 1)
    with socket.socket(fileno=handle) as link:
        while True:
            said, handles, _, _ = socket.recv_fds(link, 16, _STREAMS + 1)
            if not said:
                return
            process = os.fork()
            if not process:
                link.close()
                _become(handles)
            for one in handles:
                os.close(one)
            _, status = os.waitpid(process, 0)
            link.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(handles: Sequence[int]) -> None:
    """Be the program, as a shell starts it; never returns."""
    code = 1
    try:
        with os.fdopen(handles[_STREAMS], "rb") as file:
            file.seek(0)
            order = json.load(file)
        os.setsid()
        for number, handle in enumerate(handles[:_STREAMS]):
            os.dup2(handle, number)
            os.close(handle)
        os.environ.clear()
        os.environ.update(order["environ"])
        os.chdir(order["directory"])
        failing_disk.obey()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        encoding, _, errors = os.environ.get("PYTHONIOENCODING", "utf-8").partition(":")
        sys.stdin = os.fdopen(0, "r", encoding=encoding, errors=errors or "strict")
        sys.stdout = os.fdopen(1, "w", encoding=encoding, errors=errors or "strict")
        sys.stderr = os.fdopen(2, "w", encoding=encoding, errors="backslashreplace")
        sys.argv = ["tui-chat", *order["arguments"]]
        from tui_chat.__main__ import main

        code = main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001  # as Python does at the top
        sys.excepthook(*sys.exc_info())
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
