"""Builds the index in a thread of its own, tells how far it is, and empties it when words must go."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from tui_chat.core.database import Connection, Error, connected_to_read, decoded
from tui_chat.core.errors import ChatError
from tui_chat.core.index import Index, is_busy, reset

Report = Callable[[int, int], None]
"""Told how many messages of how many are in the index."""


def reading(database: Path) -> Connection:
    """A connection that reads the saved conversations, also rows that someone edited by hand."""
    connection = connected_to_read(database, any_thread=True)
    connection.text_factory = decoded
    return connection


class Indexing:
    """The index of a database as something that is made. Nothing that befalls it is raised."""

    def __init__(self, database: Path, path: Path, *, kept: bool = True) -> None:
        """Without `kept` there is none, and the file at this path is left alone."""
        self.path = path
        self.progress = (0, 0)
        self._kept = kept
        self.impossible = not kept
        """There can be no index: SQLite lacks FTS5, or there is no place to write to."""
        self._database = database
        self._forgetting = 0
        self._closing = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")

    @property
    def usable(self) -> bool:
        """Whether there may be an index to look at."""
        return not self.impossible and not self._forgetting and self.path.exists()

    def report(self, done: int, total: int) -> None:
        self.progress = (done, total)

    async def build(self, report: Report | None = None) -> None:
        """As Search.build."""
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def told(done: int, total: int) -> None:
            self.report(done, total)
            if report is not None:
                with suppress(RuntimeError):  # The loop ended before this thread did.
                    loop.call_soon_threadsafe(report, done, total)

        try:
            ended = False
            while not ended and not self._closing:
                running = asyncio.wrap_future(self._thread.submit(self._build, stop, told))
                ended = await asyncio.shield(running)
        finally:
            stop.set()

    def _build(self, stop: threading.Event, report: Report) -> bool:
        """Whether it is at its end; not when it was stopped only to forget the index."""

        def stopped() -> bool:
            time.sleep(0.001)  # Whoever waits to write to the database comes first.
            return stop.is_set() or self._closing or self._forgetting > 0

        # Once more, from nothing, when the file was bad.
        for _ in range(2):
            if stopped() or self.impossible:
                break
            try:
                with self._opened() as index:
                    index.update(stopped, report)
                break
            except (Error, ValueError) as error:
                self.impossible = "no such module" in str(error)
                if not isinstance(error, Error) or not is_busy(error):
                    self._reset()
            except (OSError, ChatError):
                self.impossible = True
        return not self._forgetting

    async def forget(self) -> None:
        """As Search.forget."""
        self._forgetting += 1
        try:
            await asyncio.shield(asyncio.wrap_future(self._thread.submit(self._forget)))
        finally:
            self._forgetting -= 1

    def _forget(self) -> None:
        if self._kept and self.path.exists() and not self._good():
            self.lost()
            self._reset()

    def _good(self) -> bool:
        """Whether it is the index of what is in the database now."""
        try:
            with self._opened() as index:
                return index.belongs()
        except (Error, ValueError, OSError, ChatError):
            return False

    def lost(self) -> None:
        """There is no index any more."""
        self.progress = (0, self.progress[1])

    def _reset(self) -> None:
        with suppress(Error, OSError):
            reset(self.path)

    @contextmanager
    def _opened(self) -> Iterator[Index]:
        base = reading(self._database)
        try:
            index = Index(self.path, base)
            try:
                yield index
            finally:
                index.close()
        finally:
            base.close()

    async def close(self) -> None:
        """Stop building; what was to be forgotten is forgotten first."""
        self._closing = True
        await asyncio.to_thread(self._thread.shutdown)
