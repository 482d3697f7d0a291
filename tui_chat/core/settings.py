"""settings.toml: what a person set by hand; read with care, never rewritten but for one value at a time.

Whatever is wrong in it is named with its line, and all that is right still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tui_chat.core.endpoints import Endpoint, endpoint_from
from tui_chat.core.errors import ChatError
from tui_chat.core.files import read_text, write_text
from tui_chat.core.text import one_line
from tui_chat.core.toml import read_table

_Wrong = Callable[[str, str], None]
_TEXTS = ("endpoint", "theme")


@dataclass(frozen=True)
class Settings:
    """What settings.toml says; a missing file says nothing."""

    endpoint: str = ""
    """The endpoint that a first start sends to."""
    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Binding id → the keys it shall have, separated by commas."""
    endpoints: tuple[Endpoint, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be read, each with its place, as `settings.toml:3:7: …`."""


def load_settings(path: Path) -> Settings:
    """The settings in this file. Never raises: what is wrong is among the problems."""
    try:
        table, text = read_table(path)
    except FileNotFoundError:
        return Settings()
    except ChatError as error:
        return Settings(problems=(error.message,))
    problems: list[str] = []

    def wrong(key: str, words: str) -> None:
        problems.append(f"{path.name}:{_line_of(text, key)}: {words}")

    for key in table.keys() - {*_TEXTS, "keys", "endpoints"}:
        wrong(key, f"there is no setting “{one_line(key, 40)}”.")
    words = {key: table.get(key, "") for key in _TEXTS}
    for key, value in words.items():
        if not isinstance(value, str):
            wrong(key, f"{key} takes a text in quotes.")
            words[key] = ""
    return Settings(
        words["endpoint"],
        words["theme"],
        MappingProxyType(_keys(table.get("keys", {}), wrong)),
        _endpoints(table.get("endpoints", {}), wrong),
        tuple(problems),
    )


def _keys(table: object, wrong: _Wrong) -> dict[str, str]:
    if not isinstance(table, dict):
        wrong("keys", '[keys] takes lines such as "chat.regenerate" = "ctrl+g".')
        return {}
    keys = {}
    for name, value in table.items():
        if isinstance(value, str) and value.strip():
            keys[name] = value.strip()
        else:
            wrong(name, f'the key for {one_line(name, 40)} must be a text such as "ctrl+g".')
    return keys


def _endpoints(table: object, wrong: _Wrong) -> tuple[Endpoint, ...]:
    if not isinstance(table, dict):
        wrong("endpoints", "endpoints are tables: [endpoints.NAME].")
        return ()
    found = []
    for name, value in table.items():
        try:
            if not isinstance(value, dict):
                raise ValueError("an endpoint is a table: [endpoints.NAME].")
            found.append(endpoint_from(name, value))
        except (ValueError, ChatError) as error:
            wrong(name, f"endpoint {one_line(name, 40)}: {error}")
    return tuple(found)


def remember_setting(path: Path, key: str, value: str) -> None:
    """Set one text in the file and leave all else in it as it is, comments too.

    ChatError when the file cannot be read as TOML (it is not touched then) or not be written.
    """
    # Deferred: only writing needs it, and the first screen comes sooner without.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(read_text(path))
    except FileNotFoundError:
        document = tomlkit.document()
    except TOMLKitError as error:
        raise ChatError(
            f"{path.name} has a mistake, so “{key}” was not remembered.", str(error)
        ) from error
    if document.get(key) == value:
        return
    if key in document:
        document[key] = value
    else:
        # Before the first table, or TOML would take it for a part of the last one.
        rest = tomlkit.dumps(document)
        write_text(path, f"{key} = {tomlkit.string(value).as_string()}\n{rest}")
        return
    write_text(path, tomlkit.dumps(document))


def _line_of(text: str, key: str) -> int:
    """The first line that has this key as its own or in its table's name; 1 when none has."""
    for number, line in enumerate(text.splitlines(), 1):
        head = line.split("=")[0]
        if key in head.replace('"', "").replace("[", ".").replace("]", ".").strip().split(".") or (
            head.strip().strip('"') == key
        ):
            return number
    return 1
