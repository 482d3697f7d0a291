"""What the tests of the provider share: a question, a provider for a server, a server's refusals."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.fake_server import Body, FakeServer
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Message, Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.keys import Secret
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

SETUP = Setup("fake", "m-1")
HI = (said("user", "hi"),)
SET = {
    "temperature": 0.25, "top_p": 0.5, "max_tokens": 42, "stop": ["11", "\n"], "seed": 2**63 - 1,
    "frequency_penalty": -1.5, "presence_penalty": 1.5, "top_k": 40, "min_p": 0.05,
    "repeat_penalty": 1.1, "reasoning_effort": "low", "verbosity": "high",
}  # fmt: skip


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition; AssertionError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def provider_for(
    server: FakeServer, key: str = "", **changes: Any
) -> AsyncIterator[Provider]:
    endpoint = replace(Endpoint("fake", server.base_url), **changes)
    provider = Provider(endpoint, Secret(key) if key else None)
    try:
        yield provider
    finally:
        await provider.close()


async def replied(
    server: FakeServer, setup: Setup = SETUP, thread: Sequence[Message] = HI, **more: Any
) -> tuple[list[Token], Ending]:
    """The tokens and the ending of one reply."""
    logprobs, notice = more.pop("logprobs", 0), more.pop("notice", None)
    completes = more.pop("completes", False)
    tokens: list[Token] = []
    async with provider_for(server, **more) as provider:
        request = Request(setup, thread, completes=completes, logprobs=logprobs)
        ending = await provider.reply(request, tokens.append, notice=notice)
    return tokens, ending


def text(tokens: Sequence[Token], *, reasoning: bool = False) -> str:
    return "".join(token.text for token in tokens if token.reasoning == reasoning)


def with_params(**values: object) -> Setup:
    return replace(SETUP, params=Params(values))


def refusal(message: str, **more: object) -> Body:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def unsupported(name: str) -> Body:
    return refusal(f"Unsupported parameter: '{name}' is not supported with this model.", param=name)
