"""Presets: setups with a name, one TOML file each, and those that come along.

A broken file is named with its place, the others still load, and it is never written over.
All of it blocks on the disk: callers use a thread.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tui_chat.core.conversation import Setup
from tui_chat.core.endpoint_tables import DATA
from tui_chat.core.errors import ChatError
from tui_chat.core.files import (
    Unread,
    create_bytes,
    private_directory,
    read_bytes,
    read_text,
    write_text,
)
from tui_chat.core.params import BY_NAME, PARAMETERS, Params
from tui_chat.core.text import clean, folded, one_line
from tui_chat.core.toml import editable, parsed, placed, read_table
from tui_chat.core.unsaved import not_written

_NAME = re.compile(r"[\w .\-]{1,64}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_PARTS = ("endpoint", "model", "system")
_Problems = list[tuple[tuple[str, ...], str]]


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
    problems: tuple[str, ...] = ()
    """What is wrong with its file, each with its place; what is right counts all the same."""
    broken: bool = False
    """Whether nothing in its file could be read; applying it changes nothing."""

    @property
    def problem(self) -> str:
        """The problems in one line; empty without any."""
        return " ".join(self.problems)

    def applied_to(self, setup: Setup) -> Setup:
        """The setup with this preset's parts; its parameters replace the present ones as a whole."""
        if self.broken:
            return setup
        parts = {part: getattr(self, part) for part in _PARTS if getattr(self, part) is not None}
        return replace(setup, params=self.params, **parts)

    def matches(self, setup: Setup) -> bool:
        """Whether it can be read and applying it would change nothing."""
        return not self.broken and self.applied_to(setup) == setup


@dataclass(frozen=True)
class Deleted:
    """A deleted preset's file, for bringing it back."""

    name: str
    content: bytes


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


def _key(name: str) -> str:
    """What names of one and the same preset share, whatever their case and composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", one_line(name)).casefold())


def shipped_presets() -> tuple[Preset, ...]:
    """Those that come along, in the order of a lesson."""
    tables, _ = read_table(DATA / "presets.toml")
    return tuple(
        replace(_preset(name, table, "", name), shipped=True) for name, table in tables.items()
    )


class Presets:
    """The presets in one directory, and the shipped ones that no file of the same name replaces."""

    def __init__(self, directory: Path, *, kept: bool = True) -> None:
        """Without `kept` nothing there is changed: what would is refused by a ChatError."""
        self._directory = directory
        self._kept = kept

    def _check_kept(self, what: str) -> None:
        if not self._kept:
            raise not_written(f"the preset was not {what}")

    def all(self) -> tuple[Preset, ...]:
        """Every preset: the shipped ones in their order, then a person's own by name."""
        own = [self._read(path) for path in self._paths()]
        shipped = []
        for one in shipped_presets():
            mine = next((preset for preset in own if _key(preset.name) == _key(one.name)), one)
            shipped.append(mine)
        others = [preset for preset in own if preset not in shipped]
        return (*shipped, *sorted(others, key=lambda preset: _key(preset.name)))

    def named(self, name: str) -> Preset:
        """The preset with this name, whatever its case; ChatError names those there are."""
        presets = self.all()
        for preset in presets:
            if folded(preset.name) == folded(name):
                return preset
        names = ", ".join(preset.name for preset in presets)
        raise ChatError(f"There is no preset “{one_line(name, 60)}”.", f"There are: {names}.")

    def _paths(self) -> list[Path]:
        try:
            return sorted(path for path in self._directory.glob("*.toml") if path.name[0] != ".")
        except OSError:
            return []

    def _read(self, path: Path) -> Preset:
        name = one_line(unicodedata.normalize("NFC", path.stem))
        try:
            return _preset(name, *read_table(path), one_line(path.name))
        except FileNotFoundError:
            return Preset(name, problems=(f"{one_line(path.name)} is gone.",), broken=True)
        except ChatError as error:
            return Preset(name, problems=(error.message,), broken=True)

    def _path(self, name: str) -> Path | None:
        """The file of this name, else one whose name differs in case or composition; None without."""
        paths = self._paths()
        same = (path for path in paths if one_line(path.stem) == name)
        alike = (path for path in paths if _key(path.stem) == _key(name))
        return next(same, None) or next(alike, None)

    def mark(self, name: str) -> tuple[object, ...]:
        """What is another value once the file of this name is another one, or changed."""
        path = self._path(name)
        try:
            found = path.stat() if path is not None else None
        except OSError as error:
            return (error.errno,)
        return (found and (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size),)

    def seen(self, name: str) -> tuple[str, Path | None]:
        """What stands in the file of this name now, "" where there is none, for save(expected=…); and where
        it leads when it is a link. ChatError when it cannot be read."""
        path = self._path(check_name(name))
        if path is None:
            return "", None
        with suppress(FileNotFoundError):
            return read_text(path), Path(os.path.realpath(path)) if path.is_symlink() else None
        return "", None

    def save(
        self, name: str, setup: Setup, about: str = "", *, expected: str | None = None
    ) -> Preset:
        """Write the setup under this name. An own preset of that name is replaced; keys of it that we do
        not know, and comments, stay. ValueError for the name; ChatError for the disk, a broken file, or
        one that another program changed since it was read, or since `expected` was seen()."""
        # Deferred: only writing needs it, and the first screen comes sooner without.
        import tomlkit

        name = check_name(name)
        self._check_kept("saved")
        path = self._path(name) or private_directory(self._directory) / f"{name}.toml"
        try:
            document, before = editable(path)
        except Unread:
            raise
        except ChatError as error:
            hint = "Mend or delete that file; it was not changed."
            raise ChatError(error.message, hint) from error
        if expected is not None and before != expected:
            words = f"{path.name} was changed by another program in the meantime."
            raise ChatError(words, "Nothing was written; save it again to replace that.")
        endpoint, model, system = (clean(getattr(setup, part)) for part in _PARTS)
        setup = replace(setup, endpoint=endpoint, model=model, system=system)
        if about:
            document["about"] = clean(about)
        for part in _PARTS:
            document[part] = getattr(setup, part)
        _set_parameters(document, setup.params)
        after = tomlkit.dumps(document)
        saved = _preset(path.stem, parsed(after, path.name), after, path.name)
        if not saved.matches(setup):
            hint = "Take another name, or mend that file by hand."
            raise ChatError(f"{path.name} cannot be changed without harm to it.", hint)
        write_text(path, after, expected=before)
        return self._read(path)

    def rename(self, old: str, new: str) -> None:
        """Give an own preset another name; ValueError for the name, ChatError when it is taken."""
        new = check_name(new)
        self._check_kept("renamed")
        path, taken = self._path(old), self._path(new)
        if path is None:
            raise ChatError(f"There is no preset of yours named “{one_line(old, 60)}”.")
        # A file of its name would hide one that comes along.
        shipped = any(_key(one.name) == _key(new) for one in shipped_presets())
        if (shipped and _key(path.stem) != _key(new)) or (taken is not None and taken != path):
            raise ChatError(f"There is a preset “{new}” already.", "Take another name.")
        try:
            path.rename(path.with_name(f"{new}.toml"))
        except OSError as error:
            raise ChatError(f"{path.name} cannot be renamed: {error.strerror}.") from error

    def delete(self, name: str) -> Deleted:
        """Delete an own preset; what is returned brings it back. ChatError when it is not there."""
        self._check_kept("deleted")
        path = self._path(name)
        if path is None:
            raise ChatError(f"There is no preset of yours named “{one_line(name, 60)}”.")
        try:
            deleted = Deleted(path.stem, read_bytes(path))
            path.unlink()
        except OSError as error:
            raise ChatError(f"{path.name} cannot be deleted: {error.strerror}.") from error
        return deleted

    def restore(self, deleted: Deleted) -> None:
        """Bring a deleted preset back; ChatError when another has its name by now."""
        self._check_kept("brought back")
        if self._path(deleted.name) is not None:
            name = one_line(deleted.name)
            raise ChatError(f"There is a new preset “{name}” by now.", "Rename it first.")
        create_bytes(private_directory(self._directory) / f"{deleted.name}.toml", deleted.content)


