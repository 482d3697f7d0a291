"""Keys: read from where an endpoint says, when a request needs one, and shown to nobody.

A key is bound to its endpoint and only ever travels to it, in a Secret whose repr shows nothing.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from tui_chat.core.endpoints import ENVIRONMENT, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line

PATIENCE = 10.0
"""Seconds that a command has for printing a key."""


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


def read_key(endpoint: Endpoint, environ: Mapping[str, str]) -> Secret | None:
    """The endpoint's key, None when it names none. Blocks up to PATIENCE for a command.

    ChatError names where the key should come from, never the key.
    """
    if endpoint.key_command:
        command = f"the command {one_line(endpoint.key_command[0], 60)}"
        return _checked(_printed(endpoint.key_command), command)
    if not endpoint.key_env:
        return None
    value = environ.get(endpoint.key_env, "").strip()
    if value:
        return _checked(value, endpoint.key_env)
    if endpoint.local or endpoint.name == ENVIRONMENT:
        return None
    raise ChatError(
        f"The key for {endpoint.name} is missing: {endpoint.key_env} is not set.",
        f"Set it and start again: export {endpoint.key_env}=…",
    )


def _checked(value: str, source: str) -> Secret:
    plain = value.isascii() and value.isprintable() and " " not in value
    if not value or not plain or value[0] in "\"'" or value[-1] in "\"'":
        raise ChatError(
            f"What {source} holds cannot be a key: a key is one word of plain characters.",
            "Look for spaces, quotes or line breaks in it.",
        )
    return Secret(value)


def _printed(command: tuple[str, ...]) -> str:
    try:
        # A session of its own: a command that asks for a password must not take the screen and the
        # keys of the terminal that it would find otherwise.
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        return done.stdout.decode("utf-8", "replace").strip().split("\n")[0].strip()
    except subprocess.TimeoutExpired:
        problem = f"gave no answer in {PATIENCE:g} s"
    except (OSError, ValueError, subprocess.SubprocessError):
        problem = "failed"
    # Raised out here: its output may hold the key, so neither it nor its error is kept.
    raise ChatError(
        f"The key could not be read: the command {one_line(command[0], 60)} {problem}.",
        "Run it in a shell to see why.",
    )


def key_source(endpoint: Endpoint, environ: Mapping[str, str]) -> str:
    """Where the key comes from, in words that hold no key."""
    if endpoint.key_command:
        return f"printed by {one_line(endpoint.key_command[0], 60)}"
    if not endpoint.key_env:
        return "none needed"
    there = "set" if environ.get(endpoint.key_env, "").strip() else "not set"
    return f"{endpoint.key_env} ({there})"
