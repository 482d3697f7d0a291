"""Continuing a plain text: what is sent for it, what comes back, and who is known not to do it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.core.wire import SET, SETUP, provider_for, replied, text, with_params
from tests.fake_server import Answer, Body, FakeServer
from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token, said
from tui_chat.core.endpoints import ENGINE_NAMES
from tui_chat.core.engines import ENGINES, UNKNOWN, owned_by
from tui_chat.core.errors import ChatError
from tui_chat.core.wire import Request

TEXT = (said("user", "Once upon"), said("assistant", " a time"), said("user", " there"))


def told(token: str, logprob: float, *top: tuple[str, float]) -> Body:
    others = [{"token": other, "logprob": value} for other, value in top]
    return {"token": token, "logprob": logprob, "top_logprobs": others}


def sent_to(server: FakeServer) -> Any:
    (request,) = [one for one in server.requests if one.path.endswith("/completions")]
    assert not request.path.endswith("/chat/completions")
    return request.body


async def test_the_whole_text_is_the_prompt_and_there_is_no_system_prompt() -> None:
    setup = replace(SETUP, system="You are a poet.")
    with FakeServer(Answer((" was", " a", " queen"))) as server:
        tokens, ending = await replied(server, setup, TEXT, completes=True)
        body = sent_to(server)
    assert body["prompt"] == "Once upon a time there"
    assert body.keys() == {"model", "prompt", "stream", "stream_options"}
    assert text(tokens) == " was a queen"
    assert ending.status == "complete"
    assert ending.usage.completion_tokens == 3


async def test_every_parameter_is_sent_and_the_longest_length_under_its_own_name() -> None:
    with FakeServer() as server:
        await replied(
            server,
            with_params(**SET),
            TEXT,
            completes=True,
            rename={"max_tokens": "max_completion_tokens"},
        )
        body = sent_to(server)
    assert {name: body[name] for name in SET} == SET


async def test_what_it_begins_with_and_what_follows_are_sent() -> None:
    with FakeServer() as server:
        async with provider_for(server) as provider:
            request = Request(SETUP, TEXT, " lived", completes=True, suffix=" The end.")
            await provider.reply(request, list[Token]().append)
        body = sent_to(server)
    assert body["prompt"] == "Once upon a time there lived"
    assert body["suffix"] == " The end."


async def test_probabilities_come_in_the_shape_that_completions_have() -> None:
    entries = [
        told(" was", -0.5, (" is", -2.0), (" was", -0.5)),
        told("bytes:\\xf0\\x9f", -1.0, ("bytes:\\x80", -3.0)),
    ]
    with FakeServer(Answer((" was", ""), logprobs=entries)) as server:
        tokens, _ = await replied(server, SETUP, TEXT, completes=True, logprobs=5)
        body = sent_to(server)
    assert body["logprobs"] == 5
    assert "top_logprobs" not in body
    first, second = tokens[:2]
    assert first == Token(" was", -0.5, (Candidate(b" was", -0.5), Candidate(b" is", -2.0)))
    assert (second.text, second.raw) == ("", b"\xf0\x9f")
    assert second.top == (Candidate(b"\x80", -3.0),)


async def test_what_openai_writes_for_a_token_beyond_those_told_is_no_probability() -> None:
    with FakeServer(Answer((" was",), logprobs=[told(" was", -9999.0, (" is", -0.1))])) as server:
        tokens, _ = await replied(server, SETUP, TEXT, completes=True, logprobs=5)
    assert tokens[0].logprob is None
    assert tokens[0].top == (Candidate(b" is", -0.1),)


async def test_a_server_that_gives_fewer_candidates_is_asked_for_so_many() -> None:
    words = "Requested sample logprobs of 20, which is greater than max allowed: 5"
    with FakeServer() as server:
        server.answers = lambda body: (
            Answer(status=400, error={"error": {"message": words, "param": "logprobs"}})
            if body.get("logprobs", 0) > 5
            else Answer(("a",), logprobs=[told("a", math.log(0.5))])
        )
        tokens, ending = await replied(server, SETUP, TEXT, completes=True, logprobs=20)
        asked = [one.body["logprobs"] for one in server.requests]
    assert asked == [20, 5]
    assert tokens[0].logprob == math.log(0.5)
    assert ending.refused == ()


async def test_who_is_known_to_only_chat_is_not_asked_and_others_are_named() -> None:
    chats_only: dict[str, Any] = {"apis": frozenset({"chat", "models"})}
    for known in ({"engine": "openai"}, chats_only):
        with FakeServer() as server:
            async with provider_for(server, **known) as provider:
                with pytest.raises(ChatError, match=r"continues no texts.*llama\.cpp"):
                    await provider.reply(Request(SETUP, TEXT, completes=True), print)
            assert server.requests == []


def test_every_engine_has_its_name_and_is_known_by_the_owner_it_names() -> None:
    assert tuple(ENGINES) == ENGINE_NAMES
    assert owned_by(["us", "LlamaCPP"]).name == "llamacpp"
    assert owned_by(["library"]).title == "Ollama"
    assert owned_by(["us"]) is UNKNOWN
