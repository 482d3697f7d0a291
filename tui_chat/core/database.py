"""SQLite, and its only importer: databases opened, brought to the present shape, errors in words.

Whoever asks a database of ours, or reads another program's, gets its connection here.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from tui_chat.core import store_faults
from tui_chat.core.conversation import new_id
from tui_chat.core.files import private_directory, sync_directory
from tui_chat.core.locks import FileLock
from tui_chat.core.schema import APPLICATION_ID, MIGRATIONS, PRAGMAS, statements
from tui_chat.core.store_faults import StoreFault
from tui_chat.core.unclosed import read_through

SQLITE_VERSION = sqlite3.sqlite_version

Connection = sqlite3.Connection
Error = sqlite3.Error
OperationalError = sqlite3.OperationalError


def connected(path: Path | str, *, busy_seconds: float = 5, any_thread: bool = False) -> Connection:
    """A connection to a database, made where there is none; every transaction is begun by hand."""
    return sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=not any_thread
    )


def connected_to_read(
    path: Path, *, busy_seconds: float = 5, any_thread: bool = False
) -> Connection:
    """A connection that cannot write. Error, also later, when the file is missing or no database."""
    return sqlite3.connect(
        f"{read_only_name(path)}",
        timeout=busy_seconds,
        isolation_level=None,
        uri=True,
        check_same_thread=not any_thread,
    )


def connected_without_locks(path: Path, stopped: Callable[[], bool]) -> Connection:
    """A connection that cannot write, for which nobody waits: what it reads while others write may not fit
    together. What goes on on it ends with OperationalError once `stopped`, asked every few milliseconds, says so."""
    connection = sqlite3.connect(
        f"{read_only_name(path)}&immutable=1", isolation_level=None, uri=True
    )
    connection.set_progress_handler(stopped, _STEPS_BETWEEN_LOOKS)
    return connection


def read_only_name(path: Path) -> str:
    """The file's name for a connection or an ATTACH that cannot write."""
    return f"file:{quote(str(path.absolute()))}?mode=ro"


def prepare(path: Path) -> bool:
    """Make directory and file with the right modes; whether the file is new. ChatError for what is no file."""
    private_directory(path.parent)
    fresh = False
    with suppress(FileExistsError):
        # A link is followed, so that its target gets the right mode too.
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        fresh = True
    if not path.is_file():
        # SQLite would wait for ever at the far end of a pipe.
        raise store_faults.no_file(path)
    return fresh


