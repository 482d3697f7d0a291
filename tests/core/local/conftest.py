"""Fixtures for the built-in model: its real file, a server that runs, a tiny stand-in in a real wheel."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.local_model import model_file
from tui_chat.core.local.server import LocalServer


@pytest.fixture(scope="session")
def model() -> Path:
    """The real model."""
    return model_file()


@pytest.fixture(scope="session")
def lasting_server(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """One server of the real model for all tests of a worker that only ask it, on a loop that always runs."""
    log = tmp_path_factory.mktemp("lasting") / "built-in.log"
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = LocalServer.start(model, model_id="smollm2", log=log)
    running = asyncio.run_coroutine_threadsafe(starting, loop).result()
    yield running
    asyncio.run_coroutine_threadsafe(running.stop(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
async def server(model: Path, tmp_path: Path) -> AsyncIterator[LocalServer]:
    """A server of the real model; its log is `logs/built-in.log`."""
    running = await LocalServer.start(
        model, model_id="smollm2", log=tmp_path / "logs" / "built-in.log"
    )
    yield running
    await running.stop()
