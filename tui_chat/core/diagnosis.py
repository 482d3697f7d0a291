"""What is wrong with conversations.db, found without changing it: for `doctor`, and before a repair."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tui_chat.core import store_faults
from tui_chat.core.backups import backups
from tui_chat.core.database import (
    Connection,
    Error,
    checked_version,
    connected_to_read,
    damage,
    in_words,
    is_unfinished,
    quick_check,
)
from tui_chat.core.store_faults import StoreFault
from tui_chat.core.text import counted


@dataclass(frozen=True)
class Diagnosis:
    """How a database of saved conversations is."""

    words: str
    """In a word or two, where nothing is wrong; else what is, and what now."""
    fault: StoreFault | None = None
    """What is wrong, where something is."""
    unfinished: bool = False
    """A change was broken off; whoever opens the file takes it back, and nothing is wrong with that."""


def diagnosed(path: Path, *, thorough: bool = True) -> Diagnosis:
    """What is wrong with this file. Blocks: `thorough` reads all of it, 45 MB in a second.

    Nothing is changed, nothing is made, and what was broken off is not taken back.
    """
    try:
        return _diagnosed(path, thorough)
    except StoreFault as fault:
        return _of(fault)
    except Error as error:
        if is_unfinished(error):
            words = "a change was broken off; it is taken back when they are opened next"
            return Diagnosis(words, unfinished=True)
        return _of(in_words(error, path))
    except OSError as error:
        return _of(in_words(error, path))


def _of(fault: StoreFault) -> Diagnosis:
    return Diagnosis(str(fault), fault)


def _diagnosed(path: Path, thorough: bool) -> Diagnosis:
    if not os.path.lexists(path):
        return Diagnosis("none saved yet")
    if not path.is_file():
        raise store_faults.no_file(path)
    if path.stat().st_size == 0:
        if backups(path.parent / "backups"):
            raise store_faults.emptied(path)
        return Diagnosis("none saved yet, in a file without a byte")
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise store_faults.barred(path)
    with closing(connected_to_read(path, busy_seconds=1)) as connection:
        checked_version(connection, path)
        if thorough and quick_check(connection):
            raise damage(path)
        return Diagnosis(_counted(connection))


def _counted(connection: Connection) -> str:
    """How much is in a database that can be read; of one in an older shape, too."""
    tables = {
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
    if "message" not in tables:
        return "none saved yet"
    conversations, messages = (
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("conversation", "message")
    )
    return f"{counted(conversations, 'conversation')}, {counted(messages, 'message')}"
