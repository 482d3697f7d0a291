"""A look at the next token, whatever an endpoint tells: all, twenty, five, none, or what is shaped already."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from tests.core.wire import HI, SET, SETUP, provider_for, refusal, with_params
from tests.fake_server import Answer, Body, FakeServer
from tui_chat.core.conversation import Setup
from tui_chat.core.engines import OLLAMA, USUAL
from tui_chat.core.errors import ChatError
from tui_chat.core.looking import Look, look
from tui_chat.core.wire import Request

CHANCES = [0.5, 0.2, *([0.01] * 18)]


def told(chances: Sequence[float], temperature: float = 1.0) -> Body:
    """One place with these candidates, as a server tells it that scales them, or at 1 does not."""
    heated = [chance ** (1 / temperature) for chance in chances]
    total = sum(heated)
    top = [
        {"token": f" t{place}", "logprob": math.log(chance / total), "bytes": None}
        for place, chance in enumerate(heated)
    ]
    return {**top[0], "top_logprobs": top}


async def looked(server: FakeServer, setup: Setup = SETUP, engine: str = "", **more: Any) -> Look:
    async with provider_for(server, engine=engine, **more) as provider:
        return await look(provider, Request(setup, HI))


def answering(entry: Body | None) -> Answer:
    return Answer((" t0",), logprobs=[entry])


async def test_one_token_is_asked_for_and_what_was_set_is_asked_to_change_nothing() -> None:
    with FakeServer(answering(told(CHANCES))) as server:
        found = await looked(server, with_params(**SET))
        body = server.looks[0]
    assert body["max_tokens"] == 1
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    assert (body["temperature"], body["top_p"], body["frequency_penalty"]) == (1, 1, 0)
    assert not {"stop", "seed", "top_k", "min_p"} & body.keys()
    assert found.place is not None
    assert len(found.place.candidates) == 20
    assert found.words == ""


@pytest.mark.parametrize("count", [5, 20])
async def test_as_many_as_are_told_are_taken(count: int) -> None:
    with FakeServer(answering(told(CHANCES[:count]))) as server:
        found = await looked(server)
    assert found.place is not None
    assert len(found.place.candidates) == count
    assert not found.place.complete
    assert found.sampler == USUAL


async def test_a_text_is_looked_at_in_the_shape_that_completions_have() -> None:
    with FakeServer(answering(told(CHANCES[:5]))) as server:
        async with provider_for(server) as provider:
            found = await look(provider, Request(SETUP, HI, completes=True))
        assert server.looks[0]["prompt"] == "hi"
    assert found.place is not None
    assert [one.text for one in found.place.candidates][:2] == [" t0", " t1"]


async def test_an_empty_list_is_said_to_be_one() -> None:
    with FakeServer(answering({"token": " t0", "logprob": -0.1, "top_logprobs": []})) as server:
        found = await looked(server)
    assert found.place is None
    assert found.words == "fake answers with an empty list of probabilities."


async def test_a_server_that_tells_nothing_is_said_to_do_so() -> None:
    with FakeServer(answering(None)) as server:
        found = await looked(server)
    assert (found.place, found.words) == (None, "fake tells no probabilities.")


async def test_a_refusal_is_told_in_the_servers_words() -> None:
    with FakeServer(Answer(("a",))) as server:
        server.refuses = {"logprobs": refusal("logprobs is not supported", param="logprobs")}
        found = await looked(server)
    assert found.place is None
    assert found.words == "fake refuses to tell probabilities: logprobs is not supported"


async def test_an_endpoint_that_is_known_to_tell_none_is_not_asked() -> None:
    with FakeServer(Answer(("a",))) as server:
        found = await looked(server, most_logprobs=0, engine="openai")
        assert server.looks == []
    assert found.words == "fake is not asked for probabilities: it tells no probabilities."


async def test_probabilities_after_sampling_are_recognised_by_their_shape() -> None:
    """As llama.cpp tells them, which names them otherwise then."""
    shaped = {
        "token": "a",
        "prob": 0.75,
        "top_probs": [{"token": "a", "bytes": [97], "prob": 0.75}],
    }
    with FakeServer(answering(shaped)) as server:
        found = await looked(server)
    assert found.shaped
    assert found.place is not None
    assert math.exp(found.place.candidates[0].logprob) == pytest.approx(0.75)
    assert "no knob can shape them" in found.words


async def test_probabilities_after_temperature_are_recognised_and_asked_for_at_one() -> None:
    def answers(body: Body) -> Answer:
        return answering(told(CHANCES, body.get("temperature", 0.7)))

    with FakeServer() as server:
        server.answers = answers
        found = await looked(server)
        heats = [body.get("temperature") for body in server.looks]
    assert found.after_temperature
    assert heats == [None, 0.5, 1]
    assert found.place is not None
    assert found.place.candidates[0].logprob == pytest.approx(math.log(0.5 / sum(CHANCES)))


async def test_a_server_that_is_known_is_not_probed() -> None:
    with FakeServer(answering(told(CHANCES))) as server:
        found = await looked(server, engine="ollama")
        assert len(server.looks) == 1
    assert found.sampler == OLLAMA
    assert not found.after_temperature


async def test_an_end_without_numbers_is_said_to_be_one() -> None:
    with FakeServer(Answer(())) as server:
        found = await looked(server)
    assert found.words == "The reply may end here; fake tells nothing of that."


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"data: [1]\n\n",
        b"{",
        b'{"choices": null}',
        b'data: {"choices":[{"logprobs":7}]}\n\n',
    ],
)
async def test_whatever_else_comes_is_no_crash(raw: bytes) -> None:
    with FakeServer(Answer(raw=raw)) as server:
        found = await looked(server)
    assert found.place is None
    assert found.words


async def test_a_long_list_is_read_bit_by_bit_also_where_it_is_cut_off() -> None:
    entry = told([1 / 9000] * 9000)
    whole = json.dumps({"choices": [{"logprobs": {"content": [entry]}}]}).encode()
    for body, least in ((whole, 9000), (whole[:300_000], 100)):
        with FakeServer(Answer(raw=b"data: " + body + b"\n\n")) as server:
            found = await looked(server)
        assert found.place is not None
        assert len(found.place.candidates) >= least


async def test_who_cannot_be_asked_is_an_error_in_words() -> None:
    refused = Answer(status=401, error={"error": {"message": "no"}})
    with FakeServer(refused) as server, pytest.raises(ChatError):
        await looked(server)
