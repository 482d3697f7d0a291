"""A saved conversation as it is read: its end at once, all of it in pieces, between which others get at the database."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui_chat.core.conversation import COMPLETION, Conversation, Message
from tui_chat.core.records import MESSAGE_COLUMNS, Setups, message_from, text_of, time_of

if TYPE_CHECKING:
    from tui_chat.core.database import Connection

END = 80
"""Messages at the end of a thread that are read first: more than a tall screen shows."""
PIECE = 2_000
"""Messages that are read in one go: some 20 ms."""
_FIELDS = f"seq,id,parent,{MESSAGE_COLUMNS}"


class Loading:
    """The reading of one conversation, step by step, each called with the connection: begin(), more() until it
    says False, whole(). One in the trash is left out unless it is `also_deleted`; deleted branches are, unless
    the message `at` is on one."""

    def __init__(self, conversation_id: str, also_deleted: bool = False, at: str = "") -> None:
        self._id, self._also_deleted, self._at = conversation_id, also_deleted, at
        self._row: Sequence[Any] = ()
        self._last = 0
        self._messages: list[Message] = []
        self._ids: dict[int, str] = {}
        self._setups: Setups | None = None

    def begin(self, connection: Connection) -> bool:
        """Whether there is such a conversation."""
        self._row = connection.execute(
            "SELECT seq, title, leaf, created_at, updated_at, archived, starred, preset"
            " FROM conversation WHERE id=? AND (? OR deleted_at IS NULL)",
            (self._id, self._also_deleted),
        ).fetchone()
        return self._row is not None

    def more(self, connection: Connection) -> bool:
        """Read a piece; whether there is more."""
        rows = connection.execute(
            f"SELECT {_FIELDS} FROM message"
            " WHERE conversation=? AND seq>? AND (deleted_at IS NULL"
            "  OR EXISTS (SELECT 1 FROM message WHERE id=? AND deleted_at IS NOT NULL))"
            f" ORDER BY seq LIMIT {PIECE}",
            (self._row[0], self._last, self._at),
        ).fetchall()
        if rows:
            self._setups = self._setups or Setups(connection)
            with _uncollected():
                self._messages += _messages(connection, rows, self._ids, self._setups)
            self._last = rows[-1][0]
        return len(rows) == PIECE

    def whole(self, connection: Connection) -> Conversation:
        """The conversation, once all is read."""
        seq, title, leaf, created, updated, archived, starred, preset = self._row
        tags = connection.execute("SELECT name FROM tag WHERE conversation=? ORDER BY name", (seq,))
        with _uncollected():
            return Conversation(
                self._id,
                text_of(title),
                self._messages,
                self._ids.get(leaf),
                time_of(created),
                updated=time_of(updated),
                archived=bool(archived),
                starred=bool(starred),
                tags=[text_of(name) for (name,) in tags],
                preset=text_of(preset),
            )


def end(connection: Connection, conversation_id: str) -> Conversation | None:
    """The last END messages of the thread being read; None where it has no more than these."""
    row = connection.execute(
        "SELECT title, leaf FROM conversation WHERE id=? AND deleted_at IS NULL", (conversation_id,)
    ).fetchone()
    if row is None:
        return None
    rows = connection.execute(
        "WITH RECURSIVE up(at, far) AS (SELECT ?, 1 UNION ALL SELECT message.parent, far+1 FROM up"
        f" JOIN message ON message.seq=at WHERE far<={END} AND message.parent<at)"
        f" SELECT {_FIELDS} FROM up JOIN message ON seq=at ORDER BY seq",
        (row[1],),
    ).fetchall()
    if len(rows) <= END:
        return None
    messages = _messages(connection, rows[1:], {}, Setups(connection))
    return Conversation(conversation_id, text_of(row[0]), messages, messages[-1].id)


def is_text(connection: Connection, conversation_id: str) -> bool:
    """As Conversation.is_text, of one that is not read: what has no continuation early on has none."""
    found = connection.execute(
        "SELECT 1 FROM (SELECT way FROM message WHERE conversation="
        "(SELECT seq FROM conversation WHERE id=?) ORDER BY seq LIMIT 1000) WHERE way=? LIMIT 1",
        (conversation_id, COMPLETION),
    )
    return found.fetchone() is not None


def _messages(
    connection: Connection, rows: Sequence[Sequence[Any]], ids: dict[int, str], setups: Setups
) -> list[Message]:
    """Messages from their rows, in their order. `ids` has those of earlier rows by row, and gets theirs."""
    messages = []
    for found in rows:
        # Only messages before it can be a message's parent, so an edited row makes no circle.
        message = message_from(found, ids, setups)
        if message.status == "streaming":
            message = _with_pieces(connection, found[0], message)
        ids[found[0]] = message.id
        messages.append(message)
    return messages


def _with_pieces(connection: Connection, seq: int, message: Message) -> Message:
    """A reply that another window is receiving, with what has been written of it."""
    pieces = connection.execute(
        "SELECT content, reasoning FROM piece WHERE message=? ORDER BY seq", (seq,)
    ).fetchall()
    return replace(
        message,
        content=message.content + "".join(text_of(piece[0]) for piece in pieces),
        reasoning=message.reasoning + "".join(text_of(piece[1]) for piece in pieces),
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """All that is made meanwhile is kept: looking for garbage again and again would take a third longer."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
