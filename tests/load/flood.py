"""A server in a process of its own that sends what it was told as fast as it is taken, or at a rate.

What it says on its standard output: its address, then `left SECONDS` for each reader that left early and
`done SECONDS` for each that took all, by the monotonic clock, which all processes share.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
PIECE = 1 << 18


def event(text: str, logprobs: object = None) -> bytes:
    """One event of a chat."""
    choice: dict[str, object] = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    if logprobs is not None:
        choice["logprobs"] = {"content": [logprobs]}
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**frame, "choices": [choice]}).encode() + b"\n\n"


def with_candidates(token: str, count: int = 20) -> dict[str, object]:
    """What a server tells of a token and of so many that could stand in its place."""

    def one(text: str, logprob: float) -> dict[str, object]:
        return {"token": text, "logprob": logprob, "bytes": list(text.encode())}

    top = [one(f"{token}{number}", -0.25 * number - 0.1) for number in range(count)]
    return one(token, -0.1) | {"top_logprobs": top}


async def serve(source: Path, count: int, rate: float) -> None:
    """Answer each chat with the events in a file, so many times over; `rate` is of events a second."""
    body = source.read_bytes()
    once = body.split(b"\n\n")[:-1]
    events = [one + b"\n\n" for one in once] * count
    whole = rate <= 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = head.partition("content-length:")[2].split("\r\n")[0].strip()
            await reader.readexactly(int(length or 0))
            if head.startswith("get"):
                answer = b'{"data":[{"id":"m"}]}'
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
                    b"content-length: %d\r\n\r\n%s" % (len(answer), answer)
                )
                await writer.drain()
                return
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"
                b"transfer-encoding: chunked\r\n\r\n"
            )
            gone = asyncio.ensure_future(reader.read(1))
            # Told by the writer as well.
            gone.add_done_callback(lambda one: one.cancelled() or one.exception())
            began = time.monotonic()
            for number, one in enumerate([*events, END]):
                if not whole and (ahead := began + number / rate - time.monotonic()) > 0.001:
                    await writer.drain()
                    await asyncio.wait([gone], timeout=ahead)
                for at in range(0, len(one), PIECE):
                    piece = one[at : at + PIECE]
                    writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    if writer.transport.get_write_buffer_size() > PIECE:
                        await writer.drain()
                if gone.done():
                    raise ConnectionResetError
            writer.write(b"0\r\n\r\n")
            await writer.drain()
            gone.cancel()
            _say("done")
        except (ConnectionError, asyncio.IncompleteReadError):
            _say("left")
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)


def _say(what: str) -> None:
    print(what, time.monotonic(), flush=True)  # noqa: T201


@dataclass
class Flood:
    """The server, seen from the test; `base_url` is what a person would type."""

    base_url: str
    left: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)


@contextmanager
def flood(directory: Path, events: bytes, count: int = 1, rate: float = 0) -> Iterator[Flood]:
    """A server that answers with these events, so many times over, at so many a second (0: at once)."""
    directory.mkdir(parents=True, exist_ok=True)
    source = directory / "events"
    source.write_bytes(events)
    command = [sys.executable, "-m", "tests.load.flood", str(source), str(count), str(rate)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        server = Flood(process.stdout.readline().strip())

        def listen() -> None:
            # The file is closed under it at the end.
            with suppress(ValueError):
                for line in process.stdout or ():
                    what, _, when = line.partition(" ")
                    (server.left if what == "left" else server.done).append(float(when))

        threading.Thread(target=listen, daemon=True).start()
        try:
            yield server
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.flood", description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("rate", type=float)
    given = parser.parse_args()
    asyncio.run(serve(given.source, given.count, given.rate))


if __name__ == "__main__":
    main()
