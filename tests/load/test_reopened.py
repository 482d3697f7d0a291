"""Giants among the saved conversations: opened, looked through, copied and seen in the lens, and no key waits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.load.flood import event, flood
from tests.load.rod import Rod
from tests.nightly import NIGHTLY
from tests.rooms.house import House, open_house, wait_until
from tests.rooms.library import keep, look_for, open_review, talk
from tests.rooms.texts import go, open_room, room
from tui_chat.core import counting
from tui_chat.core.conversation import COMPLETION, Conversation, said
from tui_chat.rooms.completion.giants import MOST_IN_A_LINE
from tui_chat.rooms.lens.screen import LensScreen
from tui_chat.rooms.lens.view import MOST_OF_A_TOKEN

HELD = 0.1
"""Seconds of the processor for which nothing may hold the loop."""
LINES = ("word " * 15 + "\n") * 66_000
USUAL = {"quotes": "> \n" * 300_000, "lines": LINES}
MORE = {
    "a line": "word " * 1_000_000,
    "paragraphs": "x\n\n" * 300_000,
    "a table": "|a|b|\n|-|-|\n" + "|a|b|\n" * 50_000,
    "a list": "- x\n" * 300_000,
}
TEXTS = USUAL | (MORE if NIGHTLY else {})
ENDS = "\n\nthe needle"


@pytest.fixture(autouse=True)
def _loaded() -> None:
    """The vocabulary is read once in a run, which holds the loop for longer than anything here."""
    counting.load("o200k_base")


async def whole(house: House) -> None:
    """Wait until the reply is cut to its end."""
    document = house.chat.transcript._document
    await wait_until(lambda: document.messages and not document.uncut, "it is cut to its end")
    await house.pilot.pause()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_a_saved_giant_is_found_opened_copied_and_seen_in_the_lens(
    tmp_path: Path, text: str
) -> None:
    await keep(tmp_path, talk("hi", text + ENDS))
    with flood(tmp_path / "flood", event("ok")) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # only its address is needed
            transcript = house.chat.transcript
            with Rod() as rod:
                await open_review(house)
                await look_for(house, "needle", "the needle")
                await house.press("enter")
                await wait_until(lambda: len(house.thread) == 2, "it is open")
                await whole(house)
                house.app.set_focus(transcript)
                await house.press("home", "pagedown", "end", "pageup", "k", "j")
                await whole(house)
            assert rod.held < HELD, str(rod)
            with Rod() as rod:
                transcript.text_select_all()
                await house.pilot.pause()
                await house.press("ctrl+c")
                await wait_until(lambda: "characters" in house.notices(), "it is copied")
            assert rod.held < HELD, str(rod)
            copied = (tmp_path / "cache" / "copied.txt").read_text()
            assert copied.count("word") == text.count("word")
            assert "the needle" in copied
            with Rod() as rod:
                await house.press("f4")
                await wait_until(lambda: isinstance(house.app.screen, LensScreen), "the lens")
                await house.press("end", "home", "down", "pagedown")
                await house.pilot.pause()
            assert f"{MOST_OF_A_TOKEN:,} characters" in " ".join(house.screen_text().split())
            assert rod.held < HELD, str(rod)


def saved_text(text: str) -> Conversation:
    """A text that a model continued."""
    conversation = Conversation(title="Long text")
    first = said("user", "It begins")
    conversation.add(first)
    conversation.add(replace(said("assistant", text, first.id), way=COMPLETION))
    return conversation


async def test_a_text_too_long_for_the_editor_is_not_opened_but_kept(tmp_path: Path) -> None:
    conversation = saved_text(LINES)
    await keep(tmp_path, conversation)
    with flood(tmp_path / "flood", event("ok")) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # as above
            await open_room(house, "Mine")
            with Rod() as rod:
                await open_review(house)
                await house.press("tab", "enter")
                await wait_until(lambda: "too long to be edited" in house.notices(), "it is said")
                await wait_until(lambda: room(house).editor.text == "Mine", "what was there")
            assert rod.held < HELD, str(rod)
            store = await house.app._world.store()
            kept = await store.load(conversation.id)
            assert kept is not None
            assert kept.thread()[-1].content == LINES


async def test_what_grows_too_long_for_the_editor_is_kept_whole(tmp_path: Path) -> None:
    line = b'data: {"choices":[{"index":0,"text":"%s","finish_reason":null}]}\n\n' % (
        b"word " * 1000
    )
    with flood(tmp_path / "flood", line, 100) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # as above
            await open_room(house, "Once ")
            with Rod() as rod:
                shown = await go(house)
            assert len(shown) <= MOST_IN_A_LINE
            assert "too long to be shown" in house.notices()
            assert rod.held < HELD, str(rod)
            conversation = room(house).conversation
            store = await house.app._world.store()
            kept = await store.load(conversation.id)
            assert kept is not None
            assert len(kept.messages[-1].content) == 500_000
