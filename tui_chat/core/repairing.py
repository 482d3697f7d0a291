"""Ways out where conversations.db cannot be used: a backup, what can be read of it, or a new beginning.

A sound database is made first, under another name. Then the one that is there gets a second name, and the sound one
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

Way = Literal["backup", "salvage", "empty"]
WAYS: tuple[Way, ...] = ("backup", "salvage", "empty")


@dataclass(frozen=True)
class Repaired:
    """What became of a repair."""

    words: str
    """What is there now, and where that is which was there before."""
    aside: Path | None
    """What was there before under its new name; None where there was nothing."""


@dataclass(frozen=True)
class WayOut:
    """Something that could be done about a database."""

    way: Way
    words: str
    """What it does, and what there is afterwards, as far as that is known."""
    backup: Path | None = None
    """Which one is brought back."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.way if self.backup is None else self.backup.name


def ways_out(places: Places, fault: StoreFault | None) -> tuple[WayOut, ...]:
    """What could be done about what is wrong, what costs least first; where nothing is, each backup could be
    brought back all the same. None where a repair would be of no use.

    Blocks: backups are read whole until one is sound; of older ones it is only looked what is in them.
    """
    if fault is not None and not fault.can_be_repaired:
        return ()
    ways = [
        WayOut("backup", f"Bring back the backup of {backup.when}: {holds}", backup.path)
        for backup, holds in _sound(places)
    ]
    if fault is None:
        return tuple(ways)
    if fault.kind == "damaged":
        words = (
            "Read what can still be read of it into a new file; how much that is shows only then"
        )
        ways.append(WayOut("salvage", words))
    return (*ways, WayOut("empty", "Begin with no conversations"))


def _sound(places: Places) -> Iterator[tuple[Backup, str]]:
    """The backups that can be brought back, and what is in them, in words."""
    thorough = True
    for backup in backups(places.backups):
        found = diagnosed(backup.path, thorough=thorough)
        if found.fault is None and not found.unfinished:
            thorough = False
            yield backup, found.words


def what_is_there(path: Path, fault: StoreFault | None) -> str:
    """What a repair gives another name, in words."""
    if fault is None:
        return "What was there before"
    if fault.kind == "no file":
        return "The directory" if path.is_dir() else "What is no file"
    return "The empty file" if fault.kind == "empty" else "The damaged file"


def repair(
    places: Places,
    way: Way,
    backup: Path | None = None,
    *,
    step: Callable[[str], None] = lambda step: None,
) -> Repaired:
    """Put a sound database in the place of the one that is there, which gets another name. Blocks.

    `backup` is the one to bring back, else the newest that is sound; that is done to a database too with which
    nothing is wrong. ChatError, and nothing is changed, where another window has it open, where nothing can be
    read or there is no sound backup, where nothing is wrong with it, and for what the disk does. `step` is told
    what comes next.
    """
    with alone(places.config / "run"):
        try:
            return _repaired(places, way, backup, step)
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


def _repaired(
    places: Places, way: Way, backup: Path | None, step: Callable[[str], None]
) -> Repaired:
    fault = settled(places.database).fault
    if fault is None and way != "backup":
        raise ChatError(
            f"Nothing is wrong with {named(places.database)}.", "So nothing was repaired."
        )
    if fault is not None and not fault.can_be_repaired:
        raise fault
    was = what_is_there(places.database, fault)
    path = _place(places.database)
    with _part(path) as part:
        words = _made(places, way, backup, fault, part)
        handle = os.open(part, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        step("made")
        if not os.path.lexists(path):
            part.replace(path)
            sync_directory(path.parent)
            return Repaired(words, None)
        aside = _exchange(path, part, _free_name(path, "damaged" if fault else "replaced"), step)
    return Repaired(f"{words} {was} is {named(aside)} now.", aside)


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


def _made(
    places: Places, way: Way, backup: Path | None, fault: StoreFault | None, part: Path
) -> str:
    """Make the database that takes the other's place; what is in it, in words."""
    if way == "backup":
        return _brought_back(places, backup, part)
    if way == "salvage":
        if fault is None or fault.kind != "damaged":
            raise ChatError(f"There is nothing to read in {named(places.database)}.")
        words = _salvaged(Path(os.path.realpath(places.database)), part)
        return f"{words} A backup can still be brought back." if any(_sound(places)) else words
    with closing(connected(part)) as connection:
        brought_up(connection, part)
    return "There are no conversations now."


def _brought_back(places: Places, wanted: Path | None, part: Path) -> str:
    for backup in backups(places.backups):
        if wanted is None or backup.path == wanted:
            found = diagnosed(backup.path)
            if found.fault is None and not found.unfinished:
                _copy(backup.path, part)
                return f"The backup of {backup.when} is back: {found.words}."
    which = "no sound backup" if wanted is None else f"no sound backup {named(Path(wanted.name))}"
    raise ChatError(f"There is {which} in {named(places.backups)}.")


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


def _exchange(path: Path, part: Path, aside: Path, step: Callable[[str], None]) -> Path:
    """Give what is there, and what belongs to it, another name, and the sound one its own."""
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


def _free_name(path: Path, why: str) -> Path:
    stamp = f"{time.strftime('%Y%m%d-%H%M%S')}"
    for number in range(1, 1000):
        mark = stamp if number == 1 else f"{stamp}-{number}"
        aside = path.with_name(f"{path.stem}.{why}-{mark}{path.suffix}")
        if not any(os.path.lexists(one) for one in (aside, *companions(aside))):
            return aside
    raise ChatError("There are too many such files already.", f"Look into {named(path.parent)}.")


def _also_named(path: Path, name: Path) -> None:
    """Give a file a second name; where the file system knows no second names, it is copied."""
    try:
        os.link(path, name)
    except OSError:
        _copy(path, name)
