"""After an unclean end: whether what it left is sound, found beside the running program, which keeps writing.

That it is in doubt is remembered in `run` until all of it was read, over as many starts as that takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tui_chat.core.database import Error, companions, connected_without_locks, damage, quick_check
from tui_chat.core.files import Places
from tui_chat.core.store_faults import StoreFault
from tui_chat.core.unclosed import head

_DOUBTED = "unchecked"
PAUSE = 2.0
"""Seconds between two looks, where the first was disturbed."""
_COUNTER = slice(24, 28)
"""Where SQLite's file format has the number that each change makes another one."""


def doubt(run: Path) -> None:
    """Remember that a program that had the conversations open ended without closing them."""
    # A disk that has no room for this says so to who has more to write.
    with suppress(OSError):
        (run / _DOUBTED).touch(mode=0o600)


def settle_doubts(places: Places, stopped: Callable[[], bool]) -> StoreFault | None:
    """The damage of saved conversations that are in doubt; None where they are not, or no longer. Blocks: all
    of the file is read, 45 MB in a second.

    Nobody waits for that: it takes no lock. What was written meanwhile may look like damage then, so that is
    believed only when nothing was. `stopped` is asked every few milliseconds; when it says so, they stay in doubt.
    """
    mark = places.config / "run" / _DOUBTED
    # Whatever else the disk does is said by what needs it.
    with suppress(Error, OSError):
        while mark.exists() and not stopped():
            before = _state(places.database)
            with closing(connected_without_locks(places.database, stopped)) as connection:
                found = quick_check(connection)
            if not found:
                mark.unlink(missing_ok=True)
            elif before is not None and before == _state(places.database):
                return damage(places.database)
            else:
                _wait(stopped)
    return None


def _state(path: Path) -> tuple[object, ...] | None:
    """What is another one once something was written; None while something is."""
    if any(one.exists() for one in companions(path)):
        return None
    counter = head(path, _COUNTER.stop)[_COUNTER]
    status = path.stat()
    return status.st_mtime_ns, status.st_size, counter


def _wait(stopped: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PAUSE
    while time.monotonic() < deadline and not stopped():
        time.sleep(0.02)
