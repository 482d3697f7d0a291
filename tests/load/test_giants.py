"""Giant and hostile texts in the whole program: it reads, shows, saves and pastes them, and no key waits for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events

from tests.load.flood import event, flood
from tests.load.rod import Rod
from tests.nightly import NIGHTLY
from tests.rooms.house import House, open_house, stored, wait_until
from tests.rooms.texts import room
from tui_chat.core import counting
from tui_chat.rooms.completion.giants import PASTED
from tui_chat.widgets.steady_app import MOST_IN_A_LINE
from tui_chat.widgets.writing import MOST_AT_ONCE

HELD = 0.1
"""Seconds of the processor for which nothing may hold the loop, and no thread the interpreter."""
TABLE = "|" + "a|" * 5_000 + "\n|" + "-|" * 5_000 + "\n" + ("|" + "b|" * 5_000 + "\n") * 10
USUAL = {
    "a line of 5 MB": ["word " * 1_000_000],
    "quotes and an open fence": ["> " * 10_000 + "deep\n\n", "```python\n" + "f(x)\n" * 60_000],
    "a wide table": [TABLE],
    "200 marks on a letter": [("a" + "\u0301" * 200 + " ") * 4_000],
}
MORE = {
    "an open fence": ["```python\n" + "f(x) " * 600_000],
    "a line of 5 MB in pieces": ["word " * 50] * 20_000,
    "a line without blanks": ["x" * 5_000_000],
    "a Chinese line": ["漢字" * 850_000],
    "lists": ["- " * 10_000 + "x"],
    "brackets": ["[" * 10_000 + "x" + "]" * 10_000],
    "links": ["[a](" * 5_000],
    "emphasis": ["***" * 5_000 + "x" + "***" * 5_000],
    "ticks": [" ".join("`" * number for number in range(1, 300))],
    "open brackets in a fence": ["```json\n" + "[" * 1_000_000],
    "joined signs": ["👩\u200d" * 200_000],
}
TEXTS = USUAL | (MORE if NIGHTLY else {})


@pytest.fixture(autouse=True)
def _loaded() -> None:
    """The vocabulary is read once in a run, which holds the loop for longer than anything here."""
    counting.load("o200k_base")


async def paste(house: House, text: str) -> None:
    event = events.Paste(text)
    event.set_sender(house.app)
    driver = house.app._driver
    assert driver is not None
    driver.process_message(event)
    await house.pilot.pause()


@pytest.mark.parametrize("pieces", TEXTS.values(), ids=TEXTS.keys())
async def test_a_giant_reply_is_shown_and_saved_whole(tmp_path: Path, pieces: list[str]) -> None:
    with flood(tmp_path / "flood", b"".join(map(event, pieces))) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # only its address is needed
            await house.write("hi")
            with Rod() as rod:
                await house.press("enter")
                await wait_until(lambda: len(house.thread) == 2, "it is asked")
                await house.answered()
                house.app.set_focus(house.chat.transcript)
                await house.press("home", "pagedown", "end", "pageup", "k")
                await house.pilot.pause()
            last = (await house.saved()).thread()[-1]
    assert (last.content, last.status) == ("".join(pieces), "complete")
    assert max(rod.held, rod.gap) < HELD, rod


async def test_a_paste_of_10_megabytes_is_sent_whole(tmp_path: Path) -> None:
    text = "some words here\n" * 625_000
    with flood(tmp_path / "flood", event("ok")) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # as above
            with Rod() as rod:
                await paste(house, text)
                await wait_until(lambda: len(house.chat.draft) == len(text), "pasted")
                await house.write("and more")
                await house.press("left", "right", "enter")
                await wait_until(lambda: len(house.thread) == 2, "it is sent")
                await house.answered()
                house.app.set_focus(house.chat.transcript)
                await house.press("home", "end", "k", "k", "e")
                assert house.chat.draft == text + "and more"
                await house.press("end", "!", "enter")
                await wait_until(lambda: len(house.chat.conversation) == 4, "it is sent again")
                await house.answered()
                house.app.set_focus(house.chat.transcript)
                house.chat.transcript.cursor = house.thread[0].id
                await house.press("d", "enter")
                await wait_until(lambda: len(house.chat.conversation) == 2, "it is deleted")
                await house.pilot.pause()
    assert rod.held < HELD, str(rod)
    [conversation] = await stored(tmp_path)
    assert [one.content for one in conversation.thread()] == [text + "and more", "ok"]


async def test_a_draft_of_megabytes_is_kept_without_being_described(tmp_path: Path) -> None:
    with flood(tmp_path / "flood", event("ok")) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # as above
            worker = house.chat.write_draft("", "x" * 1_000_000)
            assert len(worker.description) < 100
            await worker.wait()


async def test_in_a_text_too_long_a_paste_is_refused_in_words(tmp_path: Path) -> None:
    with flood(tmp_path / "flood", event("ok")) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # as above
            await house.press("f8")
            await wait_until(lambda: house.app.screen is not house.chat, "the other room")
            await house.pilot.pause()
            with Rod() as rod:
                await paste(house, "x" * 10_000_000)
                await wait_until(lambda: "Nothing was pasted." in house.notices(), "it is said")
            assert f"{MOST_AT_ONCE:,} can be pasted" in house.notices()
            assert max(rod.held, rod.gap) < HELD, rod
            with Rod() as rod:
                for _ in range(3):
                    await paste(house, "漢字" * 12_000)
                await wait_until(lambda: PASTED in house.notices(), "it is said")
                await house.press("x", "left", "y", "ctrl+z", "ctrl+z")
                await house.pilot.pause()
            assert room(house).editor.text == "漢字" * 24_000
            assert rod.held < HELD, str(rod)


async def test_a_paste_into_a_line_is_cut(tmp_path: Path) -> None:
    with flood(tmp_path / "flood", event("ok")) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # as above
            await house.press("f6")
            await house.pilot.pause()
            field = house.app.focused
            await paste(house, "words and words " * 600_000)
            await asyncio.sleep(0)
            assert len(getattr(field, "value", "")) == MOST_IN_A_LINE
