"""What is wrong with conversations.db is said in a sentence, and nothing is changed by looking."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.broken import broken_off, contents, filled, pages_of, places_in, spoil
from tests.core.stored import by_hand
from tui_chat.core.database import brought_up, connected
from tui_chat.core.diagnosis import diagnosed
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store
from tui_chat.core.store_faults import REPAIR


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


def _all_bytes(directory: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(directory)): one.read_bytes()
        for one in sorted(directory.rglob("*"))
        if one.is_file()
    }


def _write(raw: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(raw)


def _cut(kept: float) -> Callable[[Path], object]:
    return lambda path: os.truncate(path, int(path.stat().st_size * kept))


def _newer(path: Path) -> None:
    by_hand(path, f"PRAGMA user_version={len(MIGRATIONS) + 1}")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("breaks", "kind", "words"),
    [
        (
            _write(os.urandom(20_000)),
            "damaged",
            "is no database, or its beginning is damaged. It was",
        ),
        (_write(b"name = 1\n"), "damaged", REPAIR),
        (_cut(0.5), "damaged", "is damaged. It was"),
        (_cut(0.01), "damaged", "is damaged"),
        (lambda path: spoil(path, 1), "damaged", "is no database, or its"),
        (lambda path: spoil(path, pages_of(path, "message")[3]), "damaged", "is damaged"),
        (_newer, "newer", "was made by a newer tui-chat"),
        (lambda path: by_hand(path, "PRAGMA application_id=7"), "foreign", "another program"),
        (_directory, "no file", "is a directory, not the saved conversations. Move it away"),
        (_pipe, "no file", "is not a file. Move it away"),
    ],
    ids=[
        "noise",
        "text",
        "half",
        "a stub",
        "first page",
        "a page",
        "newer",
        "foreign",
        "dir",
        "pipe",
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_changed(
    places: Places, breaks: Callable[[Path], object], kind: str, words: str
) -> None:
    filled(places, conversations=4)
    breaks(places.database)
    before = _all_bytes(places.config)

    found = diagnosed(places.database)

    assert found.fault is not None
    assert (found.fault.kind, found.words) == (kind, str(found.fault))
    assert words in found.words
    assert found.fault.can_be_repaired is (kind in ("damaged", "no file"))
    assert _all_bytes(places.config) == before


async def test_a_sound_one_is_told_by_what_is_in_it(places: Places) -> None:
    assert diagnosed(places.database).words == "none saved yet"
    filled(places, conversations=2)
    found = diagnosed(places.database)
    assert (found.words, found.fault) == ("2 conversations, 20 messages", None)


async def test_one_of_an_older_version_is_sound_too(places: Places) -> None:
    places.config.mkdir()
    connection = connected(places.database)
    brought_up(connection, places.database, MIGRATIONS[:1])
    connection.close()
    assert diagnosed(places.database).words == "0 conversations, 0 messages"


async def test_a_lock_of_another_program_is_said(places: Places) -> None:
    filled(places, conversations=1)
    other = sqlite3.connect(places.database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    found = diagnosed(places.database)
    other.close()
    assert found.fault is not None
    assert found.fault.kind == "busy"


async def test_an_empty_file_is_a_loss_only_where_there_was_something(places: Places) -> None:
    places.config.mkdir()
    places.database.touch()
    assert diagnosed(places.database).fault is None
    places.backups.mkdir()
    (places.backups / "conversations-20260101-000000.db").touch()

    found = diagnosed(places.database)
    with pytest.raises(ChatError, match="no bytes in it, though there are backups"):
        await Store.open(places.database)

    assert found.fault is not None
    assert found.fault.kind == "empty"
    assert places.database.stat().st_size == 0
    places.database.unlink()
    await (await Store.open(places.database)).close()


# Journals


async def test_a_change_that_was_broken_off_is_taken_back(places: Places) -> None:
    filled(places, conversations=3)
    before = contents(places.database)
    broken_off(places.database)
    raw = _all_bytes(places.config)

    found = diagnosed(places.database)

    assert found.unfinished
    assert found.fault is None
    assert _all_bytes(places.config) == raw
    await (await Store.open(places.database)).close()
    assert contents(places.database) == before
    assert diagnosed(places.database).words == "3 conversations, 30 messages"


@pytest.mark.parametrize("raw", [b"", b"\0" * 4096, os.urandom(9000)], ids=["no", "zero", "noise"])
async def test_a_journal_that_is_none_changes_nothing(places: Places, raw: bytes) -> None:
    filled(places, conversations=3)
    before = contents(places.database)
    Path(f"{places.database}-journal").write_bytes(raw)

    await (await Store.open(places.database)).close()

    assert contents(places.database) == before


async def test_a_journal_without_its_database_does_not_get_into_a_new_one(places: Places) -> None:
    filled(places, conversations=3)
    broken_off(places.database)
    places.database.unlink()

    store = await Store.open(places.database)
    assert await store.count() == 0
    await store.close()

    assert contents(places.database) == []
