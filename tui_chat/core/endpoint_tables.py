"""Endpoints read from tables, of settings and of the data that comes along: what is wrong is said in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tui_chat.core.conversation import LOGPROBS_FIELD
from tui_chat.core.endpoints import (
    APIS,
    BUILT_IN,
    ENGINE_NAMES,
    GGUF,
    WAYS_TO_CONTINUE,
    Endpoint,
)
from tui_chat.core.errors import ChatError
from tui_chat.core.params import BY_NAME, PARAMETERS
from tui_chat.core.rules import KINDS, Rule
from tui_chat.core.text import clean, one_line
from tui_chat.core.urls import holds_key, looks_like_key, normal_base_url

DATA = Path(__file__).parent.parent / "data"
_TEXTS = ("base_url", "key_env", "model", "preset", "gguf", "title", "url_env", "url_tail", "as_of", "note")  # fmt: skip
_LISTS = ("key_command", "key_envs", "prefers")
_SWITCHES = ("counts_tokens", "counts_unasked", "counted_logprobs", "forwards", "catalogue")
_OTHERS = ("accepts", "rename", "headers", "continues", "engine", "ports", "apis", "rules", "writes", "most_logprobs", "like")  # fmt: skip
_EXTENSIONS = frozenset(parameter.name for parameter in PARAMETERS if parameter.extension)


def endpoint_from(name: str, table: Mapping[str, object]) -> Endpoint:
    """An endpoint as settings or data describe it; ValueError or ChatError in words for what is wrong.

    A table of a known endpoint's name without a base URL changes only what stands in it.
    """
    if not table.get("base_url") and not table.get("gguf") and name != BUILT_IN:
        known = _known_tables().get(name)
        if known is not None and table is not known:
            table = {**known, **table}
    table = _with_like(table)
    unknown = table.keys() - {*_TEXTS, *_LISTS, *_SWITCHES, *_OTHERS}
    if unknown:
        raise ValueError(f"there is no “{one_line(min(unknown), 40)}” in an endpoint.")
    texts = {key: _text(table, key) for key in _TEXTS}
    if texts["gguf"] and not texts["base_url"]:
        return model_file(texts["gguf"], one_line(name))
    if not texts["base_url"] and not texts["url_env"] and name != BUILT_IN:
        raise ValueError("base_url is missing.")
    lists = {key: tuple(_words(table, key) or ()) for key in _LISTS}
    for variable in (texts["key_env"], texts["url_env"], *lists["key_envs"]):
        if variable and (not variable.isidentifier() or looks_like_key(variable)):
            # A key pasted here by mistake must not be repeated on the screen.
            raise ValueError("key_env takes the name of an environment variable, not a key.")
    if lists["key_command"] and holds_key(lists["key_command"][0]):
        raise ValueError("key_command takes a command that prints the key, not a key.")
    switches = {key: _switch(table, key) for key in _SWITCHES}
    apis = _words(table, "apis")
    return Endpoint(
        one_line(name),
        normal_base_url(texts["base_url"]) if texts["base_url"] else "",
        texts["key_env"],
        lists["key_envs"],
        lists["key_command"],
        clean(texts["model"]),
        clean(texts["preset"]),
        _accepted(table),
        _renamed(table),
        _headers(table),
        counts_tokens=switches["counts_tokens"],
        counts_unasked=switches["counts_unasked"],
        continues=_one_of(table, "continues", WAYS_TO_CONTINUE),
        engine=_one_of(table, "engine", ENGINE_NAMES),
        title=one_line(texts["title"], 40),
        url_env=texts["url_env"],
        url_tail=texts["url_tail"],
        ports=_ports(table),
        apis=None if apis is None else frozenset(_each_of(apis, "apis", APIS)),
        prefers=lists["prefers"],
        rules=_rules(table),
        writes=_written(table),
        most_logprobs=_most(table),
        counted_logprobs=switches["counted_logprobs"],
        forwards=switches["forwards"],
        catalogue=switches["catalogue"],
        as_of=one_line(texts["as_of"], 20),
        note=one_line(texts["note"], 300),
    )


def model_file(path: str, name: str = "") -> Endpoint:
    """A model file on this machine as an endpoint, named after it; ChatError when it cannot be one."""
    try:
        file = Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise ChatError(f"There is no such home directory: {one_line(path, 80)}.") from error
    if file.suffix.lower() != GGUF or not file.is_file():
        raise ChatError(
            f"There is no model file {one_line(str(file))}.", f"Its name ends in {GGUF}."
        )
    # llama.cpp's server does what its API knows, whatever the model.
    served = endpoint_from(BUILT_IN, _known_tables()[BUILT_IN])
    model = clean(file.stem)
    return Endpoint(
        name or one_line(model, 60),
        model=model,
        accepts=served.accepts,
        gguf=str(file),
        counts_tokens=True,
        engine=served.engine,
        apis=served.apis,
        rules=served.rules,
    )


def known_endpoints() -> tuple[Endpoint, ...]:
    """Those that ship with the program, the built-in model first."""
    return tuple(endpoint_from(name, table) for name, table in _known_tables().items())


_READ: dict[str, Mapping[str, Any]] = {}


def _known_tables() -> Mapping[str, Mapping[str, Any]]:
    if not _READ:
        _READ.update(json.loads((DATA / "endpoints.json").read_text("utf-8"))["endpoints"])
    return _READ


def _with_like(table: Mapping[str, object]) -> Mapping[str, object]:
    """The table with what it does not say itself from the known one that it is like."""
    like = _text(table, "like")
    if not like:
        return table
    if like not in _known_tables():
        raise ValueError(f"like takes the name of an endpoint that comes along, not “{one_line(like, 40)}”.")  # fmt: skip
    shared = {key: _known_tables()[like].get(key) for key in ("rules", "accepts", "rename", "prefers")}  # fmt: skip
    return {**{key: value for key, value in shared.items() if value is not None}, **table}


# The parts of a table


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} takes a text in quotes.")
    return value


def _switch(table: Mapping[str, object], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} takes true or false.")
    return value


def _one_of(table: Mapping[str, object], key: str, allowed: tuple[str, ...]) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or value not in ("", *allowed):
        raise ValueError(f"{key} takes {' or '.join(allowed)}.")
    return value


def _each_of(words: list[str], key: str, allowed: tuple[str, ...] | frozenset[str]) -> list[str]:
    for word in words:
        if word not in allowed:
            raise ValueError(f"{key} knows {', '.join(sorted(allowed))}, not “{one_line(word, 40)}”.")  # fmt: skip
    return words


def _words(table: Mapping[str, object], key: str) -> list[str] | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"{key} takes a list of texts.")
    return value


def _accepted(table: Mapping[str, object]) -> frozenset[str] | None:
    names = _words(table, "accepts")
    return None if names is None else frozenset(_each_of(names, "accepts", _EXTENSIONS))


def _renamed(table: Mapping[str, object]) -> Mapping[str, str]:
    value = table.get("rename", {})
    if not isinstance(value, dict):
        raise ValueError("rename takes a table of names.")
    for name, field_name in value.items():
        if name not in BY_NAME:
            raise ValueError(f"there is no parameter “{one_line(name, 40)}” to rename.")
        if not isinstance(field_name, str) or not field_name.isidentifier():
            raise ValueError(f"rename takes the name of a field for {name}.")
    return MappingProxyType(dict(value))


def _headers(table: Mapping[str, object]) -> Mapping[str, str]:
    if "headers" not in table:
        return MappingProxyType({})
    # Deferred: few endpoints have any, and the first screen comes sooner without.
    from tui_chat.core.headers import headers

    return headers(table["headers"])


def _written(table: Mapping[str, object]) -> Mapping[str, Mapping[str, object]]:
    value = table.get("writes", {})
    if not isinstance(value, dict) or not all(isinstance(row, dict) for row in value.values()):
        raise ValueError("writes takes a table of tables: parameter, value, fields.")
    _each_of(list(value), "writes", frozenset(BY_NAME))
    for name, row in value.items():
        if not _is_json(list(row.values())):
            raise ValueError(
                f"writes takes what a request can carry for {name}: texts, numbers, true or false, lists, tables."
            )
    return MappingProxyType(value)


def _is_json(value: object) -> bool:
    """Whether a request can carry it: TOML has dates and infinities besides."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value) and _is_json(list(value.values()))
    if isinstance(value, list):
        return all(_is_json(one) for one in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int)


