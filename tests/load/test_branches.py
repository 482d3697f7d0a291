"""A thousand siblings, and a thread of a thousand messages: read, turned, seen as a tree, and gone on with."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content

from tests.load.flood import event, flood
from tests.load.rod import Rod
from tests.rooms.house import open_house, wait_until
from tests.rooms.library import keep, open_review, reply, talk
from tui_chat.core import counting, queries
from tui_chat.core.conversation import Conversation
from tui_chat.core.outline import Limb
from tui_chat.core.store import Store
from tui_chat.widgets import tree
from tui_chat.widgets.transcript.document import Document, Item
from tui_chat.widgets.tree import TreeDialog, tree_line

HELD = 0.1
"""Seconds of the processor for which nothing may hold the loop."""
COUNT = 1_000
SCREENFULS = 8
"""Of 40 lines, as many are looked at in all."""


def siblings() -> Conversation:
    conversation = talk("Which?", "answer 0")
    question = conversation.messages[0]
    for number in range(1, COUNT):
        conversation.add(reply(f"answer {number}", question))
    return conversation


def long_thread() -> Conversation:
    return talk(*(f"turn {number}" for number in range(COUNT)))


async def kept_at_once(directory: Path, conversation: Conversation) -> None:
    """On disk in one go: a thousand commits take long."""
    first, *rest = conversation.messages
    await keep(directory, Conversation(conversation.id, conversation.title, [first]))
    with sqlite3.connect(directory / "config" / "conversations.db") as database:
        for message in rest:
            queries.add(database, conversation.id, message, "")
    store = await Store.open(directory / "config" / "conversations.db")
    await store.set_leaf(conversation.id, conversation.thread()[-1].id)
    await store.close()


@pytest.mark.parametrize("conversation", [siblings(), long_thread()], ids=["siblings", "a thread"])
async def test_a_thousand_branches_or_turns_hold_no_key_up(
    tmp_path: Path, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting.load("o200k_base")
    drawn = Counter[str]()

    def counted(limb: Limb, room: int) -> Content:
        drawn["lines of the tree"] += 1
        return tree_line(limb, room)

    def opened(document: Document, *given: Any, **named: Any) -> list[Item]:
        drawn["messages"] += 1
        return items_of(document, *given, **named)

    items_of = Document._items_of
    monkeypatch.setattr(tree, "tree_line", counted)
    monkeypatch.setattr(Document, "_items_of", opened)
    await kept_at_once(tmp_path, conversation)
    before = len(conversation.thread())
    last = conversation.thread()[-1].content
    with flood(tmp_path / "flood", event("below")) as server:
        async with open_house(tmp_path, server) as house:  # type: ignore[arg-type]  # only its address is needed
            with Rod() as rod:
                await open_review(house)
                await house.press("tab", "enter")
                await wait_until(lambda: len(house.thread) == before, "it is open")
                house.app.set_focus(house.chat.transcript)
                await house.press("G")
                if before == 2:
                    await house.press("left_square_bracket", "left_square_bracket")
                    await wait_until(lambda: house.thread[-1].content == f"answer {COUNT - 3}")
                    await house.press("right_square_bracket", "right_square_bracket")
                    await wait_until(lambda: house.thread[-1].content == last)
                await house.press("t")
                await wait_until(lambda: isinstance(house.app.screen, TreeDialog), "the tree")
                await house.press("g", "G", "escape")
                await wait_until(lambda: house.app.screen is house.chat, "back")
                await house.press("escape")
                await house.write("go on")
                await house.press("enter")
                await wait_until(lambda: len(house.thread) == before + 2, "it is sent below")
                await house.answered()
            assert house.thread[-1].content == "below"
            assert house.thread[-3].content == last
    assert rod.held < HELD, str(rod)
    # What grows with what there is would not show yet in times that a person notices.
    assert 0 < drawn["lines of the tree"] < SCREENFULS * 40, drawn
    assert 0 < drawn["messages"] < SCREENFULS * 40, drawn
