"""A branch without the oldest messages: copies that are on disk, beside what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.test_talk_texts import Heard
from tests.fake_server import Answer, FakeServer
from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Message, Setup, Token, Usage, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.known import Endpoints
from tui_chat.core.measure import Measure
from tui_chat.core.probabilities import Kept, packed
from tui_chat.core.settings import Settings
from tui_chat.core.talk import Talk
from tui_chat.core.world import World

SETUP = Setup("fake", "m-1")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(
        Answer(("It", " is."), usage={"prompt_tokens": 900, "completion_tokens": 9})
    ) as running:
        yield running


@pytest.fixture
async def world(tmp_path: Path, server: FakeServer) -> AsyncIterator[World]:
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "c")}
    endpoint = Endpoint("fake", server.base_url)
    made = World(Places.standard(environ), Settings(), Endpoints([endpoint]), environ)
    yield made
    await made.close()


@pytest.fixture
async def talk(world: World) -> Talk:
    made = Talk(world, Heard())
    for question in ("one", "two", "three"):
        await made.say(question, SETUP)
    return made


async def on_disk(talk: Talk, world: World) -> list[Message]:
    found = await (await world.store()).load(talk.saved_id)
    assert found is not None
    return list(found.thread())


async def test_the_copies_are_on_disk_and_what_was_said_is_as_it_was(
    talk: Talk, world: World
) -> None:
    before = talk.conversation.thread()
    last = await talk.leave_out(2, before[4].id)
    made = talk.conversation.thread()
    assert last == made[-1].id
    assert [one.content for one in made] == ["two", "It is.", "three"]
    assert await on_disk(talk, world) == list(made)
    assert talk.conversation.thread(before[-1].id) == before
    assert made[1] == replace(before[3], id=made[1].id, parent=made[0].id)
    assert made[0].created >= before[0].created


async def test_what_is_asked_then_is_asked_without_them(talk: Talk, server: FakeServer) -> None:
    thread = talk.conversation.thread()
    last = await talk.leave_out(2, thread[4].id)
    assert last is not None
    await talk.again(last, SETUP)
    asked = [message["content"] for message in server.chats[-1]["messages"]]
    assert asked == ["two", "It is.", "three"]


async def test_all_can_be_left_out_and_what_is_said_then_begins_beside_them(
    talk: Talk, server: FakeServer
) -> None:
    first, *_, last = talk.conversation.thread()
    assert await talk.leave_out(6, last.id) is None
    await talk.say("four", SETUP)
    assert [one.content for one in talk.conversation.thread()] == ["four", "It is."]
    assert talk.conversation.siblings(first.id) == (first.id, talk.conversation.thread()[0].id)
    assert len(server.chats[-1]["messages"]) == 1


async def test_a_copied_reply_keeps_its_probabilities(talk: Talk, world: World) -> None:
    store = await world.store()
    question = talk.conversation.thread()[-2]
    token = Token("It", -0.1, (Candidate(b"It", -0.1), Candidate(b"We", -2.5)))
    reply = replace(said("assistant", "It", question.id, setup=SETUP), usage=Usage(1, 1))
    await store.add(talk.saved_id, reply, packed([token]))
    talk.conversation.add(reply)
    await talk.leave_out(2, reply.id)
    copy = talk.conversation.thread()[-1]
    assert copy.id != reply.id
    assert list(Kept(await store.tokens(copy.id))) == list(Kept(await store.tokens(reply.id)))
    assert next(iter(Kept(await store.tokens(copy.id)))).text == "It"


async def test_where_the_disk_refuses_nothing_is_changed(talk: Talk, world: World) -> None:
    store = await world.store()
    before = talk.conversation.messages
    await store.close()
    with pytest.raises(ChatError):
        await talk.leave_out(2, before[-1].id)
    assert talk.conversation.messages == before
    assert talk.conversation.leaf == before[-1].id


async def test_a_copied_replys_count_is_not_taken_for_the_shorter_thread(
    talk: Talk, world: World
) -> None:
    measure = Measure(world)
    whole = await measure.read(SETUP, talk.conversation.thread(), "")
    assert (whole.context, whole.context_exact) == (909, True)
    await talk.leave_out(2, talk.conversation.leaf)
    short = await measure.read(SETUP, talk.conversation.thread(), "")
    assert short.context is not None
    assert short.context < 100
    assert not short.context_exact
