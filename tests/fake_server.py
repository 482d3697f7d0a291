"""A server of our own that speaks the OpenAI API over real HTTP, with faults to order.

It runs on a thread with a loop of its own, so that any kind of test can use it: what it received is
in `requests`, what it sent and when in `sent`, who left early in `disconnects`.
`python -m tests.fake_server` runs it by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Literal, Self

from tests.fake_events import Body as Body
from tests.fake_events import Events, chat_event, put_chunk, text_event

Break = Literal["chunk", "end", "reset"]
END = b"data: [DONE]\n\n"
CLOSING = {"connection": "close"}
"""Said wherever the connection is closed after the answer; a client may else be about to use it again."""


@dataclass(frozen=True)
class Request:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """How to answer a chat or a completion."""

    tokens: Sequence[str] = ("Hello", ",", " world", ".")
    delay: float = 0.0
    """Seconds before each token."""
    finish: str | None = "stop"
    usage: bool | Body = True
    """Counts made up from the tokens, none, or these, where the request asks for them."""
    reasoning: Sequence[str] = ()
    reasoning_name: str = "reasoning_content"
    logprobs: Sequence[Body | None] | None = None
    """One OpenAI logprobs entry for each token, where the request asks for them."""
    inject: Mapping[int, bytes] = field(default_factory=dict)
    """Bytes of the stream to send as they are before the token with this number."""
    status: int = 200
    error: object = None
    """With a status that is not 200: the body, an object or raw bytes."""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent as the whole response body of a 200, under `content_type`, in place of a stream."""
    wire: bytes | None = None
    """Sent in place of everything, status line included; then the connection is closed."""
    content_type: str = "text/event-stream"
    cut_after: int | None = None
    """Break the connection off after so many tokens."""
    cut: Break = "chunk"
    """How: in the middle of a chunk, by a proper end of the body, or by a reset."""
    stall_after: int | None = None
    """Send nothing more after so many tokens, and keep the connection."""
    silent: bool = False
    """Take the request and never answer."""


def is_look(body: Body) -> bool:
    """Whether a request is a look at the next token."""
    return body.get("max_tokens") == 1 and bool(body.get("logprobs"))


