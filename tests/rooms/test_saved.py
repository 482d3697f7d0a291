"""The saved conversations: found, opened, renamed, deleted, brought back."""

from __future__ import annotations

from pathlib import Path

from tests.fake_server import FakeServer
from tests.rooms.house import open_house, stored, wait_until
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params


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
            await wait_until(lambda: "last answered by" in house.screen_text())
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
            await wait_until(lambda: "last answered by" in house.screen_text())
            await house.press("delete")
            await wait_until(lambda: "No conversation" in house.screen_text())
            await house.press("ctrl+z")
            await wait_until(lambda: "last answered by" in house.screen_text())
            await house.press("escape")
    assert [one.title for one in await stored(tmp_path)] == ["do not lose me"]


async def test_deleting_the_open_conversation_begins_a_new_one(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("gone")
            await house.press("f3")
            await wait_until(lambda: "last answered by" in house.screen_text())
            await house.press("delete")
            await wait_until(lambda: "No conversation" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: not house.thread)
            await house.send("next")
    assert [one.title for one in await stored(tmp_path)] == ["next"]
