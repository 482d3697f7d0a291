"""What the tests of faults of the disk share: saved conversations of some size, and ways to break them."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tui_chat.core import queries
from tui_chat.core.conversation import Conversation, said
from tui_chat.core.database import brought_up, connected
from tui_chat.core.files import Places, private_directory

PAGE = 4096
CONVERSATIONS, TEXTS = 12, 10


def places_in(directory: Path) -> Places:
    return Places(directory / "config", directory / "cache")


_MADE: dict[int, bytes] = {}


def filled(places: Places, *, conversations: int = CONVERSATIONS) -> int:
    """Save conversations with texts of all lengths; how many messages."""
    if conversations not in _MADE:
        private_directory(places.config)
        # Those that are there are replaced, as they are from the second time on.
        places.database.unlink(missing_ok=True)
        _fill(places.database, conversations)
        _MADE[conversations] = places.database.read_bytes()
    private_directory(places.config)
    places.database.write_bytes(_MADE[conversations])
    return conversations * TEXTS


def _fill(path: Path, conversations: int) -> None:
    with closing(connected(path)) as connection:
        brought_up(connection, path)
        connection.execute("BEGIN")
        for number in range(conversations):
            conversation = Conversation(title=f"conversation {number}")
            for turn in range(TEXTS):
                text = f"{number} {turn} " + "word " * (turn * turn * 12)
                message = said(("user", "assistant")[turn % 2], text, conversation.leaf)
                if turn:
                    queries.add(connection, conversation.id, message, "")
                else:
                    queries.create(connection, conversation, message, "")
                conversation.add(message)
        connection.execute("COMMIT")


def pages_of(path: Path, table: str) -> list[int]:
    """The pages that hold rows of a table, from 1 on."""
    return _pages(path, table)[1]


def inner_pages(path: Path, table: str) -> list[int]:
    """The pages that lead to those, the first of them first."""
    return _pages(path, table)[0]


def _pages(path: Path, table: str) -> tuple[list[int], list[int]]:
    connection = sqlite3.connect(path)
    try:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name=?", (table,))
        (found,) = root.fetchone()
    finally:
        connection.close()
    raw = path.read_bytes()
    inner: list[int] = []
    leaves: list[int] = []
    left = [found]
    while left:
        page = left.pop()
        start = (page - 1) * PAGE
        count = int.from_bytes(raw[start + 3 : start + 5], "big")
        if raw[start] == 13:
            leaves.append(page)
            continue
        inner.append(page)
        cells = [
            int.from_bytes(raw[at : at + 2], "big")
            for at in range(start + 12, start + 12 + 2 * count, 2)
        ]
        left += [int.from_bytes(raw[start + cell : start + cell + 4], "big") for cell in cells]
        left.append(int.from_bytes(raw[start + 8 : start + 12], "big"))
    return inner, sorted(leaves)


def spoil(path: Path, *pages: int) -> None:
    """Write noise over some pages."""
    noise = random.Random(7)
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(noise.randbytes(PAGE))


def broken_off(path: Path) -> None:
    """Leave a change half done, as a program does that is killed at it: its journal stays."""
    copy = path.with_name("copy")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size=5")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE message SET content='half done ' || content")
    shutil.copyfile(path, copy)
    shutil.copyfile(f"{path}-journal", f"{copy}-journal")
    connection.execute("ROLLBACK")
    connection.close()
    copy.replace(path)
    Path(f"{copy}-journal").replace(f"{path}-journal")


def contents(path: Path) -> list[str]:
    """All texts in a database, in the order in which they were said."""
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("PRAGMA integrity_check").fetchall()
        assert found == [("ok",)]
        return [row[0] for row in connection.execute("SELECT content FROM message ORDER BY seq")]
    finally:
        connection.close()


def killed_in(doing: Callable[[], object]) -> int:
    """Do it in a process of its own; with which code that ended."""
    child = os.fork()
    if child == 0:
        try:
            doing()
            os._exit(0)
        except BaseException:  # noqa: BLE001  # nothing of this process may go on in that one
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
