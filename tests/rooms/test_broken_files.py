"""Settings and presets that are broken, in the rooms: it is said, and whom a message goes to is asked first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_server import FakeServer
from tests.rooms.asked import asked, choose
from tests.rooms.house import House, open_house, wait_until
from tests.rooms.texts import open_room, prompts, room
from tui_chat.core.opening import Opening
from tui_chat.core.presets import Presets
from tui_chat.widgets import unasked

BROKEN = 'endpoint = "lab"\n\nthem e = 1\n'


@pytest.fixture(autouse=True)
def _heard_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unasked, "HEARS_AFTER", 0.05)


SINGLE = '[parameters]\ntemperature = "hot"\nseed = 7\n'


def _put(home: Path, name: str, text: str) -> Path:
    path = home / "config" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


async def test_with_settings_that_cannot_be_read_the_first_message_asks_whom_it_goes_to(
    tmp_path: Path,
) -> None:
    _put(tmp_path, "settings.toml", BROKEN)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await wait_until(lambda: "settings.toml:3:6: " in house.notices())
            assert f"Messages go to environment ({server.base_url})." in house.notices()
            await house.write("secret")
            await house.press("enter")
            await wait_until(lambda: "Send it to environment?" in house.screen_text())
            await wait_until(lambda: asked(house))
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.draft == "secret"
            assert server.chats == []

            # A second one in a burst is no answer.
            await house.press("enter", "enter")
            await wait_until(lambda: "Send it to environment?" in house.screen_text())
            await wait_until(lambda: asked(house))
            assert server.chats == []
            await choose(house, "Send it")
            await wait_until(lambda: len(house.thread) == 2)
            await house.answered()
            assert house.chat.draft == ""
            await house.send("again")
            assert len(server.chats) == 2


async def test_so_does_the_first_text_that_is_continued(tmp_path: Path) -> None:
    _put(tmp_path, "settings.toml", BROKEN)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await house.press("f5")
            await wait_until(lambda: "Send it to environment?" in house.screen_text())
            assert prompts(server) == []
            await wait_until(lambda: asked(house))
            await choose(house, "Send it")
            await wait_until(lambda: len(prompts(server)) == 1)
            await wait_until(lambda: not room(house).answering)


async def test_where_the_server_was_chosen_nothing_is_asked(tmp_path: Path) -> None:
    _put(tmp_path, "settings.toml", BROKEN)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command(f"/endpoint {server.base_url}")
            await house.send("hi")
            assert len(server.chats) == 1


async def test_what_is_wrong_with_a_preset_is_said_where_it_is_applied(tmp_path: Path) -> None:
    _put(tmp_path, "presets/Mine.toml", SINGLE)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/preset Mine")
            assert "Mine.toml:2:1: " in house.notices()
            assert "The rest of the preset “Mine” is used." in house.notices()
            assert dict(house.chat.setup.params) == {"seed": 7}
            _put(tmp_path, "presets/Other.toml", "[[[")
            await house.press("f6")
            await wait_until(lambda: "Other" in house.screen_text())
            await house.write("Other")
            await house.press("enter")
            await wait_until(lambda: "the preset “Other” was not used" in house.notices())
            assert "Other.toml:1:" in house.notices()
            assert house.chat.preset is not None
            assert house.chat.preset.name == "Mine"
        # It is the chosen one at the next start.
        async with open_house(tmp_path, server) as house:
            await wait_until(lambda: "Mine.toml:2:1: " in house.notices())
            assert "The setup is as it was" in house.notices()


@pytest.mark.parametrize(
    ("text", "place", "then"),
    [
        (SINGLE, "Mine.toml:2:1: ", "The rest of the preset “Mine” is used."),
        ("[[[", "Mine.toml:1:", "So the preset “Mine” was not used."),
    ],
)
async def test_what_is_wrong_with_a_preset_of_the_command_line_is_said(
    tmp_path: Path, text: str, place: str, then: str
) -> None:
    path = _put(tmp_path, "presets/Mine.toml", text)
    opening = Opening(preset=Presets(path.parent).named("Mine"))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await wait_until(lambda: place in house.notices())
            assert then in house.notices()
            assert (house.chat.preset is None) == ("not used" in then)


async def test_a_preset_that_is_broken_while_it_is_chosen_is_named_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_chat.widgets.windows.EVERY", 0.03)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/save Mine")
            _put(tmp_path, "presets/Mine.toml", "[[[")
            await wait_until(lambda: "was changed on the disk" in house.notices())
            assert "Mine.toml:1:" in house.notices()


async def _shrunk_and_grown(house: House) -> None:
    await house.pilot.resize_terminal(1, 1)
    await wait_until(lambda: house.app.screen.focused is None, "nothing is there to write in")
    await house.pilot.resize_terminal(120, 40)
    await house.pilot.pause()


async def test_after_a_window_that_was_too_small_one_writes_on(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("before")
            await _shrunk_and_grown(house)
            await house.write(" and after")
            assert house.chat.draft == "before and after"
            await open_room(house, "Once")
            await _shrunk_and_grown(house)
            await house.write(" more")
            assert room(house).editor.text == "Once more"


async def test_nor_is_a_text_sent_to_both_modes_before_it_is_asked(tmp_path: Path) -> None:
    _put(tmp_path, "settings.toml", BROKEN)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house)
            await house.press("f9")
            await wait_until(lambda: "A list cut at ten" in house.screen_text())
            await house.press("down", "enter")
            await wait_until(lambda: "Send it to environment?" in house.screen_text())
            await wait_until(lambda: asked(house))
            await house.press("escape")
            await wait_until(lambda: "Nothing was sent." in house.screen_text())
            assert server.chats == prompts(server) == []
            await house.press("escape")


async def test_nor_is_a_draft_looked_at_elsewhere_before_it_is_asked(tmp_path: Path) -> None:
    _put(tmp_path, "settings.toml", BROKEN)
    async with open_house(tmp_path, environ={"OPENAI_API_KEY": "sk-not-a-key"}) as house:
        await house.write("secret")
        house.chat.sidebar.cursor = "next token"
        await house.press("f2", "enter")
        await wait_until(lambda: house.chat.world.looks_at("openai"))
        await wait_until(lambda: "Nothing was asked of openai yet" in house.screen_text())