def _ports(table: Mapping[str, object]) -> tuple[int, ...]:
    value = table.get("ports", [])
    if not isinstance(value, list) or not all(type(one) is int and 0 < one < 65536 for one in value):  # fmt: skip
        raise ValueError("ports takes a list of port numbers.")
    return tuple(value)


def _most(table: Mapping[str, object]) -> int | None:
    value = table.get("most_logprobs")
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError("most_logprobs takes a number of candidates, 0 for none.")
    return value if isinstance(value, int) else None


def _rules(table: Mapping[str, object]) -> tuple[Rule, ...]:
    rows = table.get("rules", [])
    if not isinstance(rows, list):
        raise ValueError("rules takes a list of tables.")
    return tuple(_rule(row) for row in rows)


def _rule(row: object) -> Rule:
    if not isinstance(row, Mapping):
        raise ValueError("a rule is a table.")
    kinds = [key for key in KINDS if key in row]
    unknown = row.keys() - {*KINDS, "why", "models", "but", "unless", "when", "above", "only", "blank"}  # fmt: skip
    if len(kinds) != 1 or unknown:
        raise ValueError(f"a rule says one of {', '.join(KINDS)}, and why.")
    fields = _words(row, kinds[0]) or []
    _each_of(fields, kinds[0], frozenset(BY_NAME) | {LOGPROBS_FIELD})
    unless = row.get("unless", {})
    above = row.get("above")
    if not isinstance(unless, Mapping):
        raise ValueError("unless takes a table: parameter, list of values.")
    if above is not None and (isinstance(above, bool) or not isinstance(above, int | float)):
        raise ValueError("above takes a number.")
    return Rule(
        KINDS[kinds[0]],
        tuple(fields),
        one_line(_text(row, "why"), 200),
        tuple(_words(row, "models") or ()),
        tuple(_words(row, "but") or ()),
        {name: tuple(_words(unless, name) or ()) for name in unless},
        tuple(_words(row, "when") or ()),
        above,
        tuple(_words(row, "only") or ()),
        _switch(row, "blank"),
    )
