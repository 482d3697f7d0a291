"""The start: to the first frame of a new conversation, to the last words of a long one, and no key lost before it."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.figures import Effort, Figure, beyond, times
from tests.benchmarks.watched import BARE, Watched, environment
from tests.terminal import TUI_CHAT
from tui_chat.core import queries
from tui_chat.core.conversation import Conversation, Role, said
from tui_chat.core.store import Store

LONG = 10_000
"""Messages in a long conversation."""
TYPED = "typed before there was anything to type into"
BETWEEN = 0.004
"""Seconds between two keys of one who types faster than anyone."""


def start(effort: Effort) -> list[Figure]:
    bare, new, long, kept = [], [], [], []
    with TemporaryDirectory() as full:
        save_long(Path(full), LONG)
        for _ in range(effort.runs + 2):
            with TemporaryDirectory() as home:
                bare.append(_painted(BARE, Path(home), "he floor"))
                new.append(_painted(TUI_CHAT, Path(home), "tui-chat"))
                if not effort.short:
                    kept.append(_kept(Path(home)))
            if not effort.short:
                long.append(_painted(TUI_CHAT, Path(full), last_words(LONG)))
    # Compiled modules and the file system's cache are there after the first run, as they are for a person.
    floor = statistics.median(bare[2:])
    figures = [times("first paint, new conversation", statistics.median(new[2:]), floor, 1.25)]
    if not effort.short:
        median = statistics.median(long[2:])
        figures.append(
            times(f"first paint, the last conversation of {LONG:,} messages", median, floor, 1.6)
        )
        lost = max(len(TYPED) - one for one in kept)
        figures.append(
            beyond(
                "keys lost that were typed before the first paint",
                lost,
                0,
                0,
                unit="keys",
                name="none",
            )
        )
    return figures


def _painted(arguments: tuple[str, ...], home: Path, mark: str) -> float:
    with Watched(arguments, environment(home)) as terminal:
        return (terminal.until(mark) - terminal.started) * 1000


def _kept(home: Path) -> int:
    """How many of the keys typed from the first moment on stand in the prompt at last."""
    with Watched(TUI_CHAT, environment(home, "http://127.0.0.1:9/v1")) as terminal:
        for key in TYPED:
            terminal.type(key)
            time.sleep(BETWEEN)
        terminal.settle(1.5)
        # What the terminal itself echoed at first is not what is drawn now.
        terminal.resize(100, 30)
        drawn = terminal.take(5)
        while more := terminal.take(0.5):
            drawn += more
        return next(size for size in range(len(TYPED), -1, -1) if TYPED[:size].encode() in drawn)


def last_words(count: int) -> str:
    """What stands only in the last one of so many messages."""
    return f"message number {count - 1} of all"


def save_long(home: Path, count: int) -> None:
    """Save a conversation of so many messages in this home, as the one that is open at the next start."""
    asyncio.run(_save(home / "config" / "conversations.db", count))


async def _save(database: Path, count: int) -> None:
    store = await Store.open(database)
    conversation, message = Conversation("long", "Long"), said("user", "the first message")
    await store.create(conversation, message)
    words = "with a few words more, as people and models write them. " * 4
    with closing(sqlite3.connect(database)) as connection, connection:
        for number in range(1, count):
            role: Role = "assistant" if number % 2 else "user"
            message = said(role, f"{words}\n\nmessage number {number} of all", message.id)
            queries.add(connection, conversation.id, message, "")
    await store.set_state("chat", '{"conversation":"long","endpoint":"environment","model":"m"}')
    await store.close()
