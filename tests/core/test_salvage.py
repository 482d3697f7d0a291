"""Of a damaged database all is read that can be, each text to the letter, in the place that it had."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.core.broken import PAGE, contents, filled, inner_pages, pages_of, places_in, spoil
from tests.core.stored import by_hand, saved
from tests.nightly import NIGHTLY
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.salvage import LOST_TEXT, Salvaged, salvage
from tui_chat.core.store import Store

DAMAGES = 200 if NIGHTLY else 5


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


def _salvaged(places: Places) -> tuple[Salvaged, Path]:
    fresh = places.config / "fresh.db"
    fresh.unlink(missing_ok=True)
    fresh.touch()
    return salvage(places.database, fresh), fresh


async def test_a_bad_page_costs_only_what_stood_on_it(places: Places) -> None:
    count = filled(places)
    before = contents(places.database)
    pages = pages_of(places.database, "message")
    spoil(places.database, pages[len(pages) // 2])

    found, fresh = _salvaged(places)

    after = contents(fresh)
    assert (found.conversations, found.messages) == (12, len(after))
    assert count - 20 <= len(after) < count
    assert count - len(after) <= found.lost <= 20
    assert set(after) < set(before)


async def test_bad_pages_beside_the_messages_cost_none(places: Places) -> None:
    filled(places)
    before = contents(places.database)
    spoil(places.database, *pages_of(places.database, "conversation"))

    found, fresh = _salvaged(places)

    assert contents(fresh) == before
    assert (found.conversations, found.lost) == (12, 0)
    titles = by_hand(fresh, "SELECT title FROM conversation ORDER BY seq")
    assert titles[3] == ("3 0",)
    assert by_hand(fresh, "PRAGMA foreign_key_check") == []


async def test_a_message_whose_text_is_lost_keeps_its_place(places: Places) -> None:
    store = await Store.open(places.database)
    conversation = await saved(store, "short", "x" * 3 * PAGE, "after it")
    await store.close()
    raw = places.database.read_bytes()
    at = raw.index(b"x" * 2000) // PAGE
    # The number of the next page of the text leads nowhere.
    with places.database.open("r+b") as file:
        file.seek(at * PAGE if raw[at * PAGE] != 13 else (at + 1) * PAGE)
        file.write(b"\xff\xff\xff\xff")

    found, fresh = _salvaged(places)

    assert found == Salvaged(1, 3, 1)
    fresh.replace(places.database)
    store = await Store.open(places.database)
    again = await store.load(conversation.id)
    await store.close()
    assert again is not None
    assert [message.content for message in again.thread()] == ["short", "", "after it"]
    assert again.thread()[1].error == LOST_TEXT


async def test_what_was_cut_off_costs_no_more_than_that(places: Places) -> None:
    filled(places)
    before = contents(places.database)
    os.truncate(places.database, places.database.stat().st_size // 2)

    _, fresh = _salvaged(places)

    after = contents(fresh)
    assert len(after) > len(before) // 4
    lost = by_hand(fresh, "SELECT content FROM message WHERE error=?", given=(LOST_TEXT,))
    assert all(any(whole.startswith(str(part)) for whole in before) for (part,) in lost)
    assert set(after) - {part for (part,) in lost} < set(before)


async def test_an_older_shape_is_read_into_the_present_one(places: Places) -> None:
    filled(places, conversations=2)
    before = contents(places.database)
    by_hand(places.database, "DROP TABLE tag", "DROP TABLE probabilities")
    _, fresh = _salvaged(places)
    assert contents(fresh) == before


async def test_where_the_pages_above_them_are_bad_the_messages_are_read_off_their_own(
    places: Places,
) -> None:
    count = filled(places, conversations=200)
    before = contents(places.database)
    ((root,),) = by_hand(places.database, "SELECT rootpage FROM sqlite_master WHERE name='message'")
    inner, leaves = inner_pages(places.database, "message"), pages_of(places.database, "message")
    assert (count, inner[0]) == (2000, root)
    assert len(inner) > 2
    spoil(places.database, *inner[:2], leaves[len(leaves) // 2])

    found, fresh = _salvaged(places)

    after = contents(fresh)
    assert set(after) < set(before)
    assert count - 20 <= len(after) == found.messages < count
    assert (found.conversations, found.lost) == (200, count - len(after))
    assert by_hand(fresh, "PRAGMA foreign_key_check") == []


async def test_where_the_first_page_is_bad_all_is_read_off_the_others(places: Places) -> None:
    filled(places)
    before = contents(places.database)
    spoil(places.database, 1)

    found, fresh = _salvaged(places)

    assert contents(fresh) == before
    assert (found.conversations, found.messages) == (12, len(before))
    titles = by_hand(fresh, "SELECT title FROM conversation ORDER BY seq")
    assert titles[3] == ("conversation 3",)


async def test_what_was_removed_does_not_come_back_off_a_page(places: Places) -> None:
    filled(places)
    store = await Store.open(places.database)
    gone = [one.id for one in await store.headlines(limit=4)]
    await store.delete(gone)
    await store.purge(gone)
    await store.close()
    left = contents(places.database)
    spoil(places.database, 1)

    _, fresh = _salvaged(places)

    assert contents(fresh) == left


async def test_where_nothing_can_be_read_that_is_said(places: Places) -> None:
    filled(places, conversations=1)
    spoil(places.database, *range(1, places.database.stat().st_size // PAGE + 1))
    with pytest.raises(ChatError, match="Nothing could be read of"):
        _salvaged(places)


async def test_any_damage_ends_and_gives_a_sound_database_or_none(places: Places) -> None:
    filled(places)
    whole = places.database.read_bytes()
    known = set(contents(places.database))
    chance = random.Random(1)
    read = 0
    for _ in range(DAMAGES):
        raw = bytearray(whole)
        for _ in range(chance.choice((1, 3, 10))):
            at, length = chance.randrange(200, len(raw)), chance.choice((1, 40, 4096, 9000))
            source = chance.randrange(len(raw))
            raw[at : at + length] = chance.choice(
                (chance.randbytes(length), bytes(length), whole[source : source + length])
            )[: len(raw) - at]
        if chance.random() < 0.3:
            del raw[chance.randrange(PAGE, len(raw)) :]
        places.database.write_bytes(raw)
        try:
            _, fresh = _salvaged(places)
        except ChatError:
            continue
        read += len(known & set(contents(fresh)))
    assert read > DAMAGES * len(known) // 3
