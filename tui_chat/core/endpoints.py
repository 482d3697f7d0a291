"""Endpoints: a base URL, where its key comes from, what it accepts; the known ones and a person's own.

A key is bound to its endpoint and only ever travels to it; it is read when a request needs it and
kept in a Secret, whose repr shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

BUILT_IN = "built-in"
"""The name of the embedded local model's endpoint; its base URL is known once it runs."""


class Secret:
    """A key that no repr, traceback, format or pickle shows; `reveal` is for the header alone."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a key is not pickled")


@dataclass(frozen=True)
class Endpoint:
    """One server that speaks the OpenAI API."""

    name: str
    base_url: str = ""
    """With the version path, `https://host/v1`; empty for the built-in model while it is not running."""
    key_env: str = ""
    """The name of the environment variable that holds the key; never the key."""
    key_command: tuple[str, ...] = ()
    """A command (no shell) that prints the key on its first line."""
    model: str = ""
    """The model to begin with; empty when only the server's list can tell."""
    accepts: frozenset[str] | None = None
    """The extension parameters it knows; None when that is not known (they are sent if set)."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Parameter name → field name, where its API wants another one."""
    counts_tokens: bool = False
    """Whether it offers llama.cpp's token counts (`/chat/completions/input_tokens`)."""

    @property
    def local(self) -> bool:
        """Whether its requests stay on this machine (and cost nothing)."""
        if self.name == BUILT_IN:
            return True
        host = urlsplit(self.base_url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")
