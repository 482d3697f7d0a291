"""A disk that fails: a program's calls for chosen files end with EIO, from when a test says so until it says otherwise.

Linux can ask a process of ours about each such call (seccomp), which needs no privilege. What the program starts is
under the same rule. What is read through a mapping is not: SQLite does not read so here.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import os
import platform
import select
import signal
import socket
import struct
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

VARIABLE = "TUI_CHAT_TESTS_DISK"
"""Names the file of rules to a program that is started by a fork; see obey()."""
_CALLS = {
    "x86_64": (0xC000003E, 317, {0: "read", 17: "read", 18: "write", 74: "sync", 75: "sync"}),
    "aarch64": (0xC00000B7, 277, {63: "read", 67: "read", 68: "write", 82: "sync", 83: "sync"}),
}
"""For each machine its number as seccomp has it, that of seccomp itself, and those of read and pread64, pwrite64,
fsync and fdatasync."""
_NO_NEW_PRIVILEGES, _SET_FILTER, _ALL_THREADS_AND_A_LISTENER = 38, 1, 1 | 8 | 16
_LOAD, _IS, _RETURN, _ALLOW, _ASK = 0x20, 0x15, 0x06, 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND, _GO_ON = 0xC0502100, 0xC0182101, 1


class FailingDisk:
    """What fails, as a file that can be changed at any time from outside."""

    def __init__(self, directory: Path) -> None:
        self.rules = directory / "rules-of-the-disk"
        self.rules.touch()
        self._log = _log(self.rules)
        self._log.touch()

    @property
    def environ(self) -> dict[str, str]:
        """What a program that a fork starts needs in its environment to be under these rules."""
        return {VARIABLE: str(self.rules)}

    def fails(self, *deeds: str) -> None:
        """From now on these fail: `read`, `write` or `sync`, and the name of a file, in which * stands for anything;
        with @ and a number behind it only the byte there, for who says where they read or write. Nothing else does;
        without any the disk is well again."""
        fresh = self.rules.with_suffix(".new")
        fresh.write_text("\n".join(deeds))
        fresh.replace(self.rules)

    @property
    def failed(self) -> set[str]:
        """What did fail so far, in the same words."""
        return set(self._log.read_text().splitlines())


def _log(rules: Path) -> Path:
    return rules.with_suffix(".failed")


def obey() -> None:
    """Be under the rules that the environment names, if it does: for a fork that is to become the program."""
    if rules := os.environ.pop(VARIABLE, ""):
        begin(Path(rules))


def apart(disk: FailingDisk, deed: Callable[[], object]) -> None:
    """Do it under the rules, in a fork of this process; AssertionError with what it raised."""
    with tempfile.TemporaryFile("w+") as told:
        if not (child := os.fork()):
            code = 1
            try:
                begin(disk.rules)
                deed()
                code = 0
            except BaseException:  # noqa: BLE001  # nothing of this process may go on in that one
                told.write(traceback.format_exc())
                told.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told.seek(0)
        assert code == 0, told.read() or f"it ended with {code}"


@functools.cache
def _why_not() -> str:
    """Why no disk can fail here; empty where one can."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return f"no disk can fail on {sys.platform} {platform.machine()}"
    with tempfile.TemporaryDirectory() as directory:
        disk, path = FailingDisk(Path(directory)), Path(directory, "a-file")
        path.touch()
        disk.fails("read a-file")

        def read() -> None:
            refused = 0
            try:
                path.read_text()
            except OSError as error:
                refused = error.errno or 0
            assert refused == errno.EIO, f"{refused} came of it"

        try:
            apart(disk, read)
        except AssertionError as error:
            return f"this system lets no disk fail: {str(error).splitlines()[-1]}"
    return ""


def skip_where_none_can_fail() -> None:
    """Skip the test, and warn of that, where the system has no such rules."""
    # Deferred: a program that obeys has no use for it.
    import pytest

    if why := _why_not():
        warnings.warn(why, stacklevel=2)
        pytest.skip(why)


def begin(rules: Path) -> None:
    """Be under these rules from now on, all threads, and all that is started."""
    machine, seccomp, calls = _CALLS[platform.machine()]
    steps = [(_LOAD, 0, 0, 4), (_IS, 0, len(calls) + 1, machine), (_LOAD, 0, 0, 0)]
    steps += [(_IS, len(calls) - place, 0, call) for place, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ASK)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HP", len(steps), ctypes.addressof(code))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        _apart_from_us(lambda: _judge(theirs, rules, calls))
        system = ctypes.CDLL(None, use_errno=True)
        system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        system.syscall.restype = ctypes.c_long
        listener = system.syscall(seccomp, _SET_FILTER, _ALL_THREADS_AND_A_LISTENER, program)
        if listener < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        socket.send_fds(ours, [b"listen"], [listener])
        os.close(listener)


def _apart_from_us(deed: Callable[[], None]) -> None:
    """Do it in a process that is no child of this one, and has none of its streams."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if not os.fork():
            for told in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(told, signal.SIG_IGN)
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(nothing, number)
            deed()
    finally:
        os._exit(0)


def _judge(link: socket.socket, rules: Path, calls: dict[int, str]) -> None:
    """Answer for each call, until no process is left that could make one."""
    said, handles, _, _ = socket.recv_fds(link, 16, 1)
    if not said:
        return
    os.closerange(3, handles[0])
    os.closerange(handles[0] + 1, 1024)
    asked = select.poll()
    asked.register(handles[0], select.POLLIN)
    while True:
        if not asked.poll()[0][1] & select.POLLIN:
            return
        request = bytearray(80)
        try:
            fcntl.ioctl(handles[0], _RECEIVE, request)
            number, thread, call, handle, size, start = struct.unpack_from("QI4xi12xQ8xQQ", request)
            fails = _fails(rules, calls[call], f"/proc/{thread}/fd/{handle}", start, start + size)
            answer = (0, -errno.EIO, 0) if fails else (0, 0, _GO_ON)
            fcntl.ioctl(handles[0], _SEND, struct.pack("Qqii", number, *answer))
        except FileNotFoundError:
            continue  # Who asked was interrupted, and asks again, or is gone.


def _fails(rules: Path, deed: str, handle: str, start: int, end: int) -> bool:
    wanted = [line.split(" ", 1) for line in rules.read_text().splitlines()]
    if all(one[0] != deed for one in wanted):
        return False
    try:
        name = Path(handle).readlink().name
    except OSError:
        return False
    for kind, pattern in wanted:
        which, _, byte = pattern.partition("@")
        if kind == deed and fnmatch(name, which) and (not byte or start <= int(byte) < end):
            with _log(rules).open("a") as log:
                log.write(f"{kind} {pattern}\n")
            return True
    return False
