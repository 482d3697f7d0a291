"""search.db: the full-text index of the saved messages, a file of the cache that is made again when it is lost.

A message is written once, when it is final, to the row that core/moments.py gives it in the order of time. Besides the
words it holds facets, one word each for a message's role, status, setup, conversation and day: so conditions on
them narrow lists of rows and need not be looked up row by row. A row that is gone from the database
stays here until reset(); whoever asks looks each row up there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.core.database import Connection, Error, OperationalError, connected, prepare
from tui_chat.core.moments import SCHEMA, TABLES, Moment, Moments
from tui_chat.core.queries import one_text
from tui_chat.core.records import text_of, time_of
from tui_chat.core.shelves import PURGED
from tui_chat.core.words import VERSION, normalised

_VERSION = 200 + VERSION
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # Contentless: the texts are in the database. All that separates words is a space by now.
    "CREATE VIRTUAL TABLE IF NOT EXISTS words"
    " USING fts5(text, facets, content='', tokenize='ascii', prefix='2 3')",
    *SCHEMA,
    f"PRAGMA user_version={_VERSION}",
)
_COLUMNS = "seq, id, conversation, role, status, setup, created_at, content, reasoning"
Some = tuple[list[Moment], bool]
"""Some messages, and whether those were the last."""
LAST = 2**63 - 1
BATCH = 1000
"""Messages written in one transaction."""
READ = 250
"""Messages read in one go: a writer to the database waits no longer than this takes."""
SMALL = 500
"""So few are written at once, and safely: more are built, and built anew after a power cut."""
MORE = 100
"""Rows read at a time to come to the end of a stretch that must be sorted."""
LATEST = 4_102_444_799_000
"""The end of 2099: later times, which only a wrong clock gives, count as this."""
SYNCED = 5
"""Every so many batches, all that was written goes to the disk."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Index:
    """The index by one connection, for one thread; only its interrupt() may be called from another.

    Everything but close() may raise Error; after one that is no `busy` reset() makes it sound.
    """

    def __init__(self, path: Path, base: Connection) -> None:
        """`base` reads the saved conversations. ChatError when the directory cannot be made."""
        prepare(path)
        self._path = path
        self._base = base
        self._connection = self._connected()

    def _connected(self) -> Connection:
        connection = connected(self._path, any_thread=True)
        # Past the end of a statement a crash of the machine may lose what is here; see `building`.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-32000")
        return connection

    def close(self) -> None:
        self._connection.close()

    def interrupt(self) -> None:
        self._connection.interrupt()

    def reset(self) -> None:
        """As the function."""
        self._connection.close()
        reset(self._path)
        prepare(self._path)
        self._connection = self._connected()

    def place(self) -> tuple[int, int]:
        """How far the index goes, and how far the messages go. Equal when it is complete: a message
        that has come to its end since then counts as missing."""
        newest = self._newest()
        top, pending = self._read_place()
        if top >= newest and self._ended(pending):
            return newest - 1, newest
        return min(top, newest), newest

    @contextmanager
    def rows(self, match: str, below: Moment | None) -> Iterator[Callable[[int], Some]]:
        """The messages that match, before a moment, newest first, about so many as are asked for at a time."""
        top = LAST if below is None else Moments(self._connection).last_before(below)
        # One question for all of them: finding the beginnings of words anew takes longer than going on.
        cursor = self._connection.execute(
            "SELECT m.created, m.seq, m.place FROM words CROSS JOIN moment m ON m.place=words.rowid"
            " WHERE words MATCH ? AND words.rowid<=? ORDER BY words.rowid DESC",
            (match, -1 if top is None else top),
        )
        # Only now: nobody can add a message before all rows were read.
        moments = Moments(self._connection)

        def some(size: int) -> Some:
            found = cursor.fetchmany(size)
            ended = len(found) < size
            while not ended and moments.mixed(found[-1][2]):
                found += (more := cursor.fetchmany(MORE))
                ended = len(more) < MORE
            order = sorted(((created, seq) for created, seq, _ in found), reverse=True)
            return [one for one in order if below is None or one < below], ended

        try:
            yield some
        finally:
            cursor.close()

    def update(
        self, stop: Callable[[], bool], report: Callable[[int, int], None], *, most: int = 0
    ) -> bool:
        """Add what is missing, in short transactions; whether all is there now.

        `most`: when more than so many are missing, nothing is done. Another window may build at the same time.
        """
        done, total = self._sound_place()
        if most and total - done > most:
            return False
        building = "" if total - done <= SMALL else _boot()
        batches = 0
        try:
            report(done, total)
            while done < total and not stop():
                batches += 1
                # A file of the cache: what a power cut breaks is built anew, so most of it does not
                # wait for the disk. Left to the end, all of it would hold up whoever writes then.
                lazy = building and batches % SYNCED
                self._connection.execute(f"PRAGMA synchronous={'OFF' if lazy else 'FULL'}")
                done, total = self._batch(building)
                report(done, total)
        finally:
            self._connection.execute("PRAGMA synchronous=FULL")
            if building:
                self._settle()
        return done >= total

    def _sound_place(self) -> tuple[int, int]:
        """The place of an index that belongs to this database; emptied, where it was another's."""
        version = self._version()
        if version != _VERSION or not self._belongs():
            if version:
                self.reset()
            # Read before any message is: what is purged from now on makes this index a wrong one.
            purged = self._purged()
            self._connection.execute("BEGIN IMMEDIATE")
            # Another window may have made it meanwhile.
            if not self._version():
                for statement in _SCHEMA:
                    self._connection.execute(statement)
                self._connection.execute(
                    "INSERT INTO meta(key,value) VALUES(?,?)", (PURGED, purged)
                )
            self._connection.execute("COMMIT")
        return self.place()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def belongs(self) -> bool:
        """Whether there is an index, of our making, and of this database."""
        return self._version() == _VERSION and self._belongs()

    def _belongs(self) -> bool:
        meta = self._meta()
        if meta.get("building") not in (None, "", _boot()):
            return False
        if not self._unpurged():
            return False
        top = int(meta.get("top", 0))
        found = self._base.execute("SELECT id FROM message WHERE seq=?", (top,)).fetchone()
        return top == 0 or (found is not None and text_of(found[0]) == meta.get("id"))

    def _unpurged(self) -> bool:
        """Whether nothing was purged since the index was begun."""
        return self._meta().get(PURGED, "") == self._purged()

    def _purged(self) -> str:
        """The mark of the last purge in the database; empty before the first."""
        return one_text(self._base, "SELECT value FROM state WHERE key=?", PURGED)

    def _meta(self) -> dict[str, str]:
        return dict(self._connection.execute("SELECT key, value FROM meta").fetchall())

    def _read_place(self) -> tuple[int, list[int]]:
        meta = self._meta()
        return int(meta.get("top", 0)), json.loads(meta.get("pending", "[]"))

    def _newest(self) -> int:
        return int(self._base.execute("SELECT max(seq) FROM message").fetchone()[0] or 0)

    def _ended(self, pending: Sequence[int]) -> list[tuple[object, ...]]:
        """Those of messages that were streaming which are final, or gone."""
        there = self._base.execute(
            f"SELECT {_COLUMNS} FROM message WHERE status='streaming'"
            f" AND seq IN ({','.join(map(str, pending))})"
        ).fetchall()
        streaming = {row[0] for row in there}
        return [(seq,) for seq in pending if seq not in streaming]

    def _batch(self, building: str) -> tuple[int, int]:
        """Add some messages in one transaction; how far the index goes, and the messages."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            # Read again under the lock: another window may have gone on.
            if not self._unpurged():
                raise ValueError("What is in the index was purged meanwhile.")
            top, pending = self._read_place()
            rows, streaming = self._ready(pending)
            for _ in range(BATCH // READ):
                more = self._base.execute(
                    f"SELECT {_COLUMNS} FROM message WHERE seq>? ORDER BY seq LIMIT ?", (top, READ)
                ).fetchall()
                streaming += [row[0] for row in more if row[4] == "streaming"]
                rows += [row for row in more if row[4] != "streaming"]
                top = more[-1][0] if more else top
                if len(more) < READ:
                    break
            self._add(rows)
            self._write_place(top, streaming, building)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        newest = self._newest()
        return min(top, newest), newest

    def _add(self, rows: Sequence[Sequence[object]]) -> None:
        moments = Moments(self._connection)
        times = sorted((time_of(row[6]), int(str(row[0])), row) for row in rows)
        # Upwards: for each row that is less than the last one the index would write out what it has.
        placed = sorted((moments.take((created, seq)), row) for created, seq, row in times)
        self._connection.executemany(
            "INSERT INTO words(rowid,text,facets) VALUES(?,?,?)",
            ((place, *_indexed(row)) for place, row in placed),
        )

    def _ready(self, pending: Sequence[int]) -> tuple[list[tuple[object, ...]], list[int]]:
        """Of messages that were streaming: those that are final now, and which still stream."""
        found = self._base.execute(
            f"SELECT {_COLUMNS} FROM message WHERE seq IN ({','.join(map(str, pending))})"
        ).fetchall()
        ready = [row for row in found if row[4] != "streaming"]
        return ready, [row[0] for row in found if row[4] == "streaming"]

    def _write_place(self, top: int, streaming: Sequence[int], building: str) -> None:
        found = self._base.execute("SELECT id FROM message WHERE seq=?", (top,)).fetchone()
        meta = {"top": str(top), "id": text_of(found[0]) if found else ""}
        meta["pending"] = json.dumps(list(streaming))
        if building:
            meta["building"] = building
        self._connection.executemany(
            "INSERT OR REPLACE INTO meta(key,value) VALUES(?,?)", meta.items()
        )

    def _settle(self) -> None:
        """All that was written without waiting for the disk is there now."""
        with suppress(OperationalError):
            self._connection.execute("INSERT OR REPLACE INTO meta(key,value) VALUES('building','')")


def reset(path: Path) -> None:
    """Empty an index: none of its words stays in the file. The next update begins from nothing."""
    try:
        with closing(connected(path)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            for table in ("words", "meta", *TABLES):
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute("PRAGMA user_version=0")
            connection.execute("COMMIT")
            connection.execute("VACUUM")
    except Error as error:
        if is_busy(error):
            raise
        # A file that is no database. Other windows may have it open, so a sound one stays in place.
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)


def is_busy(error: Error) -> bool:
    """Whether another window, or an interrupt, was the reason, and not the file."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (5, 6, 9)


def searched(content: object, reasoning: object) -> str:
    """The text in which a message's words are looked for."""
    thought = text_of(reasoning)
    return f"{text_of(content)}\n{thought}" if thought else text_of(content)


def _indexed(row: Sequence[object]) -> tuple[str, str]:
    _, _, conversation, role, status, setup, created, content, reasoning = row
    facets = [f"c{conversation}", f"r{role}", *days(time_of(created))]
    if setup is not None:
        facets.append(f"m{setup}")
    if role == "assistant":
        facets.append(f"s{status}")
    return normalised(searched(content, reasoning)), " ".join(facets)


def days(time: int) -> tuple[str, str, str]:
    """The facets of a time, in milliseconds since the epoch: its day, month and year (UTC)."""
    day = datetime.fromtimestamp(min(time, LATEST) / 1000, UTC).strftime("%Y%m%d")
    return f"d{day}", f"d{day[:6]}", f"d{day[:4]}"


def either(facets: Iterable[str]) -> str:
    """A part of a MATCH: any of these facets."""
    return f"facets : ({' OR '.join(facets)})"


def _boot() -> str:
    """What is the same until the machine starts again; empty where that cannot be told."""
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return ""
