"""Long work on the event loop in short turns, between which keys are read and the screen is drawn."""

from __future__ import annotations

import asyncio
import gc
from time import monotonic
from typing import Literal

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


Stage = Literal["started", "loaded"]
_reached: set[Stage] = set()


def stays(stage: Stage) -> None:
    """What was made up to this stage stays until the end: the collector, which holds all threads for 0.1 s
    whenever it goes through half a million objects of modules, need not look at it again.

    Each stage counts once in a process: what is garbage by then stays as well.
    """
    if stage not in _reached:
        _reached.add(stage)
        gc.freeze()
