"""The built-in model's process by itself: what it says, when it ends, what a model file may not change."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.core.local.processes import runs, until
from tui_chat.core.local import child

KEY = "f00d" * 16
PARENT = """
import subprocess, sys
process = subprocess.Popen([sys.executable, sys.argv[1]])
print(process.pid, flush=True)
process.wait()
"""


@asynccontextmanager
async def _running(log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(child.__file__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=out,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _give(process: asyncio.subprocess.Process, path: Path, verbosity: int = 0) -> None:
    assert process.stdin is not None
    process.stdin.write(_order(path, verbosity))


def _order(path: Path, verbosity: int = 0) -> bytes:
    order = {"path": str(path), "model": "m", "context": 512, "key": KEY, "verbosity": verbosity}
    return json.dumps(order).encode() + b"\n"


async def _told(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        url = json.loads(await process.stdout.readline())["url"]
    assert isinstance(url, str)
    return url


async def _closed(process: asyncio.subprocess.Process) -> int:
    """Close its standard input; its exit status."""
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(5):
        return await process.wait()


def _request(url: str, body: dict[str, object] | None = None) -> urllib.request.Request:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    return urllib.request.Request(url, data, headers)


def _opened(request: urllib.request.Request) -> Any:
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20)


@pytest.mark.parametrize("moment", ["at once", "while it loads", "when it serves"])
async def test_it_ends_when_its_input_does(model: Path, tmp_path: Path, moment: str) -> None:
    async with _running(tmp_path / "log") as process:
        if moment != "at once":
            _give(process, model)
        if moment == "when it serves":
            await _told(process)

        assert await _closed(process) == 0


async def test_it_ends_in_the_middle_of_a_reply(model: Path, tmp_path: Path) -> None:
    body: dict[str, object] = {"prompt": "Once", "stream": True, "ignore_eos": True}
    async with _running(tmp_path / "log") as process:
        _give(process, model)
        url = f"{await _told(process)}/v1/completions"
        answer = await asyncio.to_thread(_opened, _request(url, body))
        await asyncio.to_thread(answer.readline)

        assert await _closed(process) == 0
        answer.close()


async def test_it_dies_with_its_parent_though_its_input_goes_on(
    model: Path, tmp_path: Path
) -> None:
    source, ours = os.pipe()
    with os.fdopen(ours, "wb", buffering=0) as giving, (tmp_path / "log").open("wb") as log:
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PARENT, str(child.__file__)),
            stdin=source,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        os.close(source)
        giving.write(_order(model))
        assert parent.stdout is not None
        process_id = int(await parent.stdout.readline())
        await _told(parent)

        parent.kill()

        await until(lambda: not runs(process_id), seconds=2)
    await parent.wait()


async def test_what_the_library_prints_is_logged_and_holds_no_key(
    model: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with _running(log) as process:
        _give(process, model, verbosity=3)
        await _told(process)
        await _closed(process)
        assert process.stdout is not None
        more = await process.stdout.read()

    assert more == b""
    assert "loading model" in log.read_text()
    assert KEY not in log.read_text()


async def test_a_model_file_does_not_choose_the_sampling(model: Path, tmp_path: Path) -> None:
    opinionated = tmp_path / "opinionated.gguf"
    _with_numbers(model, opinionated, {"temp": 0.125, "top_p": 0.5, "min_p": 0.25})
    async with _running(tmp_path / "log") as process:
        _give(process, opinionated)
        url = f"{await _told(process)}/props"
        with await asyncio.to_thread(_opened, _request(url)) as answer:
            defaults = json.load(answer)["default_generation_settings"]["params"]
    opinionated.unlink()

    neutral = {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "repeat_penalty": 1}
    assert {name: defaults[name] for name in neutral} == neutral


def _with_numbers(source: Path, target: Path, sampling: dict[str, float]) -> None:
    """A copy of a GGUF file that recommends this sampling (its format: ggml's docs/gguf.md)."""
    data = source.read_bytes()
    magic, version, tensors, pairs = struct.unpack_from("<4sIQQ", data)
    start = 24
    added = b""
    for name, value in sampling.items():
        key = f"general.sampling.{name}".encode()
        added += struct.pack("<Q", len(key)) + key + struct.pack("<If", 6, value)
    # Tensors begin at a multiple of 32 bytes: a pair that says nothing fills it up.
    filler = b"tests.filler"
    empty = struct.pack("<Q", len(filler)) + filler + struct.pack("<IQ", 8, 0)
    padding = -len(added + empty) % 32
    added += empty[:-8] + struct.pack("<Q", padding) + b"x" * padding
    header = struct.pack("<4sIQQ", magic, version, tensors, pairs + len(sampling) + 1)
    target.write_bytes(header + added + data[start:])
