"""What the program is and where it keeps things, said without a screen: `doctor` and `paths`."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
from dataclasses import replace

from tui_chat.core.backups import backups_in_words, no_space_for, still_kept
from tui_chat.core.database import SQLITE_VERSION
from tui_chat.core.diagnosis import Diagnosis, diagnosed
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import key_source
from tui_chat.core.local.model import SMOLLM2, model_path
from tui_chat.core.output import put
from tui_chat.core.store_faults import StoreFault
from tui_chat.core.world import World

_PACKAGES = (
    "textual",
    "openai",
    "tiktoken",
    "xllamacpp",
    "platformdirs",
    "tomlkit",
    "genai-prices",
)


def paths(world: World) -> int:
    """Say where things are kept."""
    places = world.places
    rows = {
        "conversations": places.database,
        "presets": places.presets,
        "settings": places.settings,
        "keys": places.keys,
        "backups": places.backups,
        "models": places.models,
        "logs": places.logs,
    }
    for name, path in rows.items():
        put(f"{name:<14}{path}\n")
    return 0


async def doctor(world: World) -> int:
    """Say what this installation is made of and what it finds; asks nothing of any network."""
    put(f"{'python':<14}{platform.python_version()} on {platform.platform()}\n")
    for package in ("tui-chat", *_PACKAGES):
        put(f"{package:<14}{_version(package)}\n")
    put(f"{'sqlite':<14}{SQLITE_VERSION}\n\n")
    paths(world)
    put("\n")
    model = model_path(world.places.models, SMOLLM2)
    state = str(model) if world.model_ready else "not fetched yet"
    put(f"{'built-in':<14}{SMOLLM2.title}: {state}\n")
    for endpoint in world.endpoints:
        unset = f"{endpoint.url_env} is not set" if endpoint.url_env else "on this machine"
        where = endpoint.base_url or endpoint.gguf or unset
        put(f"{endpoint.name:<14}{where}   key: {_key(world, endpoint)}\n")
    for problem in world.settings.problems:
        put(f"problem       {problem}\n")
    return await _saved(world)


def _key(world: World, endpoint: Endpoint) -> str:
    try:
        return key_source(endpoint, world.environ, world.keys)
    except ChatError as error:
        return f"unreadable: {error}"


async def _saved(world: World) -> int:
    """Say how the saved conversations are, and which backups there are."""
    places = world.places
    found = await asyncio.to_thread(diagnosed, places.database)
    if found.fault is None:
        # Only now: whoever opens them may take back what was broken off, or bring them to a newer shape.
        found = await _opened(world, found)
    put(f"{'conversations' if found.fault is None else 'problem':<14}{found.words}\n")
    put(f"{'backups':<14}{await asyncio.to_thread(backups_in_words, places)}\n")
    if words := await asyncio.to_thread(still_kept, places.backups):
        put(f"{'':<14}When something is removed for good: {words}\n")
    if full := await asyncio.to_thread(no_space_for, places.database):
        put(f"{'problem':<14}{full}\n")
    return 0 if found.fault is None else 1


async def _opened(world: World, found: Diagnosis) -> Diagnosis:
    """How they are once they were opened, with the title of the newest."""
    try:
        newest = await (await world.store()).headlines(limit=1)
    except StoreFault as fault:
        return Diagnosis(str(fault), fault)
    finally:
        await world.close()
    if found.unfinished:
        return await asyncio.to_thread(diagnosed, world.places.database)
    sound = f"{found.words}, sound; newest “{newest[0].title}”" if newest else found.words
    return replace(found, words=sound)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
