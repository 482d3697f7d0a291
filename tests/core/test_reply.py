"""A reply is kept however it ends: growing on disk, whole at its end, whatever the disk does."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.core.stored import by_hand, loaded
from tests.fake_server import Answer, FakeServer, words
from tui_chat.core.conversation import (
    Conversation,
    Message,
    Refusal,
    Setup,
    Token,
    new_id,
    said,
)
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.reply import CHECKPOINT_SECONDS, Keep, Recorder, ask
from tui_chat.core.store import Store

SETUP = Setup("fake", "m-1", "Be brief.", Params({"temperature": 0.5}))
FULL = ChatError("The disk is full, so this was not saved.", "Free some space.")


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition; AssertionError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.002)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(path, busy_seconds=0.02)
    yield opened
    await opened.close()


@dataclass
class Scene:
    """A question that waits for its reply, and all that came of asking it."""

    provider: Provider
    conversation: Conversation
    question: Message
    reply: Message
    tokens: list[Token] = field(default_factory=list)
    troubles: list[ChatError] = field(default_factory=list)
    notices: list[Refusal] = field(default_factory=list)

    async def asked(self, keep: Keep | None = None, *, logprobs: int = 0) -> Message:
        record = keep and Recorder(keep, self.conversation.id, self.troubles.append)
        return await ask(
            self.provider,
            [self.question],
            self.reply,
            sink=self.tokens.append,
            notice=self.notices.append,
            record=record or None,
            logprobs=logprobs,
        )

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "".join(token.text for token in self.tokens if not token.reasoning)


@asynccontextmanager
async def scene(
    server: FakeServer, store: Store | None = None, *, read_seconds: float | None = None
) -> AsyncIterator[Scene]:
    provider = Provider(Endpoint("fake", server.base_url), None, read_seconds=read_seconds)
    conversation, question = Conversation(), said("user", "hi")
    if store is not None:
        await store.create(conversation, question)
    reply = replace(said("assistant", "", question.id, setup=SETUP), status="streaming")
    try:
        yield Scene(provider, conversation, question, reply)
    finally:
        await provider.close()


async def row(store: Store, scene: Scene) -> Message:
    """The reply as the database holds it."""
    return (await loaded(store, scene.conversation.id)).message(scene.reply.id)


def on_disk(path: Path, scene: Scene) -> tuple[str, str, str]:
    """The reply's status, content and reasoning in the file, with what was added to its row."""
    found = by_hand(
        path,
        "SELECT m.status, m.content || coalesce(group_concat(p.content, ''), ''),"
        " m.reasoning || coalesce(group_concat(p.reasoning, ''), '') FROM message m"
        " LEFT JOIN (SELECT * FROM piece ORDER BY seq) p ON p.message=m.seq WHERE m.id=? GROUP BY m.seq",
        given=[scene.reply.id],
    )
    status, content, reasoning = found[0] if found else ("", "", "")
    return str(status), str(content), str(reasoning)


async def after_a_crash(path: Path, scene: Scene) -> Message:
    """The reply as the next start finds it, were the program killed now."""
    copy = path.parent / new_id() / path.name
    copy.parent.mkdir(0o700)
    with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as copied:
        live.backup(copied)
    store = await Store.open(copy)
    try:
        return await row(store, scene)
    finally:
        await store.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program that writes to the database and does not end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


# How it ends


async def test_a_reply_is_returned_as_it_was_shown_and_kept(store: Store) -> None:
    with FakeServer(Answer(("Four", "."), reasoning=("2 and ", "2"))) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.id, final.parent, final.setup) == (one.reply.id, one.question.id, SETUP)
    assert (final.content, final.reasoning) == ("Four.", "2 and 2") == (one.text, "2 and 2")
    assert (final.status, final.error) == ("complete", "")
    assert (final.finish_reason, final.request_id) == ("stop", "req-1")
    assert one.troubles == []


async def test_the_servers_own_figures_are_kept_with_the_times(store: Store) -> None:
    with FakeServer(Answer(("a", "b", "c"))) as server:
        async with scene(server, store) as one:
            usage = (await one.asked(store)).usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (7, 3, False)
    assert usage.first_token_seconds is not None
    assert usage.seconds is not None
    assert 0 < usage.first_token_seconds <= usage.seconds


async def test_figures_that_the_server_does_not_send_are_estimated() -> None:
    with FakeServer(Answer(("A", " reply", " of", " words"), usage=False)) as server:
        async with scene(server) as one:
            usage = (await one.asked()).usage
    assert usage.estimated
    assert usage.completion_tokens == 4
    assert usage.prompt_tokens is not None
    assert usage.prompt_tokens > 8, "the system prompt and the question, with what frames them"
    assert usage.seconds is not None
    assert usage.first_token_seconds is not None


