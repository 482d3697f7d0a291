"""Saved conversations for tests of the rooms that read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.rooms.house import House, wait_until
from tui_chat.core.conversation import Conversation, Message, Setup, Status, Usage, said
from tui_chat.core.params import Params
from tui_chat.core.store import Store


def reply(
    text: str,
    parent: Message,
    *,
    temperature: float = 0.7,
    model: str = "fake-1",
    status: Status = "complete",
    endpoint: str = "environment",
) -> Message:
    """A reply as a server might have made it."""
    setup = Setup(endpoint, model, "Be brief.", Params({"temperature": temperature}))
    made = said("assistant", text, parent.id, setup=setup)
    usage = Usage(14, 96, first_token_seconds=0.25, seconds=1.25)
    return replace(made, status=status, usage=usage, finish_reason="stop", request_id="req-1")


async def keep(directory: Path, *conversations: Conversation) -> None:
    """Put conversations where the program in this directory will find them."""
    store = await Store.open(directory / "config" / "conversations.db")
    for conversation in conversations:
        first, *rest = conversation.messages
        await store.create(conversation, first)
        for message in rest:
            await store.add(conversation.id, message)
        await store.set_leaf(conversation.id, conversation.leaf or first.id)
    await store.close()


def talk(*texts: str, title: str = "", temperature: float = 0.7) -> Conversation:
    """A conversation of these texts, by turns a person's and a model's."""
    conversation = Conversation(title=title or texts[0])
    for place, text in enumerate(texts):
        before = conversation.thread()
        if place % 2:
            conversation.add(reply(text, before[-1], temperature=temperature))
        else:
            conversation.add(said("user", text, before[-1].id if before else None))
    return conversation


def branched() -> Conversation:
    """A question with two replies; the older one, with a question after it, is being read."""
    conversation = talk("Which fruit?", "An apple.", "And then?", title="Fruit")
    conversation.add(reply("A pear.", conversation.messages[0], temperature=1.5), follow=False)
    return conversation


async def open_review(house: House) -> None:
    """Open the room and wait for its lines."""
    await house.press("f3")
    count = re.compile(r"\d (conversation|branch|title|hit)")
    await wait_until(lambda: count.search(house.screen_text().splitlines()[0]), "the list is there")


async def library(directory: Path) -> None:
    """Three conversations: one, two, three; the last is the newest."""
    await keep(directory, *(talk(name, f"about {name}") for name in ("one", "two", "three")))


async def mark_two(house: House) -> None:
    """Mark the two newest lines of the list."""
    await house.press("tab", "space", "space")
    await wait_until(lambda: "2 marked" in house.screen_text())


async def look_for(house: House, query: str, *words: str) -> None:
    """Type a query and wait for these words on the screen."""
    await house.write(query)
    for one in words:
        await wait_until(lambda one=one: one in house.screen_text(), one)  # type: ignore[misc]


def titles(conversations: Sequence[Conversation]) -> list[str]:
    return [one.title for one in conversations]
