"""What the tests of the built-in model share: processes, waiting, starting and asking a server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import httpx2
import openai
from openai import AsyncOpenAI

from tui_chat.core.local.server import LocalServer

LONG = "Count from one to a thousand in words, and leave nothing out."

# Serves nobody but us, says so, and does not care for polite requests to end.
STUBBORN = """
import json, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

signal.signal(signal.SIGTERM, signal.SIG_IGN)
order = json.loads(sys.stdin.readline())

class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.headers.get("Authorization")
        self.send_response(200 if asked == f"Bearer {order['key']}" or sys.argv[1] == "open" else 401)
        self.end_headers()

with HTTPServer(("127.0.0.1", 0), Answering) as server:
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()
"""


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Return when the condition holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def runs(process_id: int) -> bool:
    """Whether the process is there and not only waiting to be buried."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def command_lines() -> list[str]:
    """The command lines of all processes of this machine that may be seen."""
    lines = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return lines


async def started(tmp_path: Path, *command: str, seconds: float = 10) -> LocalServer:
    """A server that runs the command in place of the real one."""
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    return await LocalServer.start(
        tmp_path / "a.gguf",
        model_id="m",
        log=tmp_path / "log",
        command=command,
        seconds=seconds,
    )


def client(server: LocalServer) -> AsyncOpenAI:
    """The real client, without anybody's proxy between."""
    return AsyncOpenAI(
        base_url=server.base_url,
        api_key=server.key.reveal(),
        max_retries=0,
        # llama.cpp promises to keep a connection and closes it after each stream.
        http_client=openai.DefaultAsyncHttpxClient(
            trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0)
        ),
    )


async def said(server: LocalServer, question: str, **fields: object) -> str:
    """The reply to one question."""
    async with client(server) as asking:
        reply = await asking.chat.completions.create(
            model="m", messages=[{"role": "user", "content": question}], extra_body=fields
        )
    return reply.choices[0].message.content or ""


class Generating:
    """A long reply in flight, past its first token."""

    def __init__(self, server: LocalServer) -> None:
        self._server = server
        self._started = asyncio.Event()
        self._task = asyncio.create_task(self._read())
        self.tokens = 0

    async def __aenter__(self) -> Generating:
        async with asyncio.timeout(20):
            await self._started.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    @property
    def going(self) -> bool:
        return not self._task.done()

    async def _read(self) -> None:
        async with client(self._server) as asking:
            stream = await asking.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": LONG}],
                stream=True,
                max_tokens=4000,
                extra_body={"ignore_eos": True},
            )
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    self.tokens += 1
                    self._started.set()
