"""Keys: read from where an endpoint says, when a request needs one, and shown to nobody.

A key is bound to its endpoint and only ever travels to it, in a Secret whose repr shows nothing.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_chat.core.endpoints import ENVIRONMENT, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.secrets import Secret as Secret
from tui_chat.core.secrets import checked_key
from tui_chat.core.text import one_line

if TYPE_CHECKING:
    from tui_chat.core.key_store import Kept, KeyStore

PATIENCE = 10.0
"""Seconds that a command has for printing a key."""


def read_key(
    endpoint: Endpoint, environ: Mapping[str, str], kept: KeyStore | None = None
) -> Secret | None:
    """The endpoint's key, None when it names none and none was given for it. Blocks, up to PATIENCE
    for a command.

    A command comes first, then variables, then what a person gave: for this run, in the keyring, in the
    file. ChatError names where the key should come from, never the key.
    """
    if endpoint.key_command:
        source = f"the command {one_line(endpoint.key_command[0], 60)}"
        return checked_key(_printed(endpoint.key_command), source)
    if name := set_variable(endpoint, environ):
        return checked_key(environ[name], name)
    if kept is not None and (found := kept_key(endpoint, kept)) is not None:
        return found.key
    if not needs_key(endpoint):
        return None
    names = " or ".join(endpoint.key_names)
    raise ChatError(
        f"The key for {endpoint.title or endpoint.name} is missing: {names} is not set.",
        f"Give one: /endpoint. Or set it and start again: export {endpoint.key_names[0]}=…",
    )


def needs_key(endpoint: Endpoint) -> bool:
    """Whether nothing is asked of it without a key."""
    return bool(endpoint.key_names) and not endpoint.local and endpoint.name != ENVIRONMENT


def kept_key(endpoint: Endpoint, kept: KeyStore) -> Kept | None:
    """The key that a person gave for it. Blocks. ChatError as of KeyStore.find()."""
    return kept.find(endpoint.base_url, needed=needs_key(endpoint))


def set_variable(endpoint: Endpoint, environ: Mapping[str, str]) -> str:
    """The first of the variables that may hold its key that is set; empty when none is."""
    return next((name for name in endpoint.key_names if environ.get(name, "").strip()), "")


ANY_VARIABLE = "API_KEY"
"""The variable that a program is given for a key that has none of its own."""


@dataclass(frozen=True)
class Named:
    """How a program of one's own names the key; the key itself is not in it."""

    variable: str = ""
    """The environment variable that holds it; empty where a request needs no key."""
    note: str = ""
    """What must be said of that, in a sentence; empty for a variable that holds it already."""


def key_named(
    endpoint: Endpoint, environ: Mapping[str, str], kept: KeyStore | None = None
) -> Named:
    """Where a program finds the key that read_key() would find. Blocks where keys may be kept."""
    own = endpoint.key_names[0] if endpoint.key_names else ANY_VARIABLE
    if endpoint.key_command:
        return Named(ANY_VARIABLE, f"{ANY_VARIABLE} is for the key, which tui-chat is told by a command.")  # fmt: skip
    if name := set_variable(endpoint, environ):
        return Named(name)
    try:
        found = kept_key(endpoint, kept) if kept is not None else None
    except ChatError:
        found = None  # As it is, no request would be sent at all.
    if found is not None:
        return Named(own, f"{own} is for the key, which tui-chat keeps itself: set it for this.")
    if not needs_key(endpoint):
        return Named()
    return Named(own)


def _printed(command: tuple[str, ...]) -> str:
    """The first line that the command prints.

    It has the whole environment, keys too, unlike all other programs that are started: a person named it for
    handling keys, and what unlocks a store of passwords is often given in a variable that is called like one.
    """
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


def key_source(endpoint: Endpoint, environ: Mapping[str, str], kept: KeyStore | None = None) -> str:
    """Where the key comes from, in words that hold no key. Blocks where keys may be kept."""
    from tui_chat.core.key_store import PLACES

    if endpoint.key_command:
        return f"printed by {one_line(endpoint.key_command[0], 60)}"
    if name := set_variable(endpoint, environ):
        return f"{name} (set)"
    if kept is not None and (found := kept_key(endpoint, kept)) is not None:
        return PLACES[found.where]
    return f"{' or '.join(endpoint.key_names)} (not set)" if endpoint.key_names else "none needed"
