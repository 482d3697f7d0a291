"""Keeping order in the review room: stars, tags, the archive, the trash, several at once."""

from __future__ import annotations

import re
from pathlib import Path

from tests.core.stored import by_hand
from tests.fake_server import FakeServer
from tests.rooms.house import open_house, wait_until
from tests.rooms.library import branched, keep, library, look_for, mark_two, open_review, talk
from tui_chat.core.backups import back_up
from tui_chat.core.conversation import Headline, Shelf
from tui_chat.core.files import Places
from tui_chat.core.store import Store

ALL = Shelf(("kept", "archived", "deleted"))


async def kept(directory: Path) -> dict[str, Headline]:
    """All conversations on disk by title."""
    store = await Store.open(directory / "config" / "conversations.db")
    try:
        return {one.title: one for one in await store.headlines(ALL)}
    finally:
        await store.close()


async def test_several_are_starred_tagged_and_archived_at_once(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await mark_two(house)
            await house.press("s")
            await wait_until(lambda: house.screen_text().count("★") == 2)
            await house.press("number_sign")
            await wait_until(lambda: "Tag 2 conversations" in house.screen_text())
            await house.write("Week-2, #lesson")
            await house.press("enter")
            await wait_until(lambda: house.screen_text().count("#lesson #week-2") == 2)
            await house.press("a")
            await wait_until(lambda: "1 conversation ·" in house.screen_text())
    found = await kept(tmp_path)
    assert {title: (one.state, one.starred, one.tags) for title, one in found.items()} == {
        "one": ("kept", False, ()),
        "two": ("archived", True, ("lesson", "week-2")),
        "three": ("archived", True, ("lesson", "week-2")),
    }


async def test_the_views_show_what_is_starred_archived_and_in_the_trash(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "s", "down", "a")
            await wait_until(lambda: "is:archived shows what is" in house.notices())
            await wait_until(lambda: "2 conversations" in house.screen_text())
            await house.press("G", "delete")
            await wait_until(lambda: "1 conversation ·" in house.screen_text())
            for view, title, words in (
                ("is:starred", "three", "★"),
                ("is:archived", "two", "archived"),
                ("is:deleted", "one", "in the trash until"),
            ):
                await house.press("v")
                await wait_until(lambda view=view: view in house.screen_text())  # type: ignore[misc]
                await wait_until(
                    lambda title=title: f"─ {title} ─" in house.screen_text()  # type: ignore[misc]
                )
                await wait_until(lambda words=words: words in house.screen_text())  # type: ignore[misc]
            await house.press("u")
            await wait_until(lambda: "Restored “one”" in house.notices())
            await wait_until(lambda: "Nothing matches." in house.screen_text())
    assert (await kept(tmp_path))["one"].state == "kept"


async def test_stars_tags_and_the_archive_are_taken_back_by_the_same_keys(tmp_path: Path) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "is:kept is:archived")
            await house.press("tab", "s")
            await wait_until(lambda: "★" in house.screen_text())
            await house.press("s")
            await wait_until(lambda: "★" not in house.screen_text())
            for answer, shown in (("draft", True), ("-draft", False)):
                await house.press("number_sign")
                await wait_until(lambda: "Tag “three”" in house.screen_text())
                await house.write(answer)
                await house.press("enter")
                await wait_until(
                    lambda shown=shown: ("#draft" in house.screen_text()) is shown  # type: ignore[misc]
                )
            await house.press("a")
            await wait_until(lambda: "archived · fake-1" in house.screen_text())
            await house.press("a")
            await wait_until(lambda: "back among those in use" in house.notices())
    assert {(one.state, one.starred, one.tags) for one in (await kept(tmp_path)).values()} == {
        ("kept", False, ())
    }


