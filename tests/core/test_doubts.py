"""After a kill all that is saved is read once, beside whoever writes, and only real damage is told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.core.broken import filled, killed_in, pages_of, places_in, spoil
from tui_chat.core import database, doubts
from tui_chat.core.database import Connection, connected
from tui_chat.core.doubts import doubt, settle_doubts
from tui_chat.core.files import Places, private_directory
from tui_chat.core.store import Store
from tui_chat.core.unclosed import head, read_through


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Saved conversations that are in doubt."""
    monkeypatch.setattr(doubts, "PAUSE", 0)
    monkeypatch.setattr(database, "_STEPS_BETWEEN_LOOKS", 100)
    places = places_in(tmp_path)
    filled(places)
    doubt(private_directory(places.config / "run"))
    return places


def _mark(places: Places) -> Path:
    return places.config / "run" / "unchecked"


def _never() -> bool:
    return False


def _opened(path: Path, then: Callable[[Store], object]) -> None:
    async def opened() -> None:
        store = await Store.open(path)
        then(store)
        await store.close()

    asyncio.run(opened())


def test_only_a_program_that_ends_without_closing_leaves_them_in_doubt(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    _opened(places.database, lambda store: None)
    _opened(places.database, lambda store: None)
    assert not _mark(places).exists()

    def kill() -> None:
        _opened(places.database, lambda store: os.kill(os.getpid(), signal.SIGKILL))

    assert killed_in(kill) == -signal.SIGKILL
    assert not _mark(places).exists()
    _opened(places.database, lambda store: None)
    assert _mark(places).exists()
    assert settle_doubts(places, _never) is None
    assert not _mark(places).exists()


def test_what_is_damaged_is_told_and_stays_in_doubt(places: Places) -> None:
    spoil(places.database, pages_of(places.database, "message")[3])
    raw = places.database.read_bytes()
    fault = settle_doubts(places, _never)
    assert fault is not None
    assert fault.kind == "damaged"
    assert _mark(places).exists()
    assert places.database.read_bytes() == raw
    _mark(places).unlink()
    assert settle_doubts(places, _never) is None, "nothing is read that nobody doubts"


def test_nobody_waits_who_writes_meanwhile(places: Places) -> None:
    asked = 0

    def writing() -> bool:
        nonlocal asked
        asked += 1
        with closing(connected(places.database, busy_seconds=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("UPDATE message SET content='written meanwhile' WHERE seq=1")
            other.execute("COMMIT")
        return False

    assert settle_doubts(places, writing) is None
    assert asked > 1
    assert not _mark(places).exists()


def test_what_looks_damaged_while_others_write_is_looked_at_again(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ["looks damaged", ""]

    def looked(connection: Connection) -> str:
        if len(found) == 2:
            os.utime(places.database, ns=(0, 0))  # Somebody writes.
        return found.pop(0)

    monkeypatch.setattr("tui_chat.core.doubts.quick_check", looked)
    assert settle_doubts(places, _never) is None
    assert not found
    assert not _mark(places).exists()


_WRITES = """
import sqlite3, sys
sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute("BEGIN IMMEDIATE")
"""


def test_reading_past_sqlite_leaves_its_locks(places: Places) -> None:
    with closing(connected(places.database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert head(places.database, 15) == b"SQLite format 3"
        read_through(places.database)
        other = subprocess.run(
            [sys.executable, "-c", _WRITES, places.database], capture_output=True, check=False
        )
        assert b"database is locked" in other.stderr


def test_who_is_to_stop_leaves_them_in_doubt(places: Places) -> None:
    asked = iter((False,))
    assert settle_doubts(places, lambda: next(asked, True)) is None
    assert _mark(places).exists()
