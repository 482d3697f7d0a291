"""conversations.db: everything said, in SQLite, on one connection on one thread.

Each public method that writes is one transaction, run whole on that thread: a caller that is
cancelled never leaves half of one. What was said only grows; nothing here calls a server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from tui_chat.core import loading, merging, queries, shelves, store_faults
from tui_chat.core.conversation import Conversation, Headline, Message, Shelf, new_id, now
from tui_chat.core.database import (
    Connection,
    Error,
    OperationalError,
    brought_up,
    changes,
    connected,
    decoded,
    in_words,
    prepare,
)
from tui_chat.core.doubts import doubt
from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.loading import Loading
from tui_chat.core.locks import FileLock, remove_abandoned
from tui_chat.core.merging import Merged
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store_faults import StoreFault
from tui_chat.core.store_locks import is_left_empty, is_repairing
from tui_chat.core.text import clean

TRASH_DAYS = 30
"""How long what was deleted can be brought back."""
_KEPT = Shelf()
IN_MEMORY = Path(":memory:")
"""SQLite's name for a database that is no file."""

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Job = Callable[Concatenate[Connection, _Given], _Result]


class Store:
    """The saved conversations. All methods raise ChatError, in words, for what the disk does."""

    def __init__(self, path: Path | None) -> None:
        self._path = path or IN_MEMORY
        self.in_memory = path is None
        """Whether it ends with the run, and nothing of it comes to a disk."""
        self.notice = ""
        """What to tell a person of how it was found; empty where that is nothing."""
        self._owner: FileLock | None = None
        self._connection: Connection | None = None
        self._closing: Future[None] | None = None
        # One thread, so that a connection has one owner and jobs keep their order.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    @classmethod
    async def open(
        cls, path: Path, migrations: Sequence[str] = MIGRATIONS, *, busy_seconds: float = 5
    ) -> Store:
        """Open the database, made where there is none, migrated where it is older.

        Every call waits up to `busy_seconds` while another window writes. StoreFault for one that is
        newer, another program's, damaged, emptied, locked or not writable; its file is then as it was.
        """
        store = cls(path)
        try:
            await store._on_thread(store._connect, migrations, busy_seconds)
            await store.interrupt_abandoned()
        except BaseException as error:
            await store.close()
            if isinstance(error, ChatError) and not isinstance(error, StoreFault):
                raise StoreFault("barred", error.message, error.hint) from error
            raise
        return store

    @classmethod
    async def unsaved(cls) -> Store:
        """An empty store in memory, which works as any other and is gone when it is closed."""
        store = cls(None)
        await store._on_thread(store._connect_in_memory)
        return store

    def _connect_in_memory(self) -> None:
        self._connection = connected(str(IN_MEMORY))
        # What is sorted would else be put into a file of its own where it is much.
        self._connection.execute("PRAGMA temp_store=MEMORY")
        brought_up(self._connection, self._path)

    def lend(self, job: Callable[[Connection], _Result]) -> Future[_Result]:
        """Run what only reads on the store's connection and thread: for a search in what only that one can
        see. What Connection.interrupt() ends is then the job's own."""
        assert self._connection is not None, "it was opened"
        return self._thread.submit(job, self._connection)

    def _connect(self, migrations: Sequence[str], busy_seconds: float) -> None:
        fresh = prepare(self._path)
        run = private_directory(self._path.parent / "run")
        # Kept before anything else can fail, so that close() gives it back.
        self._owner = _acquired(run)
        if remove_abandoned(run):
            doubt(run)
        # Only now: who repairs looks for our lock after having taken its own.
        if is_repairing(run):
            raise store_faults.repairing()
        if not fresh and is_left_empty(self._path):
            # Where there are backups there were conversations in it once.
            if any((self._path.parent / "backups").glob("*.db")):
                raise store_faults.emptied(self._path)
            self.notice = store_faults.left_empty(self._path)
        self._connection = connected(self._path, busy_seconds=busy_seconds)
        brought_up(self._connection, self._path, migrations)

    async def close(self) -> None:
        """Close the connection, after what was asked of it before; closing again does nothing."""
        if self._closing is None:
            self._closing = self._thread.submit(self._told, self._disconnect)
            self._thread.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(self._closing))

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
            raise store_faults.closed()
        running = self._thread.submit(self._told, partial(job, *given, **named))
        return await asyncio.shield(asyncio.wrap_future(running))

    def _told(self, job: Callable[[], _Result]) -> _Result:
        """Do it, and say in words what the disk does, for which that may have to be read: on the thread, too."""
        try:
            return job()
        except (Error, OSError) as error:
            raise in_words(error, self._path) from error

    async def _read(
        self, job: _Job[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        def reading() -> _Result:
            assert self._connection is not None, "open() connected it"
            try:
                return job(self._connection, *given, **named)
            except OperationalError as error:
                if not str(error).startswith("Could not decode to UTF-8"):
                    raise
            # Only a hand-edited row holds such bytes; decoding all text so would slow every load.
            self._connection.text_factory = decoded
            return job(self._connection, *given, **named)

        return await self._on_thread(reading)

    async def _write(
        self, job: _Job[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        def transaction(connection: Connection) -> _Result:
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

    async def create(self, conversation: Conversation, first: Message) -> None:
        """Add a conversation with its first message."""
        await self._write(queries.create, conversation, first, self._owner_name)

    async def put(self, conversation: Conversation) -> None:
        """Add a conversation with all its messages, as far as they are not there."""
        await self._write(queries.put, conversation, self._owner_name)

    async def add(self, conversation_id: str, message: Message, tokens: bytes = b"") -> None:
        """Add a message, which becomes the conversation's leaf; `tokens` are its packed probabilities."""
        await self._write(queries.add, conversation_id, message, self._owner_name, tokens)

    async def add_copies(self, conversation_id: str, copies: Sequence[tuple[Message, str]]) -> None:
        """Add messages, all or none, each with the probabilities of the one whose id is beside it; the last
        becomes the conversation's leaf."""
        await self._write(queries.add_copies, conversation_id, copies, self._owner_name)

    async def append(
        self, message_id: str, text: str, reasoning: str = "", tokens: bytes = b""
    ) -> None:
        """Add to a streaming reply what came since the last time; costs the same at any length."""
        await self._write(queries.append, message_id, clean(text), clean(reasoning), tokens)

    async def finish(self, message: Message, tokens: bytes = b"") -> None:
        """Write a reply as it ended, in place of its pieces; `tokens` are all its packed probabilities."""
        await self._write(queries.finish, message, tokens)

    async def tokens(self, message_id: str) -> bytes:
        """The packed probabilities of a reply, for probabilities.Kept; empty where there are none."""
        return await self._read(queries.tokens, clean(message_id))

    async def set_leaf(self, conversation_id: str, message_id: str) -> None:
        """Remember which branch is being read."""
        await self._write(queries.set_leaf, conversation_id, message_id)

    async def rename(self, conversation_id: str, title: str) -> None:
        await self._write(queries.rename, conversation_id, clean(title))

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

    # Keeping order: each for any number of conversations, whether or not they are there

    async def star(self, ids: Sequence[str], on: bool = True) -> None:
        await self._write(shelves.star, ids, on)

    async def archive(self, ids: Sequence[str], on: bool = True) -> None:
        """Put conversations aside, or back among those in use."""
        await self._write(shelves.archive, ids, on)

    async def tag(self, ids: Sequence[str], name: str, on: bool = True) -> None:
        """Give a tag, or take it away; a name of which nothing is left does nothing."""
        if tag := shelves.tag_name(name):
            await self._write(shelves.tag, ids, tag, on)

    async def delete(self, ids: Sequence[str]) -> None:
        """Put conversations into the trash; restore() brings them back."""
        await self._write(shelves.mark_deleted, ids, now())

    async def restore(self, ids: Sequence[str]) -> None:
        await self._write(shelves.mark_deleted, ids, None)

    async def delete_messages(self, ids: Sequence[str]) -> None:
        """Put messages into the trash; to be called with all that are below them, too."""
        await self._write(shelves.delete_messages, ids, now())

    async def restore_messages(self, ids: Sequence[str]) -> None:
        await self._write(shelves.undelete_messages, ids)

    async def restore_branches(self, ids: Sequence[str]) -> None:
        """Bring back what was deleted together with each of these messages."""
        await self._write(shelves.restore_branches, ids)

    async def purge(self, ids: Sequence[str]) -> int:
        """Remove for good those of these that are in the trash; how many. Their words are overwritten
        in the file, and an index that has them is not used any more (World.forget_purged)."""
        return await self._write(shelves.purge, ids)

    async def purge_branches(self, ids: Sequence[str]) -> int:
        """As purge, for what was deleted together with each of these messages; how many messages."""
        return await self._write(shelves.purge_branches, ids)

    async def purge_expired(self, days: int = TRASH_DAYS) -> int:
        """Remove for good what has been in the trash for so many days; how many conversations and
        messages."""
        return await self._write(shelves.purge_expired, now() - days * 86_400_000)

    async def merge(self, staging: Path, stopped: Callable[[], bool]) -> Merged:
        """Add all that a staging database holds, or nothing; merging.Stopped when `stopped` says so.

        `stopped` is asked on the store's thread.
        """
        return await self._read(merging.merge, staging, stopped)

    # Reading it again

    async def version(self) -> int | None:
        """A number that is another one once another program changed the database; None while one is at it.
        Never waits for that, and takes microseconds."""
        return await self._read(changes)

    async def headlines(
        self, shelf: Shelf = _KEPT, *, limit: int = 200, after: Headline | None = None
    ) -> tuple[Headline, ...]:
        """The conversations of a shelf, newest first; `after` continues a list."""
        return await self._read(shelves.headlines, shelf, limit, after)

    async def headline(self, conversation_id: str) -> Headline | None:
        """One conversation as lists show it, also from the trash; None when there is none."""
        return await self._read(shelves.headline, clean(conversation_id))

    async def beginning(self, text: str) -> list[str]:
        """The ids that begin with this, also of conversations in the trash; a few of them, where there are many."""
        return await self._read(shelves.beginning, clean(text))

    async def count(self, shelf: Shelf = _KEPT) -> int:
        """How many conversations a shelf has."""
        return await self._read(shelves.count, shelf)

    async def ids(self, shelf: Shelf) -> list[str]:
        """The ids of the conversations of a shelf, oldest first."""
        return await self._read(shelves.ids, shelf)

    async def tags(self) -> tuple[str, ...]:
        """All tags, those given most often first."""
        return await self._read(shelves.tags)

    async def load(
        self, conversation_id: str, *, also_deleted: bool = False, at: str = ""
    ) -> Conversation | None:
        """A conversation with all its messages; None when there is none or it is in the trash.

        Those of deleted branches are among them only when the message `at` is one.
        """
        found = Loading(clean(conversation_id), also_deleted, clean(at))
        if not await self._read(found.begin):
            return None
        while await self._read(found.more):
            pass
        return await self._read(found.whole)

    async def end(self, conversation_id: str) -> Conversation | None:
        """The end of the thread being read, some screens of it: at once, however long it is; None where that
        is all of it, or there is none."""
        return await self._read(loading.end, clean(conversation_id))

    async def is_text(self, conversation_id: str) -> bool:
        """Whether a conversation is no chat, but a text and its continuations."""
        return await self._read(loading.is_text, clean(conversation_id))

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

    async def last_models(self, endpoint: str) -> tuple[str, ...]:
        """The models that answered last at this endpoint, the newest first."""
        return await self._read(queries.last_models, endpoint)

    async def prompts(self, limit: int = 200) -> tuple[str, ...]:
        """The latest different texts that a person sent, oldest first."""
        return await self._read(queries.prompts, limit)

    async def conversations(self, ids: Sequence[str] | None = None) -> AsyncIterator[Conversation]:
        """Conversations for an export, oldest first, one at a time in memory."""
        everything = Shelf(("kept", "archived"))
        for found_id in await self.ids(everything) if ids is None else ids:
            found = await self.load(found_id)
            if found is not None:
                yield found


def _acquired(directory: Path) -> FileLock:
    """The lock that says this program is alive; not held where the file system knows no locks."""
    for _ in range(3):
        owner = FileLock(directory / f"{new_id()}.lock")
        # A window that is clearing away may have the new file in its hand for a moment.
        if owner.acquire():
            break
    return owner
