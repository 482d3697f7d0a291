"""The models that are served on this machine: started when they are asked for, their ends told in words.

A process that ended by itself is started again only when a person asks for something: never by itself,
so that one which ends at once does not go round and round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Refusal, Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.local.logs import named, unnamed
from tui_chat.core.local.model import SMOLLM2, is_ready, model_path, verify
from tui_chat.core.local.server import LocalServer
from tui_chat.core.provider import Provider

if TYPE_CHECKING:
    from tui_chat.core.files import Places
    from tui_chat.core.learned import Lessons
    from tui_chat.core.wire import Request

_END_SECONDS = 1
"""How long after its last word a process may take to be seen to have ended."""
FETCH = "Fetch it again: ctrl+p, “Fetch or choose a model to talk to”."


def model_file(endpoint: Endpoint, places: Places) -> Path:
    """The file of the model that this endpoint serves."""
    return Path(endpoint.gguf) if endpoint.gguf else model_path(places.models, SMOLLM2)


class Serving:
    """The servers of one run of the program."""

    def __init__(self, places: Places, *, ephemeral: bool = False) -> None:
        """Where it is `ephemeral`, what the models' processes log is in no file."""
        self._places = places
        self._ephemeral = ephemeral
        self._servers: dict[str, LocalServer] = {}
        self._providers: dict[str, ServedProvider] = {}
        self._starting = asyncio.Lock()
        self._ends: dict[str, int] = {}
        """How often each ended by itself, one time after the other without a whole reply between."""
        self.damaged = False
        """Whether the built-in model's file was found not to be what it should be."""

    @property
    def ready(self) -> bool:
        """Whether the built-in model's file is in its place, as far as that is known."""
        return not self.damaged and is_ready(self._places.models, SMOLLM2)

    def is_running(self, name: str) -> bool:
        """Whether the model of this endpoint is served now."""
        return name in self._servers and self._servers[name].alive

    async def provider(
        self, endpoint: Endpoint, lessons: Lessons, *, unasked: bool = False
    ) -> Provider:
        """The client for a model, which is started where it does not run. ChatError when it cannot be, and,
        where nobody asked for it, when it had ended by itself."""
        name = endpoint.name
        async with self._starting:
            if self.is_running(name):
                return self._providers[name]
            if unasked and name in self._servers:
                raise ChatError(
                    "The model's process has ended.", "It is started again for the next message."
                )
            server = await self._started(endpoint)
            self._servers[name] = server
            there = replace(endpoint, base_url=server.base_url)
            self._providers[name] = ServedProvider(self, server, there, lessons)
            return self._providers[name]

    async def _started(self, endpoint: Endpoint) -> LocalServer:
        path = model_file(endpoint, self._places)
        if not endpoint.gguf:
            await asyncio.to_thread(self._check_there, path)
        log = self._places.logs / f"{path.stem if endpoint.gguf else endpoint.name}.log"
        try:
            return await LocalServer.start(
                path,
                model_id=endpoint.model or path.stem,
                log=unnamed() if self._ephemeral else log,
            )
        except ChatError as error:
            if endpoint.gguf:
                raise _of_own_file(error, path) from error
            await asyncio.to_thread(self._check_whole, path)
            raise

    def _check_there(self, path: Path) -> None:
        if not path.exists():
            raise ChatError(
                "The built-in model is not on this machine yet.", FETCH.replace(" again", "")
            )
        if self.damaged or not self.ready:
            self._check_whole(path)

    def _check_whole(self, path: Path) -> None:
        try:
            verify(path, SMOLLM2)
        except ChatError as error:
            # Its size alone does not tell: from now on it counts as not there.
            self.damaged = True
            raise ChatError(error.message, FETCH) from error

    async def fetch(self, report: Callable[..., None]) -> None:
        """Fetch the built-in model, also in place of a file that is not what it should be."""
        from tui_chat.core.local.model import fetch

        await fetch(self._places.models, report, SMOLLM2, again=self.damaged)
        self.damaged = False

    async def ended(self, name: str, server: LocalServer) -> ChatError | None:
        """That the process ended by itself, in words, where it did."""
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait(), _END_SECONDS)
        if server.alive or self._servers.get(name) is not server:
            return None
        times = self._ends[name] = self._ends.get(name, 0) + 1
        reason = await asyncio.to_thread(server.end_reason)
        if times == 1:
            return ChatError(
                f"The model's process ended in the middle of this ({reason}).",
                "F5 starts it again and answers anew.",
            )
        return ChatError(
            f"The model's process ended again, {times} times in a row ({reason}).",
            f"Perhaps there is too little memory. {named(server.log)}".rstrip(),
        )

    def answered(self, name: str) -> None:
        """A whole reply came."""
        self._ends.pop(name, None)

    def kill(self) -> None:
        """End all processes now, without waiting."""
        for server in self._servers.values():
            server.kill()

    async def close(self) -> None:
        """End all processes, each within a few seconds."""
        servers, self._servers = list(self._servers.values()), {}
        providers, self._providers = list(self._providers.values()), {}
        for provider in providers:
            await provider.close()
        await asyncio.gather(*(server.stop() for server in servers))


class ServedProvider(Provider):
    """A provider whose server is a process of ours: when that ends, it says so."""

    def __init__(
        self, serving: Serving, server: LocalServer, endpoint: Endpoint, lessons: Lessons
    ) -> None:
        super().__init__(endpoint, server.key, lessons)
        self._serving = serving
        self._server = server

    async def reply(
        self,
        request: Request,
        sink: Callable[[Token], None],
        *,
        notice: Callable[[Refusal], None] | None = None,
    ) -> Ending:
        try:
            ending = await super().reply(request, sink, notice=notice)
        except ChatError as error:
            if error.status:
                raise  # It lives: it has answered.
            raise await self._ended() or error from error
        if ending.status == "cut" and (ended := await self._ended()) is not None:
            return replace(ending, error=str(ended))
        self._serving.answered(self.name)
        return ending

    async def _ended(self) -> ChatError | None:
        return await self._serving.ended(self.name, self._server)


def _of_own_file(error: ChatError, path: Path) -> ChatError:
    """The same with what can be done about a file that the program did not fetch."""
    if path.is_file() and "damaged" in (error.hint or ""):
        return error
    return ChatError(error.message, "Choose another file, or another endpoint: /endpoint.")
