"""How near an endpoint is: what is there of it (a key, a server that answers, a file), and what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.engines import ENGINES
from tui_chat.core.errors import ChatError
from tui_chat.core.key_store import Where
from tui_chat.core.keys import kept_key, needs_key, set_variable
from tui_chat.core.probing import Answered, addresses
from tui_chat.core.text import one_line
from tui_chat.core.urls import host_and_port, origin
from tui_chat.core.world import World

Rank = Literal["keyed", "answers", "here", "own", "asking", "missing"]
_ORDER: tuple[Rank, ...] = ("keyed", "answers", "here", "own", "asking", "missing")


@dataclass(frozen=True)
class Readiness:
    """How near one endpoint is."""

    rank: Rank
    words: str
    """In a few words, for the list."""
    sentence: str = ""
    """What is missing and what helps, or where its key comes from."""
    takes_key: bool = False
    """Whether choosing it asks for a key first."""
    kept: Where | None = None
    """Where a key of the person's is kept for it."""

    @property
    def ready(self) -> bool:
        return self.rank != "missing"


@dataclass(frozen=True)
class Found:
    """What was found out about the endpoints besides what they and the environment say."""

    kept: Mapping[str, Where] = field(default_factory=dict)
    """Endpoint → where a key is kept for it."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Endpoint → why the key that may be kept for it cannot be read."""
    answers: Mapping[str, Answered | None] = field(default_factory=dict)
    """Endpoint → what answers there; without those that are still being asked."""


NOTHING = Found()


def title(endpoint: Endpoint) -> str:
    """What people call it."""
    return endpoint.title or endpoint.name


def address(endpoint: Endpoint) -> str:
    """Where it is, in short."""
    if endpoint.served_here:
        return "on this machine"
    return host_and_port(endpoint.base_url) if endpoint.base_url else ""


async def keys_kept(world: World) -> Found:
    """Where a key is kept for each endpoint that finds none elsewhere."""

    def look() -> Found:
        found: dict[str, Where] = {}
        problems: dict[str, str] = {}
        for endpoint in world.endpoints:
            if (
                endpoint.served_here
                or endpoint.key_command
                or set_variable(endpoint, world.environ)
            ):
                continue
            try:
                kept = kept_key(endpoint, world.keys)
            except ChatError as error:
                problems[endpoint.name] = str(error)
                continue
            if kept is not None:
                found[endpoint.name] = kept.where
        return Found(found, problems)

    return await asyncio.to_thread(look)


def readiness(endpoint: Endpoint, world: World, found: Found = NOTHING) -> Readiness:
    """How near it is, as far as that is known by now; asks nobody."""
    if endpoint.served_here:
        return _served_here(endpoint, world)
    if not endpoint.base_url:
        return Readiness("missing", f"set {endpoint.url_env}", f"Set {endpoint.url_env} to its address and start again.")  # fmt: skip
    kept, problem = found.kept.get(endpoint.name), found.problems.get(endpoint.name, "")
    source = _key_in(endpoint, world, kept)
    sentence = problem or (f"Its key is in {source}." if source else "")
    if addresses(endpoint):
        near = _on_this_machine(endpoint, found, source)
        return replace(near, sentence=problem or near.sentence or sentence, kept=kept)
    if source:
        return Readiness("keyed", f"key in {source}", sentence, kept=kept)
    if needs_key(endpoint):
        names = " or ".join(endpoint.key_names)
        sentence = (
            problem or f"No key: Enter takes one for {origin(endpoint.base_url)}, or set {names}."
        )
        return Readiness("missing", "no key: Enter takes one", sentence, takes_key=True)
    return Readiness("own", "no key", sentence or "It is asked without a key; F2 takes one.")


def _served_here(endpoint: Endpoint, world: World) -> Readiness:
    if endpoint.gguf:
        if Path(endpoint.gguf).is_file():
            return Readiness("here", "ready", f"{one_line(endpoint.gguf)}.")
        return Readiness("missing", "no such file", f"There is no file {one_line(endpoint.gguf)}.")
    if world.model_ready:
        return Readiness("here", "ready", "No key, no account, no network.")
    how = "ctrl+p, “Fetch or choose a model to talk to”."
    return Readiness("here", "not fetched yet", f"It is fetched once: {how}")


def _key_in(endpoint: Endpoint, world: World, kept: Where | None) -> str:
    """Where its key comes from, as words go on after “key in”; empty where none was found."""
    if endpoint.key_command:
        return f"command {one_line(endpoint.key_command[0], 24)}"
    if name := set_variable(endpoint, world.environ):
        return one_line(name, 40)
    return {"run": "this run", "keyring": "the keyring", "file": "keys.toml"}.get(kept or "", "")


def _on_this_machine(endpoint: Endpoint, found: Found, source: str) -> Readiness:
    if endpoint.name not in found.answers:
        return Readiness("asking", "…")
    answered = found.answers[endpoint.name]
    if answered is None:
        where = ", ".join(host_and_port(url) for url in addresses(endpoint))
        return Readiness(
            "missing", "nothing answers", f"Nothing answers at {where}. Is it running?"
        )
    at = host_and_port(answered.base_url)
    if answered.models is None:
        if source:
            return Readiness("answers", f"key in {source}")
        return Readiness(
            "answers", "wants a key", f"What answers at {at} wants a key.", takes_key=True
        )
    if answered.engine not in ("", endpoint.engine):
        kind = ENGINES[answered.engine].title
        return Readiness("answers", f"{kind}: {answered.words}", f"What answers at {at} is {kind}.")
    return Readiness("answers", answered.words)


def in_order(
    endpoints: Iterable[Endpoint], ready: Mapping[str, Readiness], present: str
) -> list[Endpoint]:
    """The present one first, then those that are ready, the nearest first, then the others."""
    return sorted(
        endpoints,
        key=lambda one: (one.name != present, _ORDER.index(ready[one.name].rank)),
    )


_OWN = frozenset({"name", "title", "key_env", "key_envs", "ports", "base_url"})
"""What stays an endpoint's own whatever answers there."""


def placed(endpoint: Endpoint, answered: Answered | None) -> Endpoint:
    """The endpoint at the server that answers: at its port, and with what is known of its kind, where the
    person said nothing else."""
    if answered is None:
        return endpoint
    if answered.engine not in ("", endpoint.engine):
        endpoint = _of_kind(endpoint, answered.engine)
    return replace(endpoint, base_url=answered.base_url)


def _of_kind(endpoint: Endpoint, engine: str) -> Endpoint:
    # Not what a person's own endpoint of that kind says: its key and headers are for that one.
    known = known_endpoints()
    kind = next((one for one in known if one.engine == engine and one.ports), None)
    if kind is None:
        return endpoint
    # What stands in the table of a known one is of another kind of server, and nothing that a person said.
    empty = (Endpoint(endpoint.name), *(one for one in known if one.name == endpoint.name))
    unsaid = {
        one.name: getattr(kind, one.name)
        for one in fields(Endpoint)
        if one.name not in _OWN
        and any(getattr(endpoint, one.name) == getattr(other, one.name) for other in empty)
    }
    return replace(endpoint, **unsaid)
