"""The built-in model's server, seen from this side: started, watched, ended.

Its process never outlives the program, and no prompt goes to a port before it has proved to be ours.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.keys import Secret
from tui_chat.core.text import clean, one_line

CONTEXT = 8192
"""Tokens; what SmolLM2 was trained for. The cache for it takes about 180 MB."""
READY_SECONDS = 60
STOP_SECONDS = 2
LAST_WORDS = 400
_CHILD = (sys.executable, "-m", "tui_chat.core.local.child")
# The child needs no key of anybody's, so it gets none: only what running a program takes.
_INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
)


class LocalServer:
    """One running server. `start` makes it; `stop` or the end of this program ends it."""

    def __init__(
        self, process: asyncio.subprocess.Process, base_url: str, key: Secret, log: Path
    ) -> None:
        self._process = process
        self._log = log
        self.base_url = base_url
        self.key = key

    @classmethod
    async def start(
        cls,
        path: Path,
        *,
        model_id: str,
        log: Path,
        context: int = CONTEXT,
        command: Sequence[str] = _CHILD,
        seconds: float = READY_SECONDS,
    ) -> LocalServer:
        """Serve the model at `path` on loopback. Takes half a second; cancelling ends the process.

        ChatError with the end of its log when it cannot start. `command` replaces the child's.
        """
        if not path.is_file():
            raise ChatError(f"There is no model at {path}.", "Fetch it again.")
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ChatError(
                    f"{path.name} is not a model file.", "Delete it and fetch it again."
                )
        private_directory(log.parent)
        order: dict[str, object] = {"path": str(path), "model": model_id, "context": context}
        try:
            return await cls._try(command, order, log, seconds, verbosity=0)
        except ChatError:
            # A failed load says nothing at this verbosity: once more, for the reason.
            return await cls._try(command, order, log, seconds, verbosity=3)

    @classmethod
    async def _try(
        cls,
        command: Sequence[str],
        order: dict[str, object],
        log: Path,
        seconds: float,
        *,
        verbosity: int,
    ) -> LocalServer:
        key = Secret(secrets.token_hex(32))
        process = await _spawned(command, log)
        try:
            given = json.dumps(order | {"key": key.reveal(), "verbosity": verbosity}) + "\n"
            async with asyncio.timeout(seconds):
                said = await _told(process, given.encode())
                base_url = f"{said['url'].rstrip('/')}/v1"
                await asyncio.to_thread(_prove, base_url, key)
        except BaseException as error:
            await _end(process)
            if isinstance(error, TimeoutError):
                words = f"The built-in model was not ready after {seconds:.0f} s."
                raise ChatError(words, _end_of(log)) from error
            if isinstance(error, OSError | ValueError | KeyError | TypeError):
                words = "The built-in model could not start."
                raise ChatError(words, f"Its last words: {_end_of(log)}") from error
            raise
        return cls(process, base_url, key, log)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def last_words(self) -> str:
        """The end of its log, on one line."""
        return _end_of(self._log)

    async def wait(self) -> None:
        """Return when the process has ended, for whatever cause."""
        await self._process.wait()

    async def stop(self) -> None:
        """End the process; within a few seconds whatever it does."""
        await _end(self._process)

    def kill(self) -> None:
        """End the process now, without waiting: for a program that is leaving."""
        if self.alive:
            with suppress(ProcessLookupError):
                self._process.kill()


async def _spawned(command: Sequence[str], log: Path) -> asyncio.subprocess.Process:
    environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=out,
                env=environ,
                # Ctrl+C in the terminal is the program's to handle, not the child's.
                start_new_session=True,
            )
    except OSError as error:
        raise ChatError(f"The built-in model could not start: {error.strerror}.") from error


async def _told(process: asyncio.subprocess.Process, order: bytes) -> dict[str, Any]:
    """Give the order and read the answer; ValueError when the process ends or talks nonsense."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(order)
    await process.stdin.drain()
    line = await process.stdout.readline()
    said = json.loads(line)
    if not isinstance(said, dict):
        raise ValueError(line)
    return said


def _prove(base_url: str, key: Secret) -> None:
    """Ask with our key, and without: another server on the port, or an open one, gets no prompt."""
    if _status(base_url, f"Bearer {key.reveal()}") != 200 or _status(base_url, "") != 401:
        raise ValueError("another server answers")


def _status(base_url: str, authorization: str) -> int:
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        headers = {"Authorization": authorization} if authorization else {}
        connection.request(
            "POST", f"{parts.path}/chat/completions/input_tokens", '{"messages":[]}', headers
        )
        return connection.getresponse().status
    finally:
        connection.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    for last_resort in (process.terminate, process.kill):
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
                return
        with suppress(ProcessLookupError):
            last_resort()
    await process.wait()


def _end_of(log: Path) -> str:
    with suppress(OSError):
        text = clean(log.read_bytes()[-4000:].decode("utf-8", "replace"))
        lines = [line for line in text.splitlines() if line.strip()]
        return one_line(" · ".join(lines[-3:]), LAST_WORDS) or "it said nothing."
    return "its log cannot be read."
