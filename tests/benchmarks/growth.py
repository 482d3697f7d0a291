"""What grows: the same at 1, 10 and 100 times the size. What the eye sees should not, nothing more than linearly."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.benchmarks.echo import LETTERS, echoed
from tests.benchmarks.figures import Effort, Figure, beyond
from tests.benchmarks.library import fill
from tests.benchmarks.start import last_words, save_long
from tests.benchmarks.streaming import RATE
from tests.benchmarks.texts import reply, tokens
from tests.benchmarks.watched import Watched, opened
from tests.load.flood import event, flood
from tui_chat.core import queries
from tui_chat.core.conversation import Conversation, said
from tui_chat.core.store import Store

NOWHERE = "http://127.0.0.1:9/v1"
F3, ESCAPE, TAB, OLDER = "\x1bOR", "\x1b", "\t", "["
SEEN = 16.0
"""Milliseconds, a frame, that what is seen may take longer at 100 times the size."""
ARRIVING = 10.0
"""Of a core in hundredths, that a reply may take more once it is 100 times as long."""


def growth(effort: Effort) -> list[Figure]:
    measures: dict[str, tuple[tuple[int, ...], Callable[[int, Effort], float], str, float]] = {
        "a key in a conversation of {} messages": ((100, 1_000, 10_000), _key, "ms", SEEN),
        "the list of {} conversations": ((100, 1_000, 10_000), _list, "ms", 5 * SEEN),
        "turning between {} siblings": ((10, 100, 1_000), _turn, "ms", SEEN),
        "a key in a draft of {} characters": ((1_000, 10_000, 100_000), _draft, "ms", SEEN),
        f"core used by {RATE} tokens/s in a reply of {{}} characters": (
            (10_000, 100_000, 1_000_000),
            _arriving,
            "%",
            ARRIVING,
        ),
    }
    figures = []
    for name, (sizes, measure, unit, more) in measures.items():
        small = measure(sizes[0], effort)
        for size in sizes[1:]:
            value = measure(size, effort)
            small_name = f"{sizes[0]:,}"
            what = name.format(f"{size:,}")
            figures.append(beyond(what, value, small, more, unit=unit, name=small_name))
    return figures


def _keys(terminal: Watched, effort: Effort) -> float:
    terminal.settle(1)
    took = []
    for letter in LETTERS[: min(effort.keys, 40)]:
        terminal.rest(0.03)
        took.append(echoed(terminal, letter))
    return statistics.median(took)


def _key(messages: int, effort: Effort) -> float:
    with TemporaryDirectory() as home:
        save_long(Path(home), messages)
        with opened(Path(home), NOWHERE, last_words(messages)) as terminal:
            return _keys(terminal, effort)


def _draft(characters: int, effort: Effort) -> float:
    draft = "".join(tokens(characters))[:characters]
    with TemporaryDirectory() as home, opened(Path(home), NOWHERE) as terminal:
        terminal.settle(1)
        terminal.paste(draft)
        return _keys(terminal, effort)


def _list(conversations: int, effort: Effort) -> float:
    """From F3 to the last that is drawn of the list."""
    took = []
    with TemporaryDirectory() as home:
        fill(Path(home) / "config" / "conversations.db", conversations)
        with opened(Path(home), NOWHERE) as terminal:
            for _ in range(effort.runs):
                began = monotonic()
                terminal.type(F3)
                took.append((terminal.until("newest first") - began) * 1000)
                terminal.settle(0.5)
                terminal.type(ESCAPE)
                terminal.settle(0.5)
    return statistics.median(took[1:])


def _turn(siblings: int, effort: Effort) -> float:
    """From [ on a reply to its elder sibling."""
    took = []
    with TemporaryDirectory() as home:
        asyncio.run(_save_siblings(Path(home), siblings))
        with opened(Path(home), NOWHERE, f"sibling {siblings - 1:05}") as terminal:
            terminal.settle(1)
            terminal.type(TAB)
            terminal.settle(0.5)
            for run in range(min(effort.runs, siblings - 1)):
                began = monotonic()
                terminal.type(OLDER)
                took.append((terminal.until(f"sibling {siblings - 2 - run:05}") - began) * 1000)
                terminal.settle(0.2)
    return statistics.median(took)


async def _save_siblings(home: Path, count: int) -> None:
    database = home / "config" / "conversations.db"
    store = await Store.open(database)
    conversation, question = Conversation("many", "Many"), said("user", "a question")
    await store.create(conversation, question)
    with closing(sqlite3.connect(database)) as connection, connection:
        for number in range(count):
            answer = said("assistant", f"sibling {number:05}", question.id)
            queries.add(connection, conversation.id, answer, "")
    await store.set_state("chat", '{"conversation":"many","endpoint":"environment","model":"m"}')
    await store.close()


def _arriving(characters: int, effort: Effort) -> float:
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory()))
        before = event("".join(tokens(characters // 3))[:characters] + "\n\n")
        body = before + reply(int(RATE * (effort.seconds + 10)))
        server = stack.enter_context(flood(home / "flood", body, rate=RATE))
        terminal = stack.enter_context(opened(home, server.base_url))
        terminal.type("go\r")
        terminal.rest(4)
        used, began = terminal.cpu, monotonic()
        terminal.rest(effort.seconds / 2)
        return (terminal.cpu - used) / (monotonic() - began) * 100
