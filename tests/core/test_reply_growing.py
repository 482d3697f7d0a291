"""A reply grows on disk while it arrives: its first token at once, the rest piece by piece."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path

from tests.core.scene import SETUP, after_a_crash, on_disk, scene
from tests.core.stored import loaded
from tests.core.wire import until
from tests.fake_server import Answer, FakeServer, words
from tui_chat.core.conversation import Message, Token
from tui_chat.core.reply import WRITE_EVERY
from tui_chat.core.store import Store


async def test_the_first_token_is_on_disk_without_a_second_one(store: Store, path: Path) -> None:
    with FakeServer(Answer(stall_after=1)) as server:
        async with scene(server, store) as one:
            task = asyncio.create_task(one.asked(store))
            await until(lambda: on_disk(path, one)[1] == "Hello")
            kept = await after_a_crash(path, one)
            assert [text for _, text in server.sent] == ["Hello"]
            task.cancel()
            await task
    assert (kept.status, kept.content, kept.setup) == ("interrupted", "Hello", SETUP)


async def test_what_came_after_the_first_token_follows_by_itself(store: Store, path: Path) -> None:
    tokens = words("one two three four five six seven eight")
    answer = Answer(tokens, delay=0.01, stall_after=6, reasoning=("why", " not"))
    with FakeServer(answer) as server:
        async with scene(server, store) as one:
            task = asyncio.create_task(one.asked(store))
            await until(lambda: on_disk(path, one)[1] == "".join(tokens[:6]))
            kept = await after_a_crash(path, one)
            task.cancel()
            await task
    assert (kept.content, kept.reasoning) == ("".join(tokens[:6]), "why not")


async def test_a_busy_event_loop_does_not_keep_what_has_arrived_from_the_disk(
    store: Store, path: Path
) -> None:
    tokens = [f"{number} " for number in range(40)]
    found: list[str] = []
    with FakeServer(Answer(tokens, delay=0.01)) as server:
        async with scene(server, store) as one:

            def take(token: Token) -> None:
                one.tokens.append(token)
                if len(one.tokens) == 20:
                    # The loop stands still until the disk has it, or for much longer than is promised.
                    deadline = time.monotonic() + 5
                    while not (found and found[-1] == one.text) and time.monotonic() < deadline:
                        time.sleep(0.01)
                        found.append(on_disk(path, one)[1])

            await one.asked(store, sink=take)
    assert found[-1] == "".join(tokens[:20])


class Watched:
    """A keep that passes everything on to the store, and remembers when and what."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pieces: list[tuple[float, str]] = []
        self.rows = 0
        self.finished = 0

    async def add(self, conversation_id: str, message: Message, tokens: bytes = b"") -> None:
        self.rows += 1
        await self._store.add(conversation_id, message, tokens)

    async def append(
        self, message_id: str, text: str, reasoning: str = "", tokens: bytes = b""
    ) -> None:
        self.pieces.append((time.monotonic(), text))
        await self._store.append(message_id, text, reasoning, tokens)

    async def finish(self, message: Message, tokens: bytes = b"") -> None:
        self.finished += 1
        await self._store.finish(message, tokens)


async def test_a_long_reply_is_written_piece_by_piece_and_not_too_often(store: Store) -> None:
    tokens = [f"{number} " for number in range(80)]
    with FakeServer(Answer(tokens, delay=0.01)) as server:
        async with scene(server, store) as one:
            keep = Watched(store)
            final = await one.asked(keep)
        sent = [when for when, _ in server.sent]
    whens = [when for when, _ in keep.pieces]
    written = "".join(text for _, text in keep.pieces)
    assert "".join(tokens).startswith(written), "each word is written once"
    assert len(keep.pieces) >= 2
    assert all(
        later - earlier >= WRITE_EVERY - 0.01 for earlier, later in itertools.pairwise(whens)
    )
    assert len(keep.pieces) <= 2 + (sent[-1] - sent[0]) / WRITE_EVERY
    assert (keep.rows, keep.finished) == (1, 1)
    assert final.content == "".join(tokens)


async def test_a_reply_without_a_keep_is_kept_nowhere(store: Store) -> None:
    with FakeServer() as server:
        async with scene(server, store) as one:
            final = await one.asked()
            conversation = await loaded(store, one.conversation.id)
    assert final.content == "Hello, world."
    assert conversation.messages == (one.question,)
