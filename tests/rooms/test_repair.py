"""Where the saved conversations cannot be used it is asked what to do, and what is on the screen is not lost."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest
from textual.widgets import OptionList

from tests.core.broken import contents, filled, killed_in, pages_of, places_in, spoil
from tests.core.stored import by_hand
from tests.fake_server import Answer, FakeServer
from tests.rooms.house import House, open_house, stored, wait_until
from tui_chat.core.backups import back_up, backups
from tui_chat.core.files import Places
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store
from tui_chat.widgets import storing_app

TITLE = "The saved conversations cannot be used"


def _asked(house: House) -> bool:
    return TITLE in house.screen_text()


async def _take(house: House, words: str) -> None:
    """Choose the way with these words in the list, and confirm it."""
    for _ in range(8):
        ways = house.app.screen.query_one(OptionList)
        if words in str(ways.get_option_at_index(ways.highlighted or 0).prompt):
            break
        await house.press("down")
    await house.press("enter")
    await wait_until(lambda: "?" in house.screen_text() and not _asked(house), "it is confirmed")
    await house.press("enter")


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
        async with open_house(tmp_path, server, ready=_asked) as house:
            screen = house.screen_text()
            assert "is damaged or no database." in screen
            assert "gets another name" in screen
            assert ": 3 conversations, 30" in screen
            assert "Try again" not in screen
            await _take(house, "Bring back")
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
            await wait_until(lambda: _asked(house), "it is asked")
            assert len(server.chats) == 1
            await _take(house, "Begin with no")
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
            spoil(places.database, 1)
            await wait_until(lambda: _asked(house), "it is asked")
            await _take(house, "Begin with no")
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
    async with open_house(tmp_path, server, ready=_asked) as house:
        screen = " ".join(re.sub("[│╭╮╰╯]", " ", house.screen_text()).split())
        assert words in screen
        for way in ("Read what can", "Bring back", "Begin with no", "Try again"):
            assert way not in screen
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
        async with open_house(tmp_path, server, ready=_asked) as house:
            assert "is not a directory" in house.screen_text()
            run.unlink()
            await house.press("enter")
            await wait_until(lambda: house.chat.topline.state == "ready", "it begins")
            assert house.thread[0].content == "from before"
            assert house.chat.draft == "a draft"


async def test_it_can_be_left_by_quit(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    os.truncate(places.database, 9000)
    async with open_house(tmp_path, ready=_asked) as house:
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
        await wait_until(lambda: _asked(house), "it is asked")
        assert "is damaged or no database." in house.screen_text()
        await _take(house, "Read what can")
        await wait_until(lambda: "The damaged file is" in house.notices(), "it is repaired")
        mark = places.config / "run" / "unchecked"
        await wait_until(lambda: backups(places.backups), "it goes on")
    assert contents(places.database)
    async with open_house(tmp_path):
        await wait_until(lambda: not mark.exists(), "it is sound now")


def _killed_with_them_open(places: Places) -> None:
    asyncio.run(Store.open(places.database))
    os.kill(os.getpid(), signal.SIGKILL)
