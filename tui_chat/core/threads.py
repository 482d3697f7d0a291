"""Work in a thread that the end of the program does not wait for: for what only reads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Result = TypeVar("_Result")


async def in_daemon(job: Callable[[], _Result]) -> _Result:
    """What a job that blocks comes to, or raises. It is cut off wherever it is when the program ends."""
    outcome: Future[_Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(job())
        except BaseException as error:  # noqa: BLE001  # it is for who waits
            outcome.set_exception(error)

    # Running, so that who is cancelled does not end it under the thread's hands.
    outcome.set_running_or_notify_cancel()
    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(outcome)
