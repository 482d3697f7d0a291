"""Server ⇄ tokens: one client for one endpoint; the only importer of openai.

Only what a person set is sent. What has arrived is kept however the stream ends; nothing is sent
twice but for a field that the server refused, and that is told.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tui_chat.core import failures
from tui_chat.core.chunks import Ending, Reader
from tui_chat.core.conversation import Message, Refusal, Setup, Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.params import PARAMETERS
from tui_chat.core.text import one_line
from tui_chat.core.wire import wire_fields, wire_messages

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

CONNECT_SECONDS = 5
READ_SECONDS = 120
LOCAL_READ_SECONDS = 600
"""A machine without a fast card may read a long prompt for minutes."""
MOST_REPEATS = 6
_NAMES_FOR_LENGTH = ("max_tokens", "max_completion_tokens")
_LOGPROBS = ("logprobs", "top_logprobs")
_USAGE = "stream_options"
_HEAD = 4_000
_MOST_OF_AN_ERROR = 1_000_000
_LONGEST_LINE = 32_000_000
"""Bytes; a token with a whole vocabulary of candidates takes five million."""


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

    def forget(self, name: str, told: Refusal) -> None:
        """Send this field no more, or under its other name when the server's words want that."""
        other = next((one for one in _NAMES_FOR_LENGTH if one != name), "")
        suggested = re.search(rf"\buse ['\"`]?{other}\b", told.words, re.IGNORECASE)
        if name in _NAMES_FOR_LENGTH and not self.renamed and suggested:
            self.renamed[name] = other
        else:
            self.left_out.update(_LOGPROBS if name in _LOGPROBS else (name,))
        self.told[told.name] = told


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
class _Refused(Exception):
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
        self._without_usage = False

    async def warm(self) -> None:
        """Import the client library on a thread, so that the first question does not wait for it.

        ChatError when no client can be made of the endpoint, its key and the environment.
        """
        await self._made()

    async def _made(self) -> AsyncOpenAI:
        async with self._making:
            if self._client is None:
                key = _header_value(self._endpoint, self._key)
                self._client = await asyncio.to_thread(
                    _client, self._endpoint, key, self._read_seconds
                )
            return self._client

    def _asked(self, model: str = "") -> failures.Asked:
        key = self._key.reveal().strip() if self._key else ""
        return failures.Asked(self._endpoint, model, key, self._read_seconds, CONNECT_SECONDS)

    async def reply(
        self,
        setup: Setup,
        thread: Sequence[Message],
        sink: Callable[[Token], None],
        *,
        logprobs: int = 0,
        notice: Callable[[Refusal], None] | None = None,
    ) -> Ending:
        """Stream the answer to a thread into the sink, which is called on the event loop.

        ChatError when no reply came. Cancelling closes the connection at once, which frees the
        server. `logprobs` asks for that many candidates at each place, 0 for none. `notice` is
        told at once of each parameter that the server refused; Ending.refused says it again, also
        where an earlier reply had learned it.
        """
        client, clock = await self._made(), _Clock(sink)
        learned = self._learned.setdefault(setup.model, _Learned())
        repeats = 0
        while True:
            body = self._body(setup, thread, logprobs)
            try:
                ending = await self._streamed(client, setup.model, body, clock)
            except _Refused as refused:
                # A reply that ran at the same time may have learned it first.
                known = body != self._body(setup, thread, logprobs)
                repeats += 1
                if repeats > MOST_REPEATS or not (
                    known or self._learn(learned, body, refused, notice)
                ):
                    raise refused.words from None
            else:
                wanted = {*setup.params, *(_LOGPROBS if logprobs else ())}
                told = tuple(one for one in learned.told.values() if one.name in wanted)
                return replace(ending, refused=told)

    def _body(self, setup: Setup, thread: Sequence[Message], logprobs: int) -> dict[str, Any]:
        standard, extra = wire_fields(self._endpoint, setup)
        learned = self._learned[setup.model]
        body = {
            learned.renamed.get(name, name): value for name, value in (standard | extra).items()
        }
        if logprobs:
            body |= dict(zip(_LOGPROBS, (True, logprobs), strict=True))
        if not self._without_usage:
            body[_USAGE] = {"include_usage": True}
        body = {name: value for name, value in body.items() if name not in learned.left_out}
        return body | {
            "model": setup.model,
            "messages": wire_messages(setup, thread),
            "stream": True,
        }

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
        sent = [name for name in (*names, _USAGE) if name in body]
        name = failures.refused_field(refused.body, sent)
        if name == _USAGE:
            self._without_usage = True
        elif name is not None:
            told = Refusal(names[name], failures.server_words(refused.body, self._asked().key))
            learned.forget(name, told)
            if notice is not None:
                notice(told)
        return name is not None

    async def _streamed(
        self, client: AsyncOpenAI, model: str, body: dict[str, Any], clock: _Clock
    ) -> Ending:
        """One request and its stream; _Refused when it was answered with an error status."""
        import httpx2
        import openai

        asked, reader = self._asked(model), Reader(clock.take)
        failed: BaseException | None = None
        response: httpx2.Response | None = None
        try:
            stream = await client.chat.completions.create(
                model=model, messages=body["messages"], stream=True, extra_body=body
            )
            response = stream.response
            async for chunk in stream:
                reader.take(chunk)
        # The transport lets a group out for a proxy whose port is none.
        except (openai.OpenAIError, httpx2.HTTPError, ChatError, ValueError, OSError, RecursionError, ExceptionGroup) as error:  # fmt: skip
            failed = error
        finally:
            if response is not None:
                with suppress(httpx2.HTTPError, OSError):
                    await response.aclose()
        # Raised out here, so that no traceback is chained to a cause that holds the key.
        if isinstance(failed, openai.APIStatusError):
            raise _Refused(failed.status_code, failed.body, failures.explained(failed, asked))
        if failed is None and response is not None and not reader.chunks:
            failed = failures.not_an_api(*_head(response), asked)
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
        return tuple(first[name] for name in dict.fromkeys(one.id for one in served) if name)

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
        import httpx2
        import openai

        client, asked = await self._made(), self._asked()
        try:
            if body is None:
                return await client.get(path, cast_to=object)
            return await client.post(path, cast_to=object, body=body)
        except (openai.OpenAIError, httpx2.HTTPError, ValueError, OSError, RecursionError, ExceptionGroup) as error:  # fmt: skip
            words = failures.explained(error, asked)
        raise words

    async def close(self) -> None:
        """Close the connections; the next use makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                await client.close()


def _finished(ending: Ending, key: str, response: httpx2.Response | None, clock: _Clock) -> Ending:
    """The ending with what only the request knows: its id and how long it took."""
    request_id = response.headers.get("x-request-id", "") if response is not None else ""
    return replace(
        ending,
        error=failures.redacted(ending.error, key),
        usage=replace(ending.usage, seconds=clock.elapsed, first_token_seconds=clock.first),
        request_id=one_line(failures.redacted(request_id, key), 100),
    )


def _header_value(endpoint: Endpoint, key: Secret | None) -> str:
    """The key as a header carries it; ChatError that names its source when none can."""
    if key is None:
        return "none"  # The library wants one also for a server that does not.
    value = key.reveal().strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise failures.unusable_key(endpoint)
    return value


def _client(endpoint: Endpoint, key: str, read_seconds: float) -> AsyncOpenAI:
    # Its debug log goes to standard error, where the screen is drawn, and holds the prompt.
    os.environ.pop("OPENAI_LOG", None)
    import httpx2
    from openai import AsyncOpenAI

    try:
        # A proxy is for other machines, never for this one; a redirect would carry the prompt elsewhere.
        http = httpx2.AsyncClient(
            follow_redirects=False,
            trust_env=not endpoint.local,
            timeout=httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
            event_hooks={"request": [_silenced], "response": [_tapping()]},
        )
        client = AsyncOpenAI(
            api_key=key, base_url=endpoint.base_url, max_retries=0, http_client=http, timeout=http.timeout
        )  # fmt: skip
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise failures.no_client(error, endpoint) from None  # A proxy's URL may hold a password.
    _ = client.chat.completions  # Imported at first use, which would be on the event loop.
    return client


async def _silenced(request: httpx2.Request) -> None:
    """Take out what the library would tell every server about OpenAI's account and about this machine."""
    for name in list(request.headers):
        if name.startswith(("x-stainless-", "openai-")):
            del request.headers[name]


