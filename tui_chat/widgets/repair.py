"""What to do where the saved conversations cannot be used: ways out, asked one after the other."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from textual.await_complete import AwaitComplete

from tui_chat.core.errors import ChatError
from tui_chat.core.repairing import WAYS, Choices, Repaired, Way, choices, repair
from tui_chat.core.store_faults import StoreFault
from tui_chat.widgets.choosing import ChoiceDialog, WaitDialog
from tui_chat.widgets.dialogs import YesDialog

if TYPE_CHECKING:
    from textual.app import App

    from tui_chat.core.world import World

TITLE = "The saved conversations cannot be used"
SAFE = (
    "What is there now gets another name, beside it, and is not deleted. What is on the screen stays,"
    " and is written to what takes its place."
)
Answer = Literal["mended", "gone on", "quit"]
_QUESTIONS: dict[Way, str] = {
    "salvage": "Read what can be read?",
    "backup": "Bring the backup back?",
    "empty": "Begin anew?",
}
_ELSE = (
    ("again", "Try again"),
    ("forgo", "Go on without saving"),
    ("quit", "Quit"),
)


async def ways_out(app: App[Any], world: World, fault: StoreFault) -> Answer:
    """Ask until there is a store, or until a person goes on without, or leaves. For workers."""
    trouble = ""
    while True:
        could = await asyncio.to_thread(choices, world.places, fault)
        note = "\n".join(filter(None, (trouble, *_note(could))))
        way = await app.push_screen_wait(ChoiceDialog(TITLE, note, _ways(could)))
        if way is None or way == "quit":
            return "gone on" if way is None else "quit"
        try:
            if way == "forgo":
                await world.forgo_saving()
            elif way == "again":
                await world.store()
            elif not await _repaired(app, world, way, dict(_ways(could))[way]):
                continue
        except StoreFault as still:
            fault, trouble = (fault if still.kind == "busy" else still), still.message
        except ChatError as error:
            trouble = str(error)
        else:
            return "mended"


def _note(could: Choices) -> tuple[str, ...]:
    fault = could.fault
    if could.ways:
        return fault.message, SAFE
    return fault.message, fault.hint


def _ways(could: Choices) -> list[tuple[str, str]]:
    shown: list[tuple[str, str]] = list(could.ways)
    for way, words in _ELSE:
        if way == "again" and (could.ways or could.fault.kind in ("foreign", "newer")):
            continue  # It would be the same.
        shown.append((way, words))
    return shown


class _Working(WaitDialog[Repaired]):
    """A repair is not left half way, so Esc does not end the wait."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "dismiss"

    def dismiss(self, result: str | None = None) -> AwaitComplete:
        return super().dismiss(result) if result is not None else AwaitComplete()


async def _repaired(app: App[Any], world: World, way: str, words: str) -> bool:
    """Repair in this way once that was confirmed; whether it was. ChatError."""
    chosen = next(one for one in WAYS if one == way)
    question = YesDialog(_QUESTIONS[chosen], f"{words}.\n{SAFE}")
    if await app.push_screen_wait(question) is None:
        return False
    work = partial(world.exchange_saved, partial(repair, world.places, chosen))
    dialog = _Working("Repairing the saved conversations", "This may take a while.", work)
    await app.push_screen_wait(dialog)
    if dialog.problem is not None:
        raise dialog.problem
    if dialog.found is not None:
        app.notify(dialog.found.words, timeout=20, markup=False)
    return True
