"""100,000 saved conversations of 6 messages: how long a list, a search and an opening take, at the store.

Each figure is a median beside that of a bare `sqlite3` query that reads the same rows in the same run. Searches
are asked as the screen asks them, by Search.hits with a page of 100; the bar is 100 ms for each figure.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.library import MESSAGES, PHRASE, RARE, fill
from tui_chat.core.conversation import Shelf
from tui_chat.core.hits import Found
from tui_chat.core.query import parse
from tui_chat.core.search import Search
from tui_chat.core.store import Store

CONVERSATIONS = 100_000
BAR = 100.0
"""Milliseconds."""
RUNS = 9
QUERIES = {
    "rare word": RARE,
    "common word": "the",
    "two letters": "co",
    "phrase": f'"{PHRASE}"',
    "two Chinese characters": "的是",
    "acao": "acao",
    "role:": "the role:user",
    "parameter": "the temperature>1",
    "model: and parameter": "model:claude* temperature:0.5 the",
    "status:": "status:interrupted",
    "tag:, few": "the tag:course",
    "tag:, many": "the tag:work",
    "is:starred": "the is:starred",
    "dates": "the after:2024-05 before:2024-06",
    "not": "the -of",
    "no such word": "qqzzq",
    "no such pair": f"{RARE} qqzzq",
}


@dataclass(frozen=True)
class Timing:
    """A median beside that of a bare query of the same rows, in milliseconds, and what is allowed."""

    name: str
    median: float
    bare: float
    note: str = ""
    bar: float = BAR

    @property
    def met(self) -> bool:
        return self.median <= self.bar

    def row(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"{self.name:<34}{self.median:>8.1f} ms   bare {self.bare:>7.2f} ms"
            f"   bar {self.bar:.0f} ms   {verdict}{'   ' if self.note else ''}{self.note}"
        )


def scale(conversations: int = CONVERSATIONS) -> list[Timing]:
    """The list's first page, searches' first hits, opening, and a write while the index is built."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config" / "conversations.db"
        fill(path, conversations)
        return asyncio.run(_measured(path, conversations))


async def _measured(path: Path, conversations: int) -> list[Timing]:
    store = await Store.open(path)
    search = Search(path, path.parent.parent / "cache" / "search.db")
    try:
        with closing(sqlite3.connect(path)) as bare:
            first_hit = await _first_hit(search)
            found = [await _built(store, search, path)]
            found.append(await _listed(store, bare))
            for name, text in QUERIES.items():
                found.append(await _searched(search, bare, name, text))
            found.append(await _opened(store, bare, conversations))
            return [*found, first_hit]
    finally:
        await search.close()
        await store.close()


async def _built(store: Store, search: Search, path: Path) -> Timing:
    """The longest wait of a write, one after the other, while the index is built."""
    # The first write waits until all that the generator wrote is on the disk.
    await store.save_draft("benchmark", "first")
    waits: list[float] = []
    building = asyncio.create_task(search.build())
    began = time.perf_counter()
    while not building.done():
        waits.append(await _took(lambda: store.save_draft("benchmark", str(len(waits)))))
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    assert search.complete
    alone = await _median(lambda: store.save_draft("benchmark", "alone"))
    await store.save_draft("benchmark", "")
    index = path.parent.parent / "cache" / "search.db"
    sizes = " and ".join(f"{one.stat().st_size / 1e6:.0f} MB" for one in (path, index))
    waits.sort()
    note = (
        f"built in {seconds:.0f} s; database and index {sizes}; of {len(waits)} writes the median"
        f" waited {statistics.median(waits):.1f} ms, 1 in 100 over {waits[-1 - len(waits) // 100]:.0f} ms"
    )
    return Timing("longest write during a build", waits[-1], alone, note)


async def _first_hit(search: Search) -> Timing:
    took = await _median(lambda: search.hits(parse("the")))
    found = await search.hits(parse("the"))
    assert not found.indexed
    return Timing("search without an index: first hits", took, 0.0, f"{len(found.hits)} hits")


async def _listed(store: Store, bare: sqlite3.Connection) -> Timing:
    query = "SELECT * FROM conversation WHERE deleted_at IS NULL AND archived=0 ORDER BY updated_at DESC, seq DESC LIMIT 200"
    took = await _median(lambda: store.headlines(Shelf(), limit=200))
    return Timing("list: the first 200", took, _bare(bare, query))


async def _searched(search: Search, bare: sqlite3.Connection, name: str, text: str) -> Timing:
    query = parse(text)
    results: list[Found] = []

    async def ask() -> None:
        results.append(await search.hits(query))

    took = await _median(ask)
    found = results[-1]
    assert found.indexed
    rows = ",".join(str(hit.place[1]) for hit in found.hits)
    same = f"SELECT m.*, c.* FROM message m JOIN conversation c ON c.seq=m.conversation WHERE m.seq IN ({rows})"
    note = f"{len(found.hits)} hits{' and more' if found.more else ''}"
    return Timing(f"search: {name}", took, _bare(bare, same), note)


async def _opened(store: Store, bare: sqlite3.Connection, conversations: int) -> Timing:
    numbers = iter(range(1, conversations, max(1, conversations // 50)))

    async def load() -> None:
        # Those in the trash are not opened; each is a different one.
        while await store.load(f"c{next(numbers):012}") is None:
            pass

    took = await _median(load)
    query = f"SELECT * FROM message WHERE conversation={conversations // 2} ORDER BY seq"
    return Timing(f"open: {MESSAGES} messages", took, _bare(bare, query))


async def _median(job: Callable[[], Awaitable[object]]) -> float:
    return statistics.median([await _took(job) for _ in range(RUNS)])


async def _took(job: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await job()
    return (time.perf_counter() - began) * 1000


def _bare(connection: sqlite3.Connection, query: str) -> float:
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        connection.execute(query).fetchall()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)
