"""Server ⇄ tokens: one client for one endpoint, whose library only client.py imports.

Only what a person set is sent. What has arrived is kept however the stream ends; nothing is sent
twice but for a field that the server refused, and that is told.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tui_chat.core import client as client_of
from tui_chat.core import failures
from tui_chat.core.chunks import Ending, Reader
from tui_chat.core.conversation import COUNT_FIELD, Message, Refusal, Setup, Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.params import PARAMETERS
from tui_chat.core.text import one_line
from tui_chat.core.wire import Begun, wire_body, wire_messages

if TYPE_CHECKING:
    from tui_chat.core.client import AsyncOpenAI, Response

READ_SECONDS = 120
LOCAL_READ_SECONDS = 600
"""A machine without a fast card may read a long prompt for minutes."""
MOST_REPEATS = 6
_NAMES_FOR_LENGTH = ("max_tokens", "max_completion_tokens")
_LOGPROBS = ("logprobs", "top_logprobs")
_CONTINUES = {"llamacpp": "prefill", "vllm": "continue_final_message"}
"""How servers go on with a reply, by the owner that they name in their lists of models."""


@dataclass(frozen=True)
class ServedModel:
    """A model in a server's list; `context` in tokens, None when the list does not say."""

    id: str
    context: int | None = None
    owner: str = ""


@dataclass
class _Learned:
    """What one model refused so far: fields left out, fields renamed, and the words for each."""

    left_out: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    told: dict[str, Refusal] = field(default_factory=dict)

    def forget(self, name: str, parameter: str, words: str) -> Refusal:
        """Send this field no more, or under its other name when the server's words want that."""
        other = next((one for one in _NAMES_FOR_LENGTH if one != name), "")
        suggested = re.search(rf"\buse ['\"`]?{other}\b", words, re.IGNORECASE)
        if name in _NAMES_FOR_LENGTH and not self.renamed and suggested:
            self.renamed[name] = other
            told = Refusal(parameter, words, other)
        else:
            self.left_out.update(_LOGPROBS if name in _LOGPROBS else (name,))
            told = Refusal(parameter, words)
        self.told[told.name] = told
        return told


class _Clock:
    """Passes tokens on, and knows when the first text came; seconds on a monotonic clock."""

    def __init__(self, sink: Callable[[Token], None]) -> None:
        self._sink = sink
        self._began = time.monotonic()
        self.first: float | None = None

    def take(self, token: Token) -> None:
        if self.first is None and token.text:
            self.first = self.elapsed
        self._sink(token)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began


@dataclass
class _Refused:
    """A refusal by status code, as the server put it and in our words."""

    status: int
    body: object
    words: ChatError


