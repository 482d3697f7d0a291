"""Settings that cannot be read may have meant another server: whom messages go to is said, and asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.core.text import one_line
from tui_chat.core.world import World

if TYPE_CHECKING:
    from textual.app import App

    from tui_chat.widgets.setup_screen import SetupScreen


def tell_of_settings(screen: SetupScreen) -> None:
    """Where nothing of the settings could be read, say so, and whom messages go to instead."""
    world, goes_to = screen.world, _goes_to(screen.world, screen.setup.endpoint)
    if not world.settings.unreadable:
        return
    words = f"{' '.join(world.settings.problems)} So nothing of it is used."
    if goes_to:
        words += f" Messages go to {goes_to}."
    screen.notify(words, severity="warning", timeout=15, markup=False)


async def confirmed(app: App[None], world: World, name: str) -> bool:
    """Whether a person wants to send to the endpoint of this name; who said so is asked no more. For workers."""
    from tui_chat.widgets.unasked import UnaskedChoice

    if not world.in_doubt:
        return True
    problem = world.settings.problems[-1] if world.settings.problems else ""
    title = f"Send it to {one_line(name, 40)}?"
    note = f"{problem} You may have meant another server than {_goes_to(world, name)}."
    # Enter twice in a burst sends a message; the second one is no answer to this.
    ways = (("", "Do not send it"), ("send", "Send it"))
    if await app.push_screen_wait(UnaskedChoice(title, note, ways)) != "send":
        return False
    world.in_doubt = False
    return True


def _goes_to(world: World, name: str) -> str:
    """The endpoint and where it is; empty where there is none."""
    if not world.endpoints.has(name):
        return ""
    endpoint = world.endpoint(name)
    where = endpoint.base_url if not endpoint.served_here else "on this machine"
    return f"{one_line(name, 60)} ({one_line(where, 200)})" if where else one_line(name, 60)
