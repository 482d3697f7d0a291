"""The database read past SQLite, which this process may have open: whether the disk gives it back, and how it begins.

Where locks are POSIX's, closing any handle of a file ends all locks that this process has on it, SQLite's too, and
another window could write in the middle of a change. So a handle of it is opened once, and never closed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BLOCK = 1 << 20
_handles: dict[tuple[int, int], int] = {}
"""By device and number of the file."""
_opening = threading.Lock()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    if os.name != "posix":
        # Locks are the handle's own, and a file that is open cannot be renamed.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            yield handle
        finally:
            os.close(handle)
        return
    with _opening:
        found = path.stat()
        which = found.st_dev, found.st_ino
        if which not in _handles:
            _handles[which] = os.open(path, os.O_RDONLY)
    yield _handles[which]


def head(path: Path, size: int) -> bytes:
    """The first bytes of a database. OSError."""
    with _opened(path) as handle:
        return _at(handle, 0, size)


def read_through(path: Path) -> None:
    """Read a database to its end, 1 GB in a second from memory. Blocks. OSError where the disk does not give it back."""
    with _opened(path) as handle:
        place = 0
        while block := _at(handle, place, _BLOCK):
            place += len(block)


def _at(handle: int, place: int, size: int) -> bytes:
    if os.name == "posix":
        return os.pread(handle, size, place)
    os.lseek(handle, place, os.SEEK_SET)
    return os.read(handle, size)
