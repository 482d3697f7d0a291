"""The saved conversations give back what was said, whole and in order."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.stored import NASTY, by_hand, cleaned, loaded, messages, saved
from tui_chat.core.conversation import Conversation, Message, Setup, Shelf, Usage, new_id, said
from tui_chat.core.errors import ChatError
from tui_chat.core.store import Store
from tui_chat.core.text import clean


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(path)
    yield opened
    await opened.close()


# What comes back


@settings(max_examples=30, deadline=None)
@given(st.lists(messages, min_size=1, max_size=5), st.text())
def test_every_field_of_every_message_comes_back_in_order(drawn: list[Message], title: str) -> None:
    async def round_trip(path: Path) -> None:
        store = await Store.open(path)
        conversation = Conversation(title=title)
        chained: list[Message] = []
        for message in drawn:
            chained.append(replace(message, parent=chained[-1].id if chained else None))
        await store.create(conversation, chained[0])
        for message in chained[1:]:
            await store.add(conversation.id, message)

        found = await loaded(store, conversation.id)
        await store.close()

        assert found.messages == tuple(cleaned(message) for message in chained)
        assert found.title == clean(title)
        assert found.created == conversation.created
        assert found.leaf == chained[-1].id

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(round_trip(Path(directory) / "conversations.db"))


async def test_branches_and_the_leaf_being_read_survive_a_restart(path: Path) -> None:
    store = await Store.open(path)
    conversation = await saved(store, "Why is the sky blue?", "First answer")
    question = conversation.messages[0].id
    second = said("assistant", "Second answer", question)
    await store.add(conversation.id, second)
    edited = said("user", "Why is it red?")
    await store.add(conversation.id, edited)
    await store.set_leaf(conversation.id, conversation.messages[1].id)
    await store.close()

    store = await Store.open(path)
    found = await loaded(store, conversation.id)
    await store.close()

    assert [message.content for message in found.thread()] == [
        "Why is the sky blue?",
        "First answer",
    ]
    assert found.siblings(second.id) == (conversation.messages[1].id, second.id)
    assert found.siblings(question) == (question, edited.id)


async def test_a_conversation_is_created_with_its_first_message_or_not_at_all(
    store: Store, path: Path
) -> None:
    first = said("user", "hello")
    await store.create(Conversation(title="one"), first)

    with pytest.raises(ChatError):
        await store.create(Conversation(title="two"), first)

    assert [each.title for each in await store.headlines()] == ["one"]
    assert by_hand(path, "SELECT count(*) FROM conversation") == [(1,)]


async def test_what_is_finished_takes_the_place_of_its_pieces(store: Store, path: Path) -> None:
    conversation = await saved(store, "hello")
    setup = Setup("home", "qwen3", "Be brief.")
    reply = replace(
        said("assistant", "", conversation.messages[0].id, setup=setup), status="streaming"
    )
    await store.add(conversation.id, reply)
    await store.append(reply.id, "Hel", "hm")
    await store.append(reply.id, "lo")
    ended = replace(
        reply, content="Hello!", status="complete", usage=Usage(3, 2, seconds=0.5), reasoning="hmm"
    )

    await store.finish(ended)

    assert (await loaded(store, conversation.id)).message(reply.id) == ended
    assert by_hand(path, "SELECT count(*) FROM piece") == [(0,)]


async def test_adding_to_what_is_not_there_is_said(store: Store) -> None:
    with pytest.raises(ChatError, match="no longer there"):
        await store.add(new_id(), said("user", "hello"))
    with pytest.raises(ChatError, match="no longer there"):
        await store.finish(said("assistant", "hello"))


async def test_no_text_from_anywhere_makes_the_store_raise(store: Store) -> None:
    conversation = await saved(store, NASTY, NASTY, title=NASTY)
    reply = replace(said("assistant", NASTY), status="streaming", setup=Setup(NASTY, NASTY, NASTY))

    await store.add(conversation.id, reply)
    await store.append(reply.id, NASTY, NASTY)
    await store.rename(conversation.id, NASTY)
    await store.save_draft(NASTY, NASTY)
    await store.set_state(NASTY, NASTY)
    await store.create(Conversation(title="named", preset=NASTY), said("user", "hi"))

    assert await store.draft(NASTY) == clean(NASTY)
    assert await store.state(NASTY) == clean(NASTY)
    assert await store.load("\ud800") is None
    assert await store.headlines(Shelf(title="lone \udfff \0 absent")) == ()
    assert [each.id for each in await store.headlines(Shelf(title="漢字 LONE"))] == [
        conversation.id
    ]


async def test_an_export_gets_every_conversation_oldest_first(store: Store) -> None:
    made = [await saved(store, f"number {number}", "reply") for number in range(3)]

    every = [each async for each in store.conversations()]
    some = [each.id async for each in store.conversations([made[2].id, "missing", made[0].id])]

    assert [each.messages for each in every] == [each.messages for each in made]
    assert some == [made[2].id, made[0].id]


# Small things


async def test_a_draft_is_kept_until_it_is_emptied(path: Path) -> None:
    store = await Store.open(path)
    await store.save_draft("", "half a tho")
    await store.save_draft("", "half a thought")
    await store.save_draft("abc", "another")
    await store.save_draft("abc", "")
    await store.close()

    store = await Store.open(path)
    drafts = await store.draft(""), await store.draft("abc"), await store.draft("never")
    await store.close()

    assert drafts == ("half a thought", "", "")


async def test_state_is_remembered(store: Store) -> None:
    assert await store.state("theme") is None

    await store.set_state("theme", "dark")
    await store.set_state("theme", "light")

    assert await store.state("theme") == "light"


async def test_prompts_are_the_newest_different_ones_oldest_first(store: Store) -> None:
    conversation = await saved(store, "one", "reply", "two", "reply", "three")
    for _ in range(40):
        await store.add(conversation.id, said("user", "two"))

    assert await store.prompts() == ("one", "three", "two")
    assert await store.prompts(limit=2) == ("three", "two")


# Callers that go away


async def test_a_cancelled_caller_leaves_no_half_of_its_change(store: Store) -> None:
    conversation = await saved(store, "hello")
    calls = [
        asyncio.create_task(store.add(conversation.id, said("user", f"{number}")))
        for number in range(10)
    ]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    ended = await asyncio.gather(*calls, return_exceptions=True)

    await store.add(conversation.id, said("user", "later"))

    assert any(isinstance(each, asyncio.CancelledError) for each in ended)
    found = await loaded(store, conversation.id)
    assert [message.content for message in found.messages] == [
        "hello",
        *(f"{number}" for number in range(10)),
        "later",
    ]


async def test_a_closed_store_says_that_it_is_closed(path: Path) -> None:
    store = await Store.open(path)
    await store.close()

    with pytest.raises(ChatError, match="closed"):
        await store.headlines()
    with pytest.raises(ChatError, match="closed"):
        await store.set_state("theme", "dark")
    await store.close()


async def test_what_was_asked_before_closing_is_still_done(path: Path) -> None:
    store = await Store.open(path)
    writing = asyncio.create_task(store.set_state("theme", "dark"))
    await asyncio.sleep(0)
    await store.close()
    await writing

    store = await Store.open(path)
    found = await store.state("theme")
    await store.close()

    assert found == "dark"
