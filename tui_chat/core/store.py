"""conversations.db: everything said, in SQLite, on one connection on one thread.

Each public method that writes is one transaction, run whole on that thread: a caller that is
cancelled never leaves half of one. What was said only grows; nothing here calls a server.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tui_chat.core import queries
from tui_chat.core.conversation import Conversation, Headline, Message, new_id, now
from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.locks import FileLock, remove_abandoned
from tui_chat.core.schema import APPLICATION_ID, MIGRATIONS, PRAGMAS, statements
from tui_chat.core.text import clean, folded

SQLITE_VERSION = sqlite3.sqlite_version

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Job = Callable[Concatenate[sqlite3.Connection, _Given], _Result]


class Store:
    """The saved conversations. All methods raise ChatError, in words, for what the disk does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owner: FileLock | None = None
        self._connection: sqlite3.Connection | None = None
        self._closing: Future[None] | None = None
        # One thread, so that a connection has one owner and jobs keep their order.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    @classmethod
    async def open(
        cls, path: Path, migrations: Sequence[str] = MIGRATIONS, *, busy_seconds: float = 5
    ) -> Store:
        """Open the database, made where there is none, migrated where it is older.

        Every call waits up to `busy_seconds` while another window writes. ChatError for one that is
        newer, another program's, damaged, locked or not writable; its file is then as it was.
        """
        store = cls(path)
        try:
            await store._on_thread(store._connect, migrations, busy_seconds)
            await store.interrupt_abandoned()
        except BaseException:
            await store.close()
            raise
        return store

    def _connect(self, migrations: Sequence[str], busy_seconds: float) -> None:
        _prepare(self._path)
        run = private_directory(self._path.parent / "run")
        # Kept before anything else can fail, so that close() gives it back.
        self._owner = _acquired(run)
        remove_abandoned(run)
        self._connection = sqlite3.connect(self._path, timeout=busy_seconds, isolation_level=None)
        _opened(self._connection, self._path, migrations)

    async def close(self) -> None:
        """Close the connection, after what was asked of it before; closing again does nothing."""
        if self._closing is None:
            self._closing = self._thread.submit(self._disconnect)
            self._thread.shutdown(wait=False)
        await self._outcome(self._closing)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._owner is not None:
            self._owner.release()

    async def _on_thread(
        self, job: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        """Run a job on the store's thread, whole even when the caller is cancelled."""
        if self._closing is not None:
            raise ChatError("The saved conversations are closed already.")
        return await self._outcome(self._thread.submit(job, *given, **named))

    async def _outcome(self, running: Future[_Result]) -> _Result:
        try:
            return await asyncio.shield(asyncio.wrap_future(running))
        except (sqlite3.Error, OSError) as error:
            raise _in_words(error, self._path) from error

    async def _read(
        self, job: _Job[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        def reading() -> _Result:
            assert self._connection is not None, "open() connected it"
            try:
                return job(self._connection, *given, **named)
            except sqlite3.OperationalError as error:
                if not str(error).startswith("Could not decode to UTF-8"):
                    raise
            # Only a hand-edited row holds such bytes; decoding all text so would slow every load.
            self._connection.text_factory = _decoded
            return job(self._connection, *given, **named)

        return await self._on_thread(reading)

    async def _write(
        self, job: _Job[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        def transaction(connection: sqlite3.Connection) -> _Result:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = job(connection, *given, **named)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return await self._read(transaction)

    # Writing what is said

    async def create(self, conversation: Conversation, first: Message, preset: str = "") -> None:
        """Add a conversation with its first message."""
        await self._write(queries.create, conversation, first, clean(preset), self._owner_name)

    async def add(self, conversation_id: str, message: Message) -> None:
        """Add a message, which becomes the conversation's leaf."""
        await self._write(queries.add, conversation_id, message, self._owner_name)

    async def append(self, message_id: str, text: str, reasoning: str = "") -> None:
        """Add to a streaming reply what came since the last time; costs the same at any length."""
        await self._write(queries.append, message_id, clean(text), clean(reasoning))

    async def finish(self, message: Message) -> None:
        """Write a reply as it ended, in place of its pieces."""
        await self._write(queries.finish, message)

    async def set_leaf(self, conversation_id: str, message_id: str) -> None:
        """Remember which branch is being read."""
        await self._write(queries.set_leaf, conversation_id, message_id)

    async def rename(self, conversation_id: str, title: str) -> None:
        await self._write(queries.rename, conversation_id, clean(title))

    async def delete(self, conversation_id: str) -> None:
        """Take a conversation off the lists; restore() brings it back."""
        await self._write(queries.mark_deleted, conversation_id, now())

    async def restore(self, conversation_id: str) -> None:
        await self._write(queries.mark_deleted, conversation_id, None)

    async def save_draft(self, conversation_id: str, text: str) -> None:
        """Keep a draft; "" is the conversation that is not saved yet, an empty text drops the draft."""
        await self._write(queries.save_draft, clean(conversation_id), clean(text))

    async def set_state(self, key: str, value: str) -> None:
        """Remember a small thing about the program itself."""
        await self._write(queries.set_state, clean(key), clean(value))

    async def interrupt_abandoned(self) -> int:
        """Mark streaming replies whose program is gone as interrupted, with what had arrived; how many."""
        return await self._write(queries.interrupt_abandoned, self._path, self._owner_name)

    @property
    def _owner_name(self) -> str:
        return self._owner.path.stem if self._owner is not None else ""

    # Reading it again

    async def headlines(
        self, *, matching: str = "", limit: int = 200, after: Headline | None = None
    ) -> tuple[Headline, ...]:
        """Conversations, newest first, whose title has these words; `after` continues a list."""
        return await self._read(queries.headlines, folded(clean(matching)).split(), limit, after)

    async def load(self, conversation_id: str) -> Conversation | None:
        """A conversation with all its messages; None when there is none or it is deleted."""
        return await self._read(queries.load, clean(conversation_id))

    async def latest(self) -> str | None:
        """The id of the conversation that was last added to."""
        found = await self.headlines(limit=1)
        return found[0].id if found else None

    async def draft(self, conversation_id: str) -> str:
        question = "SELECT content FROM draft WHERE conversation=?"
        return await self._read(queries.one_text, question, clean(conversation_id))

    async def state(self, key: str) -> str | None:
        question = "SELECT value FROM state WHERE key=?"
        return await self._read(queries.one_text, question, clean(key)) or None

    async def prompts(self, limit: int = 200) -> tuple[str, ...]:
        """The latest different texts that a person sent, oldest first."""
        return await self._read(queries.prompts, limit)

    async def conversations(self, ids: Sequence[str] | None = None) -> AsyncIterator[Conversation]:
        """Conversations for an export, oldest first, one at a time in memory."""
        for found_id in await self._read(queries.all_ids) if ids is None else ids:
            found = await self.load(found_id)
            if found is not None:
                yield found


def _prepare(path: Path) -> None:
    """Directory and file with the right modes."""
    private_directory(path.parent)
    with suppress(FileExistsError):
        # A link is followed, so that its target gets the right mode too.
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    if path.is_dir():
        raise ChatError(f"{path} is a directory, not the saved conversations.", "Move it away.")
    if not path.is_file():
        # SQLite would wait for ever at the far end of a pipe.
        raise ChatError(f"{path} is not a file.", "Move it away.")


def _acquired(directory: Path) -> FileLock:
    """The lock that says this program is alive; not held where the file system knows no locks."""
    for _ in range(3):
        owner = FileLock(directory / f"{new_id()}.lock")
        # A window that is clearing away may have the new file in its hand for a moment.
        if owner.acquire():
            break
    return owner


def _opened(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    version = _checked_version(connection, path, len(migrations))
    # Only now: journal_mode would write to a file that is not ours to change.
    for pragma in PRAGMAS:
        connection.execute(pragma)
    if 0 < version < len(migrations):
        _back_up(connection, private_directory(path.parent / "backups"), version)
    for place in range(version, len(migrations)):
        _migrate(connection, place, migrations[place])


def _checked_version(connection: sqlite3.Connection, path: Path, known: int) -> int:
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


def _back_up(connection: sqlite3.Connection, directory: Path, version: int) -> None:
    """Copy a database before it is migrated; under its name there is a whole copy or none."""
    copy = directory / f"{new_id()}.part"
    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        connection.execute("VACUUM INTO ?", (str(copy),))
        with closing(sqlite3.connect(copy)) as copied:
            found = _versions(copied)[0]
        # Another window may have migrated meanwhile; then it has made the backup.
        if found == version:
            copy.replace(directory / f"pre-v{version + 1}.db")
    finally:
        copy.unlink(missing_ok=True)


def _migrate(connection: sqlite3.Connection, place: int, step: str) -> None:
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


def _versions(connection: sqlite3.Connection) -> tuple[int, int]:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return version, connection.execute("PRAGMA application_id").fetchone()[0]


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_BARRED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}
_BARRED_NUMBERS = {errno.EACCES, errno.EPERM, errno.EROFS}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def _in_words(error: sqlite3.Error | OSError, path: Path) -> ChatError:
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
