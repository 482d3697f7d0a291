"""What the store asks of its database, each question or change one function on a connection.

A change is always called inside a transaction. Nothing here waits, and nothing is rewritten that was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.core.conversation import Conversation, Message, now
from tui_chat.core.locks import FileLock
from tui_chat.core.records import (
    MESSAGE_COLUMNS,
    intern_setup,
    message_values,
    text_of,
)
from tui_chat.core.text import clean, folded
from tui_chat.core.unsaved import gone

if TYPE_CHECKING:
    from tui_chat.core.database import Connection

LONGEST_PROMPT = 20_000
"""Characters of an old prompt that the history gives back."""
OLDEST_PROMPT = 10_000
"""How many prompts back the history looks for different ones."""

MOST_MODELS = 5
"""How many models that were used last are told of."""


def create(
    connection: Connection,
    conversation: Conversation,
    first: Message,
    owner: str,
) -> None:
    title = clean(conversation.title)
    connection.execute(
        "INSERT INTO conversation(id,title,folded,preset,created_at,updated_at) VALUES(?,?,?,?,?,?)",
        (
            conversation.id,
            title,
            folded(title),
            clean(conversation.preset),
            conversation.created,
            now(),
        ),
    )
    add(connection, conversation.id, first, owner)


def put(connection: Connection, conversation: Conversation, owner: str) -> None:
    there = connection.execute("SELECT 1 FROM conversation WHERE id=?", (conversation.id,))
    question = "SELECT 1 FROM message WHERE id=?"
    messages = [
        one
        for one in conversation.messages
        if connection.execute(question, (one.id,)).fetchone() is None
    ]
    if messages and there.fetchone() is None:
        create(connection, conversation, messages.pop(0), owner)
    for message in messages:
        parent = conversation.parent(message.id)
        add(connection, conversation.id, replace(message, parent=parent), owner)
    set_leaf(connection, conversation.id, conversation.leaf or "")


def add(
    connection: Connection,
    conversation_id: str,
    message: Message,
    owner: str,
    tokens: bytes = b"",
) -> None:
    row = connection.execute(
        "SELECT seq FROM conversation WHERE id=?", (conversation_id,)
    ).fetchone()
    parent = connection.execute(
        "SELECT seq, deleted_at FROM message WHERE id=?", (message.parent,)
    ).fetchone()
    if row is None:
        raise gone()
    if parent is not None and parent[1] is not None:
        bring_back(connection, parent[0])
    values = message_values(message, intern_setup(connection, message.setup))
    holder = owner if message.status == "streaming" else ""
    cursor = connection.execute(
        f"INSERT INTO message(conversation,parent,owner,id,{MESSAGE_COLUMNS})"
        f" VALUES({','.join('?' * (4 + len(values)))})",
        (row[0], parent[0] if parent else None, holder, message.id, *values),
    )
    keep_tokens(connection, cursor.lastrowid or 0, tokens)
    connection.execute(
        "UPDATE conversation SET leaf=?, updated_at=?, deleted_at=NULL WHERE seq=?",
        (cursor.lastrowid, now(), row[0]),
    )


def bring_back(connection: Connection, seq: int) -> None:
    """Take a message out of the trash, with all that it follows: something is added to it."""
    connection.execute(
        "WITH RECURSIVE above(seq,parent) AS (SELECT seq,parent FROM message WHERE seq=? UNION"
        "  SELECT m.seq,m.parent FROM message m JOIN above ON m.seq=above.parent)"
        " UPDATE message SET deleted_at=NULL WHERE seq IN (SELECT seq FROM above)",
        (seq,),
    )


def add_copies(
    connection: Connection,
    conversation_id: str,
    copies: Sequence[tuple[Message, str]],
    owner: str,
) -> None:
    for message, original in copies:
        add(connection, conversation_id, message, owner, tokens(connection, original))


def append(
    connection: Connection, message_id: str, text: str, reasoning: str, tokens: bytes
) -> None:
    connection.execute(
        "INSERT INTO piece(message,content,reasoning,tokens) SELECT seq,?,?,? FROM message WHERE id=?",
        (text, reasoning, tokens, message_id),
    )


def keep_tokens(connection: Connection, seq: int, tokens: bytes) -> None:
    """Keep the packed probabilities of the message in this row; none where there are none."""
    if tokens:
        connection.execute(
            "INSERT OR REPLACE INTO probabilities(message,tokens) VALUES(?,?)", (seq, tokens)
        )


def tokens(connection: Connection, message_id: str) -> bytes:
    """The packed probabilities of a message, as far as they are known."""
    row = connection.execute("SELECT seq FROM message WHERE id=?", (message_id,)).fetchone()
    if row is None:
        return b""
    kept = connection.execute("SELECT tokens FROM probabilities WHERE message=?", row).fetchone()
    return _blob(kept[0]) if kept else _tokens_of_pieces(connection, row[0])


def _tokens_of_pieces(connection: Connection, seq: int) -> bytes:
    rows = connection.execute("SELECT tokens FROM piece WHERE message=? ORDER BY seq", (seq,))
    return b"".join(_blob(found) for (found,) in rows)


def _blob(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


def finish(connection: Connection, message: Message, tokens: bytes = b"") -> None:
    row = connection.execute(
        "SELECT seq, conversation FROM message WHERE id=?", (message.id,)
    ).fetchone()
    if row is None:
        raise gone()
    values = message_values(message, intern_setup(connection, message.setup))
    columns = ",".join(f"{name}=?" for name in MESSAGE_COLUMNS.split(","))
    connection.execute(f"UPDATE message SET {columns}, owner='' WHERE seq=?", (*values, row[0]))
    keep_tokens(connection, row[0], tokens)
    connection.execute("DELETE FROM piece WHERE message=?", (row[0],))
    connection.execute("UPDATE conversation SET updated_at=? WHERE seq=?", (now(), row[1]))


def set_leaf(connection: Connection, conversation_id: str, message_id: str) -> None:
    connection.execute(
        "UPDATE conversation SET leaf=(SELECT seq FROM message WHERE id=?) WHERE id=?",
        (message_id, conversation_id),
    )


def rename(connection: Connection, conversation_id: str, title: str) -> None:
    connection.execute(
        "UPDATE conversation SET title=?, folded=? WHERE id=?",
        (title, folded(title), conversation_id),
    )


def save_draft(connection: Connection, conversation_id: str, text: str) -> None:
    if text:
        connection.execute(
            "INSERT OR REPLACE INTO draft(conversation,content,updated_at) VALUES(?,?,?)",
            (conversation_id, text, now()),
        )
    else:
        connection.execute("DELETE FROM draft WHERE conversation=?", (conversation_id,))


def set_state(connection: Connection, key: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO state(key,value) VALUES(?,?)", (key, value))


def interrupt_abandoned(connection: Connection, path: Path, own: str) -> int:
    owners = connection.execute(
        "SELECT DISTINCT owner FROM message WHERE status='streaming'"
    ).fetchall()
    count = 0
    for (owner,) in owners:
        if owner == own or not _gone(path.parent / "run", owner):
            continue
        for (seq,) in connection.execute(
            "SELECT seq FROM message WHERE status='streaming' AND owner=?", (owner,)
        ).fetchall():
            keep_tokens(connection, seq, _tokens_of_pieces(connection, seq))
        count += connection.execute(
            "UPDATE message SET status='interrupted', owner='',"
            " content=content||coalesce((SELECT group_concat(content,'') FROM"
            "  (SELECT content FROM piece WHERE message=message.seq ORDER BY seq)),''),"
            " reasoning=reasoning||coalesce((SELECT group_concat(reasoning,'') FROM"
            "  (SELECT reasoning FROM piece WHERE message=message.seq ORDER BY seq)),'')"
            " WHERE status='streaming' AND owner=?",
            (owner,),
        ).rowcount
    connection.execute(
        "DELETE FROM piece WHERE NOT EXISTS"
        " (SELECT 1 FROM message WHERE seq=piece.message AND status='streaming')"
    )
    return count


def _gone(directory: Path, owner: object) -> bool:
    """Whether the program that held the lock of this name is gone."""
    # A row that was edited may name any path.
    if not isinstance(owner, str) or not owner.isalnum() or not owner.isascii():
        return True
    lock = FileLock(directory / f"{owner}.lock")
    try:
        free = lock.acquire()
    except OSError:
        return True
    lock.release()
    return free


def one_text(connection: Connection, query: str, given: str) -> str:
    row = connection.execute(query, (given,)).fetchone()
    return text_of(row[0]) if row else ""


def prompts(connection: Connection, limit: int) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT substr(content,1,?) FROM message WHERE role='user' ORDER BY seq DESC LIMIT ?",
        (LONGEST_PROMPT, OLDEST_PROMPT),
    )
    newest: dict[str, None] = {}
    for (content,) in rows:
        newest.setdefault(text_of(content))
        if len(newest) >= limit:
            break
    return tuple(reversed(newest))


def last_models(connection: Connection, endpoint: str) -> tuple[str, ...]:
    """The models of the newest replies from this endpoint, the newest first; those that only failed are none."""
    rows = connection.execute(
        "SELECT model, (SELECT m.seq FROM message m WHERE m.setup=setup.seq AND m.status<>'failed'"
        "  ORDER BY m.seq DESC LIMIT 1) AS newest FROM setup"
        " WHERE endpoint=? AND model<>'' AND newest IS NOT NULL ORDER BY newest DESC",
        (endpoint,),
    )
    return tuple(dict.fromkeys(text_of(model) for model, _ in rows))[:MOST_MODELS]
