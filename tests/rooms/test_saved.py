"""The saved conversations: found, opened, renamed, deleted, brought back."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from tests.core.stored import saved
from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import House, open_house, stored, wait_until
from tui_chat.core import loading
from tui_chat.core.database import Connection
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.core.store import Store

DELETE = ("delete", "\x7f")
ESCAPE = ("escape", "\x1b")
ENTER = ("enter", "\r")
UNDO = ("ctrl+z", "\x1a")


async def say_each(house: House, *titles: str) -> None:
    """One conversation for each of these questions, the last one open."""
    for title in titles:
        await house.press("ctrl+n")
        await wait_until(lambda: not house.thread)
        await house.send(title)


async def open_list(house: House) -> None:
    """Open the list and wait for its lines."""
    await house.press("f3")
    await wait_until(lambda: "newest first" in house.screen_text())


async def test_an_old_conversation_opens_with_the_setup_of_its_last_reply(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("Primeira ação")
            await house.press("ctrl+n")
            await wait_until(lambda: not house.thread)
            await house.command("/temperature 1.5")
            await house.send("second")
            await house.press("f3")
            await wait_until(lambda: "Primeira ação" in house.screen_text())
            await house.write("acao")
            await wait_until(lambda: "second" not in house.screen_text().split("Saved")[1])
            await house.press("enter")
            await wait_until(lambda: house.thread and house.thread[0].content == "Primeira ação")
            await wait_until(lambda: house.chat.setup.params["temperature"] == 0.3)
            await house.send("go on")
        assert server.chats[-1]["messages"][0]["content"] == "Primeira ação"
        assert server.chats[-1]["temperature"] == 0.3


async def test_a_conversation_is_renamed(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("old name")
            await house.press("f3")
            await wait_until(lambda: "newest first" in house.screen_text())
            await house.press("f2")
            await wait_until(lambda: "Rename the conversation" in house.screen_text())
            await house.write(" [/]!")
            await house.press("enter")
            await wait_until(lambda: "old name [/]!" in house.screen_text())
            await house.press("escape")
    assert [one.title for one in await stored(tmp_path)] == ["old name [/]!"]


async def test_deleting_can_be_undone(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("do not lose me")
            await house.press("f3")
            await wait_until(lambda: "newest first" in house.screen_text())
            await house.press("delete")
            await wait_until(lambda: "Nothing is saved yet" in house.screen_text())
            await house.press("ctrl+z")
            await wait_until(lambda: "newest first" in house.screen_text())
            await house.press("escape")
    assert [one.title for one in await stored(tmp_path)] == ["do not lose me"]


async def test_deleting_the_open_conversation_begins_a_new_one(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("gone")
            await house.press("f3")
            await wait_until(lambda: "newest first" in house.screen_text())
            await house.press("delete")
            await wait_until(lambda: "Nothing is saved yet" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: not house.thread)
            await house.send("next")
    assert [one.title for one in await stored(tmp_path)] == ["next"]


@pytest.mark.parametrize("locked", [False, True])
async def test_two_deletes_in_a_burst_take_two_lines(tmp_path: Path, locked: bool) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await say_each(house, "one", "two", "three")
            await open_list(house)
            other = sqlite3.connect(tmp_path / "config" / "conversations.db", isolation_level=None)
            if locked:
                other.execute("BEGIN IMMEDIATE")
            await house.burst(DELETE, DELETE)
            await house.pilot.pause()
            if locked:
                other.execute("COMMIT")
            other.close()
            await wait_until(lambda: house.notices().count("Deleted") == 2)
            await house.press("escape")
    assert [one.title for one in await stored(tmp_path)] == ["one"]


async def test_a_delete_and_an_undo_in_a_burst_leave_all_as_it_was(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await say_each(house, "one", "two")
            await open_list(house)
            await house.burst(DELETE, UNDO, DELETE, UNDO, UNDO)
            await wait_until(lambda: house.notices().count("Deleted") == 2)
            await wait_until(
                lambda: all(one in house.screen_text().split("Saved")[1] for one in ("one", "two"))
            )
            await house.press("escape")
    assert sorted(one.title for one in await stored(tmp_path)) == ["one", "two"]


async def test_a_list_that_is_closed_at_once_still_deletes(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await say_each(house, "one", "two")
            await open_list(house)
            await house.burst(DELETE, ESCAPE)
            await wait_until(lambda: "Deleted “two”" in house.notices())
            await wait_until(lambda: not house.thread)
            await house.burst(("f3", "\x00"), ESCAPE, ("f3", "\x00"), ESCAPE)
            await wait_until(lambda: house.app.screen is house.chat)
    assert [one.title for one in await stored(tmp_path)] == ["one"]


async def test_what_was_deleted_comes_back_after_the_list_was_closed(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await say_each(house, "one", "two", "three")
            await open_list(house)
            await house.press("delete", "delete")
            await wait_until(lambda: house.notices().count("Deleted") == 2)
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
            await open_list(house)
            assert "^Z Undo delete" in house.screen_text()
            await house.press("ctrl+z")
            await wait_until(lambda: "two" in house.screen_text().split("Saved")[1])
            assert "three" not in house.screen_text().split("Saved")[1]
            await house.press("ctrl+z")
            await wait_until(lambda: "three" in house.screen_text().split("Saved")[1])
            assert "^Z Undo delete" not in house.screen_text()


async def test_the_cursor_stays_at_its_place_when_a_line_is_deleted(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await say_each(house, "one", "two", "three", "four")
            await open_list(house)
            await house.press("down", "delete")
            await wait_until(lambda: "Deleted “three”" in house.notices())
            await house.press("delete")
            await wait_until(lambda: "Deleted “two”" in house.notices())
            await house.press("delete")
            await wait_until(lambda: "Deleted “one”" in house.notices())
            await house.press("escape")
    assert [one.title for one in await stored(tmp_path)] == ["four"]


async def test_deleting_the_conversation_that_is_answered_stops_the_reply(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.02)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("talk")
            await house.press("enter")
            await wait_until(lambda: len(server.sent) > 5)
            await open_list(house)
            await house.press("delete", "escape")
            await wait_until(lambda: not house.thread)
            await wait_until(lambda: server.disconnects)
            assert not house.chat.answering
            assert "still arriving" not in house.notices()
    assert not await stored(tmp_path)


async def test_enter_waits_for_the_list_that_fits_what_was_typed(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await say_each(house, "apple", "pear", "plum")
            await open_list(house)
            await house.burst(*((letter, letter) for letter in "apple"), ENTER)
            await wait_until(lambda: house.thread and house.thread[0].content == "apple")


async def test_the_end_of_a_long_conversation_is_seen_before_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = threading.Event()
    more = loading.Loading.more

    def slow(one: loading.Loading, connection: Connection) -> bool:
        assert held.wait(30)
        return more(one, connection)

    texts = [f"message number {number} of all" for number in range(loading.END + 9)]
    store = await Store.open(tmp_path / "config" / "conversations.db")
    await saved(store, *texts)
    await store.close()
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_list(house)
            await wait_until(lambda: texts[-1] in house.screen_text(), "the preview is there")
            monkeypatch.setattr(loading.Loading, "more", slow)
            await house.press("enter")
            await wait_until(lambda: house.app.screen is house.chat)
            await wait_until(lambda: texts[-1] in house.screen_text())
            assert not house.thread
            # Nobody need wait with writing, and what is sent goes where it is meant to.
            await house.write("go on")
            await house.press("enter")
            assert server.chats == []
            held.set()
            await wait_until(lambda: len(house.thread) > len(texts))
            await house.answered()
            assert texts[0] in house.chat.transcript.messages[0].content
        assert len(server.chats[0]["messages"]) == len(texts) + 1
