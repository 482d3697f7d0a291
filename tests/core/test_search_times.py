"""Hits come in the order in which the messages were said, whenever and however they came to be here."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.library import COLD, found, index_of, kept, message, searching, texts_found
from tests.core.stored import by_hand
from tui_chat.core import finding, index
from tui_chat.core.database import connected
from tui_chat.core.hits import Hit
from tui_chat.core.moments import SCHEMA, Moment, Moments
from tui_chat.core.query import parse
from tui_chat.core.records import LATEST
from tui_chat.core.search import Search
from tui_chat.core.store import Store

NOON = 1_700_000_000_000
MINUTE = 60_000


async def said_at(store: Store, *times: int, text: str = "word") -> list[int]:
    """One conversation of messages that were said at these times."""
    await kept(store, *(message(f"{text} {time}", created=time) for time in times))
    return list(times)


async def in_pages(search: Search, size: int, *, by_hit: bool = False) -> list[Hit]:
    """All hits for `word`, page by page, each after the page before or after its last hit."""
    page = await search.hits(parse("word"), limit=size, within=None)
    shown = list(page.hits)
    while page.more:
        after = shown[-1] if by_hit else page
        page = await search.hits(parse("word"), limit=size, after=after, within=None)
        shown += page.hits
    return shown


@pytest.mark.parametrize("built", [True, False])
async def test_what_was_brought_along_stands_where_it_was_said(
    path: Path, store: Store, built: bool
) -> None:
    times = await said_at(store, *range(NOON, NOON + 10 * MINUTE, MINUTE))
    # An export that lists its newest conversation first, between and before what is here.
    for start in (NOON + 5 * MINUTE + 1, NOON + 2500, NOON - 30 * MINUTE):
        times += await said_at(store, *range(start, start + 4000, 400))
    times += await said_at(store, 0, 4_200_000_000_000, LATEST, 0, 1)
    async with searching(path, built=built) as search:
        assert [hit.created for hit in await in_pages(search, 7)] == sorted(times, reverse=True)
        assert (await found(search, "word")).indexed is built


@pytest.mark.parametrize("built", [True, False])
async def test_of_what_was_said_at_once_the_later_arrival_comes_first(
    path: Path, store: Store, built: bool
) -> None:
    same = [message(f"word {number}", created=NOON) for number in range(30)]
    await kept(store, message("word after", created=NOON + 1), message("word before", created=0))
    await kept(store, *same)
    async with searching(path, built=built) as search:
        wanted = ["word after", *(one.content for one in reversed(same)), "word before"]
        assert [hit.snippet for hit in await in_pages(search, 4, by_hit=True)] == wanted


async def test_messages_come_into_an_index_that_is_there_in_their_order(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "FIRST", 3)
    monkeypatch.setattr(index, "MORE", 2)
    times = await said_at(store, *[NOON] * 20, NOON + 9000)
    async with searching(path) as search, searching(path, built=False) as other:
        for start in (NOON + 5000, NOON - 10, NOON + 1, NOON + 700):
            times += await said_at(store, *range(start, start + 12))
            for one in (search, other):
                shown = await in_pages(one, 5, by_hit=one is other)
                assert [hit.created for hit in shown] == sorted(times, reverse=True)
        assert (await found(search, "word")).indexed
        best = await search.hits(parse("word"), best=True)
        assert len(best.hits) == len(times)


async def test_a_reply_that_took_long_stands_where_it_began(path: Path, store: Store) -> None:
    reply = message("", "assistant", COLD, "streaming", created=NOON)
    await kept(store, message("word first", created=NOON - 1), reply)
    await kept(store, *(message(f"word {number}", created=NOON + number) for number in range(3)))
    async with searching(path) as search:
        await store.finish(replace(reply, content="word reply", status="complete"))

        shown = await texts_found(search, "word")
        assert shown == ["word 2", "word 1", "word 0", "word reply", "word first"]


async def test_pages_go_on_when_the_index_is_there_or_lost_meanwhile(
    path: Path, store: Store
) -> None:
    times = await said_at(store, *range(NOON, NOON + 40))
    times += await said_at(store, *range(NOON - 9000, NOON + 9000, 600))
    async with searching(path, built=False) as search:
        page = await search.hits(parse("word"), limit=10)
        shown = list(page.hits)
        while page.more:
            if page.indexed:
                index.reset(index_of(path))
            else:
                await search.build()
            page = await search.hits(parse("word"), limit=10, after=page)
            shown += page.hits

    assert [hit.created for hit in shown] == sorted(times, reverse=True)


async def test_an_index_in_the_order_of_arrival_is_made_anew(path: Path, store: Store) -> None:
    await said_at(store, NOON, NOON - 1)
    async with searching(path):
        pass
    by_hand(index_of(path), "DROP TABLE moment", "DROP TABLE mixed", "PRAGMA user_version=101")

    async with searching(path, built=False) as search:
        assert not (await found(search, "word")).indexed
        await search.build()
        assert (await found(search, "word")).indexed
        assert [hit.created for hit in (await found(search, "word")).hits] == [NOON, NOON - 1]


async def test_nothing_of_the_order_stays_in_an_index_that_is_emptied(
    path: Path, store: Store
) -> None:
    await said_at(store, *range(NOON, NOON + 50))
    async with searching(path):
        index.reset(index_of(path))
        with closing(sqlite3.connect(index_of(path))) as connection:
            assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []


async def test_messages_are_read_in_their_order_by_an_index_of_the_database(
    path: Path, store: Store
) -> None:
    read: list[str] = []
    await said_at(store, NOON)
    with closing(sqlite3.connect(path)) as connection:
        finder = finding.Finder(connection, None, lambda: False)
        connection.set_trace_callback(read.append)
        assert len(list(finder.newest(parse("word")))) == 1
        connection.set_trace_callback(None)
        for statement in read:
            plan = str(connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall())
            assert "message_said" in plan
            assert "TEMP B-TREE" not in plan
    assert len(read) == 2


NEAR = st.one_of(st.integers(0, 12_000), st.sampled_from([0, 1000, 5000, LATEST]))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(NEAR, max_size=30), max_size=8), st.data())
def test_rows_follow_time_but_in_stretches_that_are_known(
    batches: list[list[int]], data: st.DataObject
) -> None:
    with closing(connected(":memory:")) as connection:
        for statement in SCHEMA:
            connection.execute(statement)
        taken: dict[int, Moment] = {}
        for batch in batches:
            moments = Moments(connection)
            for created in batch:
                moment = created, len(taken)
                place = moments.take(moment)
                assert place >= created // 1000
                assert place not in taken
                taken[place] = moment
        moments = Moments(connection)
        rows = sorted(taken.items(), key=lambda row: row[1])
        for number, (place, _) in enumerate(rows):
            for after, _ in rows[number + 1 :]:
                if after < place:
                    assert moments.mixed(after) == moments.mixed(place) is not None
        below = data.draw(st.tuples(NEAR, st.integers(0, 250)))
        before = [place for place, moment in rows if moment < below]
        last = moments.last_before(below)
        assert last is None if not before else last is not None and max(before) <= last


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(NEAR, min_size=1, max_size=12), min_size=1, max_size=6), st.integers(1, 9))
async def test_pages_of_the_index_are_in_sorted_order(
    tmp_path_factory: pytest.TempPathFactory, talks: list[list[int]], size: int
) -> None:
    path = tmp_path_factory.mktemp("times") / "conversations.db"
    store = await Store.open(path)
    times: list[int] = []
    async with searching(path, built=False) as search:
        for talk in talks:
            times += await said_at(store, *talk)
            await search.build()
            wanted = sorted(((time, seq) for seq, time in enumerate(times, 1)), reverse=True)
            assert [hit.place for hit in await in_pages(search, size, by_hit=True)] == wanted
            assert (await found(search, "word")).indexed
    read = Search(path, path.with_name("none") / "search.db")
    assert [hit.place for hit in await in_pages(read, size)] == wanted
    await read.close()
    await store.close()
