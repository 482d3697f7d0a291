"""The prompt, through real keys: sending, newlines, the program's keys, looks, older prompts."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Button, TextArea

from tests.widgets.prompt_host import BIG, GLOBAL_KEYS, burst, host, paste, press, until

# Sending and newlines


async def test_enter_sends_what_was_typed() -> None:
    async with host() as (app, pilot):
        await press(pilot, *"Olá, ação! 日本", "enter")
        assert app.sent == ["Olá, ação! 日本"]
        assert app.prompt.text_to_send == ""


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "ctrl+enter", "alt+enter"])
async def test_each_newline_key_breaks_the_line(key: str) -> None:
    async with host() as (app, pilot):
        await press(pilot, "a", key, "b", "enter")
        assert app.sent == ["a\nb"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("a\\\rb\r", ["a\nb"]), ("a\\\\\r", ["a\\\\"]), ("\\a\r", ["\\a"]), (" \r", [])],
)
async def test_a_backslash_before_enter_becomes_the_newline(typed: str, sent: list[str]) -> None:
    async with host() as (app, pilot):
        await press(pilot, *("enter" if key == "\r" else key for key in typed))
        assert app.sent == sent


async def test_a_refused_text_stays_and_can_be_sent_again() -> None:
    async with host() as (app, pilot):
        app.busy = True
        await press(pilot, *"hi", "enter")
        assert app.prompt.text_to_send == "hi"
        app.busy = False
        await press(pilot, "enter")
        assert app.sent == ["hi", "hi"]
        assert app.prompt.text_to_send == ""


async def test_the_cursor_stays_in_sight_where_a_key_begins_another_row_at_the_bottom() -> None:
    async with host() as (app, pilot):
        area = app.prompt.text_area
        await press(pilot, *["ctrl+j"] * 40)
        rows = area.wrapped_document.height
        while area.wrapped_document.height < rows + 2:
            await press(pilot, "w")
            assert area.scroll_offset.y == area.max_scroll_y


async def test_keys_that_come_at_once_act_in_their_order() -> None:
    async with host() as (app, pilot):
        burst(app, *"ab", "left", "c", "ctrl+j", "d", "backspace", "e", "enter", *"next", "enter")
        await until(pilot, lambda: app.shown == "next")
        assert app.sent == ["ac\neb"]


async def test_a_held_enter_sends_once() -> None:
    async with host() as (app, pilot):
        burst(app, *"hi", "enter", "enter", "enter")
        await until(pilot, lambda: app.sent != [] and app.shown == "")
        assert app.sent == ["hi"]


async def test_each_change_is_told_and_read_when_asked() -> None:
    async with host() as (app, pilot):
        await press(pilot, *"ab")
        assert app.drafts[-1].text == "ab"
        assert app.drafts[-1].control is app.prompt


async def test_emoji_typed_with_joiners_stay_whole() -> None:
    async with host() as (app, pilot):
        for character in "👩\u200d🚀":
            app.post_message(events.Key(character, character))
        await until(pilot, lambda: app.shown == "👩\u200d🚀")


# Keys


async def test_the_programs_keys_reach_the_program() -> None:
    async with host() as (app, pilot):
        await press(pilot, *"ab", *GLOBAL_KEYS)
        assert app.reached == list(GLOBAL_KEYS)
        assert app.shown == "ab"


async def test_ctrl_c_copies_what_is_selected() -> None:
    async with host() as (app, pilot):
        await press(pilot, *"ab", "shift+left", "ctrl+c")
        assert app.clipboard == "b"
        assert app.reached == []


async def test_page_keys_move_in_a_prompt_that_scrolls() -> None:
    async with host() as (app, pilot):
        app.prompt.set_draft("\n".join(map(str, range(100))))
        await until(pilot, lambda: app.prompt.size.height == 9)
        await press(pilot, "pageup", "x")
        assert app.reached == []
        assert "90x" in app.shown


async def test_tab_moves_the_focus_on() -> None:
    async with host() as (app, pilot):
        await press(pilot, "a", "tab")
        assert isinstance(app.focused, Button)
        assert app.shown == "a"


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["ctrl+a", "x"], "xone two"),
        (["ctrl+a", "ctrl+e", "x"], "one twox"),
        (["ctrl+w"], "one "),
        (["ctrl+u"], ""),
        (["ctrl+a", "ctrl+k"], ""),
        (["ctrl+w", "ctrl+z"], "one two"),
        (["ctrl+w", "ctrl+z", "ctrl+y"], "one "),
        (["ctrl+x", "ctrl+v", "ctrl+v"], "one twoone two"),
    ],
)
async def test_the_editing_keys_are_the_prompts(keys: list[str], left: str) -> None:
    async with host() as (app, pilot):
        await press(pilot, *"one two", *keys)
        assert app.shown == left


async def test_a_key_can_be_given_another_meaning() -> None:
    async with host() as (app, pilot):
        app.set_keymap({"prompt.send": "ctrl+enter", "prompt.newline": "enter"})
        await press(pilot, "a", "enter", "b", "ctrl+enter")
        assert app.sent == ["a\nb"]


# Looks


@pytest.mark.parametrize(("lines", "rows"), [(1, 1), (4, 4), (9, 9), (10, 9), (300, 9)])
async def test_it_grows_to_a_third_of_the_screen(lines: int, rows: int) -> None:
    async with host(size=(60, 30)) as (app, pilot):
        app.prompt.set_draft("\n".join(["line"] * lines))
        await until(pilot, lambda: app.query_one(TextArea).size.height == rows)
        assert app.prompt.size.height == rows
        app.prompt.clear_draft()
        await until(pilot, lambda: app.prompt.size.height == 1)


async def test_a_long_line_wraps() -> None:
    async with host(size=(40, 30)) as (app, pilot):
        await press(pilot, *"four " * 20)
        assert app.query_one(TextArea).size.height == 3


async def test_the_placeholder_is_plain_words() -> None:
    async with host() as (app, pilot):
        app.prompt.placeholder = "[b]Ask[/x]"
        await pilot.pause()
        assert app.prompt.placeholder == "[b]Ask[/x]"
        assert "[b]Ask[/x]" in app.query_one(TextArea).render_line(0).text


# Older prompts


async def test_older_prompts_come_back_and_then_the_unfinished_draft() -> None:
    async with host() as (app, pilot):
        app.prompt.set_history(["first", "second\nline"])
        await press(pilot, *"draft", "up")
        assert app.shown == "second\nline"
        await press(pilot, "up")
        assert app.shown == "first"
        await press(pilot, "up", "down")
        assert app.shown == "second\nline"
        await press(pilot, "down")
        assert app.shown == "draft"
        await press(pilot, "down", "!")
        assert app.shown == "draft!"


async def test_an_edited_older_prompt_is_sent_and_nothing_of_the_walk_is_lost() -> None:
    async with host() as (app, pilot):
        app.prompt.set_history(["first", "second"])
        await press(pilot, "up", "!", "up", "down")
        assert app.shown == "second!"
        await press(pilot, "enter")
        assert app.sent == ["second!"]
        await press(pilot, "up")
        assert app.shown == "second!"
        await press(pilot, "up")
        assert app.shown == "second"


async def test_the_arrows_go_on_past_an_older_prompt_that_looks_like_a_command() -> None:
    async with host() as (app, pilot):
        app.prompt.set_history(["older", "/m"])
        await press(pilot, "up", "up")
        assert app.shown == "older"


async def test_arrows_move_the_cursor_between_rows_first() -> None:
    async with host(size=(24, 30)) as (app, pilot):
        app.prompt.set_history(["older"])
        app.prompt.set_draft("one two three four five six seven")
        await press(pilot, "up")
        assert app.shown.startswith("one")
        await press(pilot, "up", "up")
        assert app.shown == "older"


async def test_a_sent_text_with_an_attachment_comes_back_with_its_chip() -> None:
    async with host() as (app, pilot):
        await press(pilot, *"sum ")
        await paste(pilot, BIG)
        await press(pilot, "enter")
        await press(pilot, "up")
        assert app.shown == "sum [pasted 1.0 MB · 50,000 lines]"
        await press(pilot, "enter")
        assert app.sent == [f"sum {BIG}"] * 2
