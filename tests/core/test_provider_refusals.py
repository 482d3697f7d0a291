"""What a server refuses is left out or renamed, told once, and remembered for its model."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.core.wire import (
    HI,
    SET,
    SETUP,
    provider_for,
    refusal,
    replied,
    text,
    unsupported,
    with_params,
)
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Refusal, Token
from tui_chat.core.errors import ChatError
from tui_chat.core.provider import MOST_REPEATS
from tui_chat.core.wire import Request


async def test_a_refused_parameter_is_left_out_and_told_at_once() -> None:
    told: list[Refusal] = []
    with FakeServer() as server:
        server.refuses = {"temperature": unsupported("temperature")}
        tokens, ending = await replied(
            server, with_params(temperature=0.3, top_p=0.9), notice=told.append
        )
        assert "temperature" not in server.chats[1]
        assert server.chats[1]["top_p"] == 0.9
    words = "Unsupported parameter: 'temperature' is not supported with this model."
    assert told == [Refusal("temperature", words)]
    assert ending.refused == tuple(told)
    assert text(tokens) == "Hello, world."


async def test_several_refusals_are_met_one_by_one() -> None:
    names = ("temperature", "top_p", "stop", "frequency_penalty", "presence_penalty", "seed")
    with FakeServer() as server:
        server.refuses = {name: unsupported(name) for name in names}
        _, ending = await replied(server, with_params(**{name: SET[name] for name in names}))
        assert len(server.chats) == 1 + MOST_REPEATS
    assert {refused.name for refused in ending.refused} == set(names)


async def test_a_server_that_refuses_without_end_is_given_up() -> None:
    with FakeServer() as server:
        server.refuses = {name: unsupported(name) for name in SET}
        with pytest.raises(ChatError, match="Unsupported parameter"):
            await replied(server, with_params(**SET))
        assert len(server.chats) == 1 + MOST_REPEATS


async def test_a_field_that_is_refused_though_it_was_not_sent_ends_the_matter() -> None:
    with FakeServer(Answer(status=400, error=unsupported("seed"))) as server:
        with pytest.raises(ChatError, match="'seed' is not supported"):
            await replied(server, with_params(temperature=1))
        assert len(server.chats) == 1


async def test_a_refusal_that_names_nothing_is_not_repeated() -> None:
    with FakeServer(Answer(status=400, error=refusal("No."))) as server:
        with pytest.raises(ChatError, match="refused the request"):
            await replied(server, with_params(**SET))
        assert len(server.chats) == 1


async def test_other_errors_that_name_a_field_are_not_repeated() -> None:
    with FakeServer(Answer(status=403, error=unsupported("seed"))) as server:
        with pytest.raises(ChatError, match="does not allow"):
            await replied(server, with_params(seed=1))
        assert len(server.chats) == 1


async def test_validation_errors_name_their_field_by_place() -> None:
    detail = {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
    with FakeServer() as server:
        server.answers = lambda body: (
            Answer(status=422, error=detail) if "seed" in body else Answer()
        )
        _, ending = await replied(server, with_params(seed=1))
    assert ending.refused == (Refusal("seed", "Extra inputs are not permitted"),)


RENAME = refusal(
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
    param="max_tokens",
    code="unsupported_parameter",
)


async def test_the_length_is_sent_under_its_other_name_when_the_server_says_so() -> None:
    with FakeServer() as server:
        server.refuses = {"max_tokens": RENAME}
        _, ending = await replied(server, with_params(max_tokens=99))
        assert server.chats[1]["max_completion_tokens"] == 99
        assert "max_tokens" not in server.chats[1]
        assert len(server.chats) == 2
    assert [refused.name for refused in ending.refused] == ["max_tokens"]


async def test_the_length_is_left_out_when_both_names_are_refused() -> None:
    told: list[Refusal] = []
    with FakeServer() as server:
        server.refuses = {
            "max_tokens": RENAME,
            "max_completion_tokens": refusal("Use 'max_tokens' instead of max_completion_tokens."),
        }
        _, ending = await replied(server, with_params(max_tokens=99), notice=told.append)
        assert not {"max_tokens", "max_completion_tokens"} & set(server.chats[2])
    assert [refused.name for refused in told] == ["max_tokens", "max_tokens"]
    assert ending.refused == (told[1],)


async def test_a_renamed_endpoint_field_is_told_by_the_parameters_name() -> None:
    with FakeServer() as server:
        server.refuses = {"max_completion_tokens": unsupported("max_completion_tokens")}
        rename = {"max_tokens": "max_completion_tokens"}
        _, ending = await replied(server, with_params(max_tokens=9), rename=rename)
    assert [refused.name for refused in ending.refused] == ["max_tokens"]


async def test_what_one_model_refused_is_remembered_for_that_model_alone() -> None:
    told: list[Refusal] = []
    setup = with_params(temperature=0.3)
    with FakeServer() as server:
        server.refuses = {"temperature": unsupported("temperature")}
        async with provider_for(server) as provider:
            first = await provider.reply(
                Request(setup, HI), list[Token]().append, notice=told.append
            )
            again = await provider.reply(
                Request(setup, HI), list[Token]().append, notice=told.append
            )
            unset = await provider.reply(
                Request(SETUP, HI), list[Token]().append, notice=told.append
            )
            assert len(server.chats) == 4
            server.refuses = {}
            other = replace(setup, model="m-2")
            fine = await provider.reply(
                Request(other, HI), list[Token]().append, notice=told.append
            )
        assert server.chats[-1]["temperature"] == 0.3
    assert len(told) == 1
    assert first.refused == again.refused == tuple(told)
    assert unset.refused == fine.refused == ()


async def test_replies_at_the_same_time_learn_from_each_other() -> None:
    with FakeServer() as server:
        server.refuses = {"max_tokens": RENAME, "seed": unsupported("seed")}
        setup = with_params(max_tokens=5, seed=1)
        async with provider_for(server) as provider:
            endings = await asyncio.gather(
                *(provider.reply(Request(setup, HI), list[Token]().append) for _ in range(4))
            )
    for ending in endings:
        assert ending.status == "complete"
        assert {refused.name for refused in ending.refused} == {"max_tokens", "seed"}


@pytest.mark.parametrize("name", ["logprobs", "top_logprobs"])
async def test_a_server_without_probabilities_answers_without_them(name: str) -> None:
    told: list[Refusal] = []
    with FakeServer() as server:
        server.refuses = {name: unsupported(name)}
        tokens, ending = await replied(server, logprobs=5, notice=told.append)
        assert not {"logprobs", "top_logprobs"} & set(server.chats[1])
    assert text(tokens) == "Hello, world."
    assert [refused.name for refused in told] == ["logprobs"]
    assert ending.refused == tuple(told)


async def test_a_server_that_counts_nothing_is_not_asked_to() -> None:
    with FakeServer() as server:
        server.refuses = {"stream_options": refusal("Unknown field: stream_options")}
        told: list[Refusal] = []
        async with provider_for(server) as provider:
            ending = await provider.reply(
                Request(SETUP, HI), list[Token]().append, notice=told.append
            )
            again = await provider.reply(
                Request(SETUP, HI), list[Token]().append, notice=told.append
            )
        assert ["stream_options" in sent for sent in server.chats] == [True, False, False]
    # Nobody set it, so nobody is told; but each reply knows what its request was.
    assert not told
    assert ending.refused == again.refused
    assert ending.refused == (Refusal("stream_options", "Unknown field: stream_options"),)


async def test_too_long_a_thread_is_not_repeated_without_a_parameter() -> None:
    error = refusal("x 'max_tokens' y", code="context_length_exceeded", param="messages")
    with FakeServer(Answer(status=400, error=error)) as server:
        with pytest.raises(ChatError, match="too long"):
            await replied(server, with_params(max_tokens=5))
        assert len(server.chats) == 1
