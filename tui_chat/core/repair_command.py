"""`tui-chat doctor --repair`: what is wrong with the saved conversations, the ways out, and the one that was chosen."""

from __future__ import annotations

import sys

from tui_chat.core.errors import ChatError
from tui_chat.core.output import put
from tui_chat.core.repairing import WAYS, Choices, Way, choices, repair, settled
from tui_chat.core.store_faults import REPAIR
from tui_chat.core.world import World


def repair_saved(world: World, way: str) -> int:
    """Repair in the way that is named, or that is chosen when asked; 0 when they are sound then, else 1.

    Without a terminal nobody is asked, and nothing is changed unless a way is named.
    """
    found = settled(world.places.database)
    if found.fault is None:
        put(f"Nothing is wrong with {world.places.database}: {found.words}.\n")
        return 0
    put(f"{found.fault.message}\n")
    could = choices(world.places, found.fault)
    if not could.ways:
        put(f"{found.fault.hint}\n" if found.fault.hint else "")
        return 1
    chosen = _named(way, could) if way else _asked(could)
    if chosen is None:
        put("Nothing was changed.\n")
        return 1
    try:
        put(f"{repair(world.places, chosen).words}\n")
    except ChatError as error:
        put(f"{error}\n")
        return 1
    return 0


def _named(way: str, could: Choices) -> Way | None:
    for one in WAYS:
        if one == way and one in dict(could.ways):
            return one
    put(f"There is no way “{way}” out of this; there is {', '.join(dict(could.ways))}.\n")
    return None


def _asked(could: Choices) -> Way | None:
    """The way that a person chooses; None for none, and without a terminal."""
    put("The file that is there now is renamed, and not deleted. There are these ways:\n\n")
    for number, (way, words) in enumerate(could.ways, 1):
        put(f"  {number}  {way:<8}  {words}\n")
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        put(f"\nTo take one: {REPAIR} {'|'.join(dict(could.ways))}\n")
        return None
    names = [way for way, _ in could.ways]
    try:
        answer = input("\nWhich? Its number, or Enter to leave all as it is: ").strip().lower()
    except EOFError:
        return None
    for number, way in enumerate(names, 1):
        if answer in (str(number), way):
            return way
    return None
