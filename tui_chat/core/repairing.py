"""Ways out where conversations.db cannot be used: what can be read of it, a backup, or a new beginning.

A sound database is made first, under another name. Then the damaged one gets a second name, and the sound one
takes its place in one step: whenever that is broken off, there is the old one or the new one. Nothing is deleted.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tui_chat.core.backups import Backup, backups
from tui_chat.core.conversation import new_id
from tui_chat.core.database import Error, brought_up, companions, connected, in_words, remove
from tui_chat.core.diagnosis import Diagnosis, diagnosed
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places, sync_directory
from tui_chat.core.salvage import salvage
from tui_chat.core.store_faults import StoreFault, named
from tui_chat.core.store_locks import alone
from tui_chat.core.text import counted

Way = Literal["salvage", "backup", "empty"]
WAYS: tuple[Way, ...] = ("salvage", "backup", "empty")


@dataclass(frozen=True)
class Repaired:
    """What became of a repair."""

    words: str
    """What is there now, and where the damaged file is."""
    aside: Path | None
    """The damaged file under its new name; None where there was none."""


@dataclass(frozen=True)
class Choices:
    """What could be done about a database."""

    fault: StoreFault
    backup: Backup | None
    """The newest that is sound."""
    holds: str
    """How much is in that, in words."""

    @property
    def ways(self) -> tuple[tuple[Way, str], ...]:
        """Each way there is, and what it does; none where a repair would be of no use."""
        if not self.fault.can_be_repaired:
            return ()
        ways: list[tuple[Way, str]] = []
        if self.fault.kind == "damaged":
            ways.append(("salvage", "Read what can still be read of it into a new file"))
        if self.backup is not None:
            words = f"Bring back the backup of {self.backup.when}: {self.holds}"
            ways.append(("backup", words))
        ways.append(("empty", "Begin with no conversations"))
        return tuple(ways)


def choices(places: Places, fault: StoreFault) -> Choices:
    """What could be done about what is wrong. Blocks: backups are read whole until one is sound."""
    if fault.can_be_repaired:
        for backup in backups(places.backups):
            found = diagnosed(backup.path)
            if found.fault is None and not found.unfinished:
                return Choices(fault, backup, found.words)
    return Choices(fault, None, "")


def repair(
    places: Places, way: Way, *, step: Callable[[str], None] = lambda step: None
) -> Repaired:
    """Put a sound database in the place of the one that is there, which gets another name. Blocks.

    ChatError, and nothing is changed, where another window has it open, where nothing can be read or there is no
    sound backup, where nothing is wrong with it, and for what the disk does. `step` is told what comes next.
    """
    with alone(places.config / "run"):
        try:
            return _repaired(places, way, step)
        except OSError as error:
            raise in_words(error, places.database) from error


def settled(database: Path) -> Diagnosis:
    """What is wrong with it, once a change that was broken off is taken back. Blocks."""
    found = diagnosed(database)
    if found.unfinished:
        # What that comes to is said by the second look.
        with suppress(Error), closing(connected(database)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
        found = diagnosed(database)
    return found


def _repaired(places: Places, way: Way, step: Callable[[str], None]) -> Repaired:
    found = settled(places.database)
    if found.fault is None:
        raise ChatError(
            f"Nothing is wrong with {named(places.database)}.", "So nothing was repaired."
        )
    if not found.fault.can_be_repaired:
        raise found.fault
    path = _place(places.database)
    with _part(path) as part:
        words = _made(places, way, found.fault, part)
        handle = os.open(part, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        step("made")
        aside = _exchange(path, part, step)
    return Repaired(f"{words} The damaged file is {named(aside)} now.", aside)


def _place(database: Path) -> Path:
    """The file that is to be replaced: what a link points to, unless that is no file."""
    target = Path(os.path.realpath(database))
    return target if target.is_file() else database


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """A new file beside the database, 0600, that is gone afterwards unless it was given another name."""
    part = path.with_name(f".{path.name}.{new_id()}.part")
    for left in path.parent.glob(f".{path.name}.*.part*"):
        # Nobody else repairs now: this is of a program that was killed at it.
        with suppress(OSError):
            left.unlink()
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield part
    finally:
        with suppress(OSError):
            remove(part)


def _made(places: Places, way: Way, fault: StoreFault, part: Path) -> str:
    """Make the database that takes the other's place; what is in it, in words."""
    if way == "backup":
        found = choices(places, fault)
        if found.backup is None:
            raise ChatError(f"There is no sound backup in {named(places.backups)}.")
        _copy(found.backup.path, part)
        return f"The backup of {found.backup.when} is back: {found.holds}."
    if way == "salvage":
        if fault.kind != "damaged":
            raise ChatError(f"There is nothing to read in {named(places.database)}.")
        return _salvaged(Path(os.path.realpath(places.database)), part)
    with closing(connected(part)) as connection:
        brought_up(connection, part)
    return "There are no conversations now."


def _salvaged(damaged: Path, part: Path) -> str:
    source = damaged
    if any(one.exists() for one in companions(damaged)):
        # To take back what was broken off would change what is damaged: that is done to a copy.
        source = part.with_name(f"{part.name}-copy")
        for each, copy in zip(
            (damaged, *companions(damaged)), (source, *companions(source)), strict=True
        ):
            if each.exists():
                _copy(each, copy)
        with suppress(Exception), closing(connected(source)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    try:
        found = salvage(source, part)
    finally:
        if source != damaged:
            remove(source)
    read = (
        f"{counted(found.conversations, 'conversation')} and {counted(found.messages, 'message')}"
    )
    if not found.lost:
        return f"All that could be read is there: {read}."
    return f"{read} could be read; at {counted(found.lost, 'place')} a message, or a part of it, is lost."


def _copy(source: Path, target: Path) -> None:
    with (
        source.open("rb") as reading,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as writing,
    ):
        shutil.copyfileobj(reading, writing, 1 << 20)
        writing.flush()
        os.fsync(writing.fileno())


def _exchange(path: Path, part: Path, step: Callable[[str], None]) -> Path:
    """Give the damaged file, and what belongs to it, another name, and the sound one its own."""
    aside = _free_name(path)
    if not path.is_file():
        # A directory or a pipe cannot have two names, and there is nothing of ours in it.
        path.rename(aside)
        step("set aside")
        part.replace(path)
        sync_directory(path.parent)
        return aside
    _also_named(path, aside)
    step("named")
    for old, new in zip(companions(path), companions(aside), strict=True):
        if old.exists():
            _also_named(old, new)
            step("journal named")
            # Before the exchange: SQLite would take a change back in the new file that was made to the old.
            old.unlink()
            step("journal gone")
    sync_directory(path.parent)
    part.replace(path)
    step("exchanged")
    sync_directory(path.parent)
    return aside


def _free_name(path: Path) -> Path:
    stamp = f"{time.strftime('%Y%m%d-%H%M%S')}"
    for number in range(1, 1000):
        mark = stamp if number == 1 else f"{stamp}-{number}"
        aside = path.with_name(f"{path.stem}.damaged-{mark}{path.suffix}")
        if not any(os.path.lexists(one) for one in (aside, *companions(aside))):
            return aside
    raise ChatError("There are too many damaged files already.", f"Look into {named(path.parent)}.")


def _also_named(path: Path, name: Path) -> None:
    """Give a file a second name; where the file system knows no second names, it is copied."""
    try:
        os.link(path, name)
    except OSError:
        _copy(path, name)
