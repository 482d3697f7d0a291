"""`tui-chat doctor --repair`: what is wrong with the saved conversations, the ways out, and the one that was chosen."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tui_chat.core.errors import ChatError
from tui_chat.core.output import put
from tui_chat.core.repairing import WayOut, repair, settled, ways_out, what_is_there
from tui_chat.core.store_faults import REPAIR, StoreFault
from tui_chat.core.world import World


def repair_saved(world: World, way: str) -> int:
    """Repair in the way that is named, a backup by the name of its file, or in the one that is chosen when asked;
    0 when they are sound then, else 1. A backup can be brought back where nothing is wrong, too.

    Without a terminal nobody is asked, and nothing is changed unless a way is named.
    """
    places = world.places
    found = settled(places.database)
    fault = found.fault
    if fault is None:
        put(f"Nothing is wrong with {places.database}: {found.words}.\n")
    else:
        put(f"{fault.message}\n")
    ways = ways_out(places, fault)
    if not ways:
        put(f"{fault.hint}\n" if fault and fault.hint else "")
        return int(fault is not None)
    named = _named(way, ways)
    if way and named is None:
        put(f"There is no way “{way}” out of this; there is {_names(ways)}.\n" if fault else "")
    chosen = named if way else _asked(ways, fault, what_is_there(places.database, fault))
    if chosen is None:
        put("Nothing was changed.\n")
        return int(fault is not None)
    try:
        put(f"{repair(places, chosen.way, chosen.backup).words}\n")
    except ChatError as error:
        put(f"{error}\n")
        return 1
    return 0


def _named(name: str, ways: Sequence[WayOut]) -> WayOut | None:
    # The newest backup is the first, and goes by the name of the way, too.
    return next((one for one in ways if name in (one.way, one.name)), None)


def _names(ways: Sequence[WayOut]) -> str:
    return ", ".join(dict.fromkeys(one.way for one in ways))


def _asked(ways: Sequence[WayOut], fault: StoreFault | None, there: str) -> WayOut | None:
    """The way that a person chooses; None for none, and without a terminal."""
    if fault is None:
        put("What is there can be exchanged for a backup; it is renamed then, and not deleted:\n\n")
    else:
        put(f"{there} is renamed, and not deleted. There are these ways:\n\n")
    for number, one in enumerate(ways, 1):
        put(f"  {number}  {one.way:<8}  {one.words}\n")
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        put(f"\nTo take one: {REPAIR} {_names(ways).replace(', ', '|')}\n")
        older = [one.name for one in ways if one.backup is not None][1:]
        put(f"An older backup is taken by its name: {', '.join(older)}\n" if older else "")
        return None
    answer = _answer("Which? Its number, or Enter to leave all as it is: ")
    for number, one in enumerate(ways, 1):
        if answer in (str(number), one.name):
            sure = one.way == "backup" and fault is not None
            return (
                one if sure or _answer(f"{one.words}. Sure? y, or Enter for no: ") == "y" else None
            )
    return None


def _answer(question: str) -> str:
    try:
        return input(f"\n{question}").strip().lower()
    except EOFError:
        return ""
