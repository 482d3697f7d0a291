"""Locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


class FileLock:
    """An exclusive lock on a file of its own, held until release() or the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock now; False when another process, or another holder in this one, has it. OSError."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            if not _locked(handle):
                os.close(handle)
                return False
            if _is_at(self.path, handle):
                self._handle = handle
                # By this a file whose holder died is told from one that somebody is about to lock.
                with suppress(OSError):
                    os.write(handle, b"held")
                return True
            # Its last holder removed the file in between: a lock on it would keep out nobody.
            os.close(handle)

    def release(self) -> None:
        """Give the lock back and remove its file."""
        if self._handle is not None:
            _give_back(self.path, self._handle)
            self._handle = None


def remove_abandoned(directory: Path) -> int:
    """Remove the lock files whose holders ended without release(); how many holders there were.
    OSError for the directory itself."""
    died = 0
    for path in list(directory.glob("*.lock")):
        lock = FileLock(path)
        # One that cannot be opened, another user's perhaps, says nothing about the others.
        with suppress(OSError):
            held = path.stat().st_size > 0
            if lock.acquire():
                lock.release()
                died += held
    return died


if sys.platform == "win32":
    import msvcrt

    def _locked(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _is_at(path: Path, handle: int) -> bool:
        return True  # Windows removes no file that is open.

    def _give_back(path: Path, handle: int) -> None:
        os.close(handle)
        # Whoever opened it since then keeps it.
        with suppress(OSError):
            path.unlink()

else:
    import fcntl

    def _locked(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _is_at(path: Path, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), path.stat())
        except FileNotFoundError:
            return False

    def _give_back(path: Path, handle: int) -> None:
        # Its directory may be gone or read-only by now; the lock itself ends with the handle.
        with suppress(OSError):
            path.unlink()
        os.close(handle)
