"""How long the event loop is held: by each callback, and by threads that keep the interpreter for themselves.

Other programs share the machine, so both are told in seconds of the processor: what this thread used in one
callback, and what all threads used between two beats of a timer. By the clock they are told beside.
"""

from __future__ import annotations

import asyncio
import gc
import time
from asyncio import events
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

BEAT = 0.005
WORST = 12


@dataclass(order=True, frozen=True)
class Held:
    """One callback, and the seconds for which it held the loop."""

    processor: float
    clock: float = field(compare=False)
    name: str = field(compare=False)

    def __str__(self) -> str:
        return (
            f"{self.processor * 1000:7.1f} ms ({self.clock * 1000:.1f} by the clock)  {self.name}"
        )


class Rod:
    """Measures the running loop from its entry to its exit. A context manager."""

    def __init__(self) -> None:
        self.worst: list[Held] = []
        """The callbacks that held the loop longest, the worst first."""
        self.gap = self.gap_by_clock = 0.0
        """The most seconds between two beats: of the processor, and by the clock."""
        self._run: Callable[[events.Handle], None] | None = None
        self._beating: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        # What tests before this one left is not of the program.
        gc.collect()
        gc.freeze()
        self._run = run = events.Handle._run
        loop = asyncio.get_running_loop()

        def measured(handle: Any) -> None:
            began, used = time.perf_counter(), time.thread_time()
            # What it calls is gone afterwards.
            callback = handle._callback
            run(handle)
            used = time.thread_time() - used
            if getattr(handle, "_loop", None) is loop and used > 0.004:
                self._note(Held(used, time.perf_counter() - began, _name(callback)))

        events.Handle._run = measured  # type: ignore[method-assign, assignment]  # for a while
        self._beat = time.perf_counter(), time.process_time()
        self._beating = loop.call_later(BEAT, self._beaten, loop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._beating is not None:
            self._beating.cancel()
        gc.unfreeze()
        events.Handle._run = self._run  # type: ignore[method-assign, assignment]  # as it was

    @property
    def held(self) -> float:
        """The most seconds of the processor that one callback took."""
        return self.worst[0].processor if self.worst else 0.0

    def _note(self, held: Held) -> None:
        self.worst = sorted([*self.worst, held], reverse=True)[:WORST]

    def _beaten(self, loop: asyncio.AbstractEventLoop) -> None:
        before, used_before = self._beat
        now, used = self._beat = time.perf_counter(), time.process_time()
        by_clock = now - before - BEAT
        # Two threads may use more than passes by the clock.
        self.gap = max(self.gap, min(by_clock, used - used_before))
        self.gap_by_clock = max(self.gap_by_clock, by_clock)
        self._beating = loop.call_later(BEAT, self._beaten, loop)

    def __str__(self) -> str:
        rows = "\n".join(str(one) for one in self.worst)
        return f"gap {self.gap * 1000:.1f} ms ({self.gap_by_clock * 1000:.1f} by the clock)\n{rows}"


def _name(callback: Any) -> str:
    """What a callback is of, for people who look for it."""
    owner = getattr(callback, "__self__", callback)
    if isinstance(owner, asyncio.Task):
        inner: Any = owner.get_coro()
        names: list[str] = []
        while inner is not None and len(names) < 12:
            names.append(getattr(inner, "__qualname__", type(inner).__qualname__))
            inner = getattr(inner, "cr_await", None) or getattr(inner, "ag_await", None)
        return f"{owner.get_name()}: {' > '.join(names)}"
    return str(getattr(callback, "__qualname__", repr(callback)))
