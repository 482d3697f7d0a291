"""The index is a file that may be lost, damaged, old or another's: searches stay right, and it is made anew."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.core.library import COLD, found, index_of, kept, message, searching, texts_found
from tests.core.stored import by_hand
from tui_chat.core import database, index, indexing
from tui_chat.core.errors import ChatError
from tui_chat.core.query import parse
from tui_chat.core.search import Search
from tui_chat.core.store import Store

SECRET = "zanzibarsecret"


async def test_nothing_is_made_before_it_is_asked_for(path: Path, store: Store) -> None:
    await kept(store, message("hello"))

    async with searching(path, built=False) as search:
        assert await texts_found(search, "hello") == ["hello"]
        assert not (await found(search, "hello")).indexed
        await search.known()
        assert not search.complete
        await search.forget()
    assert not index_of(path).parent.exists()


async def test_new_messages_are_found_by_the_index_at_once(path: Path, store: Store) -> None:
    async with searching(path) as search:
        for number in range(3):
            await kept(store, message(f"new {number}"))
            assert len((await found(search, "new")).hits) == number + 1
            assert (await found(search, "new")).indexed


async def test_many_new_messages_are_read_until_they_are_indexed(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_chat.core.search.AT_ONCE", 2)
    async with searching(path) as search:
        await kept(store, *(message(f"new {number}") for number in range(5)))
        reading = await found(search, "new")
        assert (len(reading.hits), reading.indexed) == (5, False)
        assert not search.complete

        await search.build()
        built = await found(search, "new")
        assert (len(built.hits), built.indexed) == (5, True)


async def test_a_reply_is_indexed_once_it_is_final(path: Path, store: Store) -> None:
    reply = message("", "assistant", COLD, "streaming")
    await kept(store, message("question"), reply, message("after it"))
    async with searching(path) as search:
        assert await texts_found(search, "answer") == []
        assert (await found(search, "after")).indexed

        await store.append(reply.id, "answer")
        assert await texts_found(search, "answer") == []
        await store.finish(replace(reply, content="answer", status="stopped"))
        assert await texts_found(search, "answer status:stopped") == ["answer"]
        assert await texts_found(search, "answer") == ["answer"]


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database at all" * 1000)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def torn(path: Path) -> None:
    """Pages of the words themselves are gone; the rest is sound."""
    by_hand(path, "UPDATE words_data SET block=x'00' WHERE id>10")


def old(path: Path) -> None:
    by_hand(path, "PRAGMA user_version=1")


def half_made(path: Path) -> None:
    by_hand(path, "DROP TABLE meta")


def of_a_crash(path: Path) -> None:
    by_hand(path, "INSERT OR REPLACE INTO meta VALUES('building', 'an earlier start')")


def written_in(path: Path) -> None:
    by_hand(path, "UPDATE meta SET value='nonsense'")


@pytest.mark.parametrize(
    "damage", [truncated, overwritten, emptied, torn, old, half_made, of_a_crash, written_in]
)
async def test_a_bad_index_is_made_anew(
    path: Path, store: Store, damage: Callable[[Path], None]
) -> None:
    words = [f"hello {'word' * 5}{number} there" for number in range(60)]
    await kept(store, *map(message, words))
    async with searching(path):
        pass
    damage(index_of(path))

    async with searching(path, built=False) as search:
        assert len((await found(search, "hello")).hits) == 60
        await search.build()
        assert search.complete
        rebuilt = await found(search, "hello")
        assert (len(rebuilt.hits), rebuilt.indexed) == (60, True)


async def test_an_index_of_another_database_is_made_anew(
    path: Path, store: Store, tmp_path: Path
) -> None:
    await kept(store, message("one"), message("two"))
    async with searching(path):
        pass
    other = tmp_path / "other.db"
    second = await Store.open(other)
    await kept(second, message("other one"), message("other two"), message("other three"))
    await second.close()

    search = Search(other, index_of(path))
    assert await texts_found(search, "two") == ["other two"]
    await search.build()
    result = await found(search, "one")
    assert ([hit.snippet for hit in result.hits], result.indexed) == (["other one"], True)
    await search.close()


async def test_purged_words_are_gone_from_the_index(path: Path, store: Store) -> None:
    gone = await kept(store, message(f"a {SECRET} that goes"))
    await kept(store, *(message(f"word{number} stays") for number in range(60)))
    async with searching(path) as search:
        assert SECRET.encode() in index_of(path).read_bytes()
        await store.delete([gone])
        await store.purge([gone])
        await search.forget()

        assert SECRET[:6].encode() not in index_of(path).read_bytes()
        assert [one.name for one in index_of(path).parent.iterdir()] == ["search.db"]
        assert await texts_found(search, SECRET) == []
        assert not search.complete
        await search.build()
        assert (await found(search, "word7")).indexed
        assert SECRET[:6].encode() not in index_of(path).read_bytes()


async def test_words_that_a_crash_left_in_the_index_are_gone_after_the_next_start(
    path: Path, store: Store
) -> None:
    gone = await kept(store, message(f"a {SECRET} that goes"))
    await kept(store, message("word stays"))
    async with searching(path):
        pass
    await store.delete([gone])
    await store.purge([gone])
    assert SECRET[:6].encode() in index_of(path).read_bytes(), "nobody came to forget it"

    async with searching(path, built=False) as search:
        assert not (await found(search, "word")).indexed
        await search.forget()
        assert SECRET[:6].encode() not in index_of(path).read_bytes()
        await search.build()
        assert (await found(search, "word")).indexed
        sound = index_of(path).read_bytes()
        await search.forget()
        assert index_of(path).read_bytes() == sound


async def test_what_is_purged_while_another_window_keeps_the_index_is_forgotten_at_the_next_chance(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await kept(store, message(f"a {SECRET} that goes"))
    await kept(store, message("word stays"))
    monkeypatch.setattr(index, "connected", partial(database.connected, busy_seconds=0.05))
    async with searching(path) as search:
        with closing(sqlite3.connect(index_of(path), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await store.delete([gone])
            await store.purge([gone])
            await search.forget()
            assert SECRET[:6].encode() in index_of(path).read_bytes(), "it is held"
            assert not (await found(search, "word")).indexed
            other.execute("ROLLBACK")
        await search.build()
        assert (await found(search, "word")).indexed
        assert SECRET[:6].encode() not in index_of(path).read_bytes()


@pytest.mark.parametrize("at", [1, 3, 6])
async def test_another_windows_build_begins_anew_by_itself_when_something_was_purged(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    gone = await kept(store, message(f"a {SECRET} that goes"))
    await kept(store, *(message(f"word{number} stays") for number in range(50)))
    await store.delete([gone])
    monkeypatch.setattr(index, "BATCH", 10)
    monkeypatch.setattr(index, "READ", 10)
    reports: list[tuple[int, int]] = []

    def purging(done: int, total: int) -> None:
        reports.append((done, total))
        if len(reports) == at:
            asyncio.run(purge())

    async def purge() -> None:
        window = await Store.open(path)
        assert await window.purge([gone]) == 1
        await window.close()

    built = indexing.Indexing(path, index_of(path))
    monkeypatch.setattr(built, "report", purging)
    await built.build()
    await built.close()
    async with searching(path, built=False) as search:
        assert len((await found(search, "stays")).hits) == 50
        assert (await found(search, "stays")).indexed
    assert SECRET[:6].encode() not in index_of(path).read_bytes()


async def test_a_build_that_runs_begins_anew_after_words_were_purged(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await kept(store, message(f"a {SECRET} that goes"))
    await kept(store, *(message(f"word{number} stays") for number in range(50)))
    monkeypatch.setattr(index, "BATCH", 5)
    monkeypatch.setattr(index, "READ", 5)
    async with searching(path, built=False) as search:
        underway = asyncio.Event()
        reports: list[tuple[int, int]] = []

        def report(done: int, total: int) -> None:
            reports.append((done, total))
            underway.set()

        building = asyncio.create_task(search.build(report))
        await underway.wait()
        await store.delete([gone])
        await store.purge([gone])
        await search.forget()
        await building

        assert search.complete
        assert reports[-1] == (51, 51)
        assert len((await found(search, "stays")).hits) == 50
        assert SECRET[:6].encode() not in index_of(path).read_bytes()


async def test_what_is_to_be_forgotten_is_forgotten_before_the_end(
    path: Path, store: Store
) -> None:
    gone = await kept(store, message(f"a {SECRET} that goes"))
    async with searching(path) as search:
        await store.delete([gone])
        await store.purge([gone])
        forgetting = asyncio.create_task(search.forget())
        await asyncio.sleep(0)

    await forgetting
    assert SECRET[:6].encode() not in index_of(path).read_bytes()


async def test_a_build_that_was_stopped_goes_on_where_it_was(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "BATCH", 10)
    monkeypatch.setattr(index, "READ", 10)
    monkeypatch.setattr(index, "SMALL", 0)
    await kept(store, *(message(f"word {number}") for number in range(100)))
    async with searching(path, built=False) as search:
        reached = asyncio.Event()
        stopping = asyncio.create_task(
            search.build(lambda done, _: reached.set() if done >= 20 else None)
        )
        await reached.wait()
        stopping.cancel()
        await asyncio.wait([stopping])
    first: list[int] = []
    async with searching(path, built=False) as search:
        await search.build(lambda done, _: first.append(done))

        assert first[0] >= 20
        assert len((await found(search, "word")).hits) == 100


async def test_two_windows_may_build_at_once(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "BATCH", 10)
    monkeypatch.setattr(index, "READ", 10)
    await kept(store, *(message(f"word {number}") for number in range(60)))
    async with searching(path, built=False) as one, searching(path, built=False) as other:
        await asyncio.gather(one.build(), other.build())

        for search in (one, other):
            assert search.complete
            assert len((await found(search, "word")).hits) == 60
    with closing(sqlite3.connect(index_of(path))) as connection:
        rows = connection.execute("SELECT count(*) FROM words WHERE words MATCH 'word'").fetchall()
    assert rows == [(60,)]


async def test_without_full_text_search_messages_are_read_for_good(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_SCHEMA", ("CREATE VIRTUAL TABLE words USING fts9(text)",))
    await kept(store, message("hello"))
    search = Search(path, index_of(path))

    await search.build()
    await search.build()
    result = await found(search, "hello")

    assert ([hit.snippet for hit in result.hits], result.indexed) == (["hello"], False)
    assert not search.complete
    await search.close()


async def test_a_place_where_nothing_can_be_kept_is_no_trouble(path: Path, store: Store) -> None:
    await kept(store, message("hello"))
    index_of(path).parent.write_text("a file where the directory should be")
    search = Search(path, index_of(path))

    await search.build()

    assert await texts_found(search, "hello") == ["hello"]
    await search.forget()
    await search.close()


async def test_a_database_that_cannot_be_read_is_told_in_words(tmp_path: Path) -> None:
    search = Search(tmp_path / "none.db", tmp_path / "cache" / "search.db")

    with pytest.raises(ChatError, match=r"none\.db"):
        await search.hits(parse("hello"))
    await search.build()
    await search.close()
    await search.close()
    with pytest.raises(ChatError, match="closed"):
        await search.hits(parse("hello"))


async def test_the_store_is_written_to_while_the_index_is_built(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "BATCH", 10)
    monkeypatch.setattr(index, "READ", 10)
    await kept(store, *(message(f"word {number}") for number in range(60)))
    halfway, go_on = threading.Event(), threading.Event()
    reading = indexing.reading

    def held(database_path: Path) -> database.Connection:
        connection = reading(database_path)

        def hold(statement: str) -> None:
            if "seq>" in statement and threading.current_thread().name.startswith("index"):
                halfway.set()
                go_on.wait(10)

        connection.set_trace_callback(hold)
        return connection

    monkeypatch.setattr(indexing, "reading", held)
    async with searching(path, built=False) as search:
        building = asyncio.create_task(search.build())
        await asyncio.to_thread(halfway.wait, 10)
        # The builder is about to read. The store's own patience here is 20 ms.
        await kept(store, message("written meanwhile"))
        go_on.set()
        await building

        assert await texts_found(search, "meanwhile") == ["written meanwhile"]
        assert search.complete
