"""What is known, in this world, of a model and a parameter: shipped facts, its list, what it refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui_chat.core.conversation import Setup
from tui_chat.core.heeding import Heed, heeds
from tui_chat.core.params import BY_NAME

if TYPE_CHECKING:
    from tui_chat.core.world import World


def heeds_of(world: World, setup: Setup, completes: bool) -> dict[str, Heed]:
    """The parameters that the setup's model is known not to heed, or heeds under another name, from what
    ships with the program, from its list of models, and from what it has refused; whether they are set or
    not. `completes`: of texts that are continued, not of chats, which may differ."""
    if not world.endpoints.has(setup.endpoint):
        return {}
    endpoint = world.endpoint(setup.endpoint)
    provider = world.asked(setup.endpoint)
    found = heeds(endpoint, setup, provider.takes(setup.model) if provider else None)
    learned = world.lessons.of(endpoint.place, setup.model, completes)
    for one in learned.told_of(setup.params):
        if one.name not in BY_NAME or (one.name in learned.values and one.name not in setup.params):
            continue
        if one.sent_as:
            found[one.name] = Heed("renamed", f"{one.sent_as}: {one.words}")
        else:
            found[one.name] = Heed("refused", one.words)
    for name in world.lessons.insisted_on(endpoint.place, setup.model) & found.keys():
        found[name] = replace(found[name], kind="insisted")
    if world.lessons.strict:
        return {
            name: replace(one, kind="strict") if one.held else one for name, one in found.items()
        }
    return found