def brought_up(connection: Connection, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the database of saved conversations to the present version, with a backup before.

    ChatError for one that is newer or another program's; it is then as it was.
    """
    version = checked_version(connection, path, len(migrations))
    # Only now: journal_mode would write to a file that is not ours to change.
    for pragma in PRAGMAS:
        connection.execute(pragma)
    if 0 < version < len(migrations):
        _back_up(connection, private_directory(path.parent / "backups"), version)
    for place in range(version, len(migrations)):
        _migrate(connection, place, migrations[place])


def checked_version(connection: Connection, path: Path, known: int = len(MIGRATIONS)) -> int:
    """The version of a database that is ours and not newer; 0 for one that is empty. StoreFault."""
    # One transaction: another window may be making the same database.
    connection.execute("BEGIN")
    version, application = _versions(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if application != APPLICATION_ID and (application or version or tables):
        raise store_faults.foreign(path)
    if version > known:
        raise store_faults.newer(path, version, known)
    return int(version)


def _back_up(connection: Connection, directory: Path, version: int) -> None:
    """Copy a database before it is migrated; under its name there is a whole copy or none."""
    with unfinished(directory) as copy:
        copy_checked(connection, copy)
        with closing(sqlite3.connect(copy)) as copied:
            found = _versions(copied)[0]
        # Another window may have migrated meanwhile; then it has made the backup.
        if found == version:
            copy.replace(directory / f"pre-v{version + 1}.db")
            sync_directory(directory)


@contextmanager
def unfinished(directory: Path) -> Iterator[Path]:
    """A name for a copy that is being made, of which nothing is left at the end unless it was given another.

    What a kill left half made is removed by whoever comes next. OSError.
    """
    for left in list(directory.glob("*.part")):
        _remove_unheld(left)
    lock = FileLock(directory / f"{new_id()}.lock")
    lock.acquire()
    copy = lock.path.with_suffix(".part")
    try:
        yield copy
    finally:
        with suppress(OSError):
            remove(copy)
        lock.release()


def _remove_unheld(copy: Path) -> None:
    lock = FileLock(copy.with_suffix(".lock"))
    with suppress(OSError):
        if lock.acquire():
            remove(copy)
            lock.release()


def copy_checked(
    connection: Connection, copy: Path, stopped: Callable[[], bool] = lambda: False
) -> None:
    """Copy a database as it is at one moment to a new file, 0600, and check the copy, which is on the disk then.

    Others can read meanwhile, and write once it is copied. Stopped when `stopped`, asked every few
    milliseconds, says so; Error with SQLITE_CORRUPT when what was copied is damaged. Who calls removes the
    file where anything was raised.
    """
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def look(*_: int) -> None:
        if stopped():
            raise Stopped

    with closing(sqlite3.connect(copy, isolation_level=None)) as copied:
        copied.set_progress_handler(stopped, _STEPS_BETWEEN_LOOKS)
        # A copy made in pieces would begin anew whenever somebody writes between two of them.
        connection.execute("BEGIN")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.backup(copied, pages=_PAGES_AT_ONCE, progress=look)
        finally:
            connection.execute("COMMIT")
        try:
            found = quick_check(copied)
        except OperationalError:
            if stopped():
                raise Stopped from None
            raise
    if found:
        # SQLite calls it damage, too, where the disk fails to read what was written a moment ago.
        with copy.open("rb", buffering=0) as file:
            while file.read(_PAGES_AT_ONCE * 4096):
                pass
        raise _corrupt(found)
    handle = os.open(copy, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def quick_check(connection: Connection) -> str:
    """What is wrong with a database, in SQLite's words; empty when nothing is. Reads all of it, 45 MB in a second."""
    try:
        # A row that someone edited is not damaged, and is read as far as it goes.
        connection.execute("PRAGMA ignore_check_constraints=ON")
        rows = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGED:
            raise
        return str(error)
    return "" if rows == ["ok"] else "; ".join(rows)


def _corrupt(words: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(words)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def remove(path: Path) -> None:
    """Remove a database of ours that nobody has open, with what belongs to it; there may be none."""
    for each in (path, *companions(path)):
        each.unlink(missing_ok=True)


def companions(path: Path) -> tuple[Path, ...]:
    """The files that SQLite keeps beside a database, whether or not they are there."""
    return tuple(path.with_name(f"{path.name}{suffix}") for suffix in ("-journal", "-wal", "-shm"))


class Stopped(Exception):
    """What went on was to stop; nothing is left of it."""


_STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine, a millisecond or so."""
_PAGES_AT_ONCE = 2_500
"""Ten megabytes."""


def _migrate(connection: Connection, place: int, step: str) -> None:
    connection.execute("BEGIN EXCLUSIVE")
    try:
        # Another window may have done it while this one waited.
        if _versions(connection)[0] == place:
            for statement in statements(step):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={place + 1}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _versions(connection: Connection) -> tuple[int, int]:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return version, connection.execute("PRAGMA application_id").fetchone()[0]


def changes(connection: Connection) -> int | None:
    """A number that is another one once another connection changed the database; None while one is at it,
    for which nobody waits here."""
    patience = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout=0")
    try:
        return int(connection.execute("PRAGMA data_version").fetchone()[0])
    except OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _BUSY:
            return None
        raise
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience}")


def decoded(raw: bytes) -> str:
    """A text that someone edited by hand, as far as it can be read."""
    return raw.decode("utf-8", "replace")


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_BARRED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_BARRED_NUMBERS = {errno.EACCES, errno.EPERM, errno.EROFS}
_IO_NUMBERS = {errno.EIO, errno.EFBIG}
_UNREAD = {
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _code(error: Exception) -> int:
    # The low byte is the kind.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_unfinished(error: Error) -> bool:
    """Whether who only reads was refused since a change was broken off, which the next writer takes back."""
    return getattr(error, "sqlite_errorcode", 0) in (
        sqlite3.SQLITE_READONLY_ROLLBACK,
        sqlite3.SQLITE_READONLY_RECOVERY,
    )


def in_words(error: Error | OSError, path: Path) -> StoreFault:
    """What the disk or SQLite did, in a person's words."""
    # By number, never by words: the text of an OSError holds the path.
    number = error.errno if isinstance(error, OSError) else None
    code = _code(error)
    if code in _BUSY:
        return store_faults.busy()
    if code == sqlite3.SQLITE_FULL or number in _FULL:
        return store_faults.full()
    if code in _BARRED or number in _BARRED_NUMBERS:
        # SQLite says the same of a journal for which there is no more room.
        return store_faults.full() if code and _no_room(path) else store_faults.barred(path)
    if code == sqlite3.SQLITE_NOTADB:
        return damage(path, store_faults.no_database)
    if code == sqlite3.SQLITE_CORRUPT:
        return damage(path)
    if getattr(error, "sqlite_errorcode", 0) in _UNREAD:
        return store_faults.unread(path)
    if code == sqlite3.SQLITE_IOERR or number in _IO_NUMBERS:
        return store_faults.full() if _no_room(path) else store_faults.io(path)
    words = error.strerror if isinstance(error, OSError) else str(error)
    return store_faults.unknown(path, words or "")


def damage(path: Path, what: Callable[[Path], StoreFault] = store_faults.damaged) -> StoreFault:
    """What is wrong with a database that SQLite calls damaged: it does so too where the disk fails to read it.
    Blocks: all of the file is read."""
    try:
        read_through(path)
    except OSError as error:
        if error.errno == errno.EIO:
            return store_faults.unread(path)
    return what(path)


def _no_room(path: Path) -> bool:
    # Deferred: only a disk that refuses needs it.
    import shutil

    try:
        return shutil.disk_usage(path.parent).free < _SMALLEST
    except OSError:
        return False


_SMALLEST = 8192
"""Bytes: less room than this is none."""
