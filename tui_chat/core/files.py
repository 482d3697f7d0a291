"""Where things are kept, and how a file is written so that a crash leaves the old one or the new one.

Directories are 0700 and files 0600 under any umask: they hold what a person wrote.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

import platformdirs

from tui_chat.core.errors import ChatError
from tui_chat.core.locks import FileLock
from tui_chat.core.text import one_line

LARGEST = 1_000_000
"""Bytes; a settings or preset file larger than this is not one of ours."""
_TRIES = 20
PATIENCE = 2.0
"""Seconds to wait for another program that is writing the same file."""
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_OTHER_PLACES = "TUI_CHAT_CONFIG_DIR and TUI_CHAT_CACHE_DIR can name other places."


class Changed(ChatError):
    """Another program changed the file since it was read, so nothing was written."""


class Unread(ChatError):
    """The system did not let the file be read; whatever is in it, it was not changed."""


@dataclass(frozen=True)
class Places:
    """The two directories: what a person would miss, and what can be had again."""

    config: Path
    cache: Path

    @classmethod
    def standard(cls, environ: Mapping[str, str]) -> Places:
        """The user's own, or those that TUI_CHAT_CONFIG_DIR and TUI_CHAT_CACHE_DIR name. ChatError
        where there is no home directory to put them in."""
        config = environ.get("TUI_CHAT_CONFIG_DIR") or platformdirs.user_config_dir(
            "tui-chat", False
        )
        cache = environ.get("TUI_CHAT_CACHE_DIR") or platformdirs.user_cache_dir("tui-chat", False)
        try:
            return cls(Path(config).expanduser().absolute(), Path(cache).expanduser().absolute())
        except RuntimeError as error:
            raise ChatError("There is no such home directory.", _OTHER_PLACES) from error

    @property
    def database(self) -> Path:
        return self.config / "conversations.db"

    @property
    def presets(self) -> Path:
        return self.config / "presets"

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"

    @property
    def keys(self) -> Path:
        return self.config / "keys.toml"

    @property
    def backups(self) -> Path:
        return self.config / "backups"

    @property
    def models(self) -> Path:
        return self.cache / "models"

    @property
    def importing(self) -> Path:
        return self.cache / "importing"

    @property
    def index(self) -> Path:
        return self.cache / "search.db"

    @property
    def lessons(self) -> Path:
        return self.cache / "learned.json"

    @property
    def logs(self) -> Path:
        return self.cache / "logs"


def private_directory(path: Path) -> Path:
    """The directory, made 0700 with its parents where it was missing. ChatError when it cannot be."""
    try:
        missing = [place for place in (path, *path.parents) if not place.exists()]
        for place in reversed(missing):
            _make_private(place)
        if path.is_dir():
            return path
    except OSError as error:
        shown = one_line(str(error.filename or path))
        raise ChatError(
            f"The directory {shown} cannot be made: {_reason(error)}.", _OTHER_PLACES
        ) from error
    raise ChatError(f"{one_line(str(path))} is not a directory.", "Move it away and try again.")


def _make_private(place: Path) -> None:
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        if not place.is_dir():
            raise
        return  # Another program made it at the same moment.
    _give(place, 0o700)


def _give(path: Path, mode: int) -> None:
    # A umask may have taken even this user's own rights. File systems without rights refuse chmod.
    if path.stat().st_mode & mode != mode:
        path.chmod(mode)


def read_text(path: Path) -> str:
    """A small UTF-8 file, with or without a byte order mark. ChatError; FileNotFoundError passes."""
    raw = read_bytes(path).removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace").split("\n")
        place = f"{len(before)}:{len(before[-1]) + 1}"
        raise ChatError(f"{one_line(path.name)}:{place}: this is not UTF-8 text.") from error


def read_bytes(path: Path) -> bytes:
    """A small file as it stands. ChatError, Unread where the system refuses; FileNotFoundError passes."""
    name = one_line(str(path))
    try:
        if stat.S_ISFIFO(
            path.stat().st_mode
        ):  # Opening it would wait for a writer, maybe for ever.
            raise ChatError(f"{name} is a pipe, so it was not read.")
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        hint = "Look at the disk; nothing was changed." if error.errno == errno.EIO else ""
        raise Unread(f"{name} cannot be read: {_reason(error)}.", hint) from error
    if len(raw) > LARGEST:
        raise ChatError(f"{name} is larger than {LARGEST:,} bytes, so it was not read.")
    return raw


def write_text(path: Path, text: str, *, expected: str | None = None) -> None:
    """Replace the file whole, or leave it as it is. A link is followed. ChatError when it cannot be.

    `expected` is the text that was read before, "" for a file that was not there: when another
    program changed the file since then, that is said and nothing is written.
    """
    target = Path(os.path.realpath(path))
    name = one_line(str(target))
    content = _encoded(text, name)
    private_directory(target.parent)
    try:
        if target.exists() and not target.is_file():  # As root even a device could be replaced.
            raise ChatError(f"{name} cannot be written: it is not a regular file.")
        with _alone_with(target):
            if expected is not None and _present(target) != expected:
                raise Changed(
                    f"{name} was changed by another program in the meantime.",
                    "Nothing was written; try again.",
                )
            _replace(target, content)
    except OSError as error:
        raise ChatError(f"{name} cannot be written: {_reason(error)}.") from error


def again_if_changed(edit: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """What edits a file, from reading it to write_text(…, expected=…), as something that is begun anew where
    another program changed the file meanwhile; Changed only where that happens again and again."""

    @wraps(edit)
    def tried(*given: _Given.args, **named: _Given.kwargs) -> _Result:
        for _ in range(_TRIES):
            with suppress(Changed):
                return edit(*given, **named)
        return edit(*given, **named)

    return tried


def create_text(path: Path, text: str) -> None:
    """As create_bytes, in UTF-8."""
    create_bytes(path, _encoded(text, one_line(str(path))))


def create_bytes(path: Path, content: bytes) -> None:
    """Write a new file, readable by this user only. ChatError when there is one already, or it cannot be."""
    name = one_line(str(path))
    try:
        _write_new(path, content)
    except FileExistsError as error:
        raise _there_already(name) from error
    except OSError as error:
        raise ChatError(f"{name} cannot be written: {_reason(error)}.") from error


class NewFile:
    """A file written piece by piece that is there whole under its name, or not at all.

    open(), add() as often as needed, keep(); drop() at the end in any case, which does nothing after keep().
    What is written meanwhile is a hidden file beside it. All of them block, and raise ChatError.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._path = path
        self._overwrite = overwrite
        self._fresh: Path | None = None
        self._file: IO[str] | None = None

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        name = one_line(str(self._path), 400)
        try:
            yield
        except FileExistsError as error:
            raise _there_already(name) from error
        except OSError as error:
            raise ChatError(f"{name} cannot be written: {_reason(error)}.") from error
        except UnicodeEncodeError as error:
            raise ChatError(
                f"{name} cannot be written: the text holds half a character."
            ) from error
        except ValueError as error:  # A NUL in the name.
            raise ChatError(f"{name} is no name for a file.", "Name another.") from error

    def open(self) -> None:
        """Make the file beside it, 0600. Refused where the file is there already, unless it may be
        overwritten; where there is no such directory; and where a file of this name is something else."""
        with self._in_words():
            name = one_line(str(self._path), 400)
            # A link is followed, so that what it points to is what is replaced.
            target = Path(os.path.realpath(self._path)) if self._overwrite else self._path
            if target.is_dir():
                raise ChatError(f"{name} is a directory.", "Name a file in it.")
            if target.exists() and not target.is_file():
                raise ChatError(f"{name} cannot be written: it is not a regular file.")
            if not self._overwrite and os.path.lexists(target):
                raise FileExistsError
            if not target.parent.is_dir():
                shown = one_line(str(target.parent), 400)
                raise ChatError(f"There is no directory {shown}.", "Make it, or name another.")
            fresh = target.with_name(f".{target.name[:40]}.{os.urandom(6).hex()}")
            handle = _opened_new(fresh)
            self._path, self._fresh = target, fresh
            self._file = os.fdopen(handle, "w", encoding="utf-8", newline="\n")
            _give(fresh, 0o600)

    def add(self, pieces: Iterable[str]) -> None:
        """Write these behind what was written before."""
        assert self._file is not None, "open() comes first"
        with self._in_words():
            for piece in pieces:
                # In slices: the whole of a long one need not be there twice.
                for start in range(0, len(piece), LARGEST):
                    self._file.write(piece[start : start + LARGEST])

    def keep(self) -> None:
        """Give the file its name."""
        assert self._file is not None, "open() comes first"
        assert self._fresh is not None, "open() comes first"
        with self._in_words():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if not self._overwrite:
                # Claims the name: renaming would replace what another program made meanwhile.
                os.close(_opened_new(self._path))
            try:
                self._fresh.replace(self._path)
            except OSError:
                if not self._overwrite:
                    with suppress(OSError):
                        self._path.unlink()
                raise
            self._fresh = None
            sync_directory(self._path.parent)

    def drop(self) -> None:
        """Leave nothing behind that was not kept."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        if self._fresh is not None:
            with suppress(OSError):
                self._fresh.unlink()
            self._fresh = None


@contextmanager
def _alone_with(target: Path) -> Iterator[None]:
    """Keep other programs of ours from writing this file meanwhile."""
    lock = FileLock(target.with_name(f".{target.name[:40]}.lock"))
    deadline = time.monotonic() + PATIENCE
    # Some network file systems grant no locks: saving must work there all the same.
    while not lock.acquire() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield
    finally:
        lock.release()


def _present(target: Path) -> str:
    try:
        return read_text(target)
    except FileNotFoundError:
        return ""


def _replace(target: Path, content: bytes) -> None:
    fresh = target.with_name(f".{target.name[:40]}.{os.urandom(6).hex()}")
    _write_new(fresh, content)
    try:
        fresh.replace(target)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
    sync_directory(target.parent)


def _there_already(name: str) -> ChatError:
    return ChatError(f"{name} is there already.", "Nothing was overwritten; name another.")


def _opened_new(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o600)


def _write_new(path: Path, content: bytes) -> None:
    handle = _opened_new(path)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _give(path, 0o600)
    except OSError:
        # Half a file would look like a whole one.
        with suppress(OSError):
            path.unlink()
        raise


def _encoded(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ChatError(f"{name} cannot be written: the text holds half a character.") from error


def sync_directory(path: Path) -> None:
    """Make what was renamed in it last through a power cut, where the system can do that."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
