"""`doctor --test`: every endpoint that is set up is asked for its models, and a table tells what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui_chat.core.checking import SECONDS, token_from, too_slow
from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import key_source
from tui_chat.core.output import put
from tui_chat.core.probing import probe
from tui_chat.core.readiness import Found, Readiness, address, keys_kept, placed, readiness
from tui_chat.core.text import one_line
from tui_chat.core.world import World

AT_ONCE = 8
"""How many are asked at the same time."""
_HEADS = ("endpoint", "address", "key", "result")


@dataclass(frozen=True)
class Trial:
    """What came of one endpoint."""

    endpoint: Endpoint
    key: str
    result: str
    failed: bool = False


async def trials(world: World, names: Sequence[str] = (), *, tokens: bool = False) -> int:
    """Ask those with these names, else all that are set up, and print the table; 1 when one of them failed.

    ChatError for a name that there is not. One token costs a little where tokens do.
    """
    wanted = [world.endpoint(name) for name in dict.fromkeys(names)]
    try:
        ready = await _readiness(world)
        chosen = wanted or [one for one in world.endpoints if _is_set_up(one, world, ready)]
        turns = asyncio.Semaphore(AT_ONCE)

        async def one_trial(name: str) -> Trial:
            async with turns:
                return await _trial(world, world.endpoint(name), tokens)

        done = await asyncio.gather(*(one_trial(one.name) for one in chosen))
    finally:
        await world.close()
    _print(done)
    if not wanted:
        names_of = {one.endpoint.name for one in done}
        _print_others((one, ready[one.name]) for one in world.endpoints if one.name not in names_of)
    return 1 if any(one.failed for one in done) else 0


async def _readiness(world: World) -> dict[str, Readiness]:
    """How near each endpoint is; those on this machine are put where they answer."""
    kept = await keys_kept(world)
    answers = {one.name: answered async for one, answered in probe(list(world.endpoints))}
    found = Found(kept.kept, kept.problems, answers)
    ready = {one.name: readiness(one, world, found) for one in world.endpoints}
    for endpoint in list(world.endpoints):
        used = placed(endpoint, answers.get(endpoint.name))
        if used != endpoint:
            world.put(used, world.endpoints.with_one(used))
    return ready


def _is_set_up(endpoint: Endpoint, world: World, ready: dict[str, Readiness]) -> bool:
    """Whether it has a key, a server that runs, a model on disk, or was added by the person."""
    rank = ready[endpoint.name].rank
    if endpoint.served_here and not endpoint.gguf:
        return world.model_ready
    # What comes along has a date of its facts; without an address of its own it cannot be asked.
    own = not endpoint.as_of or endpoint.name in {one.name for one in world.settings.endpoints}
    return rank in ("keyed", "answers") or (own and bool(endpoint.base_url or endpoint.gguf))


async def _trial(world: World, endpoint: Endpoint, tokens: bool) -> Trial:
    if not endpoint.base_url and not endpoint.served_here:
        return Trial(endpoint, "", f"{endpoint.url_env} is not set", failed=True)
    try:
        source = await asyncio.to_thread(key_source, endpoint, world.environ, world.keys)
        source = source.removesuffix(" (set)")
    except ChatError as error:
        return Trial(endpoint, "unreadable", str(error), failed=True)
    try:
        async with asyncio.timeout(SECONDS):
            provider = await world.provider(endpoint.name)
            await provider.warm()
            began = time.monotonic()
            count = len(await provider.models())
            seconds = time.monotonic() - began
            words = f"ok, {count:,} {'model' if count == 1 else 'models'}, {seconds:.1f} s"
        if tokens:
            setup = await world.settled(Setup(endpoint.name, endpoint.model))
            words += f"; {await token_from(provider, endpoint, setup.model)}"
        return Trial(endpoint, source, words.rstrip("."))
    except TimeoutError:
        return Trial(endpoint, source, str(too_slow(endpoint)), failed=True)
    except ChatError as error:
        return Trial(endpoint, source, str(error), failed=True)


def _print(done: Sequence[Trial]) -> None:
    if not done:
        put(
            "No endpoint is set up: there is no key, no server that answers, and no model on disk.\n"
        )
        return
    rows = [
        _HEADS,
        *((one.endpoint.name, address(one.endpoint), one.key, one.result) for one in done),
    ]
    plain = [tuple(one_line(cell, 400) for cell in row) for row in rows]
    widths = [max(len(row[column]) for row in plain) for column in range(len(_HEADS) - 1)]
    for row in plain:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        put(f"{'  '.join((*cells, row[-1])).rstrip()}\n")


def _print_others(others: Iterable[tuple[Endpoint, Readiness]]) -> None:
    left = list(others)
    if not left:
        return
    put("\nnot tested\n")
    width = max(len(one.name) for one, _ in left)
    for one, ready in left:
        put(f"{one_line(one.name, 60).ljust(width)}  {_why_not(one, ready)}\n")


def _why_not(endpoint: Endpoint, ready: Readiness) -> str:
    if ready.takes_key and endpoint.key_names:
        return f"no key: {' or '.join(endpoint.key_names)} is not set"
    if not endpoint.base_url and not endpoint.served_here:
        return f"{endpoint.url_env} is not set"
    if endpoint.served_here:
        return ready.words
    return ready.sentence.removesuffix(" Is it running?").rstrip(".") or ready.words
