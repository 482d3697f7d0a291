"""Presets: setups with a name, one TOML file each, and those that come along.

A broken file is named with its place, the others still load, and it is never written over.
All of it blocks on the disk: callers use a thread.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import DATA
from tui_chat.core.errors import ChatError
from tui_chat.core.files import private_directory, read_text, write_text
from tui_chat.core.params import BY_NAME, Params
from tui_chat.core.text import clean, folded, one_line
from tui_chat.core.toml import read_table

_NAME = re.compile(r"[\w .\-]{1,64}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_PARTS = ("endpoint", "model", "system")


@dataclass(frozen=True)
class Preset:
    """A setup with a name; a part that is None leaves the present one alone."""

    name: str
    about: str = ""
    endpoint: str | None = None
    model: str | None = None
    system: str | None = None
    params: Params = field(default_factory=Params)
    shipped: bool = False
    problem: str = ""
    """What is wrong with its file, with the place; what is right counts all the same."""

    def applied_to(self, setup: Setup) -> Setup:
        """The setup with this preset's parts; its parameters replace the present ones as a whole."""
        parts = {part: getattr(self, part) for part in _PARTS if getattr(self, part) is not None}
        return replace(setup, params=self.params, **parts)

    def matches(self, setup: Setup) -> bool:
        """Whether applying it would change nothing."""
        return self.applied_to(setup) == setup


@dataclass(frozen=True)
class Deleted:
    """A deleted preset's file, for bringing it back."""

    name: str
    text: str


def check_name(name: str) -> str:
    """The name as it is stored (NFC, trimmed); ValueError in words when it cannot be a file's name."""
    normal = " ".join(unicodedata.normalize("NFC", clean(name)).split())
    if not _NAME.fullmatch(normal) or normal.startswith(".") or normal.endswith("."):
        raise ValueError(
            "A preset's name has 1 to 64 letters, digits, spaces, dots, - and _, and no dot at its ends."
        )
    if _RESERVED.fullmatch(normal):
        raise ValueError(f"“{normal}” is reserved by some systems; take another name.")
    return normal


def shipped_presets() -> tuple[Preset, ...]:
    """Those that come along, in the order of a lesson."""
    tables, _ = read_table(DATA / "presets.toml")
    return tuple(replace(_preset(name, table, ""), shipped=True) for name, table in tables.items())


class Presets:
    """The presets in one directory, and the shipped ones that no file of the same name replaces."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def all(self) -> tuple[Preset, ...]:
        """Every preset: the shipped ones in their order, then a person's own by name."""
        own = {folded(path.stem): self._read(path) for path in self._paths()}
        shipped = [own.pop(folded(one.name), one) for one in shipped_presets()]
        return (*shipped, *sorted(own.values(), key=lambda preset: folded(preset.name)))

    def _paths(self) -> list[Path]:
        try:
            return sorted(path for path in self._directory.glob("*.toml") if path.name[0] != ".")
        except OSError:
            return []

    def _read(self, path: Path) -> Preset:
        name = unicodedata.normalize("NFC", clean(path.stem))
        try:
            return _preset(name, read_table(path)[0], path.name)
        except FileNotFoundError:
            return Preset(name, problem=f"{path.name} is gone.")
        except ChatError as error:
            return Preset(name, problem=error.message)

    def _path(self, name: str) -> Path | None:
        """The file of this name, whatever its case and composition; None when there is none."""
        wanted = folded(name)
        return next((path for path in self._paths() if folded(path.stem) == wanted), None)

    def save(self, name: str, setup: Setup, about: str = "") -> Preset:
        """Write the setup under this name. An own preset of that name is replaced; keys of it that we do
        not know, and comments, stay. ValueError for the name, ChatError for the disk or a broken file."""
        # Deferred: only writing needs it, and the first screen comes sooner without.
        import tomlkit
        from tomlkit.exceptions import ParseError

        name = check_name(name)
        path = self._path(name) or private_directory(self._directory) / f"{name}.toml"
        document = tomlkit.document()
        if path.exists():
            try:
                document = tomlkit.parse(read_text(path))
            except ParseError as error:
                raise ChatError(
                    f"{path.name}:{error.line}:{error.col}: this is no TOML.",
                    "Mend or delete that file; it was not changed.",
                ) from error
        if about:
            document["about"] = about
        for part in _PARTS:
            document[part] = getattr(setup, part)
        table = tomlkit.table()
        for parameter, value in setup.params.items():
            table[parameter] = list(value) if isinstance(value, tuple) else value
        document["parameters"] = table
        write_text(path, tomlkit.dumps(document))
        return self._read(path)

    def rename(self, old: str, new: str) -> None:
        """Give an own preset another name; ValueError for the name, ChatError when it is taken."""
        new = check_name(new)
        path, taken = self._path(old), self._path(new)
        if path is None:
            raise ChatError(f"There is no preset of yours named “{one_line(old, 60)}”.")
        if taken is not None and taken != path:
            raise ChatError(f"There is a preset “{new}” already.", "Take another name.")
        try:
            path.rename(path.with_name(f"{new}.toml"))
        except OSError as error:
            raise ChatError(f"{path.name} cannot be renamed: {error.strerror}.") from error

    def delete(self, name: str) -> Deleted:
        """Delete an own preset; what is returned brings it back. ChatError when it is not there."""
        path = self._path(name)
        if path is None:
            raise ChatError(f"There is no preset of yours named “{one_line(name, 60)}”.")
        try:
            deleted = Deleted(path.stem, read_text(path))
            path.unlink()
        except OSError as error:
            raise ChatError(f"{path.name} cannot be deleted: {error.strerror}.") from error
        return deleted

    def restore(self, deleted: Deleted) -> None:
        """Bring a deleted preset back; ChatError when another has its name by now."""
        if self._path(deleted.name) is not None:
            raise ChatError(f"There is a new preset “{deleted.name}” by now.", "Rename it first.")
        write_text(private_directory(self._directory) / f"{deleted.name}.toml", deleted.text)


def _preset(name: str, table: Mapping[str, object], file: str) -> Preset:
    """A preset from its table; what cannot be used is left out and named in `problem`."""
    problems: list[str] = []

    def word(key: str) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            problems.append(f"{key} takes a text")
            return None
        return None if value is None else clean(value)

    about, endpoint, model, system = (word(key) for key in ("about", *_PARTS))
    values: dict[str, object] = {}
    given = table.get("parameters", {})
    for parameter, value in given.items() if isinstance(given, dict) else ():
        try:
            values[parameter] = BY_NAME[parameter].check(value)
        except KeyError:
            problems.append(f"there is no parameter “{one_line(parameter, 40)}”")
        except ValueError as error:
            problems.append(str(error).rstrip("."))
    problem = f"{file}: {'; '.join(problems)}." if problems else ""
    return Preset(name, about or "", endpoint, model, system, Params(values), problem=problem)
