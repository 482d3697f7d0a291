"""100,000 saved conversations of 6 messages: how long a list, a search and an opening take, at the store.

Each figure is a median beside that of a bare `sqlite3` query that reads the same rows in the same run. Searches
are asked as the screen asks them, by Search.hits with a page of 100. The bar is 100 ms for each figure,
but for a search that has to go through nearly everything to find nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks.library import MESSAGES, PHRASE, RARE, fill
from tui_chat.core.hits import Found
from tui_chat.core.query import parse
from tui_chat.core.search import Search
from tui_chat.core.store import Store
from tui_chat.rooms.review.finding import PAGE

CONVERSATIONS = 100_000
BAR = 100.0
"""Milliseconds."""
RUNS = 9
LISTS = ("", "tag:course", "tag:work", "is:starred", "title:acao")
TYPED = "the temperature>1"
LETTER = 0.003
"""Seconds between two letters: so little that most queries are overtaken before they are answered."""
_ROWS = "SELECT m.*, c.* FROM message m JOIN conversation c ON c.seq=m.conversation"
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
    "preset:": "的 preset:course",
    "endpoint:": "code endpoint:claude",
    "title:": "que title:acao",
    "dates": "the after:2024-05 before:2024-06",
    "not": "the -of",
    "no such word": "qqzzq",
    "no such pair": f"{RARE} qqzzq",
}
NEVER = {"a common word, none where it is looked for": "the preset:course"}
"""Each of some 460,000 messages has to be looked at before it is known that there is no hit."""
NEVER_BAR = 1000.0
BEST = {"best match, rare word": RARE, "best match, common word": "the"}


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
            found = [await _first_hit(search, bare), await _built(store, search, path)]
            found += [await _listed(store, bare, text) for text in LISTS]
            found += [await _searched(search, bare, *one) for one in QUERIES.items()]
            found += [await _searched(search, bare, *one, best=True) for one in BEST.items()]
            found += [
                replace(await _searched(search, bare, *one), bar=NEVER_BAR) for one in NEVER.items()
            ]
            found.append(await _typed(search, bare))
            found.append(await _opened(store, bare, conversations))
            return found
    finally:
        await search.close()
        await store.close()


async def _built(store: Store, search: Search, path: Path) -> Timing:
    """What 99 of 100 writes, one after the other, wait at most while the index is built."""
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
        f" waited {statistics.median(waits):.1f} ms, the longest {waits[-1]:.0f} ms"
    )
    name = "write during a build, 99 of 100"
    return Timing(name, waits[-1 - len(waits) // 100], alone, note)


async def _first_hit(search: Search, bare: sqlite3.Connection) -> Timing:
    took = await _median(lambda: search.hits(parse("the")))
    found = await search.hits(parse("the"))
    assert not found.indexed
    same = f"{_ROWS} WHERE m.content LIKE '%the%' ORDER BY m.seq DESC LIMIT {len(found.hits)}"
    note = f"{len(found.hits)} hits"
    return Timing("without an index: common word", took, _bare(bare, same), note)


async def _listed(store: Store, bare: sqlite3.Connection, text: str) -> Timing:
    """The first page of the review room's list."""
    shelf = parse(text).shelf
    lines = await store.headlines(shelf, limit=PAGE)
    ids = ",".join(f"'{line.id}'" for line in lines)
    same = f"SELECT * FROM conversation WHERE id IN ({ids}) ORDER BY updated_at DESC, seq DESC"
    took = await _median(lambda: store.headlines(shelf, limit=PAGE))
    name = f"list: {text or 'all'}, first page"
    return Timing(name, took, _bare(bare, same), f"{len(lines)} lines")


async def _searched(
    search: Search, bare: sqlite3.Connection, name: str, text: str, *, best: bool = False
) -> Timing:
    query = parse(text)
    results: list[Found] = []

    async def ask() -> None:
        results.append(await search.hits(query, best=best))

    took = await _median(ask)
    found = results[-1]
    assert found.indexed
    note = f"{len(found.hits)} hits{' and more' if found.more else ''}"
    return Timing(f"search: {name}", took, _bare(bare, _same(found)), note)


def _same(found: Found) -> str:
    """A bare query of the rows that were found."""
    rows = ",".join(str(hit.place[1]) for hit in found.hits)
    return f"{_ROWS} WHERE m.seq IN ({rows})"


async def _typed(search: Search, bare: sqlite3.Connection) -> Timing:
    """From the last letter of a query to its hits: each letter asks, and overtakes the one before."""
    waits: list[float] = []
    for _ in range(RUNS):
        asked: list[asyncio.Task[Found]] = []
        for end in range(1, len(TYPED) + 1):
            began = time.perf_counter()
            asked.append(asyncio.create_task(search.hits(parse(TYPED[:end]))))
            await asyncio.sleep(LETTER if end < len(TYPED) else 0)
        found = await asked[-1]
        waits.append((time.perf_counter() - began) * 1000)
        await asyncio.wait(asked)
    overtaken = sum(one.cancelled() for one in asked)
    note = f"{len(TYPED)} letters, {overtaken} of the last {len(asked)} queries overtaken; {len(found.hits)} hits"
    name = "search: typed letter by letter"
    return Timing(name, statistics.median(waits), _bare(bare, _same(found)), note)


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
