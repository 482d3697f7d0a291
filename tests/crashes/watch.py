"""How long the machine has kept a program waiting that wanted to run: what no program can help."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY = 0.005
_LOOKS_BETWEEN = 5
"""Own waits are seen each time, those of the program each fifth time."""
_TURNS = 2
"""As many of its threads wait for each other: the one of the screen, and the one of the disk."""


class Watch:
    """Counts it for one process and for the harness itself, until the program has ended. A context manager."""

    def __init__(self, process_id: int) -> None:
        self._tasks = Path(f"/proc/{process_id}/task")
        self._own: list[tuple[float, float]] = []
        """When it looked, and how much later than it wanted to, in seconds."""
        self._program: list[tuple[float, dict[str, float]]] = []
        """When, and how long each thread has waited for a processor so far."""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        looks = 0
        while not self._ending.is_set():
            before = time.monotonic()
            time.sleep(_EVERY)
            self._own.append((before, time.monotonic() - before - _EVERY))
            looks += 1
            if looks % _LOOKS_BETWEEN == 0 and (waits := self._waits()):
                self._program.append((time.monotonic(), waits))

    def _waits(self) -> dict[str, float]:
        found = {}
        with suppress(OSError):
            for task in self._tasks.iterdir():
                with suppress(OSError):
                    # Nanoseconds: run, waited while it could run.
                    waited = int((task / "schedstat").read_text().split()[1])
                    found[task.name] = waited / 1e9
        return found

    def waited(self, since: float, until: float) -> float:
        """For how many of the seconds between these moments the program could not go on, at most."""
        if until <= since:
            return 0
        own = max((late for at, late in self._own if since - 0.1 < at < until), default=0)
        before = next((waits for at, waits in reversed(self._program) if at <= since), {})
        after = next((waits for at, waits in self._program if at >= until), None)
        if after is None:
            after = self._program[-1][1] if self._program else {}
        waits = sorted(waited - before.get(task, 0) for task, waited in after.items())
        return max(own, min(sum(waits[-_TURNS:]), until - since))
