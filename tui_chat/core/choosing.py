"""The model that an endpoint begins with: the one used last, else its default."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError

if TYPE_CHECKING:
    from tui_chat.core.world import World


async def last_models(world: World, endpoint: str) -> tuple[str, ...]:
    """The models that answered last at an endpoint, the newest first, as far as what was said is open."""
    if world.opened is not None:
        with suppress(ChatError):  # Said when something is to be saved.
            return await world.opened.last_models(endpoint)
    return ()


async def begun_model(world: World, endpoint: Endpoint) -> str:
    """The model that choosing this endpoint begins with; nothing is asked of its server. Empty where that is
    found out only at the first message."""
    from tui_chat.core.models import begun_with

    last = await last_models(world, endpoint.name)
    provider = world.asked(endpoint.name)
    served = provider.listed if provider else ()
    return await asyncio.to_thread(begun_with, endpoint, served, last, date.today())


async def settled_model(world: World, name: str) -> str:
    """The model of the first message, where none was chosen; the server is asked for its list. ChatError
    where it has none, and nothing was asked of it before."""
    endpoint, trouble = world.endpoint(name), ChatError(
        f"{name} lists no models.", "Name one: /model NAME or --model."
    )  # fmt: skip
    try:
        await (await world.provider(name)).models()
    except ChatError as error:
        trouble = error
    model = await begun_model(world, endpoint)
    if not model:
        raise trouble
    return model