def _tapping() -> Callable[[httpx2.Response], Awaitable[None]]:
    """A hook that remembers how each body began, and bounds what a server can make us hold."""
    import httpx2

    class Tap(httpx2.AsyncByteStream):
        def __init__(self, stream: httpx2.AsyncByteStream, most: float) -> None:
            self.head = b""
            self._stream = stream
            self._most = most

        async def __aiter__(self) -> AsyncIterator[bytes]:
            line = whole = 0
            async with aclosing(self._stream.__aiter__()) as parts:  # type: ignore[type-var]  # httpx2's are generators
                async for part in parts:
                    if len(self.head) < _HEAD:
                        self.head += part[: _HEAD - len(self.head)]
                    end = part.rfind(b"\n")
                    line = line + len(part) if end < 0 else len(part) - end - 1
                    whole += len(part)
                    yield part
                    if line > _LONGEST_LINE:
                        raise ValueError("a line without an end")
                    if whole > self._most:
                        return

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def tap(response: httpx2.Response) -> None:
        most = _MOST_OF_AN_ERROR if response.status_code >= 300 else float("inf")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = Tap(response.stream, most)

    return tap


def _head(response: httpx2.Response) -> tuple[str, str]:
    """A response's content type, and how its body began."""
    head: bytes = getattr(response.stream, "head", b"")
    packed = response.headers.get("content-encoding", "identity") != "identity"
    text = "" if packed else head.decode("utf-8", "replace")
    return response.headers.get("content-type", ""), text


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