class Provider:
    """The client for one endpoint. Cheap to make: openai is imported at the first use, or by warm().

    `read_seconds` is how long a server may send nothing; by default 120, or 600 on this machine.
    """

    def __init__(
        self, endpoint: Endpoint, key: Secret | None, *, read_seconds: float | None = None
    ) -> None:
        self._endpoint = replace(endpoint, base_url=endpoint.base_url.strip())
        self._key = key
        usual = LOCAL_READ_SECONDS if endpoint.local else READ_SECONDS
        self._read_seconds = read_seconds or usual
        self._client: AsyncOpenAI | None = None
        self._making = asyncio.Lock()
        self._learned: dict[str, _Learned] = {}
        self.listed: tuple[ServedModel, ...] = ()
        """What models() returned last."""
        self.used = False
        """Whether anything was asked of it: before, it is not asked by the way either."""
        self._counts_refused: Refusal | None = None

    async def warm(self) -> None:
        """Import the client library on a thread, so that the first question does not wait for it.

        ChatError when no client can be made of the endpoint, its key and the environment.
        """
        await self._made()

    async def _made(self) -> AsyncOpenAI:
        async with self._making:
            if self._client is None:
                key = client_of.header_value(self._endpoint, self._key)
                self._client = await asyncio.to_thread(
                    client_of.made, self._endpoint, key, self._read_seconds
                )
            return self._client

    def _asked(self, model: str = "") -> failures.Asked:
        key = self._key.reveal().strip() if self._key else ""
        return failures.Asked(
            self._endpoint, model, key, self._read_seconds, client_of.CONNECT_SECONDS
        )

    async def reply(
        self,
        setup: Setup,
        thread: Sequence[Message],
        sink: Callable[[Token], None],
        *,
        begun: str = "",
        logprobs: int = 0,
        notice: Callable[[Refusal], None] | None = None,
    ) -> Ending:
        """Stream the answer to a thread into the sink, which is called on the event loop.

        ChatError when no reply came. Cancelling closes the connection at once, which frees the
        server. `begun` is the beginning of the answer: only what follows it comes, where the endpoint
        can do that (see continues). `logprobs` asks for that many candidates at each place, 0 for none. `notice` is
        told at once of each parameter that the server refused; Ending.refused says it again, also
        where an earlier reply had learned it.
        """
        client, clock = await self._made(), _Clock(sink)
        self.used = True
        learned = self._learned.setdefault(setup.model, _Learned())
        repeats = 0
        going_on = Begun(begun, await self.continues()) if begun else None
        while True:
            body, told = (
                self._body(setup, thread, logprobs, going_on),
                self.refused(setup, logprobs),
            )
            ending = await self._streamed(client, setup.model, body, clock)
            if isinstance(ending, _Refused):
                # A reply that ran at the same time may have learned it first.
                known = body != self._body(setup, thread, logprobs, going_on)
                repeats += 1
                if repeats > MOST_REPEATS or not (
                    known or self._learn(learned, body, ending, notice)
                ):
                    raise ending.words
            else:
                return replace(ending, refused=told)

    @property
    def counts_replies(self) -> bool:
        """Whether the server is asked to count a reply's tokens: until it refuses that."""
        return self._counts_refused is None

    def refused(self, setup: Setup, logprobs: int = 0) -> tuple[Refusal, ...]:
        """What a request with this setup is sent without, or under another name, after what was refused so
        far."""
        wanted = {*setup.params, *(_LOGPROBS if logprobs else ())}
        learned = self._learned.get(setup.model, _Learned())
        told = [one for one in learned.told.values() if one.name in wanted]
        return (*told, *([self._counts_refused] if self._counts_refused else []))

    @property
    def known_to_continue(self) -> str:
        """As continues(), as far as it is known without asking; else empty."""
        owners = {model.owner.lower() for model in self.listed}
        return self._endpoint.continues or next(
            (how for owner, how in _CONTINUES.items() if owner in owners), ""
        )

    async def continues(self) -> str:
        """How it goes on with a reply, of WAYS_TO_CONTINUE: as its endpoint says, else as its server is
        known to. ChatError when it cannot, or when the server cannot be asked which it is."""
        way = self.known_to_continue
        if not way and not self.listed:
            await self.models()
            way = self.known_to_continue
        if not way:
            name = one_line(self._endpoint.name, 60)
            raise ChatError(f"{name} cannot go on with a reply.", "r answers again.")
        return way

    def _body(
        self, setup: Setup, thread: Sequence[Message], logprobs: int, begun: Begun | None
    ) -> dict[str, Any]:
        learned = self._learned[setup.model]
        body = {
            learned.renamed.get(name, name): value
            for name, value in wire_body(
                self._endpoint, setup, thread, usage=self.counts_replies, begun=begun
            ).items()
        }
        if logprobs:
            body |= dict(zip(_LOGPROBS, (True, logprobs), strict=True))
        return {name: value for name, value in body.items() if name not in learned.left_out}

    def _learn(
        self,
        learned: _Learned,
        body: Mapping[str, Any],
        refused: _Refused,
        notice: Callable[[Refusal], None] | None,
    ) -> bool:
        """Whether the refusal names a field that can be renamed or left out; then it is, from now on."""
        if refused.status not in (400, 422):
            return False
        own = {self._endpoint.rename.get(one.name, one.name): one.name for one in PARAMETERS}
        names = {learned.renamed.get(name, name): parameter for name, parameter in own.items()}
        names |= dict.fromkeys(_LOGPROBS, _LOGPROBS[0])
        sent = [name for name in (*names, COUNT_FIELD) if name in body]
        name = failures.refused_field(refused.body, sent)
        words = failures.server_words(refused.body, self._asked().key)
        if name == COUNT_FIELD:
            self._counts_refused = Refusal(name, words)
        elif name is not None:
            told = learned.forget(name, names[name], words)
            if notice is not None:
                notice(told)
        return name is not None

    async def _streamed(
        self, client: AsyncOpenAI, model: str, body: dict[str, Any], clock: _Clock
    ) -> Ending | _Refused:
        """One request and its stream; _Refused when it was answered with an error status."""
        asked, reader = self._asked(model), Reader(clock.take)
        failed: BaseException | None = None
        response: Response | None = None
        try:
            # The messages go in the extra body: the library looks at each of them, on the event loop,
            # for files to encode, which takes a second for ten thousand.
            stream = await client.chat.completions.create(
                model=model, messages=[], stream=True, extra_body=body
            )
            response = stream.response
            async for chunk in stream:
                reader.take(chunk)
        except client_of.faults() as error:
            failed = error
        except ChatError as error:
            failed = error
        finally:
            if response is not None:
                with suppress(*client_of.faults()):
                    await response.aclose()
        # Raised out here, so that no traceback is chained to a cause that holds the key.
        if failed is not None and (refused := client_of.refused(failed)) is not None:
            return _Refused(*refused, failures.explained(failed, asked))
        if failed is None and response is not None and not reader.chunks:
            failed = failures.not_an_api(*client_of.head(response), asked)
        if failed is not None:
            reader.broke(failures.explained(failed, asked, begun=clock.first is not None))
        return _finished(reader.ending(), asked.key, response, clock)

    async def models(self) -> tuple[ServedModel, ...]:
        """The models that the endpoint lists, in its order. ChatError when it cannot be asked."""
        body = await self._fetched("/models")
        rows = body.get("data") if isinstance(body, Mapping) else body
        if not isinstance(rows, list):
            if isinstance(body, Mapping) and body.get("error"):
                raise failures.from_stream(body, self._asked())
            text = body if isinstance(body, str) else ""
            raise failures.not_an_api("no list of models", text, self._asked())
        served = [_served(row) for row in rows if isinstance(row, Mapping)]
        first = {model.id: model for model in reversed(served)}
        self.listed = tuple(first[name] for name in dict.fromkeys(one.id for one in served) if name)
        return self.listed

    async def count(self, setup: Setup, thread: Sequence[Message]) -> int | None:
        """The endpoint's own count of a request's tokens; None where it offers none or fails."""
        if not self._endpoint.counts_tokens:
            return None
        body = {"model": setup.model, "messages": wire_messages(setup, thread)}
        try:
            answer = await self._fetched("/chat/completions/input_tokens", body)
        except ChatError:
            return None
        tokens = answer.get("input_tokens") if isinstance(answer, Mapping) else None
        return tokens if isinstance(tokens, int) else None

    async def _fetched(self, path: str, body: object = None) -> Any:
        """What a request that is no stream answers, parsed; ChatError when nothing could be."""
        client, asked = await self._made(), self._asked()
        try:
            if body is None:
                return await client.get(path, cast_to=object)
            return await client.post(path, cast_to=object, body=body)
        except client_of.faults() as error:
            words = failures.explained(error, asked)
        raise words

    async def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                await client.close()


def _finished(ending: Ending, key: str, response: Response | None, clock: _Clock) -> Ending:
    """The ending with what only the request knows: its id and how long it took."""
    request_id = response.headers.get("x-request-id", "") if response is not None else ""
    return replace(
        ending,
        error=failures.redacted(ending.error, key),
        usage=replace(ending.usage, seconds=clock.elapsed, first_token_seconds=clock.first),
        request_id=one_line(failures.redacted(request_id, key), 100),
    )


def _served(row: Mapping[str, Any]) -> ServedModel:
    """A row of a list; its context window stands where llama.cpp, vLLM or others put it."""
    name, owner, meta = row.get("id"), row.get("owned_by"), row.get("meta")
    sizes = [meta.get("n_ctx") if isinstance(meta, Mapping) else None]
    sizes += [row.get(place) for place in ("max_model_len", "context_length", "context_window")]
    return ServedModel(
        one_line(name) if isinstance(name, str) else "",
        next((size for size in sizes if isinstance(size, int) and size > 0), None),
        one_line(owner, 60) if isinstance(owner, str) else "",
    )
