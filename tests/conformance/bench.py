"""A server to be tried: how it is asked, and in which ways it is known to differ."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Message, Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.parameter import Value
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

QUESTION = "What is the capital of Brazil?"


@dataclass(frozen=True)
class Reply:
    """What came of one request."""

    tokens: tuple[Token, ...]
    ending: Ending

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens if not token.reasoning)

    @property
    def refused(self) -> Mapping[str, str]:
        """What the server refused, with its words."""
        return {one.name: one.words for one in self.ending.refused}


@dataclass(frozen=True)
class Bench:
    """One server that runs, a model of it, and what it is known not to do.

    `lacks` holds the name of a behaviour that it does not have, and the words that the program must say
    then. Empty words mean that the server ignores it: no error, and no word.
    """

    name: str
    endpoint: Endpoint
    key: Secret | None
    model: str
    lacks: Mapping[str, str] = field(default_factory=dict)

    @property
    def setup(self) -> Setup:
        return Setup(self.endpoint.name, self.model)

    @asynccontextmanager
    async def provider(self, key: Secret | None = None, **changes: Any) -> AsyncIterator[Provider]:
        """The program's client for it; with another key or other parts of the endpoint where they are given."""
        provider = Provider(replace(self.endpoint, **changes), key or self.key)
        try:
            yield provider
        finally:
            await provider.close()

    async def ask(
        self, question: str = QUESTION, *, system: str = "", logprobs: int = 0, **params: Value
    ) -> Reply:
        """The answer to a question, at temperature 0 where none is given."""
        setup = replace(self.setup, system=system, params=Params({"temperature": 0, **params}))
        return await self._replied(Request(setup, [said("user", question)], logprobs=logprobs))

    async def complete(self, text: str, *, logprobs: int = 0, **params: Value) -> Reply:
        """The continuation of a text, at temperature 0 where none is given."""
        setup = replace(self.setup, params=Params({"temperature": 0, **params}))
        thread: list[Message] = [said("user", text)]
        return await self._replied(Request(setup, thread, completes=True, logprobs=logprobs))

    async def _replied(self, request: Request) -> Reply:
        tokens: list[Token] = []
        async with self.provider() as provider:
            ending = await provider.reply(request, tokens.append)
        return Reply(tuple(tokens), ending)

    async def failure(
        self,
        question: str = QUESTION,
        *,
        model: str = "",
        key: Secret | None = None,
        **changes: Any,
    ) -> str:
        """The words with which a question fails; empty when it is answered after all."""
        tokens: list[Token] = []
        setup = replace(self.setup, model=model or self.model, params=Params({"max_tokens": 3}))
        async with self.provider(key, **changes) as provider:
            try:
                await provider.reply(Request(setup, [said("user", question)]), tokens.append)
            except ChatError as error:
                assert not tokens, "an error took the place of an answer that had come"
                return str(error)
        return ""

    async def posted(self, path: str, body: Mapping[str, object]) -> tuple[int, Any]:
        """Status and answer of a request that none of the program's code makes or reads."""
        return await asyncio.to_thread(self._posted, path, body)

    def _posted(self, path: str, body: Mapping[str, object]) -> tuple[int, Any]:
        headers = {"content-type": "application/json"}
        if self.key is not None:
            headers["authorization"] = f"Bearer {self.key.reveal()}"
        raw = json.dumps({"model": self.model, **body}).encode()
        request = urllib.request.Request(self.endpoint.base_url + path, raw, headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")


def joined(tokens: Iterable[Token]) -> bytes:
    """The bytes of the tokens that have probabilities, as the server gave them."""
    return b"".join(token.raw for token in tokens if token.logprob is not None)