@pytest.mark.parametrize(
    ("finish", "status", "error"),
    [("length", "length", ""), ("content_filter", "filtered", "content filter")],
)
async def test_the_status_says_how_it_ended(
    store: Store, finish: str, status: str, error: str
) -> None:
    with FakeServer(Answer(finish=finish)) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.status, final.content) == (status, "Hello, world.")
    assert error in final.error


@pytest.mark.parametrize("answer", [Answer(tokens=()), Answer(tokens=(), reasoning=("Hm.",))])
async def test_an_empty_reply_says_so(store: Store, answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.status, final.content) == ("complete", "")
    assert final.error == "The model answered with nothing."


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, error={"error": {"message": "It broke."}}),
        Answer(status=401, error={"error": {"message": "It broke."}}),
        Answer(raw=b'data: {"error":{"message":"It broke."}}\n\n'),
    ],
)
async def test_a_reply_that_never_began_failed_and_has_no_content(
    store: Store, answer: Answer
) -> None:
    with FakeServer(answer) as server:
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert (final.status, final.content, final.reasoning) == ("failed", "", "")
    assert "It broke." in final.error
    assert final.usage.completion_tokens is None
    assert not final.usage.estimated
    assert one.tokens == []


@pytest.mark.parametrize(
    "answer", [Answer(cut_after=2), Answer(finish=None, usage=False), Answer(stall_after=2)]
)
async def test_a_reply_that_broke_off_keeps_its_text(store: Store, answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with scene(server, store, read_seconds=1) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert final.status == "cut"
    assert final.error
    assert final.content == one.text
    assert final.content.startswith("Hello,")
    assert final.usage.completion_tokens
    assert final.usage.estimated


async def test_what_the_server_refused_stays_with_the_reply(store: Store) -> None:
    with FakeServer() as server:
        server.refuses = {"temperature": {"error": {"message": "temperature is deprecated."}}}
        async with scene(server, store) as one:
            final = await one.asked(store)
            assert await row(store, one) == final
    assert final.refused == (Refusal("temperature", "temperature is deprecated."),)
    assert one.notices == list(final.refused)


# Stopping


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
    """A keep in which one kind of write waits for a test; it is done whole, like the store's."""

    def __init__(self, store: Store, slow: str) -> None:
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

        await asyncio.shield(asyncio.ensure_future(whole()))

    async def add(self, conversation_id: str, message: Message) -> None:
        await self._write("add", lambda: self._store.add(conversation_id, message))

    async def append(self, message_id: str, text: str, reasoning: str = "") -> None:
        await self._write("append", lambda: self._store.append(message_id, text, reasoning))

    async def finish(self, message: Message) -> None:
        await self._write("finish", lambda: self._store.finish(message))


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
            await asyncio.wait([task])
            kept = await row(store, one)
    assert kept.content == "Hello,"


# Growing on disk


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


class Watched:
    """A keep that passes everything on to the store, and remembers when and what."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.pieces: list[tuple[float, str]] = []
        self.rows = 0
        self.finished = 0

    async def add(self, conversation_id: str, message: Message) -> None:
        self.rows += 1
        await self._store.add(conversation_id, message)

    async def append(self, message_id: str, text: str, reasoning: str = "") -> None:
        self.pieces.append((time.monotonic(), text))
        await self._store.append(message_id, text, reasoning)

    async def finish(self, message: Message) -> None:
        self.finished += 1
        await self._store.finish(message)


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
        later - earlier >= CHECKPOINT_SECONDS - 0.01 for earlier, later in itertools.pairwise(whens)
    )
    assert len(keep.pieces) <= 2 + (sent[-1] - sent[0]) / CHECKPOINT_SECONDS
    assert (keep.rows, keep.finished) == (1, 1)
    assert final.content == "".join(tokens)


async def test_a_reply_without_a_keep_is_kept_nowhere(store: Store) -> None:
    with FakeServer() as server:
        async with scene(server, store) as one:
            final = await one.asked()
            conversation = await loaded(store, one.conversation.id)
    assert final.content == "Hello, world."
    assert conversation.messages == (one.question,)


# A disk that refuses


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

    async def add(self, conversation_id: str, message: Message) -> None:
        self._try("add")
        await self.store.add(conversation_id, message)

    async def append(self, message_id: str, text: str, reasoning: str = "") -> None:
        self._try("append")
        await self.store.append(message_id, text, reasoning)

    async def finish(self, message: Message) -> None:
        self._try("finish")
        await self.store.finish(message)


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
