"""A disk that refuses costs no words of a reply, and is told once."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.core.scene import after_a_crash, on_disk, row, scene
from tests.core.wire import until
from tests.fake_server import Answer, FakeServer, words
from tui_chat.core.conversation import Message
from tui_chat.core.errors import ChatError
from tui_chat.core.reply import Recorder, ask
from tui_chat.core.store import Store

FULL = ChatError("The disk is full, so this was not saved.", "Free some space.")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program that writes to the database and does not end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@dataclass
class Failing:
    """A keep that fails as long as it is told to, each time in the words given."""

    store: Store
    words: Callable[[], ChatError] = lambda: FULL
    fails: Callable[[list[str]], bool] = lambda tried: True
    tried: list[str] = field(default_factory=list)

    def _try(self, name: str) -> None:
        self.tried.append(name)
        if self.fails(self.tried):
            raise self.words()

    async def add(self, conversation_id: str, message: Message, tokens: bytes = b"") -> None:
        self._try("add")
        await self.store.add(conversation_id, message, tokens)

    async def append(
        self, message_id: str, text: str, reasoning: str = "", tokens: bytes = b""
    ) -> None:
        self._try("append")
        await self.store.append(message_id, text, reasoning, tokens)

    async def finish(self, message: Message, tokens: bytes = b"") -> None:
        self._try("finish")
        await self.store.finish(message, tokens)


async def test_a_keep_that_always_fails_costs_no_words_and_is_told_once(store: Store) -> None:
    with FakeServer(Answer(words("a b c d e f"), delay=0.06)) as server:
        async with scene(server, store) as one:
            keep = Failing(store)
            final = await one.asked(keep)
    assert (final.status, final.content) == ("complete", "a b c d e f") == ("complete", one.text)
    assert one.troubles == [FULL]
    assert len(keep.tried) > 2, "it is tried again"


async def test_each_different_trouble_is_told(store: Store) -> None:
    numbers = itertools.count()
    with FakeServer() as server:
        async with scene(server, store) as one:
            keep = Failing(store, lambda: ChatError(f"Fault {next(numbers)}."))
            final = await one.asked(keep)
    assert final.content == "Hello, world."
    assert len(one.troubles) == len(keep.tried) >= 2


async def test_troubles_that_take_turns_are_told_once_each(store: Store) -> None:
    turns = itertools.cycle([FULL, ChatError("Another window is writing.")])
    with FakeServer(Answer(words("a b c"), stall_after=2)) as server:
        async with scene(server, store) as one:
            keep = Failing(store, lambda: next(turns))
            task = asyncio.create_task(one.asked(keep))
            await until(lambda: len(keep.tried) >= 3)
            task.cancel()
            final = await task
    assert final.content == "a b "
    assert [trouble.message for trouble in one.troubles] == [
        FULL.message,
        "Another window is writing.",
    ]


async def test_a_row_that_could_not_be_made_is_made_with_the_next_write(
    store: Store, path: Path
) -> None:
    with FakeServer(Answer(words("a b c d e f g"), stall_after=4)) as server:
        async with scene(server, store) as one:
            keep = Failing(store, fails=lambda tried: tried == ["add"])
            task = asyncio.create_task(one.asked(keep))
            await until(lambda: on_disk(path, one)[1] == "a b c d ")
            assert (await after_a_crash(path, one)).content == "a b c d "
            task.cancel()
            final = await task
            assert await row(store, one) == final
    assert final.content == "a b c d "
    assert one.troubles == [FULL]


async def test_a_piece_that_could_not_be_written_is_written_with_the_next(
    store: Store, path: Path
) -> None:
    with FakeServer(Answer(words("a b c d e f g"), stall_after=6)) as server:
        async with scene(server, store) as one:
            keep = Failing(store, fails=lambda tried: tried == ["add", "append"])
            task = asyncio.create_task(one.asked(keep))
            await until(lambda: on_disk(path, one)[1] == "a b c d e f ")
            task.cancel()
            final = await task
            assert await row(store, one) == final
    assert one.troubles == [FULL]


async def test_what_fails_at_the_end_is_told_and_the_reply_returned(store: Store) -> None:
    with FakeServer() as server:
        async with scene(server, store) as one:
            keep = Failing(store, fails=lambda tried: tried[-1] == "finish")
            final = await one.asked(keep)
    assert (final.status, final.content) == ("complete", "Hello, world.")
    assert one.troubles == [FULL]


@pytest.mark.parametrize("fails_in", ["add", "finish"])
async def test_an_end_that_could_not_be_written_is_written_once_it_can_be(
    store: Store, path: Path, fails_in: str
) -> None:
    full = True
    with FakeServer() as server:
        async with scene(server, store) as one:
            keep = Failing(store, fails=lambda tried: full and tried[-1] == fails_in)
            recorder = Recorder(keep, one.conversation.id, one.troubles.append)
            final = await ask(
                one.provider, [one.question], one.reply, sink=one.tokens.append, record=recorder
            )
            assert recorder.unwritten == final
            assert not await recorder.retry()
            full = False
            assert await recorder.retry()
            assert recorder.unwritten is None
            assert await row(store, one) == final
    assert one.troubles == [FULL]


async def test_another_window_that_holds_the_database_costs_no_words(
    store: Store, path: Path
) -> None:
    with FakeServer(Answer(words("a b c d e f"), stall_after=5)) as server:
        async with scene(server, store) as one:
            with locked(path):
                task = asyncio.create_task(one.asked(store))
                await until(lambda: len(one.tokens) == 5)
                await until(lambda: one.troubles)
            await until(lambda: on_disk(path, one)[1] == "a b c d e ")
            task.cancel()
            final = await task
            assert await row(store, one) == final
    assert [trouble.message for trouble in one.troubles] == [
        "Another window is writing to the saved conversations."
    ]


async def test_a_conversation_that_was_never_saved_costs_no_words(store: Store) -> None:
    with FakeServer() as server:
        async with scene(server) as one:
            final = await one.asked(store)
    assert (final.status, final.content) == ("complete", "Hello, world.")
    assert len(one.troubles) == 1


async def test_figures_beyond_reason_cost_no_words(store: Store) -> None:
    counts = {"prompt_tokens": 10**30, "completion_tokens": 2**63, "total_tokens": 1}
    with FakeServer(Answer(usage=counts)) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert final.content == "Hello, world."
    assert final.usage.estimated
