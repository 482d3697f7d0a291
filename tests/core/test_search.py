"""Saved messages are found by their words and by what made them, with an index and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.library import COLD, HOT, found, kept, message, searching, texts_found
from tests.core.stored import by_hand, texts
from tests.core.test_query import typed
from tui_chat.core.conversation import Setup
from tui_chat.core.query import Known, parse
from tui_chat.core.search import Search
from tui_chat.core.store import Store

DAY = 86_400_000


@pytest.fixture(params=["index", "reading"])
async def search(path: Path, store: Store, request: pytest.FixtureRequest) -> AsyncIterator[Search]:
    """A search that has an index, or has none, in some conversations."""
    first = await kept(
        store,
        message("Qual é a ação?", created=1_768_000_000_000),
        message("A capital é Brasília", "assistant", HOT, created=1_768_000_000_000 + DAY),
        message("Brasil wrote it", "assistant", COLD, "interrupted"),
        title="Plano ação",
        preset="Course",
    )
    await kept(
        store, message("你好世界 capitals"), message("", "assistant", HOT, reasoning="deep thought")
    )
    old = await kept(store, message("put aside capital"), title="Old")
    gone = await kept(store, message("thrown away capital"), title="Gone")
    await store.archive([old])
    await store.delete([gone])
    await store.star([first])
    await store.tag([first], "work")
    async with searching(path, built=request.param == "index") as opened:
        assert (await found(opened, "capital")).indexed is (request.param == "index")
        yield opened


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("acao", ["Qual é a ação?"]),
        ("AÇÃO", ["Qual é a ação?"]),
        ("好世", ["你好世界 capitals"]),
        ("世好", []),
        ("bra", ["A capital é Brasília", "Brasil wrote it"]),
        ("brasil", ["A capital é Brasília", "Brasil wrote it"]),
        ('"brasil"', ["Brasil wrote it"]),
        ('"capital é"', ["A capital é Brasília"]),
        ('"é capital"', []),
        ("capital brasilia", ["A capital é Brasília"]),
        ("a", ["A capital é Brasília", "Qual é a ação?"]),
        ("thought", ["deep thought"]),
        ("capital", ["A capital é Brasília", "put aside capital", "你好世界 capitals"]),
        ("capital -brasilia", ["put aside capital", "你好世界 capitals"]),
        ("capital -capitals -aside", ["A capital é Brasília"]),
        ("-capital role:user", ["Qual é a ação?", "你好世界 capitals"]),
        ("role:user capital", ["put aside capital", "你好世界 capitals"]),
        ("-role:user bra", ["A capital é Brasília", "Brasil wrote it"]),
        ("model:gpt*", ["A capital é Brasília", "deep thought"]),
        ("model:LLAMA", ["Brasil wrote it"]),
        ("model:none", []),
        ("endpoint:lab", ["Brasil wrote it"]),
        ("temperature>1 bra", ["A capital é Brasília"]),
        ("temperature:0", ["Brasil wrote it"]),
        ("-temperature:0", ["A capital é Brasília", "deep thought"]),
        ("seed:7 thought", ["deep thought"]),
        ("top-p:1", []),
        ("status:interrupted", ["Brasil wrote it"]),
        ("status:complete bra", ["A capital é Brasília"]),
        ("tag:WORK bra", ["A capital é Brasília", "Brasil wrote it"]),
        ("tag:none bra", []),
        ("title:acao capital", ["A capital é Brasília"]),
        ("preset:cour* capital", ["A capital é Brasília"]),
        ("preset:cour capital", []),
        ("is:starred capital", ["A capital é Brasília"]),
        ("-is:starred capital", ["put aside capital", "你好世界 capitals"]),
        ("is:archived capital", ["put aside capital"]),
        ("is:kept capital", ["A capital é Brasília", "你好世界 capitals"]),
        ("is:deleted capital", ["thrown away capital"]),
        ("is:deleted is:archived capital", ["thrown away capital", "put aside capital"]),
        ("after:2026-01 capital", ["A capital é Brasília"]),
        ("after:2026-01 before:2026-01-10 capital", []),
        ("before:2025 capital", ["put aside capital", "你好世界 capitals"]),
        ("after:2030 capital", []),
        ("after:2026-02 before:2026-01 capital", []),
        ("role:king capital", []),
        ("is:starred", []),
        ("", []),
    ],
)
async def test_messages_are_found(search: Search, query: str, hits: list[str]) -> None:
    assert await texts_found(search, query) == hits
    if parse(query).of_messages:
        assert await search.count(parse(query)) == len(hits)


async def test_a_hit_says_all_about_its_message(search: Search) -> None:
    (hit,) = (await found(search, "brasilia capital")).hits

    assert (hit.title, hit.state, hit.starred) == ("Plano ação", "kept", True)
    assert (hit.role, hit.status, hit.setup) == ("assistant", "complete", HOT)
    assert hit.created == 1_768_000_000_000 + DAY
    assert [hit.snippet[start:end] for start, end in hit.spans] == ["capital", "Brasília"]


async def test_conversations_are_found_for_an_export(search: Search, store: Store) -> None:
    first, second = await store.ids(parse("").shelf)

    assert await search.ids(parse("capital is:kept")) == [first, second]
    assert await search.ids(parse("bra")) == [first]
    assert await search.ids(parse("tag:work")) == [first]
    assert await search.ids(parse("role:king")) == []


async def test_what_is_there_completes_filters(search: Search) -> None:
    assert await search.known() == Known(
        ("gpt-4o", "llama-3"), ("Lab", "home"), ("work",), ("Course",)
    )


async def test_messages_in_the_trash_are_found_only_there(search: Search, store: Store) -> None:
    (hit,) = (await found(search, "wrote")).hits
    await store.delete_messages([hit.message])

    assert await texts_found(search, "wrote") == []
    (again,) = (await found(search, "wrote is:deleted")).hits
    assert (again.message, again.state) == (hit.message, "deleted")


async def test_hits_come_in_pages(search: Search, store: Store) -> None:
    await kept(store, *(message(f"page {number}") for number in range(10, 35)))
    query = parse("page")

    for best in (False, True):
        page = await search.hits(query, limit=10, best=best)
        shown = list(page.hits)
        while page.more:
            after = page if len(shown) < 20 else shown[-1]
            page = await search.hits(query, limit=10, best=best, after=after)
            shown += page.hits
        assert [hit.snippet for hit in shown] == [
            f"page {number}" for number in reversed(range(10, 35))
        ]


async def test_the_best_match_has_the_words_most_often_and_whole(
    search: Search, store: Store
) -> None:
    wanted = ["tree", "tree " + "other " * 20 + "end", "trees", "trees " + "other " * 20 + "end"]
    for text in (wanted[2], wanted[0], wanted[3], wanted[1]):
        await kept(store, message(text))

    best = await search.hits(parse("tree"), best=True)

    assert [hit.snippet for hit in best.hits] == wanted


@pytest.mark.parametrize(
    ("text", "snippet"),
    [
        ("one\n\n  two   words\there", "one two words here"),
        ("x" * 300 + " words " + "y" * 300, None),
        ("many " * 100 + "words at last", None),
        ("words", "words"),
    ],
)
async def test_a_snippet_is_one_short_line_around_the_first_match(
    search: Search, store: Store, text: str, snippet: str | None
) -> None:
    await kept(store, message(text))

    (hit,) = (await found(search, "words")).hits

    assert snippet in (None, hit.snippet)
    assert len(hit.snippet) < 260
    assert "\n" not in hit.snippet
    (span,) = hit.spans
    assert hit.snippet[slice(*span)] == "words"


@pytest.mark.parametrize("piece", ["many words ", "muita conversa não é ação ", "多くの言葉"])
@pytest.mark.parametrize("field", ["content", "reasoning"])
async def test_a_match_at_the_end_of_a_megabyte_is_shown(
    search: Search, store: Store, piece: str, field: str
) -> None:
    long = piece * (1_000_000 // len(piece.encode())) + "and the Nêedle at\x1b last"
    said = message(long, "assistant")
    if field == "reasoning":
        said = message("short", "assistant", reasoning=long)
    await kept(store, said)

    (hit,) = (await found(search, "needle")).hits

    assert [hit.snippet[start:end] for start, end in hit.spans] == ["Nêedle"]
    assert hit.snippet.startswith("…")
    assert hit.snippet.endswith("the Nêedle at␛ last")
    assert len(hit.snippet) < 260


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(typed)
async def test_any_query_gives_results_or_none(search: Search, text: str) -> None:
    query = parse(text)
    page = await search.hits(query)

    assert await search.count(query) == len(page.hits)
    await search.hits(query, best=True)
    await search.ids(query)


WORDS = ["ação", "acao", "Ana", "an", "年", "年月", "don't", "x_y", "ß", "SS", "한", "é", "a", "🙂"]
corpus = st.lists(
    st.lists(st.one_of(st.sampled_from(WORDS), texts), max_size=5).map(" ".join),
    min_size=1,
    max_size=8,
)
asked = st.lists(st.sampled_from([*WORDS, '"an an"', "-an", "-年", "role:user", "x y"]), max_size=3)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(corpus, st.lists(asked.map(" ".join), min_size=1, max_size=6))
async def test_the_index_finds_what_reading_finds(
    tmp_path_factory: pytest.TempPathFactory, said: list[str], queries: list[str]
) -> None:
    path = tmp_path_factory.mktemp("corpus") / "conversations.db"
    store = await Store.open(path)
    for place, text in enumerate(said):
        await kept(store, message(text, "assistant" if place % 2 else "user"))
    await store.close()
    read = Search(path, path.with_name("none") / "search.db")
    async with searching(path) as indexed:
        for query in queries:
            by_index, by_reading = await found(indexed, query), await found(read, query)
            assert by_index.hits == by_reading.hits
            assert (by_index.indexed, by_reading.indexed) == (True, False)
    await read.close()


async def test_a_newer_query_overtakes_older_ones(search: Search, store: Store) -> None:
    old = [asyncio.create_task(search.hits(parse(f"nothing{n}"))) for n in range(20)]
    same = asyncio.create_task(search.count(parse("capital")))
    ids = asyncio.create_task(search.ids(parse("bra")))
    await asyncio.sleep(0)
    newest = await search.hits(parse("capital"))

    assert len(newest.hits) == 3
    await asyncio.wait([*old, same, ids])
    assert all(task.cancelled() for task in old[1:])
    assert await same == 3
    assert len(await ids) == 1


async def test_a_search_that_nobody_waits_for_stops(search: Search) -> None:
    asking = asyncio.create_task(search.hits(parse("capital")))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])

    assert asking.cancelled()
    assert len((await search.hits(parse("capital"))).hits) == 3


async def test_rows_that_were_edited_by_hand_are_found_too(
    search: Search, store: Store, path: Path
) -> None:
    await kept(store, message("edited words"), message("more words", "assistant", Setup("e", "m")))
    by_hand(
        path,
        "UPDATE message SET content=CAST(x'776f726473ff20796573' AS TEXT), created_at='soon'"
        " WHERE content='edited words'",
        "UPDATE setup SET params='{' WHERE model='m'",
        "UPDATE message SET role='king', usage=3 WHERE content='more words'",
    )

    first, second = (await found(search, "words")).hits

    assert first.role == "user"
    assert second.snippet == "words\ufffd yes"
    assert second.created == 0
