"""Who has the saved conversations open, and who repairs them: never both at the same time.

Each window holds a lock of its own in `run` while it has them open. Who repairs takes the one for
repairs first and then looks for those; who opens takes its own first and then looks for that one. So whichever
comes second sees the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui_chat.core import store_faults
from tui_chat.core.files import private_directory
from tui_chat.core.locks import FileLock, remove_abandoned
from tui_chat.core.store_faults import StoreFault

_REPAIRING = "repairing"
_PATIENCE = 0.5
"""Seconds for what another window does in a moment."""
_STEP = 0.02


def is_repairing(run: Path) -> bool:
    """Whether a program that lives is repairing them; `run` is the directory with the locks. Blocks a moment."""
    lock = FileLock(run / _REPAIRING)
    deadline = time.monotonic() + _PATIENCE
    while lock.path.exists():
        # The lock of one that was killed can be taken; its file is removed so.
        if lock.acquire():
            lock.release()
            return False
        if time.monotonic() > deadline:
            return True
        time.sleep(_STEP)
    return False


@contextmanager
def alone(run: Path) -> Iterator[None]:
    """Nobody opens them meanwhile. StoreFault, and nothing is done, where somebody has them open or repairs
    them already."""
    private_directory(run)
    lock = FileLock(run / _REPAIRING)
    if not lock.acquire():
        raise store_faults.repairing()
    try:
        deadline = time.monotonic() + _PATIENCE
        # One that only found them damaged is gone in a moment.
        while _opened(run):
            if time.monotonic() > deadline:
                raise StoreFault(
                    "busy",
                    "Another window has the saved conversations open, so nothing was repaired.",
                    "Close it, and try again.",
                )
            time.sleep(_STEP)
        yield
    finally:
        lock.release()


def _opened(run: Path) -> bool:
    with suppress(OSError):
        remove_abandoned(run)
    return any(run.glob("*.lock"))


def is_left_empty(path: Path) -> bool:
    """Whether a file that was there already is without a byte. Blocks for a moment, since another window may have
    made it just now."""
    deadline = time.monotonic() + _PATIENCE
    while path.stat().st_size == 0:
        if time.monotonic() > deadline:
            return True
        time.sleep(_STEP)
    return False
