"""The directories of the tests lie in memory where there is room: a third of their time was waiting for a disk.

All that is temporary goes there, in the programs that are started too. What failed tests left is copied
to the disk; a run that was killed leaves its directory to the next run, which removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path

SHARED = Path("/dev/shm")
ROOM = 2 << 30
"""Bytes that must be free: the tests need a fifth of it."""
_PREFIX = "tui-chat-tests-"


class Memory:
    """A temporary directory in memory, which this process and those that it starts use until `leave`."""

    def __init__(self) -> None:
        self._before = (os.environ.get("TMPDIR"), tempfile.tempdir)
        self._usual = Path(tempfile.gettempdir())
        self.kept: Path | None = None
        """Where `keep` put what was left."""
        self.place = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=SHARED))
        self._lock = os.open(self.place, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.place)

    def keep(self) -> None:
        """Put what pytest left in it on the disk, where there is something."""
        for left in self.place.glob("pytest-of-*"):
            self.kept = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._usual))
            shutil.copytree(left, self.kept, symlinks=True, dirs_exist_ok=True)

    def leave(self) -> None:
        """Remove it."""
        named, tempfile.tempdir = self._before
        if named is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = named
        shutil.rmtree(self.place, ignore_errors=True)
        os.close(self._lock)


def enter() -> Memory | None:
    """Use memory from now on; None, and nothing changes, where there is too little, or programs cannot be run from it."""
    if sys.platform != "linux" or not os.path.ismount(SHARED) or not os.access(SHARED, os.W_OK):
        return None
    disk = os.statvfs(SHARED)
    if disk.f_flag & os.ST_NOEXEC or min(disk.f_bavail * disk.f_frsize, _free()) < ROOM:
        return None
    _tidy()
    return Memory()


def place() -> Path | None:
    """The directory in memory that this process uses, if it does; a worker's is that of its run."""
    here = Path(tempfile.gettempdir())
    return here if here.parent == SHARED and here.name.startswith(_PREFIX) else None


def _free() -> int:
    """Bytes of memory that are free; a file system in memory promises more than there is."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def _tidy() -> None:
    """Remove what killed runs left."""
    for place in SHARED.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(place, os.O_RDONLY)
        except OSError:
            continue  # Another person's.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