class FakeServer:
    """A context manager; `base_url` is what a person would type."""

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        models: Sequence[str] | None = ("fake-1", "fake-2"),
        key: str = "",
        context: int | None = None,
        counted: int | None = None,
        port: int = 0,
    ) -> None:
        self.answer = answer or Answer()
        self.answers: Callable[[Body], Answer] | None = None
        """When set, decides the answer from the request's body."""
        self.models = models
        self.key = key
        self.context = context
        self.counted = counted
        """What the token count answers; None when it is not offered."""
        self.listed: Answer | None = None
        """When set, answers for the list of models."""
        self.by_path: dict[str, Answer] = {}
        """Whole path → its answer, before all else."""
        self.refuses: dict[str, object] = {}
        """Field → the body with which a request that holds it is refused (400)."""
        self.requests: list[Request] = []
        self.sent: list[tuple[float, str]] = []
        self.disconnects: list[float] = []
        self._port = port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def count(self, path: str) -> int:
        """How many requests came for a path that ends like this."""
        return sum(one.path.endswith(path) for one in self.requests)

    @property
    def chats(self) -> list[Body]:
        """The bodies of the chats that were asked for; looks at the next token are none."""
        asked = [one.body for one in self.requests if one.path.endswith("/chat/completions")]
        return [body for body in asked if not is_look(body)]

    @property
    def looks(self) -> list[Body]:
        """The bodies of the looks at the next token, at chats and at texts."""
        asked = [one.body for one in self.requests if one.path.endswith("/completions")]
        return [body for body in asked if is_look(body)]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, limit=1 << 26)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request: Request | None = None
        try:
            while (request := await _read(reader, writer)) is not None:
                self.requests.append(request)
                await self._respond(request, reader, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            # A look is dropped whenever something else is asked.
            if request is None or not is_look(request.body or {}):
                self.disconnects.append(time.monotonic())
        except asyncio.CancelledError:
            return  # The server stops; asyncio would log a cancelled connection.
        finally:
            writer.close()

    async def _respond(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        body = request.body if isinstance(request.body, dict) else {}
        refused = next((error for name, error in self.refuses.items() if name in body), None)
        if request.path in self.by_path:
            await self._answer(self.by_path[request.path], request, reader, writer)
        elif self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            error = {"message": "Incorrect API key provided.", "code": "invalid_api_key"}
            _send(writer, 401, {"error": error})
        elif request.path.endswith("/models"):
            if self.listed is not None:
                await self._answer(self.listed, request, reader, writer)
            else:
                self._list(writer)
        elif request.path.endswith("/input_tokens") and self.counted is not None:
            _send(writer, 200, {"input_tokens": self.counted})
        elif refused is not None:
            _send(writer, 400, refused)
        elif request.path.endswith("/completions"):
            answer = self.answers(request.body) if self.answers else self.answer
            await self._answer(answer, request, reader, writer)
        else:
            _send(writer, 404, {"detail": "Not Found"})

    def _list(self, writer: asyncio.StreamWriter) -> None:
        if self.models is None:
            _send(writer, 404, {"detail": "Not Found"})
            return
        more = {"meta": {"n_ctx": self.context}} if self.context else {}
        rows = [
            {"id": name, "object": "model", "created": 1, "owned_by": "us"} | more
            for name in self.models
        ]
        _send(writer, 200, {"object": "list", "data": rows})

    async def _answer(
        self,
        answer: Answer,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        gone = asyncio.create_task(reader.read(1))
        try:
            if answer.silent:
                await _left(gone)
            elif answer.wire is not None:
                writer.write(answer.wire)
                await writer.drain()
            elif answer.status != 200:
                _send(writer, answer.status, answer.error, CLOSING | answer.headers)
            elif answer.raw is not None:
                kind = {"content-type": answer.content_type} if answer.content_type else {}
                _send(writer, 200, answer.raw, CLOSING | kind | answer.headers)
            else:
                await self._streamed(answer, request, writer, gone)
        finally:
            gone.cancel()
        await writer.drain()
        writer.close()

    async def _streamed(
        self,
        answer: Answer,
        request: Request,
        writer: asyncio.StreamWriter,
        gone: asyncio.Task[bytes],
    ) -> None:
        headers = {
            "content-type": answer.content_type,
            "transfer-encoding": "chunked",
            "x-request-id": "req-1",
        }
        _head(writer, 200, CLOSING | headers | answer.headers)
        make = chat_event if "/chat/" in request.path else text_event
        if await self._stream(answer, request.body, Events(writer, request.body, make), gone):
            writer.write(b"0\r\n\r\n")

    async def _stream(
        self, answer: Answer, body: Body, events: Events, gone: asyncio.Task[bytes]
    ) -> bool:
        """Send the tokens; False when the connection was broken off."""
        writer = events.writer
        events.send(None)
        for piece in answer.reasoning:
            events.send(piece, name=answer.reasoning_name)
        for place, token in enumerate(answer.tokens):
            if answer.cut_after == place:
                return await _cut(answer.cut, writer)
            if answer.stall_after == place:
                await _left(gone)
            if answer.delay:
                await asyncio.wait([gone], timeout=answer.delay)
            if gone.done():
                raise ConnectionResetError
            if place in answer.inject:
                put_chunk(writer, answer.inject[place])
            given = answer.logprobs[place] if answer.logprobs and body.get("logprobs") else None
            self.sent.append((time.monotonic(), token))
            events.send(token, logprobs=given)
            if place % 50 == 0 or answer.delay:
                await writer.drain()
        if len(answer.tokens) in answer.inject:
            put_chunk(writer, answer.inject[len(answer.tokens)])
        if answer.finish is not None:
            events.end(answer.finish)
        if answer.usage and (body.get("stream_options") or {}).get("include_usage"):
            count = len(answer.tokens)
            made = {"prompt_tokens": 7, "completion_tokens": count, "total_tokens": 7 + count}
            events.usage(made if answer.usage is True else answer.usage)
        if answer.finish is not None:
            put_chunk(writer, END)
        return True


async def _cut(how: Break, writer: asyncio.StreamWriter) -> bool:
    if how == "end":
        return True
    if how == "chunk":
        writer.write(b'40\r\ndata: {"id"')
    await writer.drain()
    if how == "reset":
        held = writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    return False


async def _left(gone: asyncio.Task[bytes]) -> None:
    """Wait until the client leaves."""
    await gone
    raise ConnectionResetError


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    line = await reader.readline()
    if not line:
        return None
    if not line.endswith(b"\r\n") or line.count(b" ") != 2:
        # What a TLS greeting looks like here; real servers answer it like this.
        _send(writer, 400, b"Bad Request")
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (row := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = row.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(raw) if raw else None)


def _head(writer: asyncio.StreamWriter, status: int, headers: dict[str, str]) -> None:
    rows = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {status} X\r\n{rows}\r\n".encode())


def _send(
    writer: asyncio.StreamWriter, status: int, body: object, headers: dict[str, str] | None = None
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {"content-type": "application/json"} if not isinstance(body, bytes) else {}
    _head(writer, status, kind | {"content-length": str(len(raw))} | (headers or {}))
    writer.write(raw)


def words(text: str) -> list[str]:
    """A text cut into tokens after each space."""
    return [word + " " for word in text.split(" ")[:-1]] + text.split(" ")[-1:]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds before each token")
    parser.add_argument("--text", default="This is what a fake server says. " * 20)
    given = parser.parse_args()
    answer = replace(Answer(), tokens=words(given.text), delay=given.delay)
    with FakeServer(answer, port=given.port) as server:
        print(server.base_url, flush=True)  # noqa: T201  # for whoever starts it by hand
        threading.Event().wait()


if __name__ == "__main__":
    main()
