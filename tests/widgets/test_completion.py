"""Typed commands in the prompt, through real keys: offered as plain words, and completed."""

from __future__ import annotations

import pytest
from textual.widgets import Button, TextArea

from tests.widgets.prompt_host import host, press, until
from tui_chat.widgets.completion import Completions


async def test_a_slash_offers_commands_as_plain_words() -> None:
    async with host() as (app, pilot):
        await press(pilot, "/", "m")
        assert app.offered == [
            "› /model  name · Choose [b]the[/x] model.",
            "  /mood   word · Nothing.",
        ]
        await press(pilot, "o", "o")
        assert app.offered == ["› /mood  word · Nothing."]
        await press(pilot, "x")
        assert app.offered == []


@pytest.mark.parametrize("typed", ["//m", " /m", "m/", "/m\\\r"])
async def test_only_one_line_with_one_slash_is_a_command(typed: str) -> None:
    async with host() as (app, pilot):
        await press(pilot, "/", "backspace")
        app.prompt.set_draft(typed.replace("\\\r", "\n"))
        await pilot.pause()
        assert app.offered == []


@pytest.mark.parametrize(
    ("keys", "left", "sent"),
    [
        (["/", "m", "tab"], "/model ", []),
        (["/", "m", "enter"], "/model ", []),
        (["/", "m", "down", "tab"], "/mood ", []),
        (["/", "m", "up", "enter"], "/mood ", []),
        (["/", "m", "down", "down", "enter"], "/model ", []),
        ([*"/help", "enter"], "", ["/help"]),
        ([*"/model", "enter"], "", ["/model"]),
        ([*"/model gpt-4o", "enter"], "", ["/model gpt-4o"]),
        ([*"/model gpt", "enter"], "", ["/model gpt"]),
        ([*"/model gpt", "down", "enter"], "/model gpt-4o-mini", []),
        ([*"/model gpt", "tab", "enter"], "", ["/model gpt-4o"]),
        ([*"/model re", "tab"], "/model \u241b[31mred", []),
        ([*"/unknown", "enter"], "", ["/unknown"]),
        (["/", "m", "tab", "ctrl+z"], "/m", []),
    ],
)
async def test_commands_are_completed(keys: list[str], left: str, sent: list[str]) -> None:
    async with host() as (app, pilot):
        await press(pilot, *keys)
        assert app.shown == left
        assert app.sent == sent


async def test_the_list_shows_six_rows_and_follows_the_cursor() -> None:
    async with host() as (app, pilot):
        await press(pilot, "/", "z")
        assert [row[2:8] for row in app.offered] == [f"/zoo-{n}" for n in range(6)]
        await press(pilot, *["down"] * 7)
        assert [row[2:8] for row in app.offered] == [f"/zoo-{n}" for n in range(2, 8)]
        assert app.query_one(Completions).region.bottom == app.prompt.region.y
        await press(pilot, "tab")
        assert app.shown == "/zoo-7"


async def test_escape_closes_the_list_until_the_next_command() -> None:
    async with host() as (app, pilot):
        await press(pilot, "/", "m", "escape")
        assert app.offered == []
        assert app.reached == []
        await press(pilot, "o", "escape")
        assert app.offered == []
        assert app.reached == ["escape"]
        await press(pilot, "ctrl+u", "/")
        assert app.offered != []


async def test_the_list_is_there_only_while_the_prompt_has_the_focus() -> None:
    async with host() as (app, pilot):
        await press(pilot, "/", "m")
        app.query_one(Button).focus()
        await until(pilot, lambda: app.offered == [])
        app.prompt.focus()
        await until(pilot, lambda: app.offered != [])


async def test_a_click_on_a_command_completes_it() -> None:
    async with host() as (app, pilot):
        await press(pilot, "/", "m")
        await pilot.click(Completions, offset=(4, 1))
        await until(pilot, lambda: app.shown == "/mood ")
        assert isinstance(app.focused, TextArea)
