"""What the token meter shows is counted beside all else."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tui_chat.core import counting
from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.files import Places
from tui_chat.core.known import Endpoints
from tui_chat.core.measure import Measure
from tui_chat.core.settings import Settings
from tui_chat.core.world import World


async def test_drafts_that_nobody_waits_for_take_one_thread_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"HOME": str(tmp_path)}
    endpoint = Endpoint("fake", "http://127.0.0.1:9/v1")
    world = World(Places.standard(environ), Settings(), Endpoints([endpoint]), environ)
    counted: list[str] = []
    begun, may_end = threading.Event(), threading.Event()

    def count(counter: counting.LineCounter, text: str, encoding: str) -> int:
        counted.append(text)
        begun.set()
        may_end.wait(10)
        return len(text)

    monkeypatch.setattr(counting.LineCounter, "count", count)
    measure = Measure(world)
    first = asyncio.create_task(measure.read(Setup("fake", "m"), (), "a"))
    await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    passed = asyncio.create_task(measure.read(Setup("fake", "m"), (), "ab"))
    last = asyncio.create_task(measure.read(Setup("fake", "m"), (), "abc"))
    await asyncio.wait([first, passed, last], timeout=0.2)
    passed.cancel()
    assert counted == ["a"]
    may_end.set()
    assert (await last).draft == 3
    assert counted == ["a", "abc"]
    await world.close()
