"""Lists and dialogs under fast fingers: each answers once, and nothing opens over itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from textual.widgets import OptionList

import tui_chat
from tests.fake_server import FakeServer
from tests.rooms.house import House, environment, open_house, wait_until
from tui_chat.app import TuiChat
from tui_chat.core.opening import Opening
from tui_chat.core.world import World

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
            # Where the list was quick, they have led on in it.
            await wait_until(
                lambda: any(one.option_count for one in house.app.screen.query(OptionList))
            )
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
            await wait_until(lambda: "Nothing is saved yet" in house.screen_text())
            await house.pilot.pause()
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_the_palette_does_what_was_typed_before_enter(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("ctrl+p")
            await house.burst(*((letter, letter) for letter in "help"), ENTER)
            await wait_until(lambda: house.app.screen.id == "help")


async def open_presets(house: House, name: str = "Chaos") -> None:
    """Open the presets and wait for the line of this name."""
    await house.press("f6")
    await wait_until(lambda: name in house.screen_text())


async def save_as(house: House, name: str) -> None:
    """In the list of presets: save the present setup under a name."""
    await house.press("ctrl+s")
    await wait_until(lambda: "Under which name?" in house.screen_text())
    await house.press("ctrl+u")
    await house.write(name)
    await house.press("enter")


async def test_a_preset_in_use_keeps_its_place_when_it_is_renamed_and_deleted(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/temperature 0.3")
            await house.command("/save Mine")
            await wait_until(lambda: "preset: Mine ─╮" in house.screen_text())
            await open_presets(house, "● Mine")
            await house.press("f2")
            await wait_until(lambda: "Rename the preset" in house.screen_text())
            await house.write("2")
            await house.press("enter")
            await wait_until(lambda: "● Mine2" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "preset: Mine2 ─╮" in house.screen_text())
            await open_presets(house, "● Mine2")
            await house.burst(DELETE, ESCAPE)
            await wait_until(lambda: house.chat.preset is None)
            await wait_until(lambda: house.app.screen is house.chat)
            assert "preset:" not in house.screen_text()
            assert house.chat.setup.params == {"temperature": 0.3}
            await open_presets(house)
            await house.press("ctrl+z")
            await wait_until(lambda: "Mine2" in house.screen_text())
    assert (tmp_path / "config" / "presets" / "Mine2.toml").exists()


async def test_a_preset_is_replaced_only_after_a_question(tmp_path: Path) -> None:
    directory = tmp_path / "config" / "presets"
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/temperature 0.3")
            await open_presets(house)
            await save_as(house, "precise")
            await wait_until(lambda: "Replace the preset “Precise”?" in house.screen_text())
            assert "yours takes its place" in house.screen_text()
            await house.press("escape")
            await wait_until(lambda: "Under which name?" in house.screen_text())
            assert not directory.exists() or not list(directory.iterdir())
            await house.press("enter")
            await wait_until(lambda: "Replace the preset “Precise”?" in house.screen_text())
            await house.burst(ENTER, ENTER)
            await wait_until(lambda: "Saved the preset “precise”." in house.notices())
            await wait_until(lambda: house.app.screen is house.chat)
            await house.command("/temperature 1.5")
            await house.write("/save Precise")
            await house.press("escape", "enter")
            await wait_until(lambda: "Replace the preset “precise”?" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "stays as it was" in house.notices())
            (file,) = directory.iterdir()
            assert "0.3" in file.read_text()


async def test_a_refused_name_comes_back_with_the_reason(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_presets(house)
            await save_as(house, "a/b")
            await wait_until(lambda: "A preset's name has" in house.screen_text())
            assert "a/b" in house.screen_text()
            await house.press("backspace", "backspace", "enter")
            await wait_until(lambda: "Saved the preset “a”." in house.notices())
            await wait_until(lambda: house.app.screen is house.chat)
            await open_presets(house, "● a")
            await house.press("f2")
            await wait_until(lambda: "Rename the preset" in house.screen_text())
            await house.write(":")
            await house.press("enter")
            await wait_until(lambda: "A preset's name has" in house.screen_text())
            assert "a:" in house.screen_text()


async def test_the_list_says_which_preset_was_changed_and_what_it_sets_besides(
    tmp_path: Path,
) -> None:
    with FakeServer(models=["fake-1"]) as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/model fake-1")
            await house.command("/system Be brief.")
            await house.command("/save Mine")
            await house.command("/temperature 0.3")
            await open_presets(house, "● Mine *")
            endpoint = house.chat.setup.endpoint
            assert f"Sends to {endpoint}, fake-1. Sets a system prompt." in house.screen_text()


async def test_two_saves_in_a_burst_ask_once(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_presets(house)
            await house.burst(key("ctrl+s"), key("ctrl+s"))
            await wait_until(lambda: "Under which name?" in house.screen_text())
            await house.press("escape")
            await house.pilot.pause()
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
async def test_notices_leave_the_prompt_and_the_tokens_alone_and_escape_takes_them_away(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with FakeServer() as server:
        world = World.standard(environment(tmp_path, OPENAI_BASE_URL=server.base_url))
        app = TuiChat(world, Opening())
        async with app.run_test(size=size, notifications=True) as pilot:
            house = House(app, pilot, tmp_path)
            await wait_until(lambda: "● ready" in house.screen_text())
            await pilot.pause()
            before = house.screen_text().splitlines()
            for words in ("short", "Something that takes more than one line. " * 4, "the last"):
                app.notify(words)
            await wait_until(lambda: "the last" in house.screen_text())
            rows = house.screen_text().splitlines()
            assert rows[0] == before[0]
            assert rows[1].endswith("▌ short ")
            assert rows[1][:-8] == before[1][:-8]
            assert "▌" not in "".join(rows[size[1] // 2 + 1 :])
            await house.press("escape")
            await wait_until(lambda: "▌" not in house.screen_text())
            await app.action_quit()
            await wait_until(lambda: app._exit)


async def choose_command(house: House, words: str, title: str) -> None:
    """Open the palette, type words and choose the first command, which has this title."""
    await house.press("ctrl+p")
    await house.write(words)
    await wait_until(lambda: title in house.screen_text())
    await house.press("enter")
    await wait_until(lambda: house.app.screen is house.chat)


async def test_the_palette_leads_to_parameters_and_unsets_them(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await choose_command(house, "top k", "Top K")
            await wait_until(lambda: house.chat.focused is house.chat.sidebar)
            await house.press("4", "0")
            await wait_until(lambda: house.chat.setup.params == {"top_k": 40})
            await choose_command(house, "all parameters", "All parameters: not set")
            await wait_until(lambda: house.chat.setup.params == {})


async def test_the_palette_acts_on_the_message_under_the_cursor(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/temperature 0.3")
            await house.send("hi")
            await house.press("f5")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            await house.command("/temperature 1")
            house.chat.set_focus(house.chat.transcript)
            await house.press("G")
            newer = house.thread[-1].id
            await choose_command(house, "use the parameters", "Use the parameters of the reply")
            await wait_until(lambda: house.chat.setup.params == {"temperature": 0.3})
            await choose_command(house, "copy", "Copy the message")
            await wait_until(lambda: house.app.clipboard == "Hello, world.")
            await choose_command(house, "older", "Older sibling")
            await wait_until(lambda: house.thread[-1].id != newer)
            await choose_command(house, "newer", "Newer sibling")
            await wait_until(lambda: house.thread[-1].id == newer)
            await house.press("g")
            await choose_command(house, "edit the message", "Edit the message")
            await wait_until(lambda: house.chat.prompt.text_to_send == "hi")


async def test_the_palette_saves_a_preset(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("ctrl+p")
            await house.write("save as")
            await house.press("enter")
            await wait_until(lambda: "Under which name?" in house.screen_text())
            await house.write("a/b")
            await house.press("enter")
            await wait_until(lambda: "A preset's name has" in house.screen_text())
            await house.press("backspace", "backspace", "enter")
            await wait_until(lambda: "Saved the preset “a”." in house.notices())
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.preset is not None
            assert house.chat.preset.name == "a"


async def test_a_key_of_the_settings_that_nothing_has_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text(
        '[keys]\n"app.saved" = "f9"\n"chat.fly" = "f7"\n"saved.undo" = "f8"\n'
        '"message.copy" = "c"\n"dialog.accept" = "f4"\n"picker.delete_line" = "ctrl+x"\n'
        '"transcript.fold" = "o"\n"sidebar.less" = "h"\n"welcome.choose" = "f10"\n"help.top" = "t"\n'
    )
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            words = "settings.toml: there is no key named “chat.fly”."
            await wait_until(lambda: words in house.notices())
            assert house.notices().count("no key named") == 1


def test_every_key_there_is_can_stand_in_the_settings() -> None:
    names = {
        name
        for path in Path(tui_chat.__file__).parent.rglob("*.py")
        for name in re.findall(r'\bid="([a-z]+\.[a-z_]+)"', path.read_text("utf-8"))
    }
    assert len(names) > 90
    # In a process of its own, where nothing was imported for another test.
    script = (
        "from importlib import import_module\n"
        "from tui_chat.app import OPENED_LATER\n"
        "from tui_chat.widgets.help import unknown_keys\n"
        "for name in OPENED_LATER: import_module(f'tui_chat.{name}')\n"
        f"print(unknown_keys(dict.fromkeys({sorted(names)}, 'f9')))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


async def test_delete_takes_the_line_that_fits_what_was_typed_before_it(tmp_path: Path) -> None:
    directory = tmp_path / "config" / "presets"
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/save Mine")
            await house.command("/save Other")
            await open_presets(house, "● Other")
            await house.burst(*((letter, letter) for letter in "mine"), DELETE)
            await wait_until(lambda: "Deleted “Mine”" in house.notices())
            assert [path.name for path in directory.iterdir()] == ["Other.toml"]
            await house.burst(key("ctrl+z"), key("ctrl+z"))
            await wait_until((directory / "Mine.toml").exists)
