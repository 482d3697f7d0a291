"""What can still be read of a damaged database, row by row, into a new one.

Each table is walked by its key: forward until a page cannot be read, from its end backward until one cannot,
and key by key through what lies between. Rows that no way leads to any more are then read off their pages. Of a
row whose text is gone the rest is kept, so that what follows it still has its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui_chat.core import store_faults
from tui_chat.core.conversation import ROLES, STATUSES, new_id, now, title_from
from tui_chat.core.database import (
    Connection,
    Error,
    brought_up,
    connected,
    connected_to_read,
    decoded,
    in_words,
)
from tui_chat.core.leaves import Column, Stranded, stranded
from tui_chat.core.records import text_of
from tui_chat.core.text import folded

LOST_TEXT = "What is missing here stood on a damaged part of the disk and could not be read."
MOST_MISSES = 20_000
"""Keys in a row that nothing is found under before a table counts as read."""
FEWEST = 2
"""Columns of a row that can be read, besides its key, before it counts as one."""
HIGHEST = 1 << 40
"""No table of ours has more rows."""
AT_ONCE = 500
"""Rows read before they are written."""
_TABLES = (
    "conversation",
    "setup",
    "message",
    "piece",
    "probabilities",
    "draft",
    "state",
)
_Row = tuple[object, ...]


@dataclass(frozen=True)
class Salvaged:
    """How much was read, and how much certainly was not."""

    conversations: int
    messages: int
    lost: int
    """Places at which a message may have stood and nothing could be read, or not all."""


def salvage(damaged: Path, fresh: Path) -> Salvaged:
    """Make a new database of what can be read of a damaged one, which is only read. Blocks.

    `fresh` is made, with the right mode, by the caller. StoreFault when nothing can be read, or for what the disk does.
    """
    try:
        with closing(connected(fresh)) as new:
            brought_up(new, fresh)
            # It has no name yet: what a crash breaks off is made anew. Who gives it one syncs it first.
            new.execute("PRAGMA synchronous=OFF")
            new.execute("PRAGMA foreign_keys=OFF")
            new.execute("BEGIN IMMEDIATE")
            with closing(connected_to_read(damaged)) as old:
                unread = _all_copied(old, new)
            lost = len(unread.get("message", ()))
            if unread:
                lost -= _copy_stranded(damaged, new, unread)
            found = _mended(new)
            new.execute("COMMIT")
    except Error as error:
        fault = in_words(error, damaged)
        raise (store_faults.unreadable(damaged) if fault.kind == "damaged" else fault) from error
    if not any(found):
        raise store_faults.unreadable(damaged)
    return Salvaged(*found, lost)


def _all_copied(old: Connection, new: Connection) -> dict[str, set[int]]:
    """Copy each table as far as it goes; the keys that could not be read, of each table that is not whole."""
    old.text_factory = decoded
    try:
        # With this, a file that is shorter than it says can be read as far as it goes.
        old.execute("PRAGMA writable_schema=ON")
        tables = {row[0] for row in old.execute("SELECT name FROM sqlite_master").fetchall()}
    except Error:
        return {table: set() for table in _TABLES}
    unread = {}
    for table in _TABLES:
        if table not in tables:
            unread[table] = set[int]()  # It may be the list of tables that is damaged.
            continue
        columns = _shared_columns(old, new, table)
        walk = _Walk(old, table, columns, _highest(old, table))
        for rows in _in_batches(walk.rows()):
            _insert(new, table, columns, rows)
        if walk.broken:
            unread[table] = walk.unread
    if "tag" in tables:
        _copy_tags(old, new)
    return unread


def _copy_stranded(damaged: Path, new: Connection, unread: Mapping[str, set[int]]) -> int:
    """Add the rows of these tables that no way led to; how many of the messages that could not be read are
    there after all, whole."""
    tables = {table: _declared(new, table) for table in unread}
    waiting: dict[str, list[_Row]] = {table: [] for table in unread}

    def written(table: str) -> None:
        _insert(new, table, [one.name for one in tables[table]], waiting[table])
        waiting[table].clear()

    found = set[int]()
    for row in stranded(damaged, tables):
        waiting[row.table].append(_marked(row, tables[row.table]))
        if row.table == "message" and row.whole:
            found.add(row.key)
        if len(waiting[row.table]) == AT_ONCE:
            written(row.table)
    for table in tables:
        written(table)
    return len(found & unread.get("message", set()))


def _declared(new: Connection, table: str) -> list[Column]:
    return [
        Column(name, kind, bool(required), default is not None, bool(key))
        for _, name, kind, required, default, key in new.execute(f"PRAGMA table_info({table})")
    ]


def _marked(row: Stranded, columns: Sequence[Column]) -> _Row:
    """Its values; a text that is not all there has the mark of one."""
    if row.whole or row.table != "message":
        return row.values
    return tuple(
        f"{text_of(value)}\0" if column.name == "content" else value
        for column, value in zip(columns, row.values, strict=True)
    )


def _shared_columns(old: Connection, new: Connection, table: str) -> tuple[str, ...]:
    def names(connection: Connection) -> list[str]:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})").fetchall()]

    there = set(names(old))
    return tuple(name for name in names(new) if name in there)


def _highest(old: Connection, table: str) -> int:
    """The highest key that a table has had; what lies beyond is a bad page's."""
    try:
        known = dict(old.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    except Error:
        known = {}
    found = known.get("message" if table == "probabilities" else table)
    return found if isinstance(found, int) and found > 0 else HIGHEST


class _Walk:
    """One table, read around what is damaged in it."""

    def __init__(
        self, connection: Connection, table: str, columns: Sequence[str], highest: int
    ) -> None:
        self._connection = connection
        self._table = table
        self._columns = columns
        self._beyond = highest + 1
        self.unread = set[int]()
        """The keys at which something could not be read."""
        self.broken = False
        """Whether anything could not."""

    def rows(self) -> Iterator[_Row]:
        last = 0
        for key, row in self._run(last, self._beyond):
            last = key
            yield row
        if not self._broken:
            return
        self.broken = True
        first = self._beyond
        for key, row in self._run(last, self._beyond, backward=True):
            first = key
            yield row
        if self._broken:
            yield from self._between(last, first)

    def _run(
        self, after: int, before: int, *, backward: bool = False
    ) -> Iterator[tuple[int, _Row]]:
        """The rows between two keys until one cannot be read; then `_broken`."""
        self._broken = False
        try:
            cursor = self._connection.execute(
                f"SELECT rowid, {','.join(self._columns)} FROM {self._table} NOT INDEXED"
                f" WHERE rowid>? AND rowid<? ORDER BY rowid {'DESC' if backward else 'ASC'}",
                (after, before),
            )
            for key, *values in cursor:
                # A bad page may lead back to where one was, for ever.
                if not after < key < before:
                    self._broken = True
                    return
                after, before = (after, key) if backward else (key, before)
                yield key, tuple(values)
        except Error:
            self._broken = True

    def _between(self, last: int, first: int) -> Iterator[_Row]:
        """The rows between two keys, each by itself where those after it cannot be read."""
        misses = 0
        while last + 1 < first and misses < MOST_MISSES:
            for key, row in self._run(last, first):
                last, misses = key, 0
                yield row
            if not self._broken:
                return
            last, misses = last + 1, misses + 1
            if last < first and (part := self._piecewise(last)) is not None:
                yield part

    def _piecewise(self, key: int) -> _Row | None:
        """One row, each column by itself, where there is a row at all."""
        found = self._column("rowid", key) == (key,)
        values = [self._column(name, key) if found else None for name in self._columns]
        # Python looks one row ahead: the one before a bad page may be whole.
        if None in values:
            self.unread.add(key)
        # Its key alone may be known without a look at it.
        if sum(value not in (None, (key,)) for value in values) < FEWEST:
            return None
        return tuple(value[0] if value else None for value in values)

    def _column(self, name: str, key: int) -> tuple[object] | None:
        try:
            found: tuple[object] | None = self._connection.execute(
                f"SELECT {name} FROM {self._table} NOT INDEXED WHERE rowid=?", (key,)
            ).fetchone()
        except Error:
            return None
        return found


def _in_batches(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    batch: list[_Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    yield batch


def _insert(new: Connection, table: str, columns: Sequence[str], rows: Iterable[_Row]) -> None:
    """Add rows; what a column cannot be without and what could not be read becomes empty."""
    standing = {
        name: _empty(table, name, kind, default)
        for _, name, kind, required, default, _ in new.execute(f"PRAGMA table_info({table})")
        if required
    }
    marks = ",".join("?" * len(columns))
    # A row that a bad page shows twice is the same one.
    question = f"INSERT OR IGNORE INTO {table}({','.join(columns)}) VALUES({marks})"

    def whole(row: _Row) -> _Row:
        values = dict(zip(columns, row, strict=True))
        if table == "message":
            _make_likely(values)
        return tuple(
            standing[name]() if value is None and name in standing else value
            for name, value in values.items()
        )

    new.executemany(question, map(whole, rows))


def _make_likely(values: dict[str, object]) -> None:
    """Give a message that was read in pieces, or off a bad page, what every message has."""
    content, gap, _ = text_of(values["content"]).partition("\0")
    # No text of ours has a NUL: what follows one is where the file was cut off.
    if values["content"] is None or gap:
        values["error"] = LOST_TEXT
    values["content"] = content
    if values["role"] not in ROLES:
        values["role"] = "user"
    if values["status"] not in STATUSES:
        values["status"] = "interrupted"


def _empty(table: str, name: str, kind: str, default: object) -> Callable[[], object]:
    if name in ("id", "digest"):
        return new_id
    if kind == "INTEGER":
        return now if default is None else lambda: 0
    return (lambda: b"") if kind == "BLOB" else (lambda: "")


def _copy_tags(old: Connection, new: Connection) -> None:
    for order in ("", " DESC"):
        try:
            for row in old.execute(
                f"SELECT conversation, name FROM tag ORDER BY conversation{order}, name{order}"
            ):
                new.execute("INSERT OR IGNORE INTO tag(conversation, name) VALUES(?,?)", row)
        except Error:
            continue
        return


def _mended(new: Connection) -> tuple[int, int]:
    """Give what lost what it hangs on a place; how many conversations and messages there are."""
    new.execute(
        "UPDATE message SET parent=NULL WHERE parent IS NOT NULL"
        " AND parent NOT IN (SELECT seq FROM message)"
    )
    new.execute(
        "UPDATE message SET setup=NULL WHERE setup IS NOT NULL"
        " AND setup NOT IN (SELECT seq FROM setup)"
    )
    orphans = new.execute(
        "SELECT DISTINCT conversation FROM message"
        " WHERE conversation NOT IN (SELECT seq FROM conversation)"
    ).fetchall()
    for (seq,) in orphans:
        _name_anew(new, seq)
    new.execute(
        "UPDATE conversation SET leaf=(SELECT max(seq) FROM message WHERE conversation=conversation.seq)"
        " WHERE leaf IS NULL OR leaf NOT IN (SELECT seq FROM message)"
    )
    for table, column, above in (
        ("piece", "message", "message"),
        ("probabilities", "message", "message"),
        ("tag", "conversation", "conversation"),
    ):
        new.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT seq FROM {above})")
    return tuple(
        new.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("conversation", "message")
    )


def _name_anew(new: Connection, seq: object) -> None:
    """A conversation whose own row is lost is there again, under what was said in it first."""
    text, created, updated = new.execute(
        "SELECT (SELECT content FROM message WHERE conversation=?1 AND content<>'' ORDER BY seq LIMIT 1),"
        " min(created_at), max(created_at) FROM message WHERE conversation=?1",
        (seq,),
    ).fetchone()
    title = title_from(text_of(text)) or "Salvaged"
    new.execute(
        "INSERT INTO conversation(seq, id, title, folded, created_at, updated_at) VALUES(?,?,?,?,?,?)",
        (seq, new_id(), title, folded(title), created, updated),
    )
