"""Long work on the event loop in short turns, between which keys are read and the screen is drawn."""

from __future__ import annotations

import asyncio
import gc
from time import monotonic

TURN_SECONDS = 0.004
"""How long the work goes on before others have their turn."""
_ROUNDS = 4
"""So many rounds of the loop are theirs then: a key takes a dozen to the screen."""


class Pace:
    """One piece of work, which awaits turn() wherever it may be interrupted."""

    def __init__(self) -> None:
        self._until = 0.0

    async def turn(self) -> None:
        """Let others have their turn, if they have waited long enough."""
        if monotonic() < self._until:
            return
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        self._until = monotonic() + TURN_SECONDS


def all_is_loaded() -> None:
    """What was made so far stays until the end: the collector, which holds all threads for 0.1 s whenever it
    goes through half a million objects of modules, need not look at it again. Counts once in a process."""
    if not gc.get_freeze_count():
        gc.freeze()
