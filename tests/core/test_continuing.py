"""Going on with a reply: what is asked, of which servers, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.core.scene import SETUP as MADE_WITH
from tests.core.scene import after_a_crash, row, scene
from tests.core.wire import HI, SETUP, provider_for, text
from tests.fake_server import Answer, FakeServer, words
from tui_chat.core.conversation import Conversation, Message, Token, begun, said
from tui_chat.core.endpoint_tables import endpoint_from, known_endpoints
from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.engines import ENGINES
from tui_chat.core.errors import ChatError
from tui_chat.core.store import Store
from tui_chat.core.wire import Request

GOES_ON = {"role": "assistant", "content": "Once upon"}
FLAGS = {"continue_final_message": True, "add_generation_prompt": False}


def list_of(owner: str) -> Answer:
    body = {"object": "list", "data": [{"id": "m-1", "owned_by": owner}]}
    return Answer(raw=json.dumps(body).encode(), content_type="application/json")


@pytest.mark.parametrize(
    ("continues", "fields"), [("prefill", {}), ("continue_final_message", FLAGS)]
)
async def test_the_last_message_is_the_beginning(continues: str, fields: dict[str, object]) -> None:
    tokens: list[Token] = []
    with FakeServer(Answer(words(" a time."))) as server:
        async with provider_for(server, continues=continues) as provider:
            await provider.reply(Request(SETUP, HI, "Once upon"), tokens.append)
        (body,) = server.chats
        assert server.count("/models") == 0
    assert body["messages"] == [{"role": "user", "content": "hi"}, GOES_ON]
    usual = {"model", "messages", "stream", "stream_options"}
    assert {name: body[name] for name in body.keys() - usual} == fields
    assert text(tokens) == " a time."


@pytest.mark.parametrize(
    ("owner", "fields"), [("llamacpp", set()), ("vllm", set(FLAGS)), ("VLLM", set(FLAGS))]
)
async def test_a_server_is_known_by_its_list_of_models(owner: str, fields: set[str]) -> None:
    with FakeServer() as server:
        server.listed = list_of(owner)
        async with provider_for(server) as provider:
            await provider.reply(Request(SETUP, HI, "Once upon"), list[Token]().append)
        assert server.chats[0].keys() & FLAGS.keys() == fields
        assert server.chats[0]["messages"][-1] == GOES_ON


async def test_a_server_that_is_not_known_to_go_on_is_not_asked_to() -> None:
    with FakeServer() as server:
        async with provider_for(server) as provider:
            with pytest.raises(
                ChatError, match=r"fake cannot go on with a reply\. r answers again\."
            ):
                await provider.reply(Request(SETUP, HI, "Once upon"), list[Token]().append)
        assert not server.chats


async def test_an_answer_from_its_beginning_asks_nothing_of_the_kind() -> None:
    with FakeServer() as server:
        async with provider_for(server, continues="continue_final_message") as provider:
            await provider.reply(Request(SETUP, HI), list[Token]().append)
        assert not server.chats[0].keys() & FLAGS.keys()


def test_an_endpoint_says_how_it_goes_on() -> None:
    url = {"base_url": "http://h/v1"}
    assert endpoint_from("a", url).continues == ""
    assert endpoint_from("a", url | {"continues": "prefill"}).continues == "prefill"
    with pytest.raises(ValueError, match="continues takes prefill or continue_final_message"):
        endpoint_from("a", url | {"continues": True})
    known = {one.name: ENGINES[one.engine].continues for one in known_endpoints() if one.engine}
    assert {name: way for name, way in known.items() if way} == {
        BUILT_IN: "prefill",
        "llamacpp": "prefill",
        "vllm": "continue_final_message",
    }


# Kept


def going_on(old: str = "Once upon", reasoning: str = "") -> tuple[Message, Message]:
    question = said("user", "hi")
    return question, begun(question.id, MADE_WITH, old, reasoning)


async def test_the_reply_is_the_beginning_and_what_came(store: Store) -> None:
    answer = Answer(words(" a time."), usage=False, reasoning=("Hm.",))
    with FakeServer(answer) as server:
        async with scene(server, store) as one:
            one.provider._endpoint = replace(one.provider._endpoint, continues="prefill")
            one.reply = replace(one.reply, content="Once upon", reasoning="Well. ")
            final = await one.asked(store)
            assert await row(store, one) == final
            plain = await provider_count(server)
    assert (final.content, final.reasoning) == ("Once upon a time.", "Well. Hm.")
    assert final.status == "complete"
    # What it began with is of the prompt: only what came is counted as the reply.
    assert final.usage.completion_tokens == plain
    assert final.usage.estimated


async def provider_count(server: FakeServer) -> int:
    """The estimate for the same answer when nothing was there before."""
    async with scene(server) as one:
        return (await one.asked()).usage.completion_tokens or 0


async def test_the_beginning_is_on_disk_while_the_rest_arrives(store: Store) -> None:
    with FakeServer(Answer(words(" a time there was."), stall_after=2)) as server:
        async with scene(server, store, read_seconds=1) as one:
            one.provider._endpoint = replace(one.provider._endpoint, continues="prefill")
            one.reply = replace(one.reply, content="Once upon")
            final = await one.asked(store)
            crashed = await after_a_crash(store._path, one)
    assert final.status == "cut"
    assert final.content == crashed.content == "Once upon a "


async def test_a_refusal_keeps_the_beginning_and_says_the_words(store: Store) -> None:
    words_of_server = "Assistant response prefill is incompatible with enable_thinking."
    with FakeServer(Answer(status=400, error={"error": {"message": words_of_server}})) as server:
        async with scene(server, store) as one:
            one.provider._endpoint = replace(one.provider._endpoint, continues="prefill")
            one.reply = replace(one.reply, content="Once upon")
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.status, final.content) == ("failed", "Once upon")
    assert words_of_server in final.error


async def test_a_model_with_nothing_to_add_says_so() -> None:
    with FakeServer(Answer(tokens=())) as server:
        async with scene(server) as one:
            one.provider._endpoint = replace(one.provider._endpoint, continues="prefill")
            one.reply = replace(one.reply, content="Once upon")
            final = await one.asked()
    assert (final.content, final.error) == ("Once upon", "The model had nothing to add.")


def test_a_conversation_rebuilt_is_the_same_but_for_its_messages() -> None:
    question, reply = going_on()
    one = Conversation("c", "title", [question], None, 5, starred=True, tags=["a"], preset="Chaos")
    other = one.rebuilt([question, reply], reply.id)
    assert vars(one).keys() == vars(other).keys()
    same = ("id", "title", "created", "updated", "archived", "starred", "tags", "preset")
    assert all(getattr(one, name) == getattr(other, name) for name in same)
    assert [message.id for message in other.thread()] == [question.id, reply.id]
    assert other.parent(reply.id) == question.id
    assert other.parent(question.id) is None