async def test_what_is_purged_is_gone_from_the_database_and_the_index(tmp_path: Path) -> None:
    await keep(tmp_path, talk("canary question", "canary answer"), talk("other", "words"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "canary", "2 hits")
            assert b"anary" in (tmp_path / "cache" / "search.db").read_bytes()
            await house.press("tab", "delete")
            await wait_until(lambda: "Deleted" in house.notices())
            await house.press("slash", "ctrl+u")
            await look_for(house, "is:deleted", "in the trash until")
            await house.press("tab", "delete")
            await wait_until(lambda: "for good?" in house.screen_text())
            assert "cannot be undone" in house.screen_text()
            await house.press("escape")
            await house.pilot.pause()
            assert (await kept(tmp_path))["canary question"].state == "deleted"
            await house.press("delete")
            await wait_until(lambda: "for good?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "Removed 1 conversation for good" in house.notices())
            await wait_until(lambda: "Nothing matches." in house.screen_text())
    assert set(await kept(tmp_path)) == {"other"}
    held = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert [each for each in held if b"anary" in each.read_bytes().lower()] == []


async def test_before_a_purge_it_is_told_until_when_backups_keep_the_words(tmp_path: Path) -> None:
    await keep(tmp_path, talk("canary question", "canary answer"))
    places = Places(tmp_path / "config", tmp_path / "cache")
    assert back_up(places) is not None
    (places.backups / "pre-v3.db").touch()
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "delete")
            await wait_until(lambda: "Deleted" in house.notices())
            await house.press("slash")
            await look_for(house, "is:deleted", "in the trash until")
            await house.press("tab", "delete")
            await wait_until(lambda: "for good?" in house.screen_text())
            asked = " ".join(re.sub("[│╭╮╰╯]", " ", house.screen_text()).split())
            assert "1 backup in" in asked
            assert "keeps the words until newer ones have taken their place, after 4 weeks" in asked
            assert "pre-v3.db there, from before an upgrade, stays until you delete it." in asked
            await house.press("escape")


async def test_an_open_conversation_in_the_trash_is_not_opened_but_restored(
    tmp_path: Path,
) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("delete")
            await look_for(house, "is:deleted", "in the trash until")
            await house.press("enter")
            await wait_until(lambda: "u in the list brings it back" in house.notices())
            await house.press("tab", "u")
            await wait_until(lambda: "Restored “three”" in house.notices())
            await house.press("slash", "ctrl+u", "enter")
            await wait_until(lambda: house.thread and house.thread[0].content == "three")


async def test_what_has_been_in_the_trash_for_its_days_is_gone_at_a_start(tmp_path: Path) -> None:
    await library(tmp_path)
    database = tmp_path / "config" / "conversations.db"
    by_hand(database, "UPDATE conversation SET deleted_at=1000 WHERE title='two'")
    with FakeServer() as server:
        async with open_house(tmp_path, server):
            await wait_until(
                lambda: by_hand(database, "SELECT count(*) FROM conversation")[0][0] == 2
            )
    assert set(await kept(tmp_path)) == {"one", "three"}


async def test_marks_stay_while_another_search_is_shown_and_several_are_deleted_and_undone(
    tmp_path: Path,
) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "one", "2 hits")
            await house.press("tab", "space", "slash", "ctrl+u")
            await look_for(house, "three", "─ three ─")
            await house.press("tab", "space")
            await wait_until(lambda: "2 marked" in house.screen_text())
            await house.press("delete")
            await wait_until(lambda: "Deleted 2 conversations" in house.notices())
            assert (await kept(tmp_path))["two"].state == "kept"
            await house.press("slash", "ctrl+u")
            await wait_until(lambda: "1 conversation ·" in house.screen_text())
            await house.press("ctrl+z")
            await wait_until(lambda: "3 conversations" in house.screen_text())
    assert {one.state for one in (await kept(tmp_path)).values()} == {"kept"}


