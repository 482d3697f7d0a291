"""TOML files read with the place of a mistake; what writes them keeps their comments and is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_chat.core.errors import ChatError
from tui_chat.core.files import read_text
from tui_chat.core.text import one_line

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

_Entry = tuple[tuple[str, ...], str]
_PLACE = re.compile(r"(.*?) \(at line (\d+), column (\d+)\)")
_KEY = r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|[\w-]+)"""
_KEYS = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
# Compiled when something is wrong, not at every start.
_HEADER = rf"\s*\[\[?\s*({_KEYS})\s*\]\]?\s*(?:#.*)?"
_ENTRY = rf"\s*({_KEYS})\s*="
_QUOTES = r"\"{3}|'{3}"
MOST_PROBLEMS = 20
"""How many mistakes in one file are named; nobody reads more."""


def read_table(path: Path) -> tuple[dict[str, Any], str]:
    """The table in a file, and its text. ChatError, as `name.toml:3:7: …`; FileNotFoundError passes."""
    text = read_text(path)
    return parsed(text, one_line(path.name)), text


def parsed(text: str, name: str) -> dict[str, Any]:
    """The table in this text; ChatError, as `name:3:7: …`."""
    # Deferred: most starts read no TOML at all, and its parser takes 2 ms of the first paint.
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.match(str(error))
        if found is None:  # At the end of the file.
            lines = text.split("\n")
            place = f"{len(lines)}:{len(lines[-1]) + 1}"
            raise ChatError(f"{name}:{place}: {one_line(str(error), 120)}.") from error
        place = f"{name}:{found[2]}:{found[3]}"
        raise ChatError(f"{place}: {one_line(found[1], 120)}.") from error
    except (ValueError, RecursionError) as error:
        # Thousands of digits, or of brackets in each other, are more than the parser takes.
        raise ChatError(f"{name}: a number or a nesting in it is too large to be meant.") from error


def editable(path: Path) -> tuple[TOMLDocument, str]:
    """The file as a document that keeps comments and order, and its text; both empty where there is
    none. ChatError, as `name.toml:3:7: …`."""
    # Deferred: only writing needs it, and the first screen comes sooner without.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        _, text = read_table(path)
        return tomlkit.parse(text), text
    except FileNotFoundError:
        return tomlkit.document(), ""
    except TOMLKitError as error:
        raise ChatError(f"{one_line(path.name)}: {one_line(str(error), 120)}.") from error


def placed(text: str, name: str, problems: list[tuple[tuple[str, ...], str]]) -> tuple[str, ...]:
    """Problems, each with the keys that lead to its place, as `name:3:7: …`; the last may count the rest."""
    entries = list(_entries(text)) if problems else []
    shown = [f"{name}:{_place(entries, keys)}: {words}" for keys, words in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        shown.append(f"{name}: and {len(problems) - MOST_PROBLEMS:,} more problems.")
    return tuple(shown)


def _place(entries: list[_Entry], keys: tuple[str, ...]) -> str:
    """Line and column of a key; of the table around it when it has no line of its own."""
    while keys:
        for path, place in entries:
            if path[: len(keys)] == keys:
                return place
        keys = keys[:-1]
    return "1:1"


def _entries(text: str) -> Iterator[_Entry]:
    """The keys that lead to each line's table or value, with their place."""
    table: tuple[str, ...] = ()
    inside = ""  # The quotes of a text over several lines.
    for number, line in enumerate(text.split("\n"), 1):
        header = re.fullmatch(_HEADER, line.rstrip()) if not inside else None
        entry = re.match(_ENTRY, line) if not inside else None
        if found := header or entry:
            keys = re.findall(_KEY, found[1])
            path = tuple(key[1:-1] if key[0] in "\"'" else key for key in keys)
            table, path = (path, path) if header else (table, table + path)
            yield path, f"{number}:{found.start(1) + 1}"
        for quotes in re.findall(_QUOTES, line):
            inside = quotes if not inside else "" if inside == quotes else inside
