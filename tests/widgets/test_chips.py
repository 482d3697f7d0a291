"""Large pastes in the prompt, through real keys: shown as chips, edited as a whole, sent in full."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import TextArea

from tests.widgets.prompt_host import BIG, burst, host, paste, press, until


async def test_a_small_paste_is_text_and_is_never_sent() -> None:
    async with host() as (app, pilot):
        await paste(pilot, "a\r\nb\x1b[201~\r\n")
        assert app.shown == "a\nb\u241b[201~\n"
        assert app.sent == []


async def test_a_large_paste_is_one_chip_and_is_sent_whole() -> None:
    async with host() as (app, pilot):
        await press(pilot, *"before ")
        await paste(pilot, BIG)
        await press(pilot, *" after")
        assert app.shown == "before [pasted 1.0 MB · 50,000 lines] after"
        assert app.drafts[-1].text == f"before {BIG} after"
        await press(pilot, "enter")
        assert app.sent == [f"before {BIG} after"]


async def test_two_chips_of_one_size_stay_apart() -> None:
    async with host() as (app, pilot):
        for character in "ab":
            await paste(pilot, character * 3_000)
            await press(pilot, " ")
        assert app.shown == "[pasted 3.0 KB · 1 line] [pasted 3.0 KB · 1 line #2] "
        assert app.prompt.text_to_send == f"{'a' * 3_000} {'b' * 3_000} "


CHIP = "[pasted 3.0 KB · 1 line]"


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        (["left", "backspace"], "xz"),
        (["left", "left", "delete"], "xz"),
        (["left", "left", "y"], f"xy{CHIP}z"),
        (["left", "y"], f"x{CHIP}yz"),
        (["left", "left", "right", "y"], f"x{CHIP}yz"),
        (["left", "shift+left", "y"], "xyz"),
        (["left", "left", "shift+right", "y"], "xyz"),
        (["left", "ctrl+w"], "xz"),
        (["ctrl+left", "ctrl+w"], "xz"),
        (["ctrl+u"], ""),
        (["left", "backspace", "ctrl+z", "y"], f"x{CHIP}yz"),
        (["left", "backspace", "ctrl+z", "ctrl+y"], "xz"),
        (["ctrl+z", "ctrl+z"], "x"),
    ],
)
async def test_a_chip_is_edited_as_a_whole(keys: list[str], left: str) -> None:
    async with host() as (app, pilot):
        await press(pilot, "x")
        await paste(pilot, "a" * 3_000)
        await press(pilot, "z", *keys)
        assert app.shown == left
        assert app.prompt.text_to_send == left.replace(CHIP, "a" * 3_000)


async def test_a_click_inside_a_chip_goes_to_its_nearer_edge() -> None:
    async with host() as (app, pilot):
        await press(pilot, "x")
        await paste(pilot, "a" * 3_000)
        await pilot.click(TextArea, offset=(5, 0))
        await press(pilot, "y")
        assert app.shown == f"xy{CHIP}"


async def test_copying_a_chip_copies_its_text() -> None:
    async with host() as (app, pilot):
        await paste(pilot, "a" * 3_000)
        await press(pilot, "x", "shift+home", "ctrl+c")
        assert app.clipboard == "a" * 3_000 + "x"
        await press(pilot, "ctrl+x", "ctrl+v")
        assert app.prompt.text_to_send == "a" * 3_000 + "x"


async def test_what_looks_like_a_chip_but_was_typed_is_only_words() -> None:
    async with host() as (app, pilot):
        await paste(pilot, "a" * 3_000)
        await press(pilot, " ", *CHIP, "backspace", "enter")
        assert app.sent == [f"{'a' * 3_000} {CHIP[:-1]}"]


async def test_keys_after_a_huge_paste_stay_behind_it() -> None:
    async with host() as (app, pilot):
        huge = "\x1b[31mred\x1b[0m text\r\n" * 60_000
        app.post_message(events.Paste(huge))
        burst(app, *"ab", "enter")
        await until(pilot, lambda: app.sent != [])
        assert app.sent == ["\u241b[31mred\u241b[0m text\n" * 60_000 + "ab"]


async def test_a_large_draft_that_is_put_back_is_a_chip() -> None:
    async with host() as (app, pilot):
        app.prompt.set_draft(BIG)
        await pilot.pause()
        assert app.shown == "[pasted 1.0 MB · 50,000 lines]"
        assert app.prompt.text_to_send == BIG
