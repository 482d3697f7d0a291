"""The built-in model's server, seen from this side: started, watched, ended.

Its process never outlives the program, and no prompt goes to a port before it has proved to be ours.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import secrets
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.keys import Secret
from tui_chat.core.local.logs import named
from tui_chat.core.text import clean, one_line

CONTEXT = 8192
"""Tokens; what SmolLM2 was trained for. The cache for it takes about 180 MB."""
READY_SECONDS = 60
STOP_SECONDS = 2
LAST_WORDS = 300
_TAIL = 16_000
# By its file and without the current directory on its path: a program lying there is not run.
_CHILD = (sys.executable, "-P", str(Path(__file__).with_name("child.py")))
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
    "PYTHONHOME",
    "PYTHONPATH",
)
_NEUTRAL = ("--temp", "1", "--top-k", "0", "--top-p", "1", "--min-p", "0")
"""What is not sent changes nothing, as in child.py."""
# 0.00.022.727 E llama_model_load: error loading model: …
_LOGGED = re.compile(r"^[\d.]+ ([A-Z]) .*?\S: +(.+)")


def llama_command(path: Path, model: str) -> str:
    """The command with which llama.cpp's own server serves the model as the program does, but where its
    own clients look for it, http://127.0.0.1:8080, and without a key; on one line, for a shell."""
    words = ["llama-server", "--model", str(path), "--alias", model, "--ctx-size", str(CONTEXT)]
    return " ".join(clean(shlex.join([*words, "--port", "8080", *_NEUTRAL])).splitlines())


class _Unready(Exception):
    """The process ended before it was ready; the reason in words."""


class _Stolen(_Unready):
    """Another program answers where the process said that it would."""


