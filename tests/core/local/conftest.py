"""Fixtures for the built-in model: its real file, a server that runs, a tiny stand-in in a real wheel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.local_model import model_file
from tui_chat.core.local.server import LocalServer


@pytest.fixture(scope="session")
def model() -> Path:
    """The real model."""
    return model_file()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lasting_server(
    model: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalServer]:
    """One server of the real model for all tests of a worker that only ask it."""
    log = tmp_path_factory.mktemp("lasting") / "built-in.log"
    running = await LocalServer.start(model, model_id="smollm2", log=log)
    yield running
    await running.stop()


@pytest.fixture
async def server(model: Path, tmp_path: Path) -> AsyncIterator[LocalServer]:
    """A server of the real model; its log is `logs/built-in.log`."""
    running = await LocalServer.start(
        model, model_id="smollm2", log=tmp_path / "logs" / "built-in.log"
    )
    yield running
    await running.stop()
