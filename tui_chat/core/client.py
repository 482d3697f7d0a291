"""The client library as the provider uses it, and its only importer: told nothing it would tell
others, bounded, silent.

openai and httpx2 are imported at the first use: that takes 0.4 s.
"""

from __future__ import annotations

import asyncio
import math
import os
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from tui_chat.core import failures
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.events import DONE, LARGE, Lines, parsed
from tui_chat.core.keys import Secret
from tui_chat.core.pace import Pace

if TYPE_CHECKING:
    import httpx2
    from httpx2 import Response as Response
    from openai import AsyncOpenAI as AsyncOpenAI

CONNECT_SECONDS = 5
_NEEDED = frozenset(
    {
        "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type",
        "host", "transfer-encoding", "user-agent",
    }
)  # fmt: skip
_ACCOUNT = frozenset({"openai-organization", "openai-project"})
_HEAD = 4_000
_MOST_OF_AN_ERROR = 1_000_000
_MOST_AT_ONCE = 32_000_000
"""Bytes of an answer that is no stream."""
_MOST_OF_AN_EVENT = 16_000_000
"""A token with a whole vocabulary of candidates takes five million; a text of 5 MB with escapes ten."""
_DRAIN_SECONDS = 0.1
"""How long the end of a body is waited for behind its last event, so that its connection can be used again."""
_PIECE = 65_536
_PACKED = ("gzip", "x-gzip", "deflate")


def header_value(endpoint: Endpoint, key: Secret | None) -> str:
    """The key as a header carries it; ChatError that names its source when none can."""
    if key is None:
        return "none"  # The library wants one also for a server that does not.
    value = key.reveal().strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise failures.unusable_key(endpoint)
    return value


def faults() -> tuple[type[Exception], ...]:
    """All that the library lets out for what a network or a server does; see failures.explained()."""
    import httpx2
    from openai import OpenAIError

    # The transport lets a group out for a proxy whose port is none.
    return (OpenAIError, httpx2.HTTPError, ValueError, OSError, RecursionError, ExceptionGroup)


def refused(error: BaseException) -> tuple[int, object] | None:
    """Status and body of an answer with an error status; None for any other fault."""
    from openai import APIStatusError

    return (error.status_code, error.body) if isinstance(error, APIStatusError) else None


def made(endpoint: Endpoint, key: str, read_seconds: float) -> AsyncOpenAI:
    # Its debug log goes to standard error, where the screen is drawn, and holds the prompt.
    os.environ.pop("OPENAI_LOG", None)
    import httpx2
    from openai import AsyncOpenAI

    try:
        # A proxy is for other machines, never for this one; a redirect would carry the prompt elsewhere.
        http = _closable(
            follow_redirects=False,
            trust_env=not endpoint.local,
            timeout=httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
            # llama.cpp closes kept connections in the very moment when the next request may leave.
            limits=httpx2.Limits(max_keepalive_connections=0 if endpoint.local else 8),
            event_hooks={"request": [_silencing(endpoint, key)], "response": [_tapping()]},
        )
        client = AsyncOpenAI(
            api_key=key, base_url=endpoint.base_url, default_headers=endpoint.headers,
            max_retries=0, http_client=http, timeout=http.timeout,
        )  # fmt: skip
    except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
        raise failures.no_client(error, endpoint) from None  # A proxy's URL may hold a password.
    # Imported at first use, which would be on the event loop.
    _ = client.chat.completions, client.completions
    return client


async def begun(
    client: AsyncOpenAI, model: str, body: Mapping[str, object], *, completes: bool
) -> Response:
    """The answer to a request for a reply, of whose body nothing is read yet; for read_events()."""
    # The messages go in the extra body: the library looks at each of them, on the event loop,
    # for files to encode, which takes a second for ten thousand.
    if completes:
        return (
            await client.completions.create(model=model, prompt="", stream=True, extra_body=body)
        ).response
    return (
        await client.chat.completions.create(model=model, messages=[], stream=True, extra_body=body)
    ).response


async def read_events(
    response: Response, take: Callable[[Any], None]
) -> AsyncGenerator[None, None]:
    """Read a stream event by event: `take` is called with what each holds, and a turn is yielded then.

    `take` may be called on another thread, for what is large; never twice at a time. The library would make
    objects of each event, which takes three times as long as all else that is done with it.
    """
    from openai import APIError

    lines, pace = Lines(), Pace()
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            for data in lines.take(piece):
                if data.startswith(DONE):
                    await _drained(pieces)
                    return
                large = len(data) >= LARGE
                event = await asyncio.to_thread(parsed, data) if large else parsed(data)
                if isinstance(event, Mapping) and (problem := event.get("error")):
                    raise APIError("an error in the stream", response.request, body=problem)
                if large:
                    await asyncio.to_thread(take, event)
                else:
                    take(event)
                yield
                await pace.turn()


async def _drained(pieces: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, *faults()):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in pieces:
                await asyncio.sleep(0)


async def whole(client: AsyncOpenAI, path: str, body: object) -> bytes:
    """The body of an answer as it was sent."""
    import httpx2

    response: httpx2.Response = await client.post(path, cast_to=httpx2.Response, body=body)
    return response.content


