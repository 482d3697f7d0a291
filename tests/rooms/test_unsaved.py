"""What the disk does not take is marked until it does, can be taken elsewhere, and is written in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import House, open_house, stored, wait_until
from tui_chat.app import help_sections
from tui_chat.core.database import Connection
from tui_chat.core.unsaved import NOT_SAVED

LONG = "word " * 1500
"""More than what is free in a small database."""


@pytest.fixture(autouse=True)
def _retried_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("core.answering", "rooms.chat.drafting", "rooms.completion.keeping"):
        monkeypatch.setattr(f"tui_chat.{module}.RETRY_SECONDS", 0.05)


async def _tell(house: House, pragma: str) -> None:
    """Have SQLite refuse what a disk would, or no more."""
    store = await house.app._world.store()

    def run(connection: Connection) -> None:
        connection.execute(f"PRAGMA {pragma}")

    await store._read(run)


async def _fill(house: House, full: bool = True) -> None:
    await _tell(house, f"max_page_count={1 if full else 1_000_000}")


async def _bar(house: House, on: bool = True) -> None:
    """Have it refuse every write."""
    await _tell(house, f"query_only={int(on)}")


def _top(house: House) -> str:
    return house.screen_text().splitlines()[0]


async def test_a_reply_that_a_full_disk_refuses_is_marked_until_it_is_written(
    tmp_path: Path,
) -> None:
    with FakeServer(Answer((LONG,))) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("at length")
            await _fill(house)
            await house.press("enter")
            await wait_until(lambda: server.chats)
            await house.answered()
            await wait_until(lambda: "not saved: disk full" in _top(house))
            assert "word word" in house.screen_text()
            assert house.chat.topline.losing

            await house.command(f"/export {tmp_path / 'elsewhere.md'}")
            assert LONG.strip() in (tmp_path / "elsewhere.md").read_text()

            await _fill(house, full=False)
            await wait_until(lambda: "not saved" not in _top(house))
            assert (await house.saved()).thread()[-1].content == LONG


async def test_a_prompt_that_cannot_be_written_is_not_sent_and_stays(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await _bar(house)
            await house.write("a question")
            await house.press("enter")
            await wait_until(lambda: "cannot be written to" in house.notices())
            await wait_until(lambda: "not saved: read-only" in _top(house))
            assert house.chat.draft == "a question"
            assert not server.chats

            await _bar(house, on=False)
            await wait_until(lambda: "not saved" not in _top(house))
            assert await (await house.app._world.store()).draft("") == "a question"
            await house.press("enter")
            await wait_until(lambda: server.chats)
            await house.answered()


async def test_a_draft_that_was_left_unsaved_is_written_once_that_can_be(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hello")
            first = house.chat.talk.saved_id
            await _bar(house)
            await house.write("half a thought")
            await house.press("ctrl+n")
            await wait_until(lambda: "not saved: read-only" in _top(house))
            told = house.notices().count("cannot be written to")
            await house.write("another")
            # Nothing but trying again is to come.
            await wait_until(lambda: house.chat._draft_timer is None)

            await _bar(house, on=False)
            await wait_until(lambda: "not saved" not in _top(house))
            store = await house.app._world.store()
            assert await store.draft(first) == "half a thought"
            await wait_until(lambda: not house.chat._drafts.waiting)
            assert house.notices().count("cannot be written to") <= told + 1


async def test_nothing_is_sent_below_a_reply_that_is_not_written(tmp_path: Path) -> None:
    with FakeServer(Answer((LONG,))) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("at length")
            await _fill(house)
            await house.press("enter")
            await wait_until(lambda: server.chats)
            await house.answered()
            await house.write("and then?")
            await house.press("enter")
            await wait_until(lambda: "could not be saved yet" in house.notices())
            assert house.chat.draft == "and then?"

            await _fill(house, full=False)
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            thread = (await house.saved()).thread()
            assert [one.content for one in thread] == ["at length", LONG, "and then?", LONG]


async def test_a_text_that_is_not_saved_is_marked(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("f8")
            await wait_until(lambda: house.app.room is not house.chat)
            await _bar(house)
            await house.write("once upon a time")
            await wait_until(lambda: "not saved: read-only" in _top(house))
            await _bar(house, on=False)
            await wait_until(lambda: "not saved" not in _top(house))


async def test_a_run_that_forgoes_saving_goes_on_in_memory(tmp_path: Path) -> None:
    database = tmp_path / "config" / "conversations.db"
    slow = Answer(words("one two three four five six seven"), delay=0.05)
    with FakeServer(Answer(("kept",))) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("saved before")
            server.answer = slow
            await house.write("on the way")
            await house.press("enter")
            await wait_until(lambda: len(server.sent) > 3)
            await house.app._world.forgo_saving()
            before = database.read_bytes()
            await house.answered()
            assert house.thread[-1].content == "one two three four five six seven"
            assert "not saved" in _top(house)
            assert not house.chat.topline.losing
            await house.press("f1")
            await wait_until(
                lambda: "Quit; what was said in this run is not" in house.screen_text()
            )
            await house.press("escape", "ctrl+p")
            await house.write("quit")
            await wait_until(lambda: "What was said in this run is not" in house.screen_text())
            assert "verything is saved" not in house.screen_text()
            await house.press("escape")

            await house.press("f5")
            await wait_until(lambda: len(server.chats) == 3)
            await house.answered()
            await house.send("and on")
            saved = await house.saved()
            assert [one.content for one in saved.thread()] == [one.content for one in house.thread]
            assert len(saved) == 7
            await house.press("f3")
            await wait_until(lambda: "1 conversation" in house.screen_text())
            await house.write("seven")
            await wait_until(lambda: "3 hits" in house.screen_text())
            await house.press("escape")
    assert database.read_bytes() == before
    (conversation,) = await stored(tmp_path)
    assert [one.content for one in conversation.thread()][:2] == ["saved before", "kept"]


def test_the_help_says_what_the_mark_means_and_what_can_be_done() -> None:
    (section,) = [one for one in help_sections({}) if one.title == "What is saved"]
    assert [name for name, _ in section.rows] == [
        NOT_SAVED,
        "Check what is saved",
        "several windows",
    ]
