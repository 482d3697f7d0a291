"""Conversations of other programs, and of ours, brought into the store: a whole file or nothing of it.

A thread reads the file into a staging database in the cache, one conversation in memory at a time; then
that becomes part of the saved conversations in one transaction. Until then nothing was changed.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui_chat.core.conversation import new_id
from tui_chat.core.database import Error, in_words
from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.formats.foreign import Unreadable
from tui_chat.core.formats.sources import Source, opened
from tui_chat.core.locks import FileLock, remove_abandoned
from tui_chat.core.merging import Merged, Stopped
from tui_chat.core.staging import Staging
from tui_chat.core.store import Store
from tui_chat.core.text import counted, one_line

MOST_PLACES = 1000
"""How many unreadable places a report names; it counts all."""
_SECONDS_BETWEEN = 0.1


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: bytes that were read, of all that there are to read."""

    step: Literal["reading", "saving"]
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file; `added` is None when nothing was imported because of what is unreadable."""

    path: Path
    format: str
    added: Merged | None
    unreadable: tuple[Unreadable, ...] = ()
    unreadable_total: int = 0

    @property
    def words(self) -> str:
        """The report as a sentence on one line, without the places."""
        name = one_line(self.path.name, 80)
        lost = counted(self.unreadable_total, "place")
        if self.added is None:
            return f"{name}: nothing was imported, because {lost} could not be read"
        added = self.added
        rest = (
            (added.continued, "went on"),
            (added.already, "was there already" if added.already == 1 else "were there already"),
            (added.in_trash, "is in the trash" if added.in_trash == 1 else "are in the trash"),
        )
        parts = [
            f"{counted(added.conversations, 'conversation')},"
            f" {counted(added.messages, 'message')} added",
            *(f"{number:,} {words}" for number, words in rest if number),
            *([f"{lost} could not be read"] if self.unreadable_total else []),
        ]
        return f"{name}: {'; '.join(parts)}"


async def import_file(
    store: Store,
    path: Path,
    scratch: Path,
    *,
    progress: Callable[[Progress], None],
    skip_unreadable: bool = False,
) -> Report:
    """Import one file. ChatError when it is none that can be, or for what the disk does.

    With a place in it that cannot be read nothing is imported, unless those are to be skipped. Cancelling
    leaves the store as it was. `scratch` is the directory for such files (Places.importing); `progress` is
    called on the event loop, some times a second.
    """
    stop = threading.Event()
    running = asyncio.ensure_future(
        _imported(store, path, scratch, _Throttle(progress), stop, skip_unreadable)
    )
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        # What was begun is taken back before anybody goes on.
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()
        raise


async def _imported(
    store: Store,
    path: Path,
    scratch: Path,
    progress: _Throttle,
    stop: threading.Event,
    skip_unreadable: bool,
) -> Report:
    place = _Place(scratch)
    try:
        gathered = await asyncio.to_thread(_gather, path, place, progress, stop, skip_unreadable)
        added = None
        if skip_unreadable or not gathered.total:
            progress.saving()
            added = await store.merge(place.staged, stop.is_set)
        return Report(path, gathered.format, added, tuple(gathered.unreadable), gathered.total)
    finally:
        await asyncio.to_thread(place.remove)


@dataclass(slots=True)
class _Gathered:
    format: str
    unreadable: list[Unreadable]
    total: int = 0


def _gather(
    path: Path, place: _Place, progress: _Throttle, stop: threading.Event, skip: bool
) -> _Gathered:
    """Read the file into the staging database."""
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        if stop.is_set():
            raise Stopped
        progress.reading(done)

    try:
        place.make()
        with opened(path, place.path, count) as source, Staging(place.staged) as staging:
            progress.total = source.total
            gathered = _staged(source, staging, stop, skip)
            staging.finish()
    except Error as error:
        raise in_words(error, place.staged) from error
    except OSError as error:
        shown = one_line(str(error.filename or path))
        raise ChatError(f"{shown}: {error.strerror or one_line(str(error))}.") from error
    return gathered


def _staged(source: Source, staging: Staging, stop: threading.Event, skip: bool) -> _Gathered:
    gathered = _Gathered(source.format, [])
    for item in source.items:
        if stop.is_set():
            raise Stopped
        if isinstance(item, Unreadable):
            gathered.total += 1
            if gathered.total <= MOST_PLACES:
                gathered.unreadable.append(item)
        elif skip or not gathered.total:
            staging.add(item)
    return gathered


class _Throttle:
    """Passes progress from the reading thread on to the event loop, not too often."""

    def __init__(self, told: Callable[[Progress], None]) -> None:
        self.total = 0
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._next = 0.0

    def reading(self, done: int) -> None:
        """On the reading thread."""
        now = time.monotonic()
        if self.total and now >= self._next:
            self._next = now + _SECONDS_BETWEEN
            now_read = Progress("reading", min(done, self.total), self.total)
            # The program may be on its way out.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._told, now_read)

    def saving(self) -> None:
        """On the event loop."""
        self._told(Progress("saving", self.total, self.total))


class _Place:
    """A private directory of one import's own; its methods block."""

    def __init__(self, scratch: Path) -> None:
        self.path = scratch / new_id()
        self.staged = self.path / "staged.db"
        self._lock = FileLock(self.path.with_suffix(".lock"))

    def make(self) -> None:
        """Make it, and remove those that a crash left."""
        scratch = private_directory(self.path.parent)
        for left in scratch.iterdir():
            if left.is_dir():
                _remove(left, FileLock(left.with_suffix(".lock")))
        remove_abandoned(scratch)
        self._lock.acquire()
        private_directory(self.path)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def _remove(left: Path, lock: FileLock) -> None:
    # Another window may be importing right now.
    with suppress(OSError):
        if lock.acquire():
            shutil.rmtree(left, ignore_errors=True)
            lock.release()
