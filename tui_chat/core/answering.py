"""The replies in flight: asked for, recorded, stopped, and written even where the disk first refuses.

Several may arrive at the same time. Each is asked for once, but where its server is busy for a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tui_chat.core.conversation import Message, Refusal, Token
from tui_chat.core.errors import ChatError
from tui_chat.core.world import World

if TYPE_CHECKING:
    from tui_chat.core.reply import Recorder
    from tui_chat.core.store import Store
    from tui_chat.core.waiting import Wait

RETRY_SECONDS = 2.0
"""Between two attempts to write what the disk did not take."""


class Listener(Protocol):
    """Who shows what happens; called on the event loop, must not block."""

    def said(self, message: Message) -> None: ...
    def token(self, token: Token, id: str) -> None: ...
    def ended(self, message: Message) -> None: ...
    def refused(self, refusal: Refusal) -> None: ...
    def trouble(self, error: ChatError) -> None: ...


class Listeners:
    """Several listeners as one."""

    def __init__(self, first: Listener) -> None:
        self._all = [first]

    def add(self, listener: Listener) -> None:
        self._all.append(listener)

    def remove(self, listener: Listener) -> None:
        self._all = [one for one in self._all if one is not listener]

    def said(self, message: Message) -> None:
        for one in self._all:
            one.said(message)

    def token(self, token: Token, id: str) -> None:
        for one in self._all:
            one.token(token, id)

    def ended(self, message: Message) -> None:
        for one in self._all:
            one.ended(message)

    def refused(self, refusal: Refusal) -> None:
        for one in self._all:
            one.refused(refusal)

    def trouble(self, error: ChatError) -> None:
        for one in self._all:
            one.trouble(error)


@dataclass(frozen=True)
class Asked:
    """One reply to be asked for: the thread it answers, and what it begins with."""

    conversation: str
    thread: Sequence[Message]
    reply: Message
    before: Sequence[Token] = ()
    """The tokens of what it begins with, where they are known."""


class _Present:
    """The store that the run has now, for any thread: a reply may begin in one and end in another."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop = asyncio.get_running_loop()

    async def _store(self) -> Store:
        if (store := self._world.at_hand) is not None:
            return store
        opening = asyncio.run_coroutine_threadsafe(self._world.store(), self._loop)
        return await asyncio.wrap_future(opening)

    async def add(self, conversation_id: str, message: Message, tokens: bytes = b"") -> None:
        await (await self._store()).add(conversation_id, message, tokens)

    async def append(
        self, message_id: str, text: str, reasoning: str = "", tokens: bytes = b""
    ) -> None:
        await (await self._store()).append(message_id, text, reasoning, tokens)

    async def finish(self, message: Message, tokens: bytes = b"") -> None:
        await (await self._store()).finish(message, tokens)


class Answering:
    """Asks for replies and tells the listener of each token."""

    def __init__(self, world: World, listener: Listener) -> None:
        self._world = world
        self._listener = listener
        self._replies = set[asyncio.Task[Message]]()
        self.arriving: dict[str, list[Token]] = {}
        """The tokens of each reply in flight, as far as they came, by its id; those it begins with first."""
        self.wait: Callable[[str, Wait | None], None] = lambda reply, wait: None
        """Told each second how long a busy server is waited for, with the reply's id; then None."""
        self._unwritten: list[Recorder] = []
        self._retrying: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a reply is in flight."""
        return any(not reply.done() for reply in self._replies)

    async def answer(self, asked: Asked) -> Message:
        """Ask for a reply; it as it ended. It goes on when the caller is cancelled: stop() ends it."""
        task = asyncio.create_task(self._asked(asked))
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)
        reply = asked.reply
        self.arriving[reply.id] = list(asked.before) or (
            [Token(reply.content)] if reply.content else []
        )
        task.add_done_callback(lambda _: self.arriving.pop(reply.id, None))
        return await asyncio.shield(task)

    def _take(self, token: Token, id: str) -> None:
        if not token.reasoning:
            self.arriving[id].append(token)
        self._listener.token(token, id)

    async def _asked(self, asked: Asked) -> Message:
        # Deferred: the client's modules are not needed for the first screen.
        from tui_chat.core.reply import Recorder

        world = self._world
        recorder = Recorder(
            _Present(world), asked.conversation, self._listener.trouble, world.unsaved
        )
        try:
            return await self._answered(asked, recorder)
        finally:
            if recorder.unwritten is not None:
                self._unwritten.append(recorder)
                if self._retrying is None or self._retrying.done():
                    self._retrying = asyncio.create_task(self._retry())

    async def _answered(self, asked: Asked, recorder: Recorder) -> Message:
        from tui_chat.core.reply import ask

        reply = asked.reply
        assert reply.setup is not None
        endpoint = reply.setup.endpoint
        try:
            provider = await self._world.provider(endpoint)
        except (ChatError, asyncio.CancelledError) as problem:
            failed = isinstance(problem, ChatError)
            final = replace(
                reply,
                status="failed" if failed else "stopped",
                error=str(problem) if failed else "",
            )
            await recorder.end(final)
            return final
        return await ask(
            provider,
            asked.thread,
            reply,
            sink=lambda token: self._take(token, reply.id),
            notice=self._listener.refused,
            record=recorder,
            before=asked.before,
            wait=lambda wait: self.wait(reply.id, wait),
        )

    async def _retry(self) -> None:
        """Write what the disk did not take, once it does."""
        while self._unwritten:
            await asyncio.sleep(RETRY_SECONDS)
            await self.write_rest()

    async def write_rest(self) -> bool:
        """Try once more to write the replies that ended; whether nothing is left to write."""
        for recorder in list(self._unwritten):
            if await recorder.retry() and recorder in self._unwritten:
                self._unwritten.remove(recorder)
        return not self._unwritten

    def stop(self) -> bool:
        """Stop all replies in flight, keeping their texts; False when there are none."""
        running = [reply for reply in self._replies if not reply.done()]
        for reply in running:
            reply.cancel()
        return bool(running)

    async def finish(self) -> None:
        """Stop what is in flight and wait until it is written; for leaving.

        ChatError when a reply could not be written.
        """
        if self.stop():
            await asyncio.wait(list(self._replies))
        if not await self.write_rest():
            raise ChatError("The last reply could not be saved.", "Look at the disk.")
