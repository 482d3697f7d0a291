"""What goes over the wire when somebody means harm: no secret of another's, and no more than fits in memory."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
import zlib

import pytest

from tests.core.wire import HI, SETUP, provider_for, replied, text
from tests.fake_server import Answer, FakeServer
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

KEY = "sk-canary-0123456789"
OTHERS = (
    "Authorization: Bearer secret-of-another\nX-Gateway-Key: secret-of-another\n"
    "Host: secret-of-another\nUser-Agent: secret-of-another\nAccept: secret-of-another\n"
    "Content-Type: secret-of-another\nOpenAI-Organization: secret-of-another"
)


@pytest.mark.parametrize("key", [KEY, ""])
async def test_headers_of_the_environment_go_to_nobody(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", OTHERS)
    with FakeServer() as server:
        await replied(server, key=key, headers={"X-Team": "ours", "OpenAI-Beta": "b"})
        async with provider_for(server, key=key) as provider:
            await provider.models()
            await provider.beside("/tokenize", {"content": "x"})
    assert len(server.requests) == 3
    for request in server.requests:
        assert request.headers["authorization"] == f"Bearer {key or 'none'}"
        assert "secret-of-another" not in str(request.headers)
    assert server.requests[0].headers["x-team"] == "ours"
    assert server.requests[0].headers["openai-beta"] == "b"


async def test_answers_are_asked_for_unpacked() -> None:
    with FakeServer() as server:
        await replied(server)
    assert server.requests[0].headers["accept-encoding"] == "identity"


def packed(
    status: int, body: bytes, kind: str = "application/json", encoding: str = "gzip"
) -> Answer:
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-encoding: {encoding}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return Answer(wire=head.encode() + body)


async def test_what_is_packed_all_the_same_is_read() -> None:
    words = gzip.compress(b'{"error":{"message":"Bad thing."}}')
    assert "Bad thing." in await failed(packed(400, words))
    events = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
    stream = events % b"Hello" + events % (b"x" * 300_000)
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    for pack, encoding in ((gzip.compress, "gzip"), (zlib.compress, "deflate")):
        with FakeServer(packed(200, pack(stream + end), "text/event-stream", encoding)) as server:
            tokens, ending = await replied(server)
        assert text(tokens) == "Hello" + "x" * 300_000
        assert ending.status == "complete"


@pytest.mark.parametrize(
    "answer",
    [
        packed(200, b"no gzip at all"),
        packed(200, gzip.compress(b"x" * 9_000)[:60], "text/event-stream"),
        packed(200, b"\x28\xb5\x2f\xfd", encoding="zstd"),
        packed(200, gzip.compress(gzip.compress(b"{}")), encoding="gzip, gzip"),
    ],
)
async def test_what_cannot_be_unpacked_is_said(answer: Answer) -> None:
    assert await failed(answer)


async def test_a_refusal_that_cannot_be_unpacked_is_still_one() -> None:
    assert "(401)" in await failed(packed(401, b"no gzip at all"))
    assert "(500)" in await failed(packed(500, b"\x28\xb5\x2f\xfd", encoding="zstd"))


@pytest.mark.parametrize("status", [200, 400])
async def test_what_is_packed_is_not_unpacked_without_end(status: int) -> None:
    bomb = gzip.compress(b"[" + b" " * 200_000_000 + b"]", 9)
    with FakeServer() as server:
        server.listed = packed(status, bomb)
        async with provider_for(server) as provider:
            tracemalloc.start()
            try:
                with pytest.raises(ChatError):
                    await provider.models()
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert peak < 100_000_000


class Endless:
    """A server that sends one piece again and again, until its client leaves or there was enough of it."""

    def __init__(self, kind: str, start: bytes, piece: bytes, pause: float = 0.0) -> None:
        self.sent = 0
        self._head = (
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode()
        )
        self._start, self._piece, self._pause = start, piece, pause

    async def __aenter__(self) -> Endless:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self._head + self._start)
        try:
            while self.sent < 150_000_000:
                writer.write(self._piece)
                await writer.drain()
                self.sent += len(self._piece)
                await asyncio.sleep(self._pause)
        except ConnectionError:
            pass
        writer.close()


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_a_list_of_models_that_never_ends_is_left(kind: str) -> None:
    async with Endless(kind, b'{"data":[\n', b'{"id":"m"},\n' * 50_000) as server:
        provider = Provider(Endpoint("fake", server.url), None)
        with pytest.raises(ChatError):
            await provider.models()
        await provider.close()
    assert server.sent < 100_000_000


async def test_a_list_of_models_that_comes_byte_by_byte_is_left_after_its_time() -> None:
    async with Endless("application/json", b"[", b" ", 0.02) as server:
        provider = Provider(Endpoint("fake", server.url), None, read_seconds=0.3)
        with pytest.raises(ChatError, match=r"No answer from .* in 0\.3 s\."):
            await provider.models()
        await provider.close()
    assert server.sent < 100


@pytest.mark.parametrize(
    "piece",
    [b"data: " + b"x" * 999_990 + b"\n", b"x" * 1_000_000, (b": " + b"x" * 9_996 + b"\r\n") * 100],
)
async def test_an_event_without_an_end_is_left(piece: bytes) -> None:
    async with Endless("text/event-stream", b"data: {}\n\n", piece) as server:
        provider = Provider(Endpoint("fake", server.url), None)
        with pytest.raises(ChatError):
            await provider.reply(Request(SETUP, HI), lambda token: None)
        await provider.close()
    assert server.sent < 100_000_000


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
async def test_a_stream_may_be_as_long_as_it_likes(end: bytes) -> None:
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}' % (b"x" * 999_000) + end
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}' + end
    with FakeServer(Answer(raw=event * 40 + last + b"data: [DONE]" + end)) as server:
        tokens, ending = await replied(server)
    assert len(text(tokens)) == 40 * 999_000
    assert ending.status == "complete"


async def test_many_short_lines_without_an_event_keep_no_key_waiting() -> None:
    worst, before = 0.0, time.perf_counter()
    with FakeServer(Answer(raw=b"a\n" * 500_000)) as server:
        asked = asyncio.ensure_future(failing_reply(server))
        while not asked.done():
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, time.perf_counter() - before)
        assert await asked
    assert worst < 0.5


async def failing_reply(server: FakeServer) -> str:
    with pytest.raises(ChatError) as caught:
        await replied(server, key=KEY)
    return str(caught.value)


async def failed(answer: Answer) -> str:
    """The words of the error that a reply with this answer ends with."""
    with FakeServer(answer) as server:
        return await failing_reply(server)
