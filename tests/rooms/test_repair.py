"""Where the saved conversations cannot be used it is asked what to do, and what is on the screen is not lost."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest
from textual.keys import _character_to_key

from tests.core.broken import contents, filled, killed_in, pages_of, places_in, spoil
from tests.core.stored import by_hand
from tests.fake_server import Answer, FakeServer
from tests.rooms.asked import asked, choose, take
from tests.rooms.house import House, open_house, stored, wait_until
from tui_chat.core.backups import back_up, backups
from tui_chat.core.files import Places
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store
from tui_chat.widgets import storing_app, unasked

TITLE = "The saved conversations cannot be used"


@pytest.fixture(autouse=True)
def hears_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unasked, "HEARS_AFTER", 0.05)


async def _type(house: House, line: str) -> None:
    """Type a line and Enter, without a look at what they do."""
    await house.burst(*((_character_to_key(one), one) for one in line), ("enter", "\r"))


async def _written(house: House) -> None:
    """Wait until nothing is being written: it would write good pages over bad ones."""
    kept = ("session", "draft", "talk", "trash")
    await wait_until(lambda: not any(one.group in kept for one in house.app.workers))
    await (await house.app._world.store()).count()


async def test_at_the_start_a_backup_is_brought_back_by_keys(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=3)
    back_up(places)
    os.truncate(places.database, 20_000)
    raw = places.database.read_bytes()
    with FakeServer() as server:
        async with open_house(tmp_path, server, ready=asked) as house:
            screen = house.screen_text()
            assert "is damaged." in screen
            assert "gets another name" in screen
            assert ": 3 conversations, 30" in screen
            await take(house, "Bring back")
            await wait_until(lambda: house.chat.topline.state == "ready", "it begins")
            assert "The damaged file is" in house.notices()
            await house.send("goes on")
    (aside,) = places.config.glob("*.damaged-*.db")
    assert aside.read_bytes() == raw
    assert contents(places.database)[-2:] == ["goes on", "Hello, world."]
    assert len(contents(places.database)) == 32


async def test_damage_found_later_costs_nothing_of_what_is_on_the_screen(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("the first question")
            await _written(house)
            spoil(places.database, 1)
            await house.write("the second question")
            await house.press("enter")
            await wait_until(lambda: asked(house), "it is asked")
            assert len(server.chats) == 1
            await take(house, "Begin with no")
            await wait_until(lambda: "no conversations now" in house.notices(), "it is repaired")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.prompt.text_to_send == "the second question"
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 2, "it is sent")
            await house.answered()
    said = ["the first question", "Hello, world.", "the second question", "Hello, world."]
    assert contents(places.database) == said
    (conversation,) = await stored(tmp_path)
    assert [message.content for message in conversation.thread()] == said


async def test_a_reply_that_arrives_meanwhile_is_written_to_what_is_there_then(
    tmp_path: Path,
) -> None:
    places = places_in(tmp_path)
    words = [f"word{number} " for number in range(60)]
    with FakeServer(Answer(words, delay=0.03)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("a question")
            await house.press("enter")
            await wait_until(lambda: "word3" in house.screen_text(), "it streams")
            # A write that was begun before puts the good page back.
            while not isinstance(house.app.screen, unasked.UnaskedChoice):
                spoil(places.database, 1)
                await house.pilot.pause(0.01)
            await wait_until(lambda: asked(house), "it hears")
            await take(house, "Begin with no")
            await wait_until(lambda: "no conversations now" in house.notices(), "it is repaired")
            await house.answered()
            assert "word59" in house.screen_text()
    assert contents(places.database) == ["a question", "".join(words)]
    (conversation,) = await stored(tmp_path)
    assert conversation.thread()[-1].status == "complete"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (f"PRAGMA user_version={len(MIGRATIONS) + 1}", "was made by a newer tui-chat"),
        ("PRAGMA application_id=7", "belongs to another program"),
    ],
)
async def test_what_is_not_ours_to_mend_is_only_told(
    tmp_path: Path, change: str, words: str
) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    by_hand(places.database, change)
    raw = places.database.read_bytes()
    with FakeServer() as server:
        await _told_only(tmp_path, server, words)
    assert places.database.read_bytes() == raw


async def _told_only(tmp_path: Path, server: FakeServer, words: str) -> None:
    async with open_house(tmp_path, server, ready=asked) as house:
        screen = " ".join(re.sub("[│╭╮╰╯]", " ", house.screen_text()).split())
        assert words in screen
        for way in ("Read what can", "Bring back", "Begin with no"):
            assert way not in screen
        assert "Try again" in screen
        assert "Quit" in screen
        await house.press("escape")
        await wait_until(lambda: words in house.notices(), "it is told")
        await wait_until(lambda: house.chat.keeping, "it goes on")
        await house.write("kept on the screen")
        assert house.chat.prompt.text_to_send == "kept on the screen"
        house.app.exit()


async def test_once_what_was_in_the_way_is_gone_it_goes_on_as_at_a_start(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("from before")
            await house.write("a draft")
        run = tmp_path / "config" / "run"
        run.rmdir()
        run.touch()
        async with open_house(tmp_path, server, ready=asked) as house:
            assert "is not a directory" in house.screen_text()
            run.unlink()
            await house.press("down", "enter")
            await wait_until(lambda: house.chat.topline.state == "ready", "it begins")
            assert house.thread[0].content == "from before"
            assert house.chat.draft == "a draft"


async def test_it_can_be_left_by_quit(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    os.truncate(places.database, 9000)
    async with open_house(tmp_path, ready=asked) as house:
        await house.press("up", "enter")
        await wait_until(lambda: house.app._exit, "it ends")
    assert places.database.stat().st_size == 9000


async def test_a_backup_is_made_after_the_start_and_what_it_finds_is_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = places_in(tmp_path)
    monkeypatch.setattr(storing_app, "QUIET_AFTER", 0.1)
    async with open_house(tmp_path):
        await wait_until(lambda: backups(places.backups), "it is made")
    assert len(backups(places.backups)) == 1
    assert contents(backups(places.backups)[0].path) == []


async def test_another_is_made_while_it_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = places_in(tmp_path)
    monkeypatch.setattr(storing_app, "BACKUP_EACH", 0.1)
    async with open_house(tmp_path):
        await wait_until(lambda: backups(places.backups), "one is made")
        (first,) = backups(places.backups)
        first.path.rename(places.backups / "conversations-20250102-030405.db")
        by_hand(places.database, "INSERT INTO state VALUES('a','b')")
        await wait_until(lambda: len(backups(places.backups)) == 2, "another is")


async def test_what_is_typed_blindly_changes_nothing_and_is_in_the_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = places_in(tmp_path)
    monkeypatch.setattr(unasked, "HEARS_AFTER", 1.0)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("the first question")
            await _written(house)
            back_up(places)
            spoil(places.database, 1)
            raw = places.database.read_bytes()
            await _type(house, "one line")
            # Whoever types on as it rises.
            await wait_until(lambda: TITLE in house.screen_text(), "it rises")
            for line in ("two more", "three more", "", ""):
                await _type(house, line)
            assert TITLE in house.screen_text()
            await wait_until(lambda: asked(house), "it hears")
            assert house.chat.draft.split() == ["one", "linetwo", "more", "three", "more"]
            # Who holds Enter down, or sends again and again, comes back to the prompt.
            await house.press("enter")
            await wait_until(lambda: house.app.screen is house.chat, "it is left")
            assert places.database.read_bytes() == raw
            assert list(places.config.glob("*.db")) == [places.database]
            # Nor is a way taken by Enter alone.
            await house.press("ctrl+end", "x", "enter")
            await wait_until(lambda: asked(house), "a send asks again")
            await choose(house, "Begin with no")
            await wait_until(lambda: "Yes, do that" in house.screen_text(), "it is confirmed")
            await house.press("enter")
            await wait_until(lambda: asked(house), "it is asked again")
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat, "it is left")
            assert places.database.read_bytes() == raw
            house.app.exit()


async def test_after_not_now_it_is_told_where_to_find_it_and_a_send_asks_again(
    tmp_path: Path,
) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    spoil(places.database, 1)
    with FakeServer() as server:
        async with open_house(tmp_path, server, ready=asked) as house:
            await house.press("escape")
            await wait_until(lambda: "Check what is saved" in house.notices(), "it is told")
            await wait_until(lambda: house.chat.topline.state == "ready", "it goes on")
            await house.write("a question")
            await house.press("enter")
            await wait_until(lambda: asked(house), "a send asks again")
            assert house.chat.draft == "a question"
            await choose(house, "Go on without saving")
            await wait_until(lambda: house.app.screen is house.chat, "it is left")
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 1, "it is sent")
            await house.answered()


async def test_a_backup_of_several_is_brought_back_over_what_is_sound(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=3)
    back_up(places)
    (first,) = backups(places.backups)
    first.path.rename(places.backups / "conversations-20250102-030405.db")
    filled(places, conversations=1)
    back_up(places)
    async with open_house(tmp_path) as house:
        house.app.action_check_store()
        await wait_until(lambda: "are sound" in house.screen_text(), "it is asked")
        assert "What is there: 1 conversation, 10 messages." in house.screen_text()
        assert ": 3 conversations, 30 messages" in house.screen_text()
        await take(house, "3 conversations")
        await wait_until(lambda: "What was there before is" in house.notices(), "it is back")
    assert len(contents(places.database)) == 30


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
async def test_its_keys_stay_visible_on_a_small_screen_with_a_long_path(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    home = tmp_path / ("deep" * 20) / ("deeper" * 12)
    places = places_in(home)
    filled(places, conversations=1)
    back_up(places)
    spoil(places.database, 1)
    async with open_house(home, size=size, ready=asked) as house:
        assert "enter Choose" in house.screen_text()
        assert "Not now" in house.screen_text()
        await house.press("up")
        await wait_until(lambda: "Quit" in house.screen_text(), "the last way is seen")
        assert "enter Choose" in house.screen_text()
        await choose(house, "Quit")
        await wait_until(lambda: house.app._exit, "it ends")


async def test_a_file_without_a_byte_and_without_a_backup_is_told(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    places.config.mkdir()
    places.database.touch()
    async with open_house(tmp_path) as house:
        await wait_until(lambda: "had no bytes in it" in house.notices(), "it is told")
    async with open_house(tmp_path) as house:
        await _written(house)
        assert "had no bytes" not in house.notices()


async def test_all_is_looked_over_from_the_palette(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.app.action_check_store()
        await wait_until(lambda: "are sound" in house.notices(), "it is told")


async def test_damage_of_a_killed_program_is_told_without_reading_what_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = places_in(tmp_path)
    filled(places)
    spoil(places.database, pages_of(places.database, "message")[2])
    assert killed_in(lambda: _killed_with_them_open(places)) == -signal.SIGKILL
    monkeypatch.setattr(storing_app, "QUIET_AFTER", 0.1)
    async with open_house(tmp_path) as house:
        await wait_until(lambda: asked(house), "it is asked")
        assert "is damaged." in house.screen_text()
        await take(house, "Read what can")
        await wait_until(lambda: "The damaged file is" in house.notices(), "it is repaired")
        mark = places.config / "run" / "unchecked"
        await wait_until(lambda: backups(places.backups), "it goes on")
    assert contents(places.database)
    async with open_house(tmp_path):
        await wait_until(lambda: not mark.exists(), "it is sound now")


def _killed_with_them_open(places: Places) -> None:
    asyncio.run(Store.open(places.database))
    os.kill(os.getpid(), signal.SIGKILL)
