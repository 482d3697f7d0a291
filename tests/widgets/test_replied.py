"""The code of a request equals what was sent, also where a server wants to be asked for probabilities otherwise."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.core.wire import refusal
from tests.fake_server import Answer, Body, FakeServer
from tui_chat.core.conversation import Conversation, Setup, begun, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.files import Places
from tui_chat.core.known import Endpoints
from tui_chat.core.settings import Settings
from tui_chat.core.wire import Request
from tui_chat.core.world import MOST_LOGPROBS, World
from tui_chat.widgets.replied import code_of_next, code_of_reply

SETUP = Setup("lab", "m-1")
Answers = Callable[[Body], Answer]


def wants_a_switch(body: Body) -> Answer:
    if type(body.get("logprobs")) is int:
        return Answer(status=400, error=refusal("logprobs: expected a boolean"))
    return Answer()


def wants_fewer(body: Body) -> Answer:
    asked = max(body.get("top_logprobs") or 0, int(body.get("logprobs") or 0))
    if asked > 5:
        return Answer(status=400, error=refusal("logprobs must be between 0 and 5"))
    return Answer()


def wants_a_switch_and_fewer(body: Body) -> Answer:
    answer = wants_a_switch(body)
    return answer if answer.error else wants_fewer(body)


def body_in(code: str) -> dict[str, Any]:
    """The body in the curl command."""
    body: dict[str, Any] = json.loads(code.partition("<<'BODY'\n")[2].rpartition("\nBODY")[0])
    return body


@asynccontextmanager
async def asked_once(
    server: FakeServer, directory: Path, **changes: Any
) -> AsyncIterator[tuple[World, Endpoint]]:
    """A world in which one reply came, with probabilities."""
    lab = replace(Endpoint("lab", server.base_url), **changes)
    world = World(Places(directory, directory), Settings(), Endpoints([lab]), {})
    try:
        provider = await world.provider("lab")
        request = Request(SETUP, [said("user", "hi")], logprobs=MOST_LOGPROBS)
        await provider.reply(request, lambda _: None)
        yield world, lab
    finally:
        await world.close()


TABLE: list[tuple[Answers, dict[str, Any]]] = [
    (wants_a_switch, {"counted_logprobs": True}),
    (wants_fewer, {}),
    (wants_fewer, {"counted_logprobs": True}),
    (wants_a_switch_and_fewer, {"counted_logprobs": True}),
    (lambda _: Answer(), {"counted_logprobs": True, "most_logprobs": 5}),
]


@pytest.mark.parametrize(("answers", "changes"), TABLE)
async def test_the_code_asks_for_probabilities_as_the_model_wants_it(
    tmp_path: Path, answers: Answers, changes: dict[str, Any]
) -> None:
    with FakeServer() as server:
        server.answers = answers
        async with asked_once(server, tmp_path, **changes) as (world, lab):
            question = said("user", "hi")
            text = await code_of_next(world, lab, SETUP, [question], MOST_LOGPROBS)
            assert body_in(text) == server.chats[-1]
            assert server.chats[-1]["logprobs"]

            reply = begun(question.id, SETUP, logprobs=MOST_LOGPROBS)
            conversation = Conversation()
            conversation.add(question)
            conversation.add(reply)
            text = await code_of_reply(world, conversation, reply, SETUP)
            assert body_in(text) == server.chats[-1]