class LocalServer:
    """One running server. `start` makes it; `stop` or the end of this program ends it."""

    def __init__(
        self, process: asyncio.subprocess.Process, base_url: str, key: Secret, log: Path
    ) -> None:
        self._process = process
        self.log = log
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

        ChatError with the reason from its log when it cannot start, or is not ready after `seconds`. A
        model trained for less than `context` tokens gets what it was trained for. `command` replaces the
        child's.
        """
        _check_header(path)
        private_directory(log.parent)
        order = {"path": str(path.absolute()), "model": model_id, "context": context}
        with suppress(_Unready):
            return await cls._attempt(command, order | {"verbosity": 0}, log, seconds)
        try:
            # A failed load says nothing at that verbosity: once more, for the reason.
            return await cls._attempt(command, order | {"verbosity": 3}, log, seconds)
        except _Stolen as error:
            words = f"{one_line(path.name)} cannot be used: {error}."
            raise ChatError(
                words, f"Nothing was sent there. Try again. {named(log)}".rstrip()
            ) from error
        except _Unready as error:
            raise ChatError(
                f"{one_line(path.name)} could not be loaded: {error}.",
                f"If the file is damaged, delete it and fetch it again. {named(log)}".rstrip(),
            ) from error

    @classmethod
    async def _attempt(
        cls, command: Sequence[str], order: Mapping[str, object], log: Path, seconds: float
    ) -> LocalServer:
        key = Secret(secrets.token_hex(32))
        process = await _spawned(command, log)
        proved = False
        try:
            async with asyncio.timeout(seconds):
                base_url = await _told(process, {**order, "key": key.reveal()}, log)
                proved = await asyncio.to_thread(_is_ours, base_url, key, log)
        except TimeoutError as error:
            words = f"The built-in model was not ready after {seconds:g} s; {_reason(log)}."
            raise ChatError(words, f"Try again. {named(log)}".rstrip()) from error
        finally:
            if not proved:
                _kill(process)
                await _ended(process)
        if not proved:
            raise _Stolen("another program answers at its address")
        return cls(process, base_url, key, log)

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def last_words(self) -> str:
        """The end of its log, on one line. Reads a file."""
        return one_line(" · ".join(_lines(self.log)[-3:]), LAST_WORDS) or "it said nothing"

    def end_reason(self) -> str:
        """What ended it: the log's first error, or the signal; on one line. Reads a file."""
        status = self._process.returncode
        if status is not None and status < 0:
            return signal.strsignal(-status) or f"signal {-status}"
        return _reason(self.log, status)

    async def wait(self) -> None:
        """Return when the process has ended, for whatever cause."""
        await self._process.wait()

    async def stop(self) -> None:
        """End the process; within a few seconds whatever it does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if await _ended(self._process):
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        if not await _ended(self._process):
            _kill(self._process)
            await _ended(self._process)

    def kill(self) -> None:
        """End the process now, without waiting: for a program that is leaving."""
        _kill(self._process)


def _check_header(path: Path) -> None:
    if not path.is_file():
        raise ChatError(f"There is no model at {path}.", "Fetch it again.")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ChatError(f"{path} cannot be read: {error.strerror}.") from error
    if magic != b"GGUF":
        raise ChatError(
            f"{one_line(path.name)} is not a model file.", "Delete it and fetch it again."
        )


async def _spawned(command: Sequence[str], log: Path) -> asyncio.subprocess.Process:
    environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    try:
        with os.fdopen(os.open(log, flags, 0o600), "wb") as out:
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
        place = error.filename or command[0]
        raise ChatError(
            f"The built-in model could not start: {place}: {error.strerror}."
        ) from error


async def _told(process: asyncio.subprocess.Process, order: Mapping[str, object], log: Path) -> str:
    """Give the order; the base URL it answers with. _Unready when the process ends or talks nonsense."""
    assert process.stdin is not None
    assert process.stdout is not None
    # A process that is gone already is found out by its answer, which is none.
    with suppress(ConnectionError):
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()
    try:
        line = await process.stdout.readline()
        if not line:
            await process.wait()
            raise _Unready(_reason(log, process.returncode))
        said = json.loads(line)
        base_url = f"{said['url'].rstrip('/')}/v1"
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _Unready("its process does not say where it serves") from error
    if urlsplit(base_url).hostname != "127.0.0.1":
        raise _Unready("it would serve beyond this machine")
    return base_url


def _is_ours(base_url: str, key: Secret, log: Path) -> bool:
    """Ask with our key, and without: another server on the port, or an open one, gets no prompt.

    ChatError where this machine does not reach itself.
    """
    try:
        return _status(base_url, key.reveal()) == 200 and _status(base_url, "") == 401
    except (ConnectionError, http.client.HTTPException, ValueError):
        return False
    except OSError as error:
        reason = error.strerror or one_line(str(error))
        raise ChatError(
            f"The built-in model cannot be reached on this machine: {reason}.",
            f"Is its loopback interface up? {named(log)}".rstrip(),
        ) from error


def _status(base_url: str, key: str) -> int:
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        path = f"{parts.path}/chat/completions/input_tokens"
        connection.request("POST", path, '{"messages":[]}', headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()


async def _ended(process: asyncio.subprocess.Process) -> bool:
    """Whether it ends within STOP_SECONDS."""
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    return process.returncode is not None


def _reason(log: Path, status: int | None = None) -> str:
    """The log's first error and its last line, else what ended the process; on one line."""
    lines = _lines(log)
    errors = [
        match.group(2) for line in lines if (match := _LOGGED.match(line)) and match[1] == "E"
    ]
    last = [match.group(2) if (match := _LOGGED.match(line)) else line for line in lines[-1:]]
    if said := [one_line(line, LAST_WORDS).rstrip(".") for line in (*errors[:1], *last)]:
        return said[0] if said[0] == said[-1] else f"{said[0]}; its log ends: {said[-1]}"
    if status is not None and status < 0:
        return f"its process was ended ({signal.strsignal(-status) or -status})"
    return "its process said nothing"


def _lines(log: Path) -> list[str]:
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
        text = clean(file.read().decode("utf-8", "replace"))
        return [line for line in text.splitlines() if line.strip()]
    return []
