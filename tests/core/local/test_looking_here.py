"""A look at the next token of the built-in model: all of its vocabulary, and what penalties count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tui_chat.core.conversation import Message, Setup, said
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.local.server import LocalServer
from tui_chat.core.looking import MOST_AT_FIRST, look
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.sampling import distribution
from tui_chat.core.wire import Request

SETUP = Setup(BUILT_IN, "smollm2", params=Params({"temperature": 0}))


@pytest.fixture
def server(lasting_server: LocalServer) -> LocalServer:
    """These tests only ask: none of them needs a server of its own."""
    return lasting_server


@pytest.fixture
async def provider(server: LocalServer) -> AsyncIterator[Provider]:
    known = next(endpoint for endpoint in known_endpoints() if endpoint.name == BUILT_IN)
    asking = Provider(replace(known, base_url=server.base_url), server.key)
    yield asking
    await asking.close()


async def _drawn(provider: Provider, thread: list[Message]) -> str:
    tokens: list[str] = []
    request = Request(replace(SETUP, params=Params({"temperature": 0, "max_tokens": 1})), thread)
    await provider.reply(request, lambda token: tokens.append(token.text))
    return "".join(tokens)


async def test_the_likeliest_of_a_look_is_what_the_model_takes_at_zero(provider: Provider) -> None:
    thread = [said("user", "What is the capital of Brazil?")]
    part = await look(provider, Request(SETUP, thread))
    whole = await look(provider, Request(SETUP, thread), whole=True)
    word = await _drawn(provider, thread)

    assert part.place is not None
    assert len(part.place.candidates) == MOST_AT_FIRST
    assert whole.place is not None
    assert whole.place.complete
    assert len(whole.place.candidates) == whole.place.vocabulary == 49_152
    assert len({one.raw for one in whole.place.candidates}) == 49_152, "each has a name of its own"
    assert part.place.candidates[0].text == whole.place.candidates[0].text == word
    found = distribution(whole.place, Params({"temperature": 0.7}), whole.sampler)
    assert found.exact
    assert sum(share.after.low for share in found.shares) + found.others.low == pytest.approx(1)


async def test_penalties_count_the_prompt_with_its_template(provider: Provider) -> None:
    found = await look(provider, Request(SETUP, [said("user", "tea tea tea")]))
    assert found.place is not None
    assert found.place.counts[b" tea"] == 2
    assert found.place.counts[b"<|im_start|>"] >= 2
    assert sum(found.place.counts.values()) <= 64


async def test_a_beginning_and_a_text_are_looked_at_where_they_end(provider: Provider) -> None:
    begun = await look(
        provider, Request(SETUP, [said("user", "Capital of Brazil?")], "The capital of")
    )
    text = await look(provider, Request(SETUP, [said("user", "One, two, three,")], completes=True))
    assert begun.place is not None
    assert begun.place.candidates[0].text == " Brazil"
    assert text.place is not None
    assert text.place.candidates[0].text == " four"


async def test_the_end_of_a_reply_is_among_the_candidates(provider: Provider) -> None:
    thread = [said("user", "hi")]
    found = await look(provider, Request(SETUP, thread, "Hello, how can I help you today?"))
    assert found.place is not None
    assert found.place.candidates[0].raw == b"<|im_end|>"
