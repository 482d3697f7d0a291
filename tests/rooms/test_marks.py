"""What is shown of several conversations that were acted on, and what of them is acted on next."""

from __future__ import annotations

from pathlib import Path

from tests.fake_server import FakeServer
from tests.rooms.house import open_house, wait_until
from tests.rooms.library import keep, library, look_for, mark_two, open_review, talk
from tui_chat.core.store import Store
from tui_chat.rooms.review.screen import ReviewScreen


async def test_a_second_star_takes_the_stars_of_all_that_are_marked_away(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await mark_two(house)
            for stars in (2, 0):
                await house.press("s")
                await wait_until(lambda stars=stars: house.screen_text().count("★") == stars)  # type: ignore[misc]
            assert "2 marked" in house.screen_text()


async def test_what_left_the_view_by_a_key_is_not_marked_any_more(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await mark_two(house)
            await house.press("a")
            await wait_until(lambda: "1 conversation ·" in house.screen_text())
            assert "marked" not in house.screen_text()
            await house.press("delete")
            await wait_until(lambda: "Deleted “one”" in house.notices())
            await house.press("slash")
            await look_for(house, "is:deleted", "in the trash until")
            await house.press("tab", "space", "u")
            await wait_until(lambda: "Restored “one”" in house.notices())
            await wait_until(lambda: "marked" not in house.screen_text())


async def test_the_open_conversation_is_left_when_only_another_one_comes_back(
    tmp_path: Path,
) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("enter")
            await wait_until(lambda: house.thread and house.thread[0].content == "three")
            await open_review(house)
            await mark_two(house)
            await house.press("delete")
            await wait_until(lambda: "Deleted 2 conversations" in house.notices())
            await house.press("slash")
            await look_for(house, "is:deleted", "in the trash until", "2 conversations")
            await house.press("tab", "G", "u")
            await wait_until(lambda: "Restored “two”" in house.notices())
            await house.press("escape")
            await wait_until(lambda: not house.thread)
            await open_review(house)
            await house.press("ctrl+z")
            await wait_until(lambda: "Nothing matches." in house.screen_text())


async def test_a_hit_shows_that_its_conversation_is_starred_or_archived(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "about", "3 hits")
            await house.press("tab", "s")
            await wait_until(lambda: "★ three" in house.screen_text())
            await house.press("a")
            await wait_until(lambda: "archived · fake-1" in house.screen_text())


async def test_the_keys_of_the_trash_are_those_that_do_something_there(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("delete")
            await wait_until(lambda: "Deleted “three”" in house.notices())
            await look_for(house, "is:deleted", "in the trash until")
            await house.press("tab")
            await wait_until(lambda: "u Restore" in house.screen_text())
            keys = house.screen_text().splitlines()[-1]
            assert "del Delete" in keys
            assert not any(word in keys for word in ("Star", "Tag", "Archive"))
            await house.press("s", "a", "number_sign")
            await house.pilot.pause()
            assert "★" not in house.screen_text()
            assert "archived" not in house.notices().lower()


async def test_the_room_comes_back_at_the_hit_that_was_opened(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "about", "3 hits")
            await house.press("down", "enter")
            await wait_until(lambda: house.thread and house.thread[0].content == "two")
            await open_review(house)
            await wait_until(lambda: "─ two ─" in house.screen_text())


async def test_marking_goes_on_to_the_next_conversation_past_its_other_hits(tmp_path: Path) -> None:
    await keep(tmp_path, talk("needle a", "needle b"), talk("needle c", "needle d"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "needle", "4 hits")
            await house.press("tab", "space")
            await wait_until(lambda: house.screen_text().count("✓") == 2)
            await house.press("space")
            await wait_until(lambda: "2 marked" in house.screen_text())
            assert house.screen_text().count("✓") == 4


async def test_each_key_of_a_burst_acts_on_the_line_that_the_keys_before_it_lead_to(
    tmp_path: Path,
) -> None:
    await library(tmp_path)
    down, space, f2 = ("down", "\x00"), ("space", " "), ("f2", "\x00")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab")
            await house.burst(down, space, ("home", "\x00"), down, down, f2)
            await wait_until(lambda: "Rename the conversation" in house.screen_text())
            review = house.app.screen_stack[-2]
            assert isinstance(review, ReviewScreen)
            assert [line.title for line in review.catalogue.marked.values()] == ["two"]
            await house.press("ctrl+u")
            await house.write("Uno")
            await house.press("enter")
            await wait_until(lambda: "Uno" in house.screen_text())
    assert set(await kept_titles(tmp_path)) == {"Uno", "two", "three"}


async def kept_titles(directory: Path) -> list[str]:
    store = await Store.open(directory / "config" / "conversations.db")
    try:
        return [one.title for one in await store.headlines()]
    finally:
        await store.close()
