"""A staging database becomes part of the saved conversations, in one transaction or not at all.

What is there already is left as it is: a conversation that went on only gets its new messages, one in the
trash nothing. Memory and time on the store's thread grow with the rows' keys, never with their texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.core.records import MESSAGE_COLUMNS
from tui_chat.core.staging import other_conversation, other_message

if TYPE_CHECKING:
    from tui_chat.core.database import Connection

_STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine, a millisecond or so."""

# Another conversation under the same id has none of its messages, not even under other ids.
_IS_ANOTHER = """
 EXISTS (SELECT 1 FROM main.message WHERE conversation=c.seq)
 AND NOT EXISTS (SELECT 1 FROM staged.message m JOIN main.message o ON o.id=m.id
                 WHERE m.conversation=s.seq AND o.conversation=c.seq)
 AND NOT EXISTS (SELECT 1 FROM staged.message m JOIN main.message o ON o.id=other_message(s.id, m.id)
                 WHERE m.conversation=s.seq AND o.conversation=c.seq)
"""
_PLACE_CONVERSATIONS = f"""
INSERT INTO temp.talk(source, id, target, deleted, fresh)
 SELECT named.source, named.id, d.seq, d.deleted_at IS NOT NULL, d.seq IS NULL FROM
  (SELECT s.seq AS source, CASE WHEN c.seq IS NOT NULL AND {_IS_ANOTHER} THEN other_conversation(s.id,
     (SELECT id FROM staged.message WHERE conversation=s.seq ORDER BY seq LIMIT 1)) ELSE s.id END AS id
   FROM staged.conversation s LEFT JOIN main.conversation c ON c.id=s.id) named
  LEFT JOIN main.conversation d ON d.id=named.id
"""
_PLACE_MESSAGES = """
INSERT INTO temp.said(source, id, target, fresh)
 SELECT named.source, named.id, d.seq, d.seq IS NULL FROM
  (SELECT m.seq AS source, CASE WHEN o.seq IS NOT NULL AND o.conversation IS NOT t.target
     THEN other_message(t.id, m.id) ELSE m.id END AS id
   FROM staged.message m JOIN temp.talk t ON t.source=m.conversation
   LEFT JOIN main.message o ON o.id=m.id
   WHERE NOT t.deleted) named
  LEFT JOIN main.message d ON d.id=named.id
"""
_ADD_CONVERSATIONS = """
INSERT INTO main.conversation(id, title, folded, preset, created_at, updated_at, starred, archived)
 SELECT t.id, s.title, s.folded, s.preset, s.created_at, s.updated_at, s.starred, s.archived
 FROM temp.talk t JOIN staged.conversation s ON s.seq=t.source WHERE t.fresh ORDER BY t.source
"""
_ADD_TAGS = """
INSERT INTO main.tag(conversation, name)
 SELECT t.target, g.name FROM temp.talk t JOIN staged.tag g ON g.conversation=t.source WHERE t.fresh
"""
# A setup that only messages used which are there already would never be dropped again.
_ADD_SETUPS = """
INSERT OR IGNORE INTO main.setup(digest, endpoint, model, system, params)
 SELECT digest, endpoint, model, system, params FROM staged.setup WHERE seq IN
  (SELECT m.setup FROM staged.message m JOIN temp.said p ON p.source=m.seq WHERE p.fresh)
"""
_COLUMNS = MESSAGE_COLUMNS.split(",")
_ADD_MESSAGES = f"""
INSERT INTO main.message(seq, id, conversation, parent, {MESSAGE_COLUMNS})
 SELECT p.target, p.id, t.target, above.target,
  {",".join("own.seq" if one == "setup" else f"m.{one}" for one in _COLUMNS)}
 FROM staged.message m JOIN temp.said p ON p.source=m.seq
 JOIN temp.talk t ON t.source=m.conversation
 LEFT JOIN temp.said above ON above.source=m.parent
 LEFT JOIN staged.setup made ON made.seq=m.setup LEFT JOIN main.setup own ON own.digest=made.digest
 WHERE p.fresh ORDER BY m.seq
"""
_SET_LEAVES = """
UPDATE main.conversation SET leaf=
  (SELECT p.target FROM temp.talk t JOIN staged.conversation s ON s.seq=t.source
   JOIN temp.said p ON p.source=s.leaf WHERE t.target=conversation.seq)
 WHERE seq IN (SELECT target FROM temp.talk WHERE fresh)
"""
_GREW = """
 SELECT t.target FROM temp.talk t WHERE NOT t.fresh AND NOT t.deleted AND EXISTS
  (SELECT 1 FROM staged.message m JOIN temp.said p ON p.source=m.seq
   WHERE m.conversation=t.source AND p.fresh)
"""
_SET_TIMES = f"""
UPDATE main.conversation SET updated_at=max(updated_at,
  (SELECT max(s.updated_at) FROM temp.talk t JOIN staged.conversation s ON s.seq=t.source
   WHERE t.target=conversation.seq)) WHERE seq IN ({_GREW})
"""
# What goes on below a message in the trash is in the trash, or it would come back without it.
_FOLLOW_TO_TRASH = """
WITH RECURSIVE below(seq, gone) AS (
  SELECT m.seq, above.deleted_at FROM temp.said p JOIN main.message m ON m.seq=p.target
   JOIN main.message above ON above.seq=m.parent
   WHERE p.fresh AND above.deleted_at IS NOT NULL
  UNION ALL
  SELECT m.seq, below.gone FROM below JOIN main.message m ON m.parent=below.seq
   WHERE m.deleted_at IS NULL)
UPDATE main.message SET deleted_at=(SELECT gone FROM below WHERE below.seq=message.seq)
 WHERE seq IN (SELECT seq FROM below)
"""


