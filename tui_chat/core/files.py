"""Where things are kept, and how a file is written so that a crash leaves the old one or the new one.

Directories are 0700 and files 0600 under any umask: they hold what a person wrote.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tui_chat.core.errors import ChatError

LARGEST = 1_000_000
"""Bytes; a settings or preset file larger than this is not one of ours."""


@dataclass(frozen=True)
class Places:
    """The two directories: what a person would miss, and what can be had again."""

    config: Path
    cache: Path

    @classmethod
    def standard(cls, environ: Mapping[str, str]) -> Places:
        """The user's own, or those that TUI_CHAT_CONFIG_DIR and TUI_CHAT_CACHE_DIR name."""
        config = environ.get("TUI_CHAT_CONFIG_DIR") or platformdirs.user_config_dir(
            "tui-chat", False
        )
        cache = environ.get("TUI_CHAT_CACHE_DIR") or platformdirs.user_cache_dir("tui-chat", False)
        return cls(Path(config).expanduser().absolute(), Path(cache).expanduser().absolute())

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
    def backups(self) -> Path:
        return self.config / "backups"

    @property
    def models(self) -> Path:
        return self.cache / "models"

    @property
    def logs(self) -> Path:
        return self.cache / "logs"


def private_directory(path: Path) -> Path:
    """The directory, made 0700 with its parents where it was missing. ChatError when it cannot be."""
    missing = [place for place in (path, *path.parents) if not place.exists()]
    for place in reversed(missing):
        try:
            place.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ChatError(
                f"The directory {place} cannot be made: {_reason(error)}.",
                "TUI_CHAT_CONFIG_DIR and TUI_CHAT_CACHE_DIR can name others.",
            ) from error
    if not path.is_dir():
        raise ChatError(f"{path} is not a directory.", "Move it away and try again.")
    return path


def read_text(path: Path) -> str:
    """A small UTF-8 file, with or without a byte order mark. ChatError; FileNotFoundError passes."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        if len(raw) > LARGEST:
            raise ChatError(f"{path.name} is larger than {LARGEST:,} bytes, so it was not read.")
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ChatError(f"{path.name}:{line}: this is not UTF-8 text.") from error
    except OSError as error:
        raise ChatError(f"{path} cannot be read: {_reason(error)}.") from error


def write_text(path: Path, text: str) -> None:
    """Replace the file whole, or leave it as it is. A link is followed. ChatError when it cannot be."""
    target = Path(os.path.realpath(path))
    private_directory(target.parent)
    name = ""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
        _sync_directory(target.parent)
    except OSError as error:
        if name:
            with suppress(OSError):
                Path(name).unlink()
        raise ChatError(f"{target} cannot be written: {_reason(error)}.") from error


def create_text(path: Path, text: str) -> None:
    """Write a new file, readable by this user only. ChatError when there is one already, or it cannot be."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ChatError(
            f"{path} is there already.", "Nothing was overwritten; name another."
        ) from error
    except OSError as error:
        raise ChatError(f"{path} cannot be written: {_reason(error)}.") from error


def _sync_directory(path: Path) -> None:
    # Makes the rename itself last through a power cut; not every system can open a directory.
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
