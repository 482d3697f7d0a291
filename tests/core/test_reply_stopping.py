"""A reply may be stopped at any moment: what arrived is kept, and the server is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.core.scene import on_disk, row, scene
from tests.core.wire import until
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Message
from tui_chat.core.store import Store


async def test_a_stopped_reply_keeps_its_text_and_frees_the_server(store: Store) -> None:
    with FakeServer(Answer(["word "] * 1_000, delay=0.005)) as server:
        async with scene(server, store) as one:
            task = asyncio.create_task(one.asked(store))
            await until(lambda: len(one.tokens) > 3)
            task.cancel()
            final = await task
            assert await row(store, one) == final
            await until(lambda: server.disconnects)
    assert final.status == "stopped"
    assert final.content == one.text
    assert final.usage.estimated
    assert final.usage.completion_tokens
    assert not task.cancelled()


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(stall_after=0)])
async def test_a_reply_may_be_stopped_before_it_began(store: Store, answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with scene(server, store) as one:
            task = asyncio.create_task(one.asked(store))
            await until(lambda: server.chats)
            task.cancel()
            final = await task
            assert await row(store, one) == final
            await until(lambda: server.disconnects)
    assert (final.status, final.content, final.error) == ("stopped", "", "")


class Slow:
    """A keep in which one kind of write waits for a test; it is done whole, and for any thread, like the
    store's."""

    def __init__(self, store: Store, slow: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._store = store
        self._slow = slow
        self.may_write = asyncio.Event()
        self.begun = asyncio.Event()

    async def _write(self, name: str, writing: Callable[[], Awaitable[None]]) -> None:
        async def whole() -> None:
            if name == self._slow:
                self.begun.set()
                await self.may_write.wait()
            await writing()

        running = asyncio.run_coroutine_threadsafe(whole(), self._loop)
        await asyncio.shield(asyncio.wrap_future(running))

    async def add(self, conversation_id: str, message: Message, tokens: bytes = b"") -> None:
        await self._write("add", lambda: self._store.add(conversation_id, message, tokens))

    async def append(
        self, message_id: str, text: str, reasoning: str = "", tokens: bytes = b""
    ) -> None:
        await self._write("append", lambda: self._store.append(message_id, text, reasoning, tokens))

    async def finish(self, message: Message, tokens: bytes = b"") -> None:
        await self._write("finish", lambda: self._store.finish(message, tokens))


async def begun(keep: Slow) -> None:
    await asyncio.wait_for(keep.begun.wait(), 10)


async def test_a_reply_may_be_stopped_while_its_row_is_being_written(store: Store) -> None:
    with FakeServer() as server:
        async with scene(server, store) as one:
            keep = Slow(store, "add")
            task = asyncio.create_task(one.asked(keep))
            await begun(keep)
            task.cancel()
            await asyncio.sleep(0)
            keep.may_write.set()
            final = await task
            assert await row(store, one) == final
        assert not server.requests
    assert final.status == "stopped"
    assert one.troubles == []


async def test_a_reply_may_be_stopped_while_a_piece_is_being_written(store: Store) -> None:
    with FakeServer(Answer(stall_after=2)) as server:
        async with scene(server, store) as one:
            keep = Slow(store, "append")
            task = asyncio.create_task(one.asked(keep))
            await begun(keep)
            await until(lambda: len(one.tokens) == 2)
            task.cancel()
            await asyncio.sleep(0)
            keep.may_write.set()
            final = await task
            assert await row(store, one) == final
    assert (final.status, final.content) == ("stopped", "Hello,")
    assert one.troubles == []


async def test_stopping_twice_does_not_leave_a_reply_open(store: Store, path: Path) -> None:
    with FakeServer(Answer(stall_after=2)) as server:
        async with scene(server, store) as one:
            keep = Slow(store, "finish")
            task = asyncio.create_task(one.asked(keep))
            await until(lambda: len(one.tokens) == 2)
            task.cancel()
            await begun(keep)
            task.cancel()
            await asyncio.sleep(0)
            keep.may_write.set()
            await until(lambda: on_disk(path, one)[0] == "stopped")
            final = await task
            assert await row(store, one) == final
    assert (final.status, final.content) == ("stopped", "Hello,")