class Stopped(Exception):
    """Merging was to stop; nothing was added."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the conversations and messages of a staging database."""

    conversations: int
    """Added."""
    messages: int
    """Added, those of conversations that went on among them."""
    continued: int
    """Conversations that were there and got new messages."""
    already: int
    """Conversations that were there with all of their messages."""
    in_trash: int
    """Conversations that are in the trash, and were not added again."""


def merge(connection: Connection, staging: Path, stopped: Callable[[], bool]) -> Merged:
    """Add what the staging database holds; Stopped when `stopped` says so before the end.

    To be called outside a transaction.
    """
    connection.execute("ATTACH ? AS staged", (str(staging),))
    try:
        connection.create_function("other_conversation", 2, other_conversation, deterministic=True)
        connection.create_function("other_message", 2, other_message, deterministic=True)
        connection.set_progress_handler(lambda: int(stopped()), _STEPS_BETWEEN_LOOKS)
        connection.execute("BEGIN IMMEDIATE")
        try:
            merged = _merged(connection)
            if stopped():
                raise Stopped
            connection.execute("COMMIT")
        except BaseException as error:
            connection.set_progress_handler(None, 0)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if stopped():
                raise Stopped from error
            raise
    finally:
        connection.set_progress_handler(None, 0)
        connection.execute("DETACH staged")
    return merged


def _merged(connection: Connection) -> Merged:
    connection.execute(
        "CREATE TEMP TABLE talk(source INTEGER PRIMARY KEY, id TEXT, target INTEGER, deleted, fresh)"
    )
    connection.execute(
        "CREATE TEMP TABLE said(source INTEGER PRIMARY KEY, id TEXT, target INTEGER, fresh)"
    )
    connection.execute(_PLACE_CONVERSATIONS)
    connection.execute(_PLACE_MESSAGES)
    connection.execute(_ADD_CONVERSATIONS)
    connection.execute(
        "UPDATE temp.talk SET target=(SELECT seq FROM main.conversation c WHERE c.id=talk.id) WHERE fresh"
    )
    connection.execute("CREATE INDEX temp.talk_target ON talk(target)")
    connection.execute(_ADD_TAGS)
    connection.execute(_ADD_SETUPS)
    # Rows are known before they are added, so that parents can be.
    last = _number(
        connection,
        "SELECT max(coalesce((SELECT seq FROM main.sqlite_sequence WHERE"
        " name='message'),0), coalesce((SELECT max(seq) FROM main.message),0))",
    )
    connection.execute("UPDATE temp.said SET target=source+? WHERE fresh", (last,))
    connection.execute(_ADD_MESSAGES)
    connection.execute(_SET_LEAVES)
    connection.execute(_SET_TIMES)
    connection.execute(_FOLLOW_TO_TRASH)
    continued = _number(connection, f"SELECT count(*) FROM ({_GREW})")
    there = _number(connection, "SELECT count(*) FROM temp.talk WHERE NOT fresh AND NOT deleted")
    merged = Merged(
        _number(connection, "SELECT count(*) FROM temp.talk WHERE fresh"),
        _number(connection, "SELECT count(*) FROM temp.said WHERE fresh"),
        continued,
        there - continued,
        _number(connection, "SELECT count(*) FROM temp.talk WHERE deleted"),
    )
    connection.execute("DROP TABLE temp.talk")
    connection.execute("DROP TABLE temp.said")
    return merged


def _number(connection: Connection, question: str) -> int:
    return int(connection.execute(question).fetchone()[0])
