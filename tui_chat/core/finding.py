"""Finds the messages of a query, newest first: by the index, or by reading them all; for one thread."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TypeVar

from tui_chat.core import shelves
from tui_chat.core.conversation import ROLES, Shelf, State
from tui_chat.core.database import Connection
from tui_chat.core.index import LAST, LATEST, Index, either, searched
from tui_chat.core.moments import Moment
from tui_chat.core.query import STATES, Query
from tui_chat.core.records import LATEST as LAST_TIME
from tui_chat.core.records import Setups, text_of
from tui_chat.core.schema import SAID
from tui_chat.core.words import Phrase, in_line

MOST_FACETS = 500
"""More setups or conversations than this do not narrow a search enough to be worth it."""
SOME = 20_000
"""The messages of so many conversations are looked up before the words are; more narrow little."""
FIRST, MOST = 200, 4000
"""How many rows of the index are looked up at first, and at most, in one go."""
RARELY = 50
"""Where fewer than one in so many rows is meant, those that may be are made out before more are looked up."""
CHUNK = 1000
"""Messages read in one go without an index: a writer waits no longer than this takes."""
RANKED = 2000
"""So many of the newest matches are put in order of merit."""
USUAL = 600
"""Characters of a usual message."""
PATIENCE = 0.25
"""Seconds for what has no end of its own: counting, and gathering what is ranked."""


_Row = TypeVar("_Row")


class Stopped(Exception):
    """Nobody waits for this any more."""


class Finder:
    """One query at a time, on one thread. `index` None reads the messages; Error as SQLite says it.

    `stopped` is asked again and again; when it says so, what runs ends with Stopped.
    """

    def __init__(self, base: Connection, index: Index | None, stopped: Callable[[], bool]) -> None:
        self._base = base
        self._index = index
        self._stopped = stopped
        self._end: float | None = None
        self._wanted = 0
        self.reached: Moment | None = None
        """Where newest() left off because of its time; None when it came to the end."""

    @property
    def by_index(self) -> bool:
        """Whether it has an index to go by."""
        return self._index is not None

    def newest(
        self,
        query: Query,
        below: Moment | None = None,
        within: float | None = None,
        *,
        at_least: int = 0,
    ) -> Generator[Moment, None, None]:
        """The messages that match, newest first, before a moment; to be closed when not gone through.

        Leaves off after about so many seconds, when it has found so many; `reached` says where.
        """
        self._end = None if within is None else time.monotonic() + within
        self._wanted = at_least
        self.reached = None
        if query.impossible or not query.of_messages:
            return
        setups = self._setups(query)
        if setups is not None and not setups:
            return
        where, given = conditions(query, setups)
        if self._index is None:
            yield from self._read(query, where, given, below)
            return
        narrow = self._narrow(query)
        facets = self._facets(query, setups, narrow)
        if facets is None:
            return
        many = narrow is not None and len(narrow) > MOST_FACETS
        inside: set[int] | None = None
        looked_at, found, size = 0, 0, FIRST
        with self._index.rows(expression(query, facets), below) as more:
            ended = False
            while not ended:
                rows, ended = more(size)
                looked_at += size
                if many and inside is None and looked_at > max(MOST, found * RARELY):
                    # Few of so many were meant: each will be looked up only if it may be.
                    inside = self._messages(narrow or ())
                meant = rows if inside is None else [row for row in rows if row[1] in inside]
                if meant:
                    there = self._there(meant, where, given)
                    self._wanted -= len(there)
                    found += len(there)
                    yield from there
                self._go_on()
                if not ended and rows and self._late(rows[-1]):
                    return
                size = min(size * 4, MOST)

    def best(self, query: Query) -> list[Moment]:
        """The newest matches, RANKED at most, those first in which the words stand most often for their
        length, whole words counting twice."""
        rows = list(islice(self.newest(query, within=PATIENCE, at_least=1), RANKED))
        scored: list[tuple[float, int]] = []
        places = {seq: place for place, (_, seq) in enumerate(rows)}
        for some in _pieces(rows, CHUNK):
            found = self._base.execute(
                f"SELECT seq, content, reasoning FROM message WHERE seq IN ({_seqs(some)})"
            ).fetchall()
            self._go_on()
            scored += [(-_merit(query, searched(*texts)), places[seq]) for seq, *texts in found]
        return [rows[place] for _, place in sorted(scored)]

    def count(self, query: Query) -> int | None:
        """How many messages match; None when counting them would take too long."""
        found = sum(1 for _ in self.newest(query, within=PATIENCE))
        return found if self.reached is None else None

    def conversations(self, query: Query) -> list[str]:
        """The ids of the conversations that match, oldest first."""
        if not query.of_messages or query.impossible:
            return shelves.ids(self._base, query.shelf)
        found: dict[int, str] = {}
        with closing(self.newest(query)) as newest:
            for some in _pieces(newest, MOST):
                rows = self._base.execute(
                    "SELECT c.seq, c.id FROM conversation c WHERE c.seq IN"
                    f" (SELECT conversation FROM message WHERE seq IN ({_seqs(some)}))"
                )
                found |= {seq: text_of(name) for seq, name in rows.fetchall()}
        return [found[seq] for seq in sorted(found)]

    def _late(self, at: Moment) -> bool:
        if self._end is None or self._wanted > 0 or time.monotonic() < self._end:
            return False
        self.reached = at
        return True

    def _go_on(self) -> None:
        if self._stopped():
            raise Stopped

    def _setups(self, query: Query) -> list[int] | None:
        """The rows of the setups that are as asked; None where nothing is asked of them."""
        if not query.tests:
            return None
        known = Setups(self._base)
        rows = self._base.execute("SELECT seq FROM setup").fetchall()
        return [row for (row,) in rows if query.suits(known[row])]

    def _there(self, rows: Sequence[Moment], where: str, given: Sequence[object]) -> list[Moment]:
        """Those of some messages that are there and are as asked, in the same order."""
        self._go_on()
        found = self._base.execute(
            "SELECT m.seq FROM message m CROSS JOIN conversation c ON c.seq=m.conversation"
            f" WHERE m.seq IN ({_seqs(rows)}) AND {where}",
            given,
        )
        there = {row[0] for row in found.fetchall()}
        return [row for row in rows if row[1] in there]

    def _read(
        self,
        query: Query,
        where: str,
        given: Sequence[object],
        below: Moment | None,
    ) -> Iterator[Moment]:
        # An ASCII text without the letters of a word does not have it; others may, with accents, or wide.
        plain = "length(m.content||m.reasoning)=length(CAST(m.content||m.reasoning AS BLOB))"
        parts = [
            f"(m.content||m.reasoning LIKE '%{word}%' OR NOT {plain})"
            for phrase in query.words
            for word in phrase.words
            if word.isascii()
        ]
        where = " AND ".join([where, *parts])
        order = f"ORDER BY {SAID} DESC, m.seq DESC"
        under = f"{SAID}<=? AND ({SAID}<? OR m.seq<?)"
        over = f"{SAID}>=? AND ({SAID}>? OR m.seq>=?)"
        top: Moment | None = (LAST_TIME, LAST) if below is None else below
        while top is not None:
            self._go_on()
            bottom = self._base.execute(
                f"SELECT {SAID}, m.seq FROM message m WHERE {under} {order} LIMIT 1 OFFSET {CHUNK - 1}",
                (top[0], *top),
            ).fetchone()
            low = bottom or (0, 0)
            rows = self._base.execute(
                f"SELECT {SAID}, m.seq, m.content, m.reasoning FROM message m"
                f" CROSS JOIN conversation c ON c.seq=m.conversation WHERE {under} AND {over}"
                f" AND m.status<>'streaming' AND {where} {order}",
                (top[0], *top, low[0], *low, *given),
            ).fetchall()
            for created, seq, *texts in rows:
                if query.matches(searched(*texts)):
                    self._wanted -= 1
                    yield created, seq
            if bottom is not None and self._late(bottom):
                return
            top = bottom

    def _facets(
        self, query: Query, setups: list[int] | None, narrow: list[int] | None
    ) -> list[str] | None:
        """What narrows the lists of the index; None when nothing can be found."""
        found = []
        if query.roles:
            found.append(either(f"r{role}" for role in query.roles))
        if query.statuses:
            found.append(either(f"s{status}" for status in query.statuses))
        if setups is not None and len(setups) <= MOST_FACETS:
            found.append(either(f"m{setup}" for setup in setups))
        if query.after is not None or query.before is not None:
            within = list(covered(query.after, query.before))
            if not within:
                return None
            found.append(either(within))
        if narrow is not None:
            if not narrow:
                return None
            if len(narrow) <= MOST_FACETS:
                found.append(either(f"c{row}" for row in narrow))
        return found

    def _narrow(self, query: Query) -> list[int] | None:
        """The rows of all conversations meant, where they are few."""
        shelf = query.shelf
        narrow = shelf.starred is not None or shelf.tags or shelf.title or shelf.preset
        if not narrow and "kept" in shelf.states:
            return None
        where, given = shelves.conditions(_undated(query, STATES))
        wider = "0"
        if "deleted" in shelf.states:
            wider = "c.seq IN (SELECT conversation FROM message WHERE deleted_at IS NOT NULL)"
        states, _ = shelves.conditions(Shelf(shelf.states))
        rows = self._base.execute(
            f"SELECT c.seq FROM conversation c WHERE {' AND '.join(where)}"
            f" AND (({' AND '.join(states)}) OR {wider}) LIMIT {SOME + 1}",
            given,
        ).fetchall()
        return [row[0] for row in rows] if len(rows) <= SOME else None

    def _messages(self, conversations: Sequence[int]) -> set[int]:
        """The rows of all messages of these conversations."""
        found: set[int] = set()
        for some in _pieces(conversations, MOST):
            self._go_on()
            rows = self._base.execute(
                f"SELECT seq FROM message WHERE conversation IN ({_list(some)})"
            )
            found.update(row[0] for row in rows.fetchall())
        return found


def conditions(query: Query, setups: Sequence[int] | None) -> tuple[str, list[object]]:
    """All but the words, as SQL about the message `m` and the conversation `c`, and its values."""
    where, given = shelves.conditions(_undated(query, STATES), known=True)
    where.append(_placed(query.shelf.states))
    if query.roles:
        where.append(f"m.role IN ({_texts(query.roles)})")
    if query.statuses:
        where.append(f"m.role='assistant' AND m.status IN ({_texts(query.statuses)})")
    if setups is not None:
        # The plus keeps SQLite from going by the setup, when the rows are known already.
        where.append(f"+m.setup IN ({_list(setups)})")
    for sign, moment in ((">=", query.after), ("<", query.before)):
        if moment is not None:
            where.append(f"m.created_at{sign}?")
            given.append(moment)
    return " AND ".join(where), given


def _placed(states: Sequence[State]) -> str:
    """Where the conversation is; what is deleted is in the trash, with its conversation or alone."""
    there = tuple(state for state in states if state != "deleted")
    parts = ["(c.deleted_at IS NOT NULL OR m.deleted_at IS NOT NULL)"] if there != states else []
    if there:
        parts.append(" AND ".join([*shelves.conditions(Shelf(there))[0], "m.deleted_at IS NULL"]))
    return f"({' OR '.join(f'({part})' for part in parts)})"


def _undated(query: Query, states: tuple[State, ...]) -> Shelf:
    return replace(query.shelf, states=states, after=None, before=None)


def expression(query: Query, facets: Sequence[str]) -> str:
    """The query for MATCH: words in quotes, so that none of them means anything to it."""
    parts = list(facets)
    if query.words:
        parts.append(f"text : ({' AND '.join(map(_quoted, query.words))})")
    if not parts:
        parts.append(either(f"r{role}" for role in ROLES))
    match = " AND ".join(f"({part})" for part in parts)
    if query.without:
        match = f"({match}) NOT (text : ({' OR '.join(map(_quoted, query.without))}))"
    return match


def _quoted(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.words)}"{"" if phrase.whole else " *"}'


def covered(after: int | None, before: int | None) -> Iterator[str]:
    """Facets of days, months and years that hold every time from `after` to before `before`, and few others."""
    day = _date(0 if after is None else after)
    last = _date(LATEST if before is None else before - 1)
    while day <= last:
        month = calendar.monthrange(day.year, day.month)[1]
        if day.month == day.day == 1 and date(day.year, 12, 31) <= last:
            yield f"d{day:%Y}"
            day = date(day.year + 1, 1, 1)
        elif day.day == 1 and day.replace(day=month) <= last:
            yield f"d{day:%Y%m}"
            day += timedelta(days=month)
        else:
            yield f"d{day:%Y%m%d}"
            day += timedelta(days=1)


def _date(time: int) -> date:
    return datetime.fromtimestamp(min(max(time, 0), LATEST) / 1000, UTC).date()


def _merit(query: Query, text: str) -> float:
    """How well a message suits: how often each word stands there, with less and less weight, for its length."""
    line = in_line(text)
    length = 0.3 + 0.7 * len(line) / USUAL
    merit = 0.0
    for phrase in query.words:
        begun = f" {' '.join(phrase.words)}"
        often = line.count(begun) + line.count(f"{begun} ")
        merit += often / (often + 1.5 * length)
    return merit


def _pieces(rows: Iterable[_Row], size: int) -> Iterator[list[_Row]]:
    rest = iter(rows)
    while some := list(islice(rest, size)):
        yield some


def _list(rows: Iterable[int]) -> str:
    """Our own numbers as SQL: there may be more than question marks are allowed."""
    return ",".join(str(int(row)) for row in rows)


def _seqs(rows: Iterable[Moment]) -> str:
    return _list(seq for _, seq in rows)


def _texts(texts: Iterable[str]) -> str:
    return ",".join(f"'{text}'" for text in texts)