def _set_parameters(document: MutableMapping[str, object], params: Params) -> None:
    """Set or remove ours in the table of parameters; those that we do not know stay."""
    table = document.get("parameters")
    if not isinstance(table, MutableMapping):
        document["parameters"] = table = {}
        table = document["parameters"]
        assert isinstance(table, MutableMapping)
    for parameter in PARAMETERS:
        value = params.get(parameter.name)
        if value is not None:
            table[parameter.name] = list(value) if isinstance(value, tuple) else value
        elif parameter.name in table:
            del table[parameter.name]


def _preset(name: str, table: Mapping[str, object], text: str, file: str) -> Preset:
    """A preset from its table; what cannot be used is left out and named in `problem`."""
    known = ("about", *_PARTS, "parameters")
    problems: _Problems = [
        ((key,), f"there is no “{one_line(key, 40)}” in a preset.")
        for key in table
        if key not in known
    ]

    def word(key: str) -> str | None:
        value = table.get(key)
        if value is not None and not isinstance(value, str):
            problems.append(((key,), f"{key} takes a text in quotes."))
            return None
        return None if value is None else clean(value)

    about, endpoint, model, system = (word(key) for key in ("about", *_PARTS))
    params = _params(table.get("parameters", {}), problems)
    found = placed(text, file, problems)
    return Preset(name, about or "", endpoint, model, system, params, problems=found)


def _params(table: object, problems: _Problems) -> Params:
    if not isinstance(table, dict):
        problems.append((("parameters",), "parameters is a table: [parameters]."))
        return Params()
    values: dict[str, object] = {}
    for name, value in table.items():
        if name not in BY_NAME:
            words = f"there is no parameter “{one_line(name, 40)}”."
            problems.append((("parameters", name), words))
            continue
        try:
            values[name] = BY_NAME[name].check(value)
        except ValueError as error:
            problems.append((("parameters", name), str(error)))
    return Params(values)
