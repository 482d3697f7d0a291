"""A server that was typed as a command is used at once, and tried out meanwhile: what is wrong is said early."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui_chat.core.checking import check
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import read_key

if TYPE_CHECKING:
    from tui_chat.widgets.setup_screen import SetupScreen


async def try_out(screen: SetupScreen) -> None:
    """Ask the present endpoint for its models, and say what is wrong with it; where only /v1 is missing in
    its address, it is added, and that is said. For workers."""
    endpoint, world = screen.endpoint, screen.world
    if endpoint is None:
        return
    try:
        key = await asyncio.to_thread(read_key, endpoint, world.environ, world.keys)
    except ChatError as error:
        screen.complain(error)
        return
    found = await check(endpoint, key)
    if screen.setup.endpoint != endpoint.name or not screen.is_running:
        return  # Another one was chosen meanwhile.
    if found.problem is not None:
        screen.notify(found.words, severity="warning", timeout=10, markup=False)
    elif found.lengthened:
        world.put(found.endpoint, world.endpoints.with_one(found.endpoint, typed=True))
        screen.use_endpoint(found.endpoint)
        screen.notify(found.words, markup=False)
