"""A database of the first version with much in it: bringing it up takes long enough to be hit meanwhile."""

from __future__ import annotations

import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from tui_chat.core.schema import APPLICATION_ID, MIGRATIONS, statements

OLD_ROWS = 60_000
"""Messages; about a second's work."""


@cache
def old_database() -> Path:
    """A database of the first version with much in it, made once."""
    path = Path(tempfile.mkdtemp(prefix="tui-chat-old-")) / "conversations.db"
    connection = sqlite3.connect(path)
    for statement in statements(MIGRATIONS[0]):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute("PRAGMA user_version=1")
    count = range(1, OLD_ROWS // 20 + 1)
    connection.executemany(
        "INSERT INTO conversation(seq,id,title,created_at,updated_at) VALUES(?,?,?,?,?)",
        [(number, f"c{number}", f"Old {number}", number, number) for number in count],
    )
    connection.executemany(
        "INSERT INTO message(id,conversation,role,content,status,created_at) VALUES(?,?,?,?,?,?)",
        [
            (f"m{number}-{place}", number, "user", f"old words {place} " * 8, "complete", number)
            for number in count
            for place in range(20)
        ],
    )
    connection.commit()
    connection.close()
    return path
