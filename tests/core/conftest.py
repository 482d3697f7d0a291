"""Fixtures for replies that are kept: a store, and where it lies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tui_chat.core.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the conversations are saved."""
    return tmp_path / "conversations.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """A store there, which does not wait long for another window."""
    opened = await Store.open(path, busy_seconds=0.02)
    yield opened
    await opened.close()
