"""SQLite, and its only importer: databases opened, brought to the present shape, errors in words.

Whoever asks a database of ours, or reads another program's, gets its connection here.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from tui_chat.core.conversation import new_id
from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.locks import FileLock
from tui_chat.core.schema import APPLICATION_ID, MIGRATIONS, PRAGMAS, statements

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


def read_only_name(path: Path) -> str:
    """The file's name for a connection or an ATTACH that cannot write."""
    return f"file:{quote(str(path.absolute()))}?mode=ro"


def prepare(path: Path) -> None:
    """Make directory and file with the right modes; ChatError for what is no file."""
    private_directory(path.parent)
    with suppress(FileExistsError):
        # A link is followed, so that its target gets the right mode too.
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if path.is_dir():
        raise ChatError(f"{path} is a directory, not the saved conversations.", "Move it away.")
    if not path.is_file():
        # SQLite would wait for ever at the far end of a pipe.
        raise ChatError(f"{path} is not a file.", "Move it away.")


def brought_up(connection: Connection, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring the database of saved conversations to the present version, with a backup before.

    ChatError for one that is newer or another program's; it is then as it was.
    """
    version = _checked_version(connection, path, len(migrations))
    # Only now: journal_mode would write to a file that is not ours to change.
    for pragma in PRAGMAS:
        connection.execute(pragma)
    if 0 < version < len(migrations):
        _back_up(connection, private_directory(path.parent / "backups"), version)
    for place in range(version, len(migrations)):
        _migrate(connection, place, migrations[place])


def _checked_version(connection: Connection, path: Path, known: int) -> int:
    """The version of a database that is ours and not newer; 0 for one that is empty."""
    # One transaction: another window may be making the same database.
    connection.execute("BEGIN")
    version, application = _versions(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    if application != APPLICATION_ID and (application or version or tables):
        raise ChatError(
            f"{path} belongs to another program.", "Move it away, or use another directory."
        )
    if version > known:
        raise ChatError(
            f"{path} was made by a newer tui-chat (version {version}, this one knows {known}).",
            "Use that one; nothing was changed.",
        )
    return int(version)


def _back_up(connection: Connection, directory: Path, version: int) -> None:
    """Copy a database before it is migrated; under its name there is a whole copy or none."""
    _clear_copies(directory)
    lock = FileLock(directory / f"{new_id()}.lock")
    lock.acquire()
    copy = lock.path.with_suffix(".part")
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(sqlite3.connect(copy)) as copied:
            found = _versions(copied)[0]
        # Another window may have migrated meanwhile; then it has made the backup.
        if found == version:
            copy.replace(directory / f"pre-v{version + 1}.db")
    finally:
        copy.unlink(missing_ok=True)
        lock.release()


def _clear_copies(directory: Path) -> None:
    """Remove the copies that a kill left half made; each is locked by whoever makes it."""
    for copy in list(directory.glob("*.part")):
        lock = FileLock(copy.with_suffix(".lock"))
        with suppress(OSError):
            if lock.acquire():
                for left in directory.glob(f"{copy.name}*"):
                    left.unlink()
                lock.release()


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


def decoded(raw: bytes) -> str:
    """A text that someone edited by hand, as far as it can be read."""
    return raw.decode("utf-8", "replace")


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_BARRED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_BARRED_NUMBERS = {errno.EACCES, errno.EPERM, errno.EROFS}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def in_words(error: Error | OSError, path: Path) -> ChatError:
    """What the disk or SQLite did, in a person's words."""
    # By number, never by words: the text of an OSError holds the path. The low byte is the kind.
    number = error.errno if isinstance(error, OSError) else None
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return ChatError(
            "Another window is writing to the saved conversations.", "Try again in a moment."
        )
    if code == sqlite3.SQLITE_FULL or number in _FULL:
        return ChatError(
            "The disk is full, so this was not saved.",
            "Free some space; what is on the screen stays.",
        )
    if code in _BARRED or number in _BARRED_NUMBERS:
        return ChatError(
            f"{path} cannot be written to.", "Look at its permissions, or use another directory."
        )
    if code in _DAMAGED:
        return ChatError(
            f"{path} is damaged or no database.",
            "Move it away to begin with a new one; it was not changed.",
        )
    words = error.strerror if isinstance(error, OSError) else str(error)
    return ChatError(
        f"The saved conversations at {path} cannot be used: {words}.", "tui-chat doctor says more."
    )
