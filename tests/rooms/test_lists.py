"""Lists and dialogs under fast fingers: each answers once, and nothing opens over itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fake_server import FakeServer
from tests.rooms.house import open_house, wait_until

ENTER = ("enter", "\r")
ESCAPE = ("escape", "\x1b")
DELETE = ("delete", "\x7f")


def key(name: str) -> tuple[str, str]:
    """A key without a text of its own."""
    return (name, "\x00")


@pytest.mark.parametrize("opening", ["f6", "f3", "/model", "/endpoint", "/title", "/system"])
@pytest.mark.parametrize("twice", [ENTER, ESCAPE, key("ctrl+s")])
async def test_a_dialog_answers_the_first_of_two_keys(
    tmp_path: Path, opening: str, twice: tuple[str, str]
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            if opening.startswith("/"):
                await house.write(opening)
                await house.press("escape", "enter")
            else:
                await house.press(opening)
            await wait_until(lambda: house.app.screen is not house.chat)
            await house.pilot.pause()
            await house.burst(twice, twice)
            await house.press("escape", "escape")
            await wait_until(lambda: house.app.screen is house.chat)
            await house.write("still here")
            await wait_until(lambda: house.chat.prompt.text_to_send.endswith("still here"))


async def test_a_list_that_is_still_read_answers_the_first_of_two_keys(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.burst(key("f6"), ENTER, ENTER)
            await wait_until(lambda: house.chat.preset is not None)
            await wait_until(lambda: house.app.screen is house.chat)


async def test_the_palette_does_a_command_once_for_two_keys(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("ctrl+p")
            await house.write("hide or show")
            await wait_until(lambda: "Hide or show the sidebar" in house.screen_text())
            assert house.chat.sidebar_shown
            await house.burst(ENTER, ENTER, ENTER)
            await wait_until(lambda: not house.chat.sidebar_shown)
            await wait_until(lambda: house.app.screen is house.chat)
            await house.pilot.pause()
            assert not house.chat.sidebar_shown


@pytest.mark.parametrize("paging", ["pageup", "pagedown", "ctrl+home", "ctrl+end", "up", "down"])
async def test_the_palette_takes_moving_keys_before_it_has_a_line(
    tmp_path: Path, paging: str
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.burst(key("ctrl+p"), key(paging), key(paging))
            await wait_until(lambda: "New conversation" in house.screen_text())
            await house.write("zzz")
            await house.burst(key(paging), key(paging), ENTER, ENTER)
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


@pytest.mark.parametrize("first", ["f1", "/help"])
@pytest.mark.parametrize("second", ["f1", "palette"])
async def test_the_help_opens_once(tmp_path: Path, first: str, second: str) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            if first == "f1":
                await house.press("f1")
            else:
                await house.write(first)
                await house.burst(ENTER, key("f1"))
            await wait_until(lambda: "Everywhere" in house.screen_text())
            if second == "palette":
                await house.press("ctrl+p")
                await house.write("help")
                await house.burst(ENTER)
            await wait_until(lambda: house.app.screen.id == "help")
            await house.pilot.pause()
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_saved_conversations_open_once(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("/open")
            await house.burst(ESCAPE, ENTER, key("f3"), key("f3"))
            await wait_until(lambda: "No conversation" in house.screen_text())
            await house.pilot.pause()
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_the_palette_does_what_was_typed_before_enter(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("ctrl+p")
            await house.burst(*((letter, letter) for letter in "help"), ENTER)
            await wait_until(lambda: house.app.screen.id == "help")
