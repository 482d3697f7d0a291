"""The sidebar by keys: what is typed counts, what cannot be does not, and what is said is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fake_server import FakeServer
from tests.rooms.house import open_house, wait_until
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params


async def test_the_parameters_begin_with_the_first_knob(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            assert "How random" in house.screen_text()
            await house.press("f2", "right")
            assert house.chat.setup.params["temperature"] == 1.05


async def test_escape_keeps_what_was_typed_and_then_leads_back(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("f2", "0", ".", "9", "escape")
            assert house.chat.setup.params["temperature"] == 0.9
            assert house.chat.sidebar.has_focus
            await house.press("escape")
            assert house.chat.prompt.text_area.has_focus
            assert house.chat.setup.params["temperature"] == 0.9


@pytest.mark.parametrize("leave", ["enter", "escape", "down", "f2"])
async def test_a_value_out_of_range_leaves_the_one_from_before(tmp_path: Path, leave: str) -> None:
    opening = Opening(params=Params({"temperature": 0.4}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.press("f2", "1", "2")
            await wait_until(lambda: "outside." in house.screen_text())
            await house.press(leave)
            assert house.chat.setup.params["temperature"] == 0.4
            await wait_until(lambda: "outside." not in house.screen_text())


async def test_delete_clears_the_system_prompt_and_so_does_off(tmp_path: Path) -> None:
    opening = Opening(system="Be brief.")
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.press("f2", "up", "delete")
            assert house.chat.setup.system == ""
            await house.press("escape")
            await house.command("/system Be long.")
            assert house.chat.setup.system == "Be long."
            await house.command("/system off")
            assert house.chat.setup.system == ""


async def test_advice_is_given_where_it_concerns_and_others_are_explained(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3, "top_p": 0.5}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await wait_until(lambda: "Alter temperature or top p" in house.screen_text())
            await house.press("f2", "down", "down")
            await wait_until(lambda: "The most tokens" in house.screen_text())
            await house.press("up", "up", "up")
            await wait_until(lambda: "Alter temperature or top p" in house.screen_text())


async def test_the_bottom_line_says_what_keys_do_on_each_row(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("f2")
            await wait_until(lambda: "← → Change" in house.screen_text())
            assert "esc Back" in house.screen_text()
            await house.press("home")
            await wait_until(lambda: "← → Change" not in house.screen_text())
            assert "del Not set" not in house.screen_text()
            await house.press("end", "up")
            await wait_until(lambda: "← → Change" in house.screen_text())
            await house.press("f6")
            await wait_until(lambda: "^S Save" in house.screen_text())
            await wait_until(lambda: "F2 Parameters" not in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "F2 Parameters" in house.screen_text())


async def test_a_command_for_a_knob_under_more_shows_its_row(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(80, 24)) as house:
            await house.command("/reasoning-effort high")
            await wait_until(lambda: re.search(r"Reasoning effort.* high", house.screen_text()))
