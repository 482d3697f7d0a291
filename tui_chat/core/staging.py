"""Where the conversations of one file are gathered, in a database of our own shape, before they are saved.

It is made in a private directory of the cache, and thrown away afterwards, whatever happened.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.database import connected
from tui_chat.core.formats.foreign import derived_id
from tui_chat.core.records import MESSAGE_COLUMNS, intern_setup, message_values
from tui_chat.core.schema import MIGRATIONS, statements
from tui_chat.core.shelves import tag_name
from tui_chat.core.text import clean, folded

_INSERT_MESSAGE = (
    f"INSERT INTO message(conversation,parent,id,{MESSAGE_COLUMNS})"
    f" VALUES({','.join('?' * (3 + len(MESSAGE_COLUMNS.split(','))))})"
)


class Staging:
    """An open staging database; all of it blocks. sqlite's Error for a full disk."""

    def __init__(self, path: Path) -> None:
        self._connection = connected(path, any_thread=True)
        # It is worth nothing after a crash.
        for pragma in ("journal_mode=OFF", "synchronous=OFF"):
            self._connection.execute(f"PRAGMA {pragma}")
        for step in MIGRATIONS:
            for statement in statements(step):
                self._connection.execute(statement)
        self._connection.execute("BEGIN")

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def finish(self) -> None:
        """Write what is not yet on disk."""
        self._connection.execute("COMMIT")

    def add(self, conversation: Conversation) -> None:
        """Add a conversation; of one that the file held before only what is new.

        Ids that another conversation has are replaced by others, the same each time.
        """
        messages = conversation.messages
        if not messages:
            return
        own_id, seq = conversation.id, self._seq(conversation.id)
        if seq is not None and not self._shares(seq, conversation):
            own_id = other_conversation(conversation.id, messages[0].id)
            seq = self._seq(own_id)
        if seq is None:
            seq = self._insert(own_id, conversation)
        places: dict[str, int] = {}
        for message in messages:
            parent = places.get(message.parent) if message.parent is not None else None
            places[message.id] = self._add_message(own_id, seq, parent, message)
        leaf = places.get(conversation.leaf) if conversation.leaf is not None else None
        self._connection.execute(
            "UPDATE conversation SET leaf=?, updated_at=max(updated_at,?) WHERE seq=?",
            (leaf, conversation.updated, seq),
        )

    def _add_message(self, owner: str, seq: int, parent: int | None, message: Message) -> int:
        """The message's row, added where it is not there."""
        own_id, there = message.id, self._place(message.id)
        if there is not None and there[1] != seq:
            own_id = other_message(owner, message.id)
            there = self._place(own_id)
        if there is not None:
            return there[0]
        values = message_values(message, intern_setup(self._connection, message.setup))
        added = self._connection.execute(_INSERT_MESSAGE, (seq, parent, own_id, *values))
        return int(added.lastrowid or 0)

    def _insert(self, id: str, conversation: Conversation) -> int:
        title = clean(conversation.title)
        added = self._connection.execute(
            "INSERT INTO conversation(id,title,folded,preset,created_at,updated_at,starred,archived)"
            " VALUES(?,?,?,?,?,?,?,?)",
            (
                id,
                title,
                folded(title),
                clean(conversation.preset),
                conversation.created,
                conversation.updated,
                int(conversation.starred),
                int(conversation.archived),
            ),
        )
        seq = int(added.lastrowid or 0)
        self._connection.executemany(
            "INSERT OR IGNORE INTO tag(conversation,name) VALUES(?,?)",
            [(seq, name) for tag in conversation.tags if (name := tag_name(tag))],
        )
        return seq

    def _seq(self, id: str) -> int | None:
        row = self._connection.execute("SELECT seq FROM conversation WHERE id=?", (id,)).fetchone()
        return int(row[0]) if row else None

    def _place(self, id: str) -> tuple[int, int] | None:
        """The message's row and that of its conversation."""
        row = self._connection.execute(
            "SELECT seq, conversation FROM message WHERE id=?", (id,)
        ).fetchone()
        return (int(row[0]), int(row[1])) if row else None

    def _shares(self, seq: int, conversation: Conversation) -> bool:
        """Whether this is more of the conversation in that row, and not another one under its id."""
        for message in conversation.messages:
            for own in (message.id, other_message(conversation.id, message.id)):
                there = self._place(own)
                if there is not None and there[1] == seq:
                    return True
        return False


def other_conversation(id: str, first_message: str) -> str:
    """The id of a conversation whose own id another one has, with no message in common."""
    return derived_id("conversation", id, first_message)


def other_message(conversation: str, id: str) -> str:
    """The id of a message whose own id is that of another conversation's message."""
    return derived_id("message", conversation, id)
