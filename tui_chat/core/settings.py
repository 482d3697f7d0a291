"""settings.toml: what a person set by hand; read with care, never rewritten but for one value at a time.

Whatever is wrong in it is named with its line, and all that is right still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from tui_chat.core.endpoint_tables import endpoint_from
from tui_chat.core.endpoints import BUILT_IN, ENVIRONMENT, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.files import again_if_changed, write_text
from tui_chat.core.text import one_line
from tui_chat.core.toml import editable, parsed, placed, read_table

if TYPE_CHECKING:
    from tui_chat.core.price import Price

_Wrong = Callable[[tuple[str, ...], str], None]
_TEXTS = ("endpoint", "theme")
DEEPEST = 4
"""The most parts that the id of a binding has."""


@dataclass(frozen=True)
class Settings:
    """What settings.toml says; a missing file says nothing."""

    endpoint: str = ""
    """The endpoint that a first start sends to."""
    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Binding id → the keys it shall have, separated by commas."""
    endpoints: tuple[Endpoint, ...] = ()
    strict: bool = False
    """Whether all that is set is sent, and a refusal ends the request: nothing is left out, or sent again."""
    prices: Mapping[str, Price] = field(default_factory=lambda: MappingProxyType({}))
    """Model, or ENDPOINT/MODEL → what its tokens cost, as the person says."""
    problems: tuple[str, ...] = ()
    """What could not be read, each with its place (line and column), as `settings.toml:3:7: …`."""
    unreadable: bool = False
    """Whether nothing in the file could be read."""


def load_settings(path: Path) -> Settings:
    """The settings in this file. Never raises: what is wrong is among the problems."""
    try:
        table, text = read_table(path)
    except FileNotFoundError:
        return Settings()
    except ChatError as error:
        return Settings(problems=(error.message,), unreadable=True)
    problems: list[tuple[tuple[str, ...], str]] = []

    def wrong(keys: tuple[str, ...], words: str) -> None:
        problems.append((keys, words))

    for key in table:
        if key not in (*_TEXTS, "keys", "endpoints", "strict", "prices"):
            wrong((key,), f"there is no setting “{one_line(key, 40)}”.")
    words = {key: table.get(key, "") for key in _TEXTS}
    for key, value in words.items():
        if not isinstance(value, str):
            wrong((key,), f"{key} takes a text in quotes.")
            words[key] = ""
    strict = table.get("strict", False)
    if not isinstance(strict, bool):
        wrong(("strict",), "strict takes true or false.")
        strict = False
    keys = _keys(table.get("keys", {}), wrong)
    endpoints = _endpoints(table.get("endpoints", {}), wrong)
    return Settings(
        one_line(words["endpoint"]),
        one_line(words["theme"]),
        MappingProxyType(keys),
        endpoints,
        strict,
        MappingProxyType(_prices(table["prices"], wrong) if "prices" in table else {}),
        placed(text, path.name, problems),
    )


def _keys(table: object, wrong: _Wrong) -> dict[str, str]:
    if not isinstance(table, dict):
        wrong(("keys",), '[keys] takes lines such as "chat.regenerate" = "ctrl+g".')
        return {}
    keys = {}
    for path, value in _leaves(table):
        name = ".".join(path)
        if isinstance(value, str) and value.strip():
            keys[name] = one_line(value)
        else:
            words = f'the key for {one_line(name, 40)} must be a text such as "ctrl+g".'
            wrong(("keys", *path), words)
    return keys


def _leaves(table: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    # TOML reads chat.new without quotes as a table `chat` that holds `new`; the same is meant.
    left: list[tuple[tuple[str, ...], object]] = [((), table)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict) and (value or not path) and len(path) < DEEPEST:
            left.extend(((*path, name), below) for name, below in reversed(value.items()))
        else:
            yield path, value


def _endpoints(table: object, wrong: _Wrong) -> tuple[Endpoint, ...]:
    if not isinstance(table, dict):
        wrong(("endpoints",), "endpoints are tables: [endpoints.NAME].")
        return ()
    found: dict[str, Endpoint] = {}
    for name, value in table.items():
        try:
            if not isinstance(value, dict):
                raise ValueError("an endpoint is a table: [endpoints.NAME].")
            if not (plain := one_line(name)):
                raise ValueError("its name is empty: [endpoints.NAME].")
            if plain == BUILT_IN:
                raise ValueError("this is the model that comes along; take another name.")
            if plain == ENVIRONMENT:
                raise ValueError("this is what OPENAI_BASE_URL names; take another name.")
            if plain in found:
                raise ValueError("there is one of this name already.")
            found[plain] = endpoint_from(name, value)
        except (ValueError, ChatError) as error:
            wrong(("endpoints", name), f"endpoint {one_line(name, 40)}: {error}")
    return tuple(found.values())


@again_if_changed
def remember_endpoint(path: Path, endpoint: Endpoint) -> None:
    """Add an endpoint's address and the name of its key's variable to the file, as [endpoints.NAME];
    all else in it stays as it is.

    ChatError as for remember_setting, and when the file has an endpoint of that name.
    """
    # Deferred: as below.
    import tomlkit

    name, around = endpoint.name, path.name
    lost = ChatError(f"“{one_line(name, 40)}” could not be added to {around}.", "Add it by hand.")
    _, before = editable(path)
    there = parsed(before, around).get("endpoints", {})
    if not isinstance(there, dict):
        raise lost
    if name in there:
        raise ChatError(f"{around} has an endpoint “{one_line(name, 40)}” already.", "Take another name.")  # fmt: skip
    wanted = {"base_url": endpoint.base_url}
    if endpoint.key_env:
        wanted["key_env"] = endpoint.key_env
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    head = name if bare else tomlkit.string(name).as_string()
    rows = (f"{key} = {tomlkit.string(value).as_string()}\n" for key, value in wanted.items())
    gap = "\n" if before.strip() else ""
    after = f"{before.rstrip()}{gap * 2}[endpoints.{head}]\n{''.join(rows)}"
    try:
        written = parsed(after, around)["endpoints"].get(name)
    except ChatError:
        written = None
    if written != wanted:
        raise lost
    write_text(path, after, expected=before)


def _prices(table: object, wrong: _Wrong) -> dict[str, Price]:
    # Deferred: few have prices of their own.
    from tui_chat.core.price import own_price

    if not isinstance(table, dict):
        wrong(("prices",), 'prices are tables: [prices."MODEL"].')
        return {}
    found = {}
    for name, value in table.items():
        try:
            found[name] = own_price(value)
        except ValueError as error:
            wrong(("prices", name), f"price of {one_line(name, 60)}: {one_line(str(error), 200)}")
    return found


@again_if_changed
def remember_setting(path: Path, key: str, value: str) -> None:
    """Set one text in the file and leave all else in it as it is, comments too.

    What another program changed in it meanwhile stays. ChatError when the file cannot be read as TOML (it
    is not touched then), or cannot be written.
    """
    # Deferred: only writing needs it, and the first screen comes sooner without.
    import tomlkit

    try:
        document, before = editable(path)
    except ChatError as error:
        raise ChatError(error.message, f"So “{key}” was not remembered.") from error
    if document.get(key) == value:
        return
    if key in document:
        document[key] = value
        after = tomlkit.dumps(document)
    else:
        # Before the first table, or TOML would take it for a part of the last one.
        after = f"{key} = {tomlkit.string(value).as_string()}\n{before}"
    if parsed(after, path.name).get(key) != value:
        raise ChatError(f"“{key}” could not be remembered in {path.name}.", "Set it there by hand.")
    write_text(path, after, expected=before)