async def test_a_deleted_branch_is_found_in_the_trash_and_comes_back(tmp_path: Path) -> None:
    fruit = branched()
    await keep(tmp_path, fruit)
    store = await Store.open(tmp_path / "config" / "conversations.db")
    await store.delete_messages(fruit.branch(fruit.messages[1].id))
    await store.close()
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "apple is:deleted", "1 hit")
            await house.press("tab", "u")
            await wait_until(lambda: "Restored" in house.notices())
            await wait_until(lambda: "Nothing matches." in house.screen_text())
    store = await Store.open(tmp_path / "config" / "conversations.db")
    found = await store.load(fruit.id)
    await store.close()
    assert found is not None
    assert len(found) == len(fruit)


async def test_the_trash_shows_deleted_branches_with_their_text_and_removes_them_alone(
    tmp_path: Path,
) -> None:
    fruit = branched()
    await keep(tmp_path, fruit, talk("other question", "other answer", title="Other"))
    database = tmp_path / "config" / "conversations.db"
    store = await Store.open(database)
    await store.delete_messages(fruit.branch(fruit.messages[1].id))
    await store.delete_messages(fruit.branch(fruit.messages[3].id))
    await store.delete([one.id for one in await store.headlines() if one.title == "Other"])
    await store.close()
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "v", "v", "v")
            await wait_until(lambda: "2 branches, 1 conversation ·" in house.screen_text())
            assert "deleted branch" in house.screen_text()
            await wait_until(lambda: "A pear." in house.screen_text(), "its text, in the preview")
            await house.press("delete")
            await wait_until(lambda: "Remove a branch of “Fruit” for good?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "Removed 1 message for good" in house.notices())
            await wait_until(lambda: "1 branch, 1 conversation ·" in house.screen_text())
            await wait_until(lambda: "And then?" in house.screen_text(), "all of the branch")
            assert b"A pear" not in database.read_bytes()
            await house.press("space", "down", "space", "u")
            await wait_until(lambda: "Restored 1 conversation and 1 branch" in house.notices())
            await wait_until(lambda: "Nothing matches." in house.screen_text())
    store = await Store.open(database)
    found = await store.load(fruit.id)
    assert found is not None
    assert [one.content for one in found.messages] == ["Which fruit?", "An apple.", "And then?"]
    assert {one.title for one in await store.headlines()} == {"Fruit", "Other"}
    await store.close()


async def test_what_is_done_to_marked_lines_spares_the_conversations_of_deleted_branches(
    tmp_path: Path,
) -> None:
    fruit = branched()
    await keep(tmp_path, fruit, talk("other question", title="Other"))
    database = tmp_path / "config" / "conversations.db"
    store = await Store.open(database)
    await store.delete_messages(fruit.branch(fruit.messages[3].id))
    await store.close()
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "is:deleted", "1 branch ·")
            await house.press("tab", "space", "slash", "ctrl+u")
            await look_for(house, "other", "1 hit")
            await house.press("tab", "space")
            await wait_until(lambda: "2 marked" in house.screen_text())
            await house.press("a")
            await wait_until(lambda: "Archived “Other”" in house.notices())
    assert {title: one.state for title, one in (await kept(tmp_path)).items()} == {
        "Fruit": "kept",
        "Other": "archived",
    }


async def test_a_crash_between_purge_and_index_leaves_no_word_at_the_next_start(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, talk("canary question", "canary answer"), talk("other", "words"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await look_for(house, "canary", "2 hits")
        # An index of words keeps of each only what differs from the one before.
        index = tmp_path / "cache" / "search.db"
        assert b"anary" in index.read_bytes()
        store = await Store.open(tmp_path / "config" / "conversations.db")
        ids = [one.id for one in await store.headlines() if one.title.startswith("canary")]
        await store.delete(ids)
        assert await store.purge(ids) == 1
        await store.close()
        assert b"anary" in index.read_bytes()
        async with open_house(tmp_path, server):
            await wait_until(lambda: b"anary" not in index.read_bytes())


async def test_a_title_with_the_marks_of_a_template_is_plain_in_a_dialog(tmp_path: Path) -> None:
    title = "[/INST] hello [red]you"
    await keep(tmp_path, talk("hi", "Hi.", title=title))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "number_sign")
            await wait_until(lambda: f"Tag “{title}”" in house.screen_text())
