"""Which servers answer on this machine: asked all at once, shortly, and without a key.

Only when somebody wants to see which there are. A plain socket asks: loading the client library would take
longer than all answers together.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.engines import Engine, owned_by

SECONDS = 0.4
"""How long one server has for its answer."""
_LARGEST = 4_000_000
_HERE = "127.0.0.1"


@dataclass(frozen=True)
class Answered:
    """What a server on this machine answered when it was asked for its models."""

    base_url: str
    models: int | None = None
    """How many it lists; None where it wants a key first."""
    engine: str = ""
    """Which kind of server it is, as the owner of its models says; empty when that does not tell."""

    @property
    def words(self) -> str:
        """As the list of endpoints says it."""
        if self.models is None:
            return "wants a key"
        return "1 model" if self.models == 1 else f"{self.models:,} models"


def addresses(endpoint: Endpoint) -> tuple[str, ...]:
    """Where such a server may listen on this machine; empty for one that is elsewhere or served by us."""
    if endpoint.served_here or not endpoint.local or not endpoint.base_url.startswith("http://"):
        return ()
    path = urlsplit(endpoint.base_url).path
    usual = (f"http://{_HERE}:{port}{path}" for port in endpoint.ports)
    return tuple(dict.fromkeys((endpoint.base_url, *usual)))


async def probe(endpoints: Iterable[Endpoint]) -> AsyncIterator[tuple[Endpoint, Answered | None]]:
    """Each endpoint of this machine with what answers there, as the answers come; None where nothing does."""
    asked = [one for one in endpoints if addresses(one)]
    urls = {url for one in asked for url in addresses(one)}
    tasks = {url: asyncio.create_task(ask(url)) for url in urls}

    async def first(endpoint: Endpoint) -> tuple[Endpoint, Answered | None]:
        answers = [await tasks[url] for url in addresses(endpoint)]
        found = [one for one in answers if one is not None]
        # A server of its own kind at another port is meant rather than one of another kind at the first.
        own = [one for one in found if one.engine in ("", endpoint.engine)]
        return endpoint, next(iter(own or found), None)

    try:
        for next_one in asyncio.as_completed([first(one) for one in asked]):
            yield await next_one
    finally:
        for task in tasks.values():
            task.cancel()


async def ask(base_url: str, seconds: float = SECONDS) -> Answered | None:
    """What a server at a plain http URL answers; None where none does, in time and in the API's form."""
    with suppress(
        OSError, ValueError, EOFError, TimeoutError, RecursionError, asyncio.LimitOverrunError
    ):
        async with asyncio.timeout(seconds):
            return _read(base_url, *await _fetched(base_url))
    return None


async def _fetched(base_url: str) -> tuple[int, bytes]:
    """The status and the body with which it answers."""
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port or 80
    reader, writer = await asyncio.open_connection(host, port, limit=_LARGEST)
    try:
        # In HTTP/1.0 no answer comes in chunks, and the connection ends with it.
        lines = (f"GET {parts.path}/models HTTP/1.0", f"Host: {parts.netloc}", "Accept: application/json")  # fmt: skip
        writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        status = int(head[0].split()[1])
        sizes = [line.partition(":")[2] for line in head if line.startswith("content-length:")]
        if sizes:
            return status, await reader.readexactly(min(int(sizes[0]), _LARGEST))
        return status, await reader.read(_LARGEST)
    except IndexError as error:
        raise ValueError("no status") from error
    finally:
        writer.close()


def _read(base_url: str, status: int, body: bytes) -> Answered | None:
    if status in (401, 403) or (status == 400 and _names_key(body)):
        return Answered(base_url)
    if status != 200:
        return None
    answer = json.loads(body)
    rows = answer.get("data") if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        return None
    models = [row for row in rows if isinstance(row, dict)]
    engine: Engine = owned_by(str(row.get("owned_by", "")) for row in models)
    return Answered(base_url, len(models), engine.name)


def _names_key(body: bytes) -> bool:
    """Whether a refusal means that a key is wanted, as a LiteLLM proxy puts it."""
    from tui_chat.core.failures import REFUSED_KEYS, facts

    return facts(json.loads(body)).get("type") in REFUSED_KEYS
