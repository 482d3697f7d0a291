"""The review room on what nobody meant: rows edited by hand, hostile titles, random keys."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.core.stored import by_hand
from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import open_house, stored, wait_until
from tests.rooms.library import branched, keep, look_for, open_review, talk

BROKEN = [
    "UPDATE message SET parent=seq",
    "UPDATE message SET parent=(SELECT max(seq) FROM message)",
    "UPDATE conversation SET leaf=999",
    "UPDATE conversation SET leaf=(SELECT min(seq) FROM message)",
    "UPDATE conversation SET leaf=NULL, title=x'ff', folded=x'ff', preset=x'00'",
    "UPDATE conversation SET updated_at='soon', created_at=x'00', archived='no', starred='yes'",
    "UPDATE conversation SET deleted_at='then' WHERE seq=1",
    "UPDATE message SET deleted_at='then' WHERE seq=2",
    "UPDATE message SET deleted_at=1 WHERE seq=1",
    "UPDATE message SET created_at='then', setup='none', begun='all', usage='[', refused='{'",
    "UPDATE message SET created_at=9223372036854775807",
    "UPDATE message SET created_at=-9223372036854775808",
    "UPDATE message SET content=x'68ff', reasoning=x'00', status='dreaming', role='oracle'",
    "UPDATE setup SET params='[1]', model=x'ff', endpoint=7",
    "INSERT INTO tag(conversation,name) SELECT seq, char(27)||'[2J a b' FROM conversation",
    "INSERT INTO tag(conversation,name) SELECT seq, x'ff' FROM conversation",
]
HOSTILE = "\x1b]52;c;aGk=\x07[/][@click=app.quit]x[/] \x9b2J ../../../etc\n# title"


@pytest.mark.parametrize("change", BROKEN)
async def test_rows_that_someone_edited_are_shown_as_far_as_they_go(
    tmp_path: Path, change: str
) -> None:
    await keep(tmp_path, branched(), talk("one needle", "an answer"))
    by_hand(tmp_path / "config" / "conversations.db", change)
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(80, 24)) as house:
            await open_review(house)
            await house.press("down", "up")
            await look_for(house, "is:kept is:archived is:deleted", "conversation")
            await house.press("tab", "j", "k", "space", "tab", "g", "G", "right_square_bracket")
            for key in ("t", "i"):
                await house.press(key)
                await wait_until(lambda: house.app.screen.id != "review", key)
                await house.press("escape")
                await wait_until(lambda: house.app.screen.id == "review", key)
            await house.press("escape", "slash", "ctrl+u")
            await look_for(house, "an", "hit")
            await house.press("down", "ctrl+u", "escape")
            await wait_until(lambda: house.app.screen is house.chat)
            await house.send("still here")


async def test_nothing_in_a_title_a_tag_or_a_text_is_markup_or_leaves_its_place(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, talk(HOSTILE, HOSTILE, title=HOSTILE))
    by_hand(
        tmp_path / "config" / "conversations.db", "UPDATE conversation SET title=?", given=[HOSTILE]
    )
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await wait_until(lambda: "[/][@click=app.quit]x[/]" in house.screen_text())
            await look_for(house, "click", "2 hits")
            for key in ("t", "i", "v"):
                await house.press("tab", "tab", "G", key)
                await wait_until(lambda: house.app.screen.id != "review")
                await house.press("escape")
                await wait_until(lambda: house.app.screen.id == "review")
                await house.press("escape", "slash")
            shown = house.screen_text()
            assert "\x1b" not in shown
            assert "\x9b" not in shown


KEYS = [
    *"jkgGnNsxavuobcerdtimpvyY#/ []",
    *("enter", "escape", "tab", "shift+tab", "up", "down", "pageup", "pagedown", "home", "end"),
    *(
        "delete",
        "ctrl+z",
        "space",
        "f1",
        "f2",
        "f3",
        "f5",
        "ctrl+p",
        "ctrl+u",
        "backspace",
        "ctrl+n",
    ),
]
NAMES = {"#": "number_sign", "/": "slash", "[": "left_square_bracket", "]": "right_square_bracket"}


@pytest.mark.parametrize("seed", range(4))
async def test_random_keys_break_nothing_and_send_nothing_twice(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    await keep(
        tmp_path, branched(), *(talk(f"question {n}", f"answer {n}", "more?") for n in range(5))
    )
    dice = random.Random(seed)
    with FakeServer(Answer(words("a reply "), delay=0.002)) as server:
        async with open_house(tmp_path, server) as house:
            for _ in range(150):
                key = dice.choice(KEYS)
                name = NAMES.get(key, {" ": "space"}.get(key, key))
                character = key if len(key) == 1 else "\x00"
                await house.burst((name, character))
                assert house.app.is_running
                if house.app._exception is not None:
                    raise house.app._exception
            await house.press("escape")
            await house.answered()
    for conversation in await stored(tmp_path):
        known: set[str] = set()
        for message in conversation.messages:
            assert message.parent is None or message.parent in known
            assert message.status != "streaming"
            known.add(message.id)
    assert by_hand(tmp_path / "config" / "conversations.db", "PRAGMA quick_check") == [("ok",)]
    bodies = [body["messages"] for body in server.chats]
    assert all(body and body[-1]["content"] for body in bodies)
