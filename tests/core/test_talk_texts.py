"""Continuing a text: what was written and what the model wrote are messages of one tree."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import COMPLETION, Message, Refusal, Setup, Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.known import Endpoints
from tui_chat.core.probabilities import Kept
from tui_chat.core.settings import Settings
from tui_chat.core.talk import Road, Talk
from tui_chat.core.world import World


@dataclass
class Heard:
    """What a talk told."""

    said_: list[Message] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)

    def said(self, message: Message) -> None:
        self.said_.append(message)

    def token(self, token: Token, id: str) -> None:
        self.tokens.append((id, token.text))

    def ended(self, message: Message) -> None:
        pass

    def refused(self, refusal: Refusal) -> None:
        pass

    def trouble(self, error: ChatError) -> None:
        raise error


SETUP = Setup("fake", "m-1", "You are a poet.")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Answer((" a", " time"))) as running:
        yield running


@pytest.fixture
async def talk(tmp_path: Path, server: FakeServer) -> AsyncIterator[Talk]:
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "c")}
    endpoint = Endpoint("fake", server.base_url, continues="prefill")
    world = World(Places.standard(environ), Settings(), Endpoints([endpoint]), environ)
    yield Talk(world, Heard())
    await world.close()


def texts(talk: Talk) -> list[tuple[str, str]]:
    return [(one.role, one.content) for one in talk.conversation.thread()]


async def test_a_text_and_its_continuation_are_one_thread(talk: Talk, server: FakeServer) -> None:
    await talk.write_on("Once upon", SETUP)
    await talk.write_on("Once upon a time there was", SETUP)
    await talk.write_on("Once upon a time there was a time", SETUP)
    assert [request.body["prompt"] for request in server.requests] == [
        "Once upon",
        "Once upon a time there was",
        "Once upon a time there was a time",
    ]
    assert texts(talk) == [
        ("user", "Once upon"),
        ("assistant", " a time"),
        ("user", " there was"),
        ("assistant", " a time"),
        ("assistant", " a time"),
    ]
    assert talk.conversation.is_text
    assert {one.way for one in talk.conversation.thread() if one.setup} == {COMPLETION}
    reopened = await (await talk._world.store()).load(talk.saved_id)
    assert reopened is not None
    assert reopened.thread() == talk.conversation.thread()


async def test_what_was_changed_before_begins_a_branch_there(talk: Talk) -> None:
    await talk.write_on("Once upon", SETUP)
    await talk.write_on("Once upon a time there", SETUP)
    await talk.write_on("Twice upon", SETUP)
    assert texts(talk) == [("user", "Twice upon"), ("assistant", " a time")]
    assert len(talk.conversation) == 6


async def test_again_is_a_sibling_of_the_same_text(talk: Talk, server: FakeServer) -> None:
    await talk.write_on("Once upon", SETUP, suffix=" The end.")
    first = talk.conversation.leaf
    assert first is not None
    await talk.again(first, SETUP)
    assert len(talk.conversation.siblings(first)) == 2
    assert [one.body["prompt"] for one in server.requests] == ["Once upon"] * 2
    assert [one.body["suffix"] for one in server.requests] == [" The end."] * 2
    assert not any(one.path.endswith("/chat/completions") for one in server.requests)


async def test_roads_are_taken_at_once_and_have_the_tokens_they_begin_with(
    talk: Talk, server: FakeServer
) -> None:
    await talk.write_on("Once upon", SETUP)
    reply = talk.conversation.leaf
    assert reply is not None
    before = Token(" a", -0.5)
    roads = [Road((before, Token(word, -1.0))) for word in (" day", " night", " mouse")]
    await talk.take_roads(reply, roads, SETUP)
    siblings = talk.conversation.siblings(reply)
    assert len(siblings) == 4
    assert talk.conversation.message(talk.conversation.leaf or "").content == " a day a time"
    assert {one.body["prompt"] for one in server.requests} == {
        "Once upon",
        "Once upon a day",
        "Once upon a night",
        "Once upon a mouse",
    }
    store = await talk._world.store()
    for sibling in siblings[1:]:
        assert Kept(await store.tokens(sibling)).texts[:1] == [" a"]


async def test_roads_of_a_chat_go_on_with_the_last_message(talk: Talk, server: FakeServer) -> None:
    await talk.say("hi", SETUP)
    reply = talk.conversation.leaf
    assert reply is not None
    await talk.take_roads(reply, [Road((Token(" Well", -1.0),))], SETUP)
    assert server.chats[-1]["messages"][-1] == {"role": "assistant", "content": " Well"}
    assert talk.conversation.message(talk.conversation.leaf or "").content == " Well a time"


async def test_several_who_watch_are_all_told(talk: Talk) -> None:
    other = Heard()
    talk.watch(other)
    await talk.write_on("Once upon", SETUP)
    assert [text for _, text in other.tokens] == [" a", " time"]
    talk.unwatch(other)
    await talk.write_on("Once upon a time", SETUP)
    assert len(other.tokens) == 2