async def at_root(client: AsyncOpenAI, path: str, body: object) -> object:
    """What a server answers beside its API, above the version in its address; parsed."""
    root = str(client.base_url).rstrip("/").removesuffix("/v1")
    return await client.with_options(base_url=root).post(path, cast_to=object, body=body)


def _closable(**options: Any) -> httpx2.AsyncClient:
    """A client to which a request may still come when it is closed: whoever leaves does not wait for it."""
    import httpx2

    class Closable(httpx2.AsyncClient):
        async def send(self, request: httpx2.Request, **given: Any) -> httpx2.Response:
            if self.is_closed:
                # The library's own is a RuntimeError, which could as well be a fault of ours.
                raise httpx2.ConnectError("the client is closed", request=request)
            return await super().send(request, **given)

    return Closable(**options)


def _silencing(endpoint: Endpoint, key: str) -> Callable[[httpx2.Request], Awaitable[None]]:
    """A hook that lets through only what a request needs and what a person has the endpoint told.

    The library would tell every server about this machine, about OpenAI's account, and what stands in
    OPENAI_CUSTOM_HEADERS, which may even take the place of the key.
    """
    import openai

    own = frozenset(name.lower() for name in endpoint.headers)

    async def silenced(request: httpx2.Request) -> None:
        headers = request.headers
        account = _ACCOUNT if request.url.host == "api.openai.com" else frozenset[str]()
        for name in headers.keys() - own - _NEEDED - account:
            del headers[name]
        fixed = {
            "host": request.url.netloc.decode("ascii"),
            "authorization": f"Bearer {key}",
            "accept": "application/json",
            "accept-encoding": "identity",  # What is small on the way may be large in memory.
            "content-type": "application/json",
            "user-agent": f"AsyncOpenAI/Python {openai.__version__}",
        }
        for name in (headers.keys() & fixed.keys()) - own:
            headers[name] = fixed[name]
        headers["authorization"] = fixed["authorization"]

    return silenced


def _tapping() -> Callable[[httpx2.Response], Awaitable[None]]:
    """A hook that remembers how each body began, and bounds what a server can make us hold.

    It unpacks a body itself, in pieces, so that the bounds are of what comes out of it.
    """
    import httpx2

    class Tap(httpx2.AsyncByteStream):
        def __init__(
            self, stream: httpx2.AsyncByteStream, status: int, kind: str, packed: str
        ) -> None:
            self.head = b""
            self._stream = stream
            self._refuses = status >= 300
            endless = kind.lower().startswith("text/event-stream")
            self._most_of_an_event = _MOST_OF_AN_EVENT if endless else _MOST_AT_ONCE
            self._most = (
                _MOST_OF_AN_ERROR if self._refuses else math.inf if endless else _MOST_AT_ONCE
            )
            self._unpack = unpacker(packed)

        async def __aiter__(self) -> AsyncIterator[bytes]:
            event = whole = 0
            last = b""
            pace = Pace()
            async with aclosing(self._pieces()) as pieces:
                async for piece in pieces:
                    if len(self.head) < _HEAD:
                        self.head += piece[: _HEAD - len(self.head)]
                    event = since_blank(last, piece, event)
                    last = (last + piece[-2:])[-2:]
                    whole += len(piece)
                    yield piece
                    if whole > self._most and self._refuses:
                        return
                    if whole > self._most or event > self._most_of_an_event:
                        raise ValueError("more than fits")
                    await pace.turn()  # What is there already comes without a pause for the keys.

        async def _pieces(self) -> AsyncGenerator[bytes, None]:
            async with aclosing(self._stream.__aiter__()) as parts:  # type: ignore[type-var]  # httpx2's are generators
                async for part in parts:
                    try:
                        for piece in self._unpack(part):
                            yield piece
                    except (ValueError, zlib.error):
                        if self._refuses:
                            return  # Its status says enough.
                        raise ValueError("it cannot be unpacked") from None

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def tap(response: httpx2.Response) -> None:
        packed = response.headers.pop("content-encoding", "identity").strip().lower()
        kind = response.headers.get("content-type", "")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = Tap(response.stream, response.status_code, kind, packed)

    return tap


def unpacker(packed: str) -> Callable[[bytes], Iterator[bytes]]:
    """What takes the parts of a body that is packed like this and gives it in pieces of a bounded size;
    ValueError or zlib.error from it for what it cannot unpack."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def pieces(part: bytes) -> Iterator[bytes]:
        if packed in ("identity", ""):
            yield part
            return
        if packed not in _PACKED or inflate.eof:
            raise ValueError("packed in another way")
        while piece := inflate.decompress(part, _PIECE):
            yield piece
            part = inflate.unconsumed_tail

    return pieces


def since_blank(last: bytes, piece: bytes, before: int) -> int:
    """How many bytes came since the last blank line, which ends an event, or since before that; `last` are
    the bytes in front of this piece, `before` how many there were until then."""
    text = last + piece
    end = max(text.rfind(b"\n\n"), text.rfind(b"\n\r\n"), text.rfind(b"\r\r"))
    return before + len(piece) if end < 0 else min(before + len(piece), len(text) - end)


def head(response: httpx2.Response) -> tuple[str, str]:
    """A response's content type, and how its body began."""
    head: bytes = getattr(response.stream, "head", b"")
    return response.headers.get("content-type", ""), head.decode("utf-8", "replace")
