"""How saved conversations are kept in order, each question or change one function on a connection.

Lists, stars, tags, the archive and the trash. A change is always called inside a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_chat.core.conversation import Headline, Shelf, State, new_id
from tui_chat.core.records import text_of, time_of
from tui_chat.core.text import clean, folded, one_line

if TYPE_CHECKING:
    from tui_chat.core.database import Connection

_STATES: dict[State, str] = {
    "kept": "(c.deleted_at IS NULL AND c.archived=0)",
    "archived": "(c.deleted_at IS NULL AND c.archived<>0)",
    "deleted": "c.deleted_at IS NOT NULL",
}
_HEADLINE = (
    "c.id, c.title,"
    " coalesce((SELECT s.model FROM message m JOIN setup s ON s.seq=m.setup WHERE m.seq="
    "  (SELECT max(seq) FROM message WHERE conversation=c.seq AND setup IS NOT NULL"
    "   AND deleted_at IS NULL)), ''),"
    " c.updated_at,"
    " (SELECT count(*) FROM message WHERE conversation=c.seq AND deleted_at IS NULL),"
    " c.archived, c.starred, c.deleted_at,"
    " (SELECT group_concat(name, ' ') FROM"
    "  (SELECT name FROM tag WHERE conversation=c.seq ORDER BY name))"
)
LONGEST_TAG = 40
PURGED = "purged"
"""The state that changes with each purge; an index is good only for the one it was made under."""


def tag_name(text: str) -> str:
    """A tag as it is kept and compared: one word in small letters; empty when nothing is left."""
    words = one_line(text).lower().replace(",", " ").replace("#", " ").split()
    return "-".join(words)[:LONGEST_TAG]


def headlines(
    connection: Connection, shelf: Shelf, limit: int, after: Headline | None
) -> tuple[Headline, ...]:
    where, given = conditions(shelf)
    if after is not None:
        where.append("(c.updated_at, c.seq) < (?, ?)")
        given += _place(connection, after)
    order = "ORDER BY c.updated_at DESC, c.seq DESC"
    # Chosen first: where many must be sorted, what a line shows would be looked up for all of them.
    rows = connection.execute(
        f"SELECT {_HEADLINE} FROM conversation c WHERE c.seq IN (SELECT c.seq FROM conversation c"
        f" WHERE {' AND '.join(where)} {order} LIMIT ?) {order}",
        (*given, limit),
    )
    return tuple(_headline(*row) for row in rows)


def headline(connection: Connection, conversation_id: str) -> Headline | None:
    row = connection.execute(
        f"SELECT {_HEADLINE} FROM conversation c WHERE c.id=?", (conversation_id,)
    ).fetchone()
    return _headline(*row) if row else None


def count(connection: Connection, shelf: Shelf) -> int:
    where, given = conditions(shelf)
    question = f"SELECT count(*) FROM conversation c WHERE {' AND '.join(where)}"
    return int(connection.execute(question, given).fetchone()[0])


def ids(connection: Connection, shelf: Shelf) -> list[str]:
    """The ids of a shelf, oldest first."""
    where, given = conditions(shelf)
    question = f"SELECT c.id FROM conversation c WHERE {' AND '.join(where)} ORDER BY c.seq"
    return [text_of(row[0]) for row in connection.execute(question, given)]


def beginning(connection: Connection, text: str) -> list[str]:
    rows = connection.execute(
        "SELECT id FROM conversation WHERE substr(id, 1, ?)=? ORDER BY id LIMIT 10",
        (len(text), text),
    )
    return [text_of(row[0]) for row in rows]


def conditions(shelf: Shelf, *, known: bool = False) -> tuple[list[str], list[object]]:
    """The shelf as SQL about the conversation `c`, and the values for its question marks.

    `known`: which conversations are looked at is known by other conditions, and they are few.
    """
    states = " OR ".join(_STATES[state] for state in shelf.states) or "0"
    # Alone, the condition of a partial index must stand as it is for SQLite to use it.
    where = [states if len(shelf.states) == 1 else f"({states})"]
    if "deleted" not in shelf.states:
        where.append("c.deleted_at IS NULL")
    given: list[object] = []
    if shelf.starred is not None:
        where.append("c.starred<>0" if shelf.starred else "c.starred=0")
    for tag in shelf.tags:
        # Without other conditions it is quicker to begin with those that have the tag.
        where.append(
            "EXISTS (SELECT 1 FROM tag WHERE conversation=c.seq AND name=?)"
            if known
            else "c.seq IN (SELECT conversation FROM tag WHERE name=?)"
        )
        given.append(tag_name(tag))
    for word in folded(clean(shelf.title)).split():
        where.append("instr(c.folded, ?)")
        given.append(word)
    if shelf.preset:
        where.append("c.preset LIKE ? ESCAPE '\\'")
        given.append(pattern(shelf.preset))
    for sign, time in ((">=", shelf.after), ("<", shelf.before)):
        if time is not None:
            where.append(f"c.updated_at{sign}?")
            given.append(time)
    return where, given


def pattern(text: str) -> str:
    """What a `*` stands in for any letters, as a pattern of LIKE with a backslash as its escape."""
    for mark in ("\\", "%", "_"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("*", "%")


def _headline(
    id: object,
    title: object,
    model: object,
    updated: object,
    messages: int,
    archived: object,
    starred: object,
    deleted: object,
    tags: object,
) -> Headline:
    state: State = "archived" if archived else "kept"
    return Headline(
        text_of(id),
        text_of(title),
        text_of(model),
        time_of(updated),
        messages,
        "deleted" if deleted is not None else state,
        bool(starred),
        tuple(text_of(tags).split()),
        time_of(deleted),
    )


def _place(connection: Connection, line: Headline) -> Sequence[object]:
    """Where a list has this line. A time that was edited by hand sorts as it stands, not as it is read."""
    row = connection.execute(
        "SELECT updated_at, seq FROM conversation WHERE id=?", (line.id,)
    ).fetchone()
    updated, seq = row or (line.updated, None)
    return updated if time_of(updated) == line.updated else line.updated, seq


def tags(connection: Connection) -> tuple[str, ...]:
    rows = connection.execute("SELECT name FROM tag GROUP BY name ORDER BY count(*) DESC, name")
    return tuple(text_of(row[0]) for row in rows)


def star(connection: Connection, ids: Iterable[str], on: bool) -> None:
    connection.executemany(
        "UPDATE conversation SET starred=? WHERE id=?", [(int(on), one) for one in ids]
    )


def archive(connection: Connection, ids: Iterable[str], on: bool) -> None:
    connection.executemany(
        "UPDATE conversation SET archived=? WHERE id=?", [(int(on), one) for one in ids]
    )


def tag(connection: Connection, ids: Iterable[str], name: str, on: bool) -> None:
    change = (
        "INSERT OR IGNORE INTO tag(conversation,name) SELECT seq,? FROM conversation WHERE id=?"
        if on
        else "DELETE FROM tag WHERE name=? AND conversation=(SELECT seq FROM conversation WHERE id=?)"
    )
    connection.executemany(change, [(name, one) for one in ids])


# The trash

_TOGETHER = (
    " WHERE conversation=(SELECT conversation FROM message WHERE id=?1)"
    " AND deleted_at=(SELECT deleted_at FROM message WHERE id=?1)"
)
"""The messages that were deleted at once, by one of them."""


def mark_deleted(connection: Connection, ids: Iterable[str], when: int | None) -> None:
    connection.executemany(
        "UPDATE conversation SET deleted_at=? WHERE id=?", [(when, one) for one in ids]
    )


def delete_messages(connection: Connection, ids: Sequence[str], when: int) -> None:
    """Put these messages into the trash, at once: what else of their conversations lies there was put there
    at another time, so that each branch comes back alone."""
    rows = [
        connection.execute("SELECT conversation FROM message WHERE id=?", (one,)).fetchone()
        for one in ids
    ]
    for conversation in {row[0] for row in rows if row}:
        taken = connection.execute(
            "SELECT DISTINCT deleted_at FROM message WHERE conversation=? AND deleted_at>=?",
            (conversation, when),
        ).fetchall()
        while (when,) in taken:
            when += 1
    connection.executemany(
        "UPDATE message SET deleted_at=? WHERE id=?", [(when, one) for one in ids]
    )


def undelete_messages(connection: Connection, ids: Iterable[str]) -> None:
    connection.executemany("UPDATE message SET deleted_at=NULL WHERE id=?", [(one,) for one in ids])


def restore_branches(connection: Connection, ids: Iterable[str]) -> None:
    """Bring back what was deleted together with each of these messages."""
    connection.executemany(
        f"UPDATE message SET deleted_at=NULL{_TOGETHER}", [(one,) for one in ids]
    )


def branches(connection: Connection, shelf: Shelf, limit: int) -> list[tuple[int, int]]:
    """The time and row of the first message of each deleted branch of a shelf's conversations that are
    not in the trash themselves, the last deleted first."""
    where, given = conditions(replace(shelf, states=("kept", "archived")))
    rows = connection.execute(
        "SELECT m.created_at, min(m.seq) FROM message m JOIN conversation c ON c.seq=m.conversation"
        f" WHERE m.deleted_at IS NOT NULL AND {' AND '.join(where)}"
        " GROUP BY m.conversation, m.deleted_at ORDER BY m.deleted_at DESC LIMIT ?",
        (*given, limit),
    )
    return [(time_of(created), seq) for created, seq in rows]


def purge(connection: Connection, ids: Iterable[str]) -> int:
    """Remove conversations that are in the trash for good; how many."""
    _forgotten(connection)
    connection.executemany(
        "INSERT OR IGNORE INTO temp.forgotten"
        " SELECT seq FROM conversation WHERE id=? AND deleted_at IS NOT NULL",
        [(one,) for one in ids],
    )
    return _purge_forgotten(connection)


def purge_expired(connection: Connection, before: int) -> int:
    """Remove for good what went to the trash before this time; how many conversations and messages."""
    _forgotten(connection)
    connection.execute(
        "INSERT INTO temp.forgotten SELECT seq FROM conversation WHERE deleted_at<?", (before,)
    )
    removed = _purge_forgotten(connection)
    rows = connection.execute("SELECT seq, setup FROM message WHERE deleted_at<?", (before,))
    return removed + _purge_messages(connection, dict(rows.fetchall()))


def purge_branches(connection: Connection, ids: Iterable[str]) -> int:
    """Remove for good what was deleted together with each of these messages; how many messages."""
    gone: dict[int, int | None] = {}
    for one in ids:
        gone |= connection.execute(f"SELECT seq, setup FROM message{_TOGETHER}", (one,)).fetchall()
    return _purge_messages(connection, gone)


def _purge_messages(connection: Connection, gone: Mapping[int, int | None]) -> int:
    """Remove these messages, each with its setup; how many."""
    _let_go(connection, [(seq,) for seq in gone])
    connection.executemany("DELETE FROM message WHERE seq=?", [(seq,) for seq in gone])
    _drop_setups(connection, {setup for setup in gone.values() if setup is not None})
    if gone:
        _mark_purged(connection)
    return len(gone)


def _let_go(connection: Connection, gone: Sequence[tuple[int]]) -> None:
    """What hangs on these messages hangs on them no more. Something may have been added below one
    meanwhile: what was said is shown, not lost. Rows edited by hand may tie any two conversations."""
    connection.executemany("UPDATE message SET parent=NULL WHERE parent=?", gone)
    connection.executemany("UPDATE conversation SET leaf=NULL WHERE leaf=?", gone)


def _mark_purged(connection: Connection) -> None:
    """An index that was made before this may hold the words of what is gone, whatever happens next."""
    connection.execute("INSERT OR REPLACE INTO state(key,value) VALUES(?,?)", (PURGED, new_id()))


def _forgotten(connection: Connection) -> None:
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten(seq INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM temp.forgotten")


def _purge_forgotten(connection: Connection) -> int:
    setups = connection.execute(
        "SELECT DISTINCT setup FROM message WHERE setup IS NOT NULL"
        " AND conversation IN (SELECT seq FROM temp.forgotten)"
    ).fetchall()
    connection.execute(
        "DELETE FROM draft WHERE conversation IN"
        " (SELECT id FROM conversation WHERE seq IN (SELECT seq FROM temp.forgotten))"
    )
    rows = connection.execute(
        "SELECT seq FROM message WHERE conversation IN (SELECT seq FROM temp.forgotten)"
    )
    _let_go(connection, rows.fetchall())
    removed = connection.execute(
        "DELETE FROM conversation WHERE seq IN (SELECT seq FROM temp.forgotten)"
    ).rowcount
    _drop_setups(connection, {row[0] for row in setups})
    if removed:
        _mark_purged(connection)
    return int(removed)


def _drop_setups(connection: Connection, setups: Iterable[int]) -> None:
    """A setup that no message has any more would keep its system prompt."""
    connection.executemany(
        "DELETE FROM setup WHERE seq=? AND NOT EXISTS (SELECT 1 FROM message WHERE setup=setup.seq)",
        [(setup,) for setup in setups],
    )
