"""Searching what was said, off the event loop: by the index, or by reading until there is one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from tui_chat.core.conversation import Shelf
from tui_chat.core.database import Connection, Error, in_words
from tui_chat.core.errors import ChatError
from tui_chat.core.filters import Known
from tui_chat.core.finding import Finder, Stopped
from tui_chat.core.hits import Found, Hit, hits
from tui_chat.core.index import Index, is_busy
from tui_chat.core.indexing import Indexing, Report, reading
from tui_chat.core.moments import Moment
from tui_chat.core.query import Query
from tui_chat.core.records import text_of
from tui_chat.core.shelves import branches, tags
from tui_chat.core.store import Store

__all__ = ["Found", "Hit", "Report", "Search"]

AT_ONCE = 200
"""When no more messages than this are missing, a search adds them to the index first."""
SOON = 0.1
"""Seconds after which hits() answers with what it has."""
_Result = TypeVar("_Result")
_Find = Callable[[Connection, Finder], _Result]


class _Job:
    """Something asked of the search; `about` None is never overtaken."""

    def __init__(self, about: Query | None) -> None:
        self.about = about
        self.stopped = False

    def is_stopped(self) -> bool:
        return self.stopped


class Search:
    """Searches in a database of saved conversations, with an index that may be deleted at any time.

    A call for another query overtakes those that run or wait for an older one: they end with
    asyncio.CancelledError at once, so what is typed never waits for what was typed before. A query
    that asks only for conversations has no hits; the store lists those (Query.shelf). Nothing is made or
    written before build(); call it when searching begins, and again when Found.indexed is False.
    All methods raise ChatError for a database that cannot be read, never for the index.
    """

    def __init__(self, database: Path, index: Path, *, within: Store | None = None) -> None:
        """`within` is a store that only its own connection can read: then the search runs on that, without
        an index, and no file is touched."""
        self._database = database
        self._within = within
        self._indexing = Indexing(database, index, kept=within is None)
        self._lock = threading.Lock()
        self._jobs: set[_Job] = set()
        self._running: _Job | None = None
        self._base: Connection | None = None
        self._index: Index | None = None
        self._closing = False
        self._ranked: tuple[Query, list[Moment]] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")

    # Asking

    async def hits(
        self,
        query: Query,
        *,
        best: bool = False,
        limit: int = 100,
        after: Found | Hit | None = None,
        within: float | None = SOON,
    ) -> Found:
        """Messages that match, newest first; `after` goes on behind a hit or all of them.

        After about so many seconds it answers with those found so far, and `more`; but not before there is
        one. `best` puts the newest 2,000, or those found in a quarter of a second, in order of merit, and
        finds no others.
        """
        place = None if after is None else after.place

        def find(base: Connection, finder: Finder) -> Found:
            if best:
                some = list(islice(self._in_order(finder, query, place), limit + 1))
            else:
                with closing(finder.newest(query, place, within, at_least=1)) as rows:
                    some = list(islice(rows, limit + 1))
            shown = some[:limit]
            if len(some) > limit:
                return Found(hits(base, query, shown), True, finder.by_index, shown[-1])
            more = not best and finder.reached is not None
            reached = finder.reached or (0, 0)
            return Found(hits(base, query, shown), more, finder.by_index, reached)

        return await self._ask(query, find)

    def _in_order(self, finder: Finder, query: Query, after: Moment | None) -> Iterator[Moment]:
        if after is None or self._ranked is None or self._ranked[0] != query:
            self._ranked = (query, finder.best(query))
        rows = self._ranked[1]
        return iter(rows[rows.index(after) + 1 :] if after in rows else rows)

    async def count(self, query: Query) -> int | None:
        """How many messages match; None when there are too many to count in a moment."""
        return await self._ask(query, lambda _, finder: finder.count(query))

    async def ids(self, query: Query) -> list[str]:
        """The ids of all conversations that match, oldest first; never overtaken."""
        return await self._ask(None, lambda _, finder: finder.conversations(query))

    async def branches(self, shelf: Shelf, limit: int = 500) -> tuple[Hit, ...]:
        """The first message of each deleted branch of the shelf's conversations, the last deleted first;
        none of conversations that are in the trash as a whole. Never overtaken."""

        def find(base: Connection, _: Finder) -> tuple[Hit, ...]:
            return hits(base, Query(), branches(base, shelf, limit))

        return await self._ask(None, find)

    async def known(self) -> Known:
        """What filters can be completed with."""

        def find(base: Connection, _: Finder) -> Known:
            models, endpoints, presets = (
                tuple(text_of(row[0]) for row in base.execute(question).fetchall())
                for question in (
                    "SELECT DISTINCT model FROM setup WHERE model<>'' ORDER BY model",
                    "SELECT DISTINCT endpoint FROM setup WHERE endpoint<>'' ORDER BY endpoint",
                    "SELECT DISTINCT preset FROM conversation WHERE preset<>'' ORDER BY preset",
                )
            )
            return Known(models, endpoints, tags(base), presets)

        return await self._ask(None, find)

    async def _ask(self, about: Query | None, find: _Find[_Result]) -> _Result:
        if self._closing:
            raise ChatError("The search is closed already.")
        job = _Job(about)
        if about is not None:
            self._stop(lambda other: other.about not in (None, about))
        with self._lock:
            self._jobs.add(job)
        running: asyncio.Future[_Result] = asyncio.wrap_future(
            self._thread.submit(self._run, job, find)
            if self._within is None
            else self._within.lend(lambda base: self._run(job, find, base))
        )
        try:
            return await asyncio.shield(running)
        except Stopped:
            raise asyncio.CancelledError from None
        except asyncio.CancelledError:
            self._stop(lambda other: other is job)
            running.add_done_callback(_heard)
            raise

    def _stop(self, which: Callable[[_Job], bool]) -> None:
        with self._lock:
            for job in filter(which, self._jobs):
                job.stopped = True
            # Under the lock, so that it is still this job that is interrupted.
            if self._running is not None and self._running.stopped:
                if self._base is not None:
                    self._base.interrupt()
                if self._index is not None:
                    self._index.interrupt()

    def _run(self, job: _Job, find: _Find[_Result], lent: Connection | None = None) -> _Result:
        with self._lock:
            self._running = job
            self._base = lent or self._base
        try:
            if job.stopped:
                raise Stopped
            return self._found(job, find)
        except (Error, OSError) as error:
            if job.stopped:
                raise Stopped from error
            # Here: what the disk does may have to be read for that.
            raise in_words(error, self._database) from error
        finally:
            with self._lock:
                self._running = None
                self._jobs.discard(job)
                self._base = None if lent is not None else self._base

    def _found(self, job: _Job, find: _Find[_Result]) -> _Result:
        """What is found by the index, or without it."""
        if self._base is None:
            self._base = reading(self._database)
        index = self._ready(self._base, job)
        if index is not None:
            try:
                return find(self._base, Finder(self._base, index, job.is_stopped))
            except Error as error:
                if job.stopped:
                    raise
                if not is_busy(error):
                    self._indexing.lost()
                    with suppress(Error, OSError, ChatError):
                        index.reset()
        return find(self._base, Finder(self._base, None, job.is_stopped))

    def _ready(self, base: Connection, job: _Job) -> Index | None:
        """The index, with all messages in it; None where it is not there, or not complete."""
        if not self._indexing.usable:
            return None
        try:
            if self._index is None:
                self._index = Index(self._indexing.path, base)
            if not self._index.belongs():
                return None
            report = self._indexing.report
            ready = self._index.update(job.is_stopped, report, most=AT_ONCE)
        except (Error, OSError, ValueError, ChatError):
            # build() mends it, perhaps with another file in its place.
            self._leave_index()
            return None
        return self._index if ready else None

    # The index

    @property
    def progress(self) -> tuple[int, int]:
        """How many messages of how many are in the index; (0, 0) before anybody looked."""
        return self._indexing.progress

    @property
    def complete(self) -> bool:
        """Whether all messages were in the index when that was last looked at."""
        done, total = self._indexing.progress
        return done >= total > 0

    async def build(self, report: Report | None = None) -> None:
        """Bring the index up to date in a thread of its own; cancelling stops it, to go on the next time.

        `report` is called on the event loop. Ends as well where there can be no index; `complete` tells.
        """
        await self._indexing.build(report)

    async def forget(self) -> None:
        """Empty an index that holds words of messages that were purged since it was made.

        A build that runs begins anew. Without one, searches read the messages until the next build().
        While another window keeps the index busy it stays as it is, but no search uses it any more.
        """
        await self._indexing.forget()

    async def close(self) -> None:
        """End what runs; closing again does nothing."""
        if self._closing:
            return
        self._closing = True
        self._stop(lambda _: True)
        end = self._thread.submit(self._disconnect)
        self._thread.shutdown(wait=False)
        await asyncio.wrap_future(end)
        await self._indexing.close()

    def _disconnect(self) -> None:
        self._leave_index()
        with self._lock:
            if self._base is not None:
                self._base.close()
            self._base = None

    def _leave_index(self) -> None:
        # Under the lock, so that none is interrupted that is closed.
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._index = None


def _heard(future: asyncio.Future[_Result]) -> None:
    """Nobody waits for it any more, so what it ended in is nobody's trouble."""
    if not future.cancelled():
        future.exception()
