"""The built-in model's server, with the real model: how it answers the program and any client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from tests.core.local.processes import Generating, client, said
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Setup, Token
from tui_chat.core.conversation import said as message_of
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.local.server import LocalServer
from tui_chat.core.parameter import Value
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request


@pytest.fixture
def server(lasting_server: LocalServer) -> LocalServer:
    """These tests only ask: none of them needs a server of its own."""
    return lasting_server


async def test_it_answers_and_repeats_itself_at_zero(server: LocalServer) -> None:
    question = "What is the capital of Brazil?"

    first = await said(server, question, temperature=0, max_tokens=20)
    second = await said(server, question, temperature=0, max_tokens=20)

    assert "Brasilia" in first
    assert second == first


async def _answered(
    provider: Provider, question: str, logprobs: int = 0, **params: Value
) -> tuple[list[Token], Ending]:
    """What the program itself gets for a question."""
    tokens: list[Token] = []
    setup = Setup(BUILT_IN, "smollm2", params=Params(params))
    ending = await provider.reply(
        Request(setup, [message_of("user", question)], logprobs=logprobs), tokens.append
    )
    return tokens, ending


def _text(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)


@pytest.fixture
async def provider(server: LocalServer) -> AsyncIterator[Provider]:
    """The built-in model's endpoint, as the program makes it."""
    known = next(endpoint for endpoint in known_endpoints() if endpoint.name == BUILT_IN)
    asking = Provider(replace(known, base_url=server.base_url), server.key)
    yield asking
    await asking.close()


async def test_the_program_gets_its_answer_token_by_token(provider: Provider) -> None:
    question = "What is the capital of Brazil?"

    tokens, ending = await _answered(provider, question, temperature=0)
    again, _ = await _answered(provider, question, temperature=0)
    wild, _ = await _answered(provider, question, temperature=1.9, seed=1, max_tokens=20)
    other, _ = await _answered(provider, question, temperature=1.9, seed=2, max_tokens=20)

    assert len(tokens) > 3
    assert "Brasilia" in _text(tokens)
    assert ending.status == "complete"
    assert ending.usage.completion_tokens is not None
    assert ending.usage.completion_tokens >= len(tokens)
    assert _text(again) == _text(tokens)
    assert len({_text(tokens), _text(wild), _text(other)}) == 3


async def test_max_length_and_stop_sequences_end_a_reply(provider: Provider) -> None:
    question = "Count from one to ten in words."

    whole, _ = await _answered(provider, question, temperature=0, max_tokens=60)
    short, at_length = await _answered(provider, question, temperature=0, max_tokens=5)
    word = _text(whole).split()[4]
    stopped, at_stop = await _answered(provider, question, temperature=0, stop=(word,))

    assert (at_length.status, at_length.usage.completion_tokens) == ("length", 5)
    assert _text(whole).startswith(_text(short))
    assert at_stop.status == "complete"
    assert _text(stopped) == _text(whole).partition(word)[0] != ""


async def test_the_program_gets_counts_and_probabilities(provider: Provider) -> None:
    thread = [message_of("user", "hi")]

    counted = await provider.count(Setup(BUILT_IN, "smollm2"), thread)
    tokens, ending = await _answered(provider, "hi", 3, temperature=0, max_tokens=4)

    assert counted == ending.usage.prompt_tokens == 31
    for token in tokens:
        assert token.logprob is not None
        assert token.logprob <= 0
        assert len(token.top) == 3
        # At zero the likeliest is taken, and the likeliest comes first.
        assert token.top[0] == (token.raw, token.logprob)
        assert sorted((chance for _, chance in token.top), reverse=True) == [
            chance for _, chance in token.top
        ]


async def test_the_model_has_the_name_it_was_given(server: LocalServer) -> None:
    async with client(server) as asking:
        listed = [model.id async for model in asking.models.list()]

    assert listed == ["smollm2"]


async def test_what_is_not_sent_changes_nothing(server: LocalServer) -> None:
    neutral = {each.name: each.neutral for each in PARAMETERS if each.neutral is not None}
    shared = {"seed": 7, "max_tokens": 40, "cache_prompt": False}
    usual = {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05}
    question = "Tell me a story about the sea."

    unset = await said(server, question, **shared)

    assert len(neutral) > 3
    assert unset == await said(server, question, **shared, **neutral)
    assert unset != await said(server, question, **shared, **usual)


async def test_counts_and_other_windows_do_not_wait_for_a_reply(server: LocalServer) -> None:
    async with Generating(server) as reply, client(server) as asking:
        async with asyncio.timeout(20):
            other = await said(server, "Hello", max_tokens=3)
        counted = await asking.post(
            "/chat/completions/input_tokens",
            cast_to=object,
            body={"messages": [{"role": "user", "content": "hi"}]},
        )

        assert reply.going

    assert other
    assert counted == {"object": "response.input_tokens", "input_tokens": 31}
