"""What to do where the saved conversations cannot be used: ways out, asked one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from textual.await_complete import AwaitComplete

from tui_chat.core.errors import ChatError
from tui_chat.core.repairing import Repaired, WayOut, repair, ways_out
from tui_chat.core.store_faults import StoreFault
from tui_chat.core.text import counted
from tui_chat.widgets.choosing import ChoiceDialog, WaitDialog
from tui_chat.widgets.unasked import UnaskedChoice

if TYPE_CHECKING:
    from textual.app import App

    from tui_chat.core.world import World

TITLE = "The saved conversations cannot be used"
SAFE = (
    "What is there now gets another name, beside it, and is not deleted. What is on the screen stays,"
    " and is written to what takes its place."
)
Answer = Literal["mended", "gone on", "quit"]
_NOT_NOW = ("later", "Not now")
_ELSE = (
    ("again", "Try again"),
    ("forgo", "Go on without saving"),
    ("quit", "Quit"),
)


async def asked(app: App[Any], world: World, fault: StoreFault) -> Answer:
    """Ask until there is a store, or until a person goes on without, or leaves. For workers."""
    trouble = ""
    while True:
        could = await asyncio.to_thread(ways_out, world.places, fault)
        about = (fault.message, SAFE) if could else (fault.message, fault.hint)
        note = "\n".join(filter(None, (trouble, *about)))
        ways = (_NOT_NOW, *_named(could), *_ELSE)
        way = await app.push_screen_wait(UnaskedChoice(TITLE, note, ways))
        if way in (None, "later"):
            return "gone on"
        if way == "quit":
            return "quit"
        try:
            if way == "forgo":
                await world.forgo_saving()
            elif way == "again":
                await world.store()
            elif not await _repaired(app, world, way, could):
                continue
        except StoreFault as still:
            fault, trouble = (fault if still.kind == "busy" else still), still.message
        except ChatError as error:
            trouble = str(error)
        else:
            return "mended"


async def brought_back(app: App[Any], world: World, holds: str) -> bool:
    """Say that the saved conversations are sound, and offer the backups; whether one was brought back. For workers."""
    could = await asyncio.to_thread(ways_out, world.places, None)
    trouble = ""
    while could and world.unsaved.saves:
        note = f"What is there: {holds}. A backup can take its place.\n{SAFE}"
        ways = (("later", "Leave all as it is"), *_each(could))
        title = "The saved conversations are sound"
        way = await app.push_screen_wait(ChoiceDialog(title, note, ways, trouble))
        if way in (None, "later"):
            return False
        try:
            if await _repaired(app, world, way, could):
                return True
        except ChatError as error:
            trouble = str(error)
    app.notify(f"The saved conversations are sound: {holds}.", markup=False)
    return False


def _named(could: Sequence[WayOut]) -> list[tuple[str, str]]:
    """The ways by their names; of several backups the newest, and a way to the others."""
    older = _each(could)[1:]
    shown = [(one.name, one.words) for one in could if (one.name, one.words) not in older]
    if older:
        shown.insert(1, ("older", f"Bring back an older one: {counted(len(older), 'more backup')}"))
    return shown


def _each(could: Sequence[WayOut]) -> list[tuple[str, str]]:
    return [(one.name, one.words) for one in could if one.backup is not None]


class _Working(WaitDialog[Repaired]):
    """A repair is not left half way, so Esc does not end the wait."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "dismiss"

    def dismiss(self, result: str | None = None) -> AwaitComplete:
        return super().dismiss(result) if result is not None else AwaitComplete()


async def _repaired(app: App[Any], world: World, name: str, could: Sequence[WayOut]) -> bool:
    """Repair in this way once that was confirmed; whether it was. ChatError."""
    if name == "older":
        older = (("later", "Back"), *_each(could)[1:])
        chosen = await app.push_screen_wait(ChoiceDialog("Older backups", SAFE, older))
        if chosen in (None, "later"):
            return False
        name = str(chosen)
    way = next(one for one in could if one.name == name)
    # Enter alone must not do it: it may have been meant for what was there a moment ago.
    sure = ChoiceDialog(f"{way.words}?", SAFE, (("no", "No"), ("yes", "Yes, do that")))
    if await app.push_screen_wait(sure) != "yes":
        return False
    work = partial(world.exchange_saved, partial(repair, world.places, way.way, way.backup))
    dialog = _Working("Repairing the saved conversations", "This may take a while.", work)
    await app.push_screen_wait(dialog)
    if dialog.problem is not None:
        raise dialog.problem
    if dialog.found is not None:
        app.notify(dialog.found.words, timeout=20, markup=False)
    return True
