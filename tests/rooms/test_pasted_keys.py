"""A key that was pasted where none belongs: it is not repeated, not used, and not on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from tests.fake_server import FakeServer
from tests.rooms.house import House, open_house, wait_until
from tui_chat.rooms.chat.drafting import SAVE_DRAFT_AFTER
from tui_chat.widgets.endpoint_picker import EndpointPicker
from tui_chat.widgets.model_picker import ModelPicker

KEY = "sk-proj-canary0123456789"
HEX = "0123456789abcdef0123456789abcdef"
TOLD = "That looks like a key; it is not shown."


def on_disk(directory: Path, text: str) -> list[str]:
    """The files that hold this text."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return [path.name for path in files if text.encode() in path.read_bytes()]


async def paste(house: House, text: str) -> None:
    focused = house.app.focused
    assert focused is not None
    focused.post_message(events.Paste(text))
    await house.pilot.pause()


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("/endpoint", KEY),
        ("/endpoint", HEX),
        ("/model", KEY),
        ("/key", KEY),
        ("/key groq", HEX),
        ("/export-key", f"OPENAI_API_KEY={KEY}"),
        ("/preset", KEY),
    ],
)
async def test_a_key_after_a_command_is_dropped(tmp_path: Path, command: str, key: str) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            model = house.chat.setup.model
            await paste(house, f"{command} {key}")
            await house.pilot.pause(SAVE_DRAFT_AFTER + 0.2)
            assert not on_disk(tmp_path, key)
            await house.press("escape", "enter")
            await wait_until(lambda: TOLD in house.notices(), "it is refused")
            assert house.chat.draft == ""
            assert key not in house.screen_text() + house.notices()
            assert house.chat.setup.model == model
            await house.press("up")
            assert key not in house.screen_text()
        assert not on_disk(tmp_path, key)
        assert not server.chats


async def test_a_name_of_a_model_with_many_digits_is_used(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command(f"/model {HEX}")
            assert house.chat.setup.model == HEX


@pytest.mark.parametrize(
    ("command", "kind", "key"),
    [
        ("/model", ModelPicker, KEY),
        ("/endpoint", EndpointPicker, KEY),
        ("/endpoint", EndpointPicker, HEX),
    ],
)
async def test_a_key_in_a_list_is_masked_and_chooses_nothing(
    tmp_path: Path, command: str, kind: type[object], key: str
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            before = house.chat.setup
            await house.command(command)
            await wait_until(lambda: isinstance(house.app.screen, kind), "the list is open")
            await paste(house, key)
            await wait_until(lambda: TOLD in house.screen_text(), "it is refused")
            assert key not in house.screen_text()
            await house.press("enter")
            assert isinstance(house.app.screen, kind)
            for _ in key:
                await house.press("backspace")
            await house.write("fake")
            await wait_until(lambda: "fake" in house.screen_text(), "other words are shown")
            assert TOLD not in house.screen_text()
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.setup == before
        assert not on_disk(tmp_path, key)
