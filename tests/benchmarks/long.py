"""One long saved conversation, which the program opens when it starts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tui_chat.core import queries
from tui_chat.core.conversation import Conversation, Role, said
from tui_chat.core.store import Store


async def save_long(database: Path, count: int) -> None:
    """A conversation of so many messages, “message 0” and so on, in a new database."""
    store = await Store.open(database)
    conversation, message = Conversation("long", "Long"), said("user", "message 0")
    await store.create(conversation, message)
    # In one transaction: each by itself takes as long as the disk takes for it.
    with closing(sqlite3.connect(database)) as connection, connection:
        for number in range(1, count):
            role: Role = "assistant" if number % 2 else "user"
            message = said(role, f"message {number}", message.id)
            queries.add(connection, conversation.id, message, "")
    await store.set_state(
        "chat", '{"conversation":"long","endpoint":"environment","model":"fake-1"}'
    )
    await store.close()
