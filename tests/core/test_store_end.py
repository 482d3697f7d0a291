"""The end of a long conversation is read before the rest: it is what one sees first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.stored import by_hand, loaded, saved
from tui_chat.core import loading
from tui_chat.core.conversation import COMPLETION, Setup, begun, said
from tui_chat.core.loading import END
from tui_chat.core.store import Store


async def test_the_end_is_that_of_the_branch_being_read(store: Store) -> None:
    conversation = await saved(store, *(f"message {number}" for number in range(END + 20)))
    at = conversation.thread()[50]
    branch = said("user", "another way", at.id)
    await store.add(conversation.id, branch)
    for number in range(END):
        branch = said("user", f"below {number}", branch.id)
        await store.add(conversation.id, branch)

    end = await store.end(conversation.id)

    whole = await loaded(store, conversation.id)
    assert end is not None
    assert [one.content for one in end.thread()] == [one.content for one in whole.thread()[-END:]]
    assert end.thread()[-1].id == whole.leaf
    assert end.title == whole.title


async def test_of_a_short_one_there_is_no_end_to_be_read_first(store: Store) -> None:
    conversation = await saved(store, *(f"message {number}" for number in range(END)))

    assert await store.end(conversation.id) is None
    assert await store.end("none") is None


async def test_nor_of_one_in_the_trash(store: Store) -> None:
    conversation = await saved(store, *(f"message {number}" for number in range(END + 1)))
    assert await store.end(conversation.id) is not None
    await store.delete([conversation.id])

    assert await store.end(conversation.id) is None


async def test_parents_that_were_edited_into_a_circle_end_it(store: Store, path: Path) -> None:
    conversation = await saved(store, *(f"message {number}" for number in range(END + 5)))
    by_hand(path, "UPDATE message SET parent=seq+1 WHERE seq=50")

    assert await store.end(conversation.id) is None


async def test_whether_it_is_a_text_is_known_without_reading_it(store: Store) -> None:
    chat = await saved(store, "a chat")
    text = await saved(store, "a text")
    await store.add(text.id, begun(text.leaf or "", Setup("lab", "m"), way=COMPLETION))

    assert not await store.is_text(chat.id)
    assert await store.is_text(text.id)
    assert not await store.is_text("none")


async def test_others_get_at_the_database_while_a_long_conversation_is_read(store: Store) -> None:
    conversation = await saved(store, "first")
    before = conversation.leaf
    async with asyncio.TaskGroup() as tasks:
        for number in range(3):
            message = replace(said("user", f"message {number}", before), id=f"m{number}")
            tasks.create_task(store.add(conversation.id, message))
            before = message.id
    order: list[str] = []

    async def read() -> None:
        found = await loaded(store, conversation.id)
        order.append(f"read {len(found.messages)}")

    async def draft() -> None:
        await store.save_draft("", "written meanwhile")
        order.append("draft")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "PIECE", 1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            tasks.create_task(draft())

    assert order == ["draft", "read 4"]
