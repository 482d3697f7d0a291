"""Backups of conversations.db: made by SQLite itself, checked, and rotated: three days and four weeks are kept.

Those made before a migration, `pre-vN.db`, are left alone here.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.core.database import (
    Error,
    Stopped,
    connected_to_read,
    copy_checked,
    in_words,
    is_unfinished,
    unfinished,
)
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places, private_directory, sync_directory
from tui_chat.core.locks import FileLock
from tui_chat.core.text import counted, one_line

DAY = 86_400
DAYS, WEEKS = 3, 4
"""How many backups are kept: the newest of each of so many days, and of each of so many weeks."""
MOST_OF_FREE = 0.10
"""A backup that would take a larger part of the free space is not made."""
MOST_AT_AN_END = 64_000_000
"""Bytes that a command backs up at its end: that takes a second or two."""
_NAME = re.compile(r"conversations-(\d{8}-\d{6})\.db")
_TIME = "%Y%m%d-%H%M%S"
_MIGRATED = "pre-v*.db"


@dataclass(frozen=True)
class Backup:
    """One backup."""

    path: Path
    made: datetime
    """In UTC."""
    rotated: bool
    """Whether it goes by itself, when newer ones are there."""

    @property
    def when(self) -> str:
        """The moment it was made, as a person reads it, in their own time."""
        return f"{self.made.astimezone():%Y-%m-%d %H:%M}"


def backups(directory: Path) -> tuple[Backup, ...]:
    """All that there are, the newest first; none where there is no such directory. Reads the directory."""
    found = []
    with suppress(OSError):
        for path in directory.glob("conversations-*.db"):
            if name := _NAME.fullmatch(path.name):
                with suppress(ValueError):  # A name that is no date is none of ours.
                    made = datetime.strptime(name[1], _TIME).replace(tzinfo=UTC)
                    found.append(Backup(path, made, True))
        for path in directory.glob(_MIGRATED):
            with suppress(OSError):
                made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                found.append(Backup(path, made, False))
    return tuple(sorted(found, key=lambda one: one.made, reverse=True))


def kept(made: Iterable[datetime]) -> set[datetime]:
    """Which of these backups stay: the newest of each of the last days and weeks that have one; pure."""
    newest = sorted(made, reverse=True)
    days: dict[object, datetime] = {}
    weeks: dict[object, datetime] = {}
    for one in newest:
        days.setdefault(one.date(), one)
        weeks.setdefault(one.isocalendar()[:2], one)
    return {*list(days.values())[:DAYS], *list(weeks.values())[:WEEKS]}


def still_kept(directory: Path) -> str:
    """Which backups still hold words that are removed now, and until when; empty when none does. Reads files."""
    there = backups(directory)
    rotated = [one for one in there if one.rotated]
    migrated = [one for one in there if not one.rotated]
    sentences = []
    if rotated:
        made = counted(len(rotated), "backup")
        verb = "keeps" if len(rotated) == 1 else "keep"
        sentences.append(
            f"{made} in {one_line(str(directory), 200)} (the newest of {rotated[0].when}) {verb} the words"
            f" until newer ones have taken their place, after {WEEKS} weeks in which tui-chat is used;"
            " delete them there to have them gone now."
        )
    if migrated:
        names = ", ".join(one.path.name for one in migrated)
        sentences.append(
            f"{names} there, from before an upgrade, stays until you delete it."
            if rotated
            else f"{names} in {one_line(str(directory), 200)}, from before an upgrade, keeps them until you"
            " delete it."
        )
    return " ".join(sentences)


def backups_in_words(places: Places) -> str:
    """How many there are, of when, and what they take. Reads a directory."""
    there = backups(places.backups)
    if not there:
        return "none yet"
    size = 0
    for one in there:
        with suppress(OSError):
            size += one.path.stat().st_size
    return f"{len(there)}, the newest of {there[0].when}; {size / 1e6:,.1f} MB"


def no_space_for(database: Path) -> str:
    """Why there is no room for a backup, in a sentence; empty when there is."""
    try:
        size = database.stat().st_size
        free = shutil.disk_usage(database.parent).free
    except OSError:
        return ""
    if size <= free * MOST_OF_FREE:
        return ""
    return (
        f"No backup is made: it would take {size / 1e6:,.1f} MB, more than a tenth of the"
        f" {free / 1e6:,.1f} MB that are free."
    )


def is_due(places: Places, now: float | None = None) -> bool:
    """Whether a backup is to be made: the newest is older than a day, and something changed since; there is
    room for it, too. Reads a directory."""
    now = time.time() if now is None else now
    try:
        status = places.database.stat()
    except OSError:
        return False
    if not status.st_size or no_space_for(places.database):
        return False
    # One that seems to be of tomorrow, by a clock that was wrong, is none.
    made = [
        one.made.timestamp() for one in backups(places.backups) if one.made.timestamp() <= now + DAY
    ]
    newest = max(made, default=0)
    return now - newest > DAY and status.st_mtime > newest


def back_up(places: Places, stopped: Callable[[], bool] = lambda: False) -> Path | None:
    """Make a backup where one is due, and remove those that are kept no longer; its path. Blocks.

    None where none is due, where another window makes one, or where `stopped` says so. ChatError for what the
    disk does, and when what was copied is damaged; then there is no new one, and none is removed.
    """
    if not is_due(places):
        return None
    directory = private_directory(places.backups)
    try:
        lock = FileLock(directory / ".lock")
        if not lock.acquire():
            return None
        try:
            # Another window may have made one while this one waited.
            return _made(places, stopped) if is_due(places) else None
        finally:
            lock.release()
    except (Error, OSError) as error:
        # What was broken off has to be taken back by whoever opens the file to write.
        if isinstance(error, Error) and is_unfinished(error):
            return None
        raise in_words(error, places.database) from error


def back_up_at_the_end(places: Places) -> str:
    """As back_up(), where it takes but a moment; what kept a backup that is due from being made, in words. Blocks."""
    try:
        if places.database.stat().st_size <= MOST_AT_AN_END:
            back_up(places)
    except OSError:
        pass  # There is nothing to back up.
    except ChatError as error:
        return f"No backup could be made. {error}"
    return ""


def _made(places: Places, stopped: Callable[[], bool]) -> Path | None:
    directory = places.backups
    path = directory / f"conversations-{datetime.now(UTC):{_TIME}}.db"
    try:
        with unfinished(directory) as part:
            with closing(connected_to_read(places.database)) as connection:
                copy_checked(connection, part, stopped)
            part.replace(path)
            sync_directory(directory)
    except Stopped:
        return None
    _rotate(directory)
    return path


def _rotate(directory: Path) -> None:
    there = [one for one in backups(directory) if one.rotated]
    stay = kept(one.made for one in there)
    for one in there:
        if one.made not in stay:
            with suppress(OSError):
                one.path.unlink()
