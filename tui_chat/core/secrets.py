"""A key in the program's hands: shown to nobody, and refused where it cannot be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tui_chat.core.errors import ChatError

LONGEST_KEY = 8_000
"""Characters; the longest that are in use, signed tokens, have some 4,000."""

KEY_NAMES = re.compile(r"(_|^)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
"""How variables are called that hold a key or a password."""
_seen: set[str] = set()


def keys_seen() -> frozenset[str]:
    """All keys that this run has held, so that they can be taken out of what is printed."""
    return frozenset(_seen)


def without_keys(environ: Mapping[str, str], names: Iterable[str] = ()) -> dict[str, str]:
    """The environment for a program that needs no key: without these variables, and without those that
    are named for a key, a token or a password."""
    named = frozenset(names)
    return {
        name: value
        for name, value in environ.items()
        if name not in named and not KEY_NAMES.search(name)
    }


class Secret:
    """A key that no repr, traceback, format or pickle shows; `reveal` is for the header alone."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str = "") -> None:
        self._value = value
        _seen.add(value)
        self.source = source
        """Where it came from, in words that hold no key; empty where nobody asks."""

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")


def checked_key(value: str, source: str) -> Secret:
    """The key in this text, without the white space around it; ChatError, which does not repeat it,
    for what cannot be one."""
    key = value.strip()
    plain = key.isascii() and key.isprintable() and " " not in key and len(key) <= LONGEST_KEY
    if not key or not plain or key[0] in "\"'" or key[-1] in "\"'":
        raise ChatError(
            f"What {source} holds cannot be a key: a key is one word of plain characters.",
            "Look for spaces, quotes or line breaks in it.",
        )
    return Secret(key, source)


def typed_key(value: str) -> Secret:
    """As checked_key, for what a person typed or pasted."""
    key = value.strip()
    if not key:
        raise ChatError("A key is missing.", "Type or paste it.")
    name, equals, rest = key.partition("=")
    if equals and rest.strip("=") and name.removeprefix("export ").strip().isidentifier():
        raise ChatError("This is a line of a shell.", "The key is what stands after its “=”.")
    try:
        return checked_key(key, "this")
    except ChatError:
        pass
    # Raised out here, so that nothing is chained.
    raise ChatError(
        "This cannot be a key: a key is one word of plain characters.",
        "Look for spaces, quotes or line breaks in it.",
    )
