"""One open conversation and the reply in flight: sending, regenerating, branching, reopening.

What was said is on disk before the request leaves. Nothing is ever sent by itself: only say()
and again() send, once each.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Protocol

from tui_chat.core.conversation import (
    Conversation,
    Message,
    Refusal,
    Setup,
    Token,
    begun,
    said,
    title_from,
)
from tui_chat.core.errors import ChatError
from tui_chat.core.world import World


class Listener(Protocol):
    """Who shows what happens; called on the event loop, must not block."""

    def said(self, message: Message) -> None: ...
    def token(self, token: Token) -> None: ...
    def ended(self, message: Message) -> None: ...
    def refused(self, refusal: Refusal) -> None: ...
    def trouble(self, error: ChatError) -> None: ...


class Talk:
    """The conversation being read, kept in the store from its first message on."""

    def __init__(self, world: World, listener: Listener) -> None:
        self._world = world
        self._listener = listener
        self._reply: asyncio.Task[Message] | None = None
        self._saved = False
        self.conversation = Conversation()

    @property
    def answering(self) -> bool:
        """Whether a reply is in flight."""
        return self._reply is not None and not self._reply.done()

    @property
    def saved_id(self) -> str:
        """The conversation's id once it is in the store, else "" (as drafts are keyed)."""
        return self.conversation.id if self._saved else ""

    def start_new(self) -> None:
        """Put an empty conversation in place of this one."""
        self.conversation, self._saved = Conversation(), False

    async def open(self, id: str) -> bool:
        """Read a saved conversation; False when there is none with this id."""
        found = await (await self._world.store()).load(id)
        if found is None:
            return False
        self.conversation, self._saved = found, True
        return True

    async def say(self, text: str, setup: Setup, *, instead_of: str | None = None) -> None:
        """Send a message after the leaf, or as a sibling of the message it is `instead_of`.

        ChatError when the message could not be written to disk; then nothing was sent.
        """
        parent = self.conversation.leaf
        if instead_of is not None:
            parent = self.conversation.message(instead_of).parent
        question = said("user", text, parent)
        store = await self._world.store()
        if self._saved:
            await store.add(self.conversation.id, question)
        else:
            self.conversation.title = title_from(text)
            await store.create(self.conversation, question)
            self._saved = True
        self.conversation.add(question)
        self._listener.said(question)
        await self._answer(setup)

    async def again(self, id: str, setup: Setup) -> None:
        """Answer once more what this reply answered: the new reply is its sibling."""
        parent = self.conversation.message(id).parent
        if parent is None:
            return
        self.conversation.leaf = parent
        await self._answer(setup)

    async def _answer(self, setup: Setup) -> None:
        thread = self.conversation.thread()
        reply = begun(self.conversation.leaf, self._world.as_sent(setup))
        self.conversation.add(reply)
        self._listener.said(reply)
        self._reply = asyncio.create_task(self._asked(thread, reply))
        final = await self._reply
        self.conversation.add(final, follow=self.conversation.leaf == reply.id)
        self._listener.ended(final)

    async def _asked(self, thread: tuple[Message, ...], reply: Message) -> Message:
        # Deferred: the client's modules are not needed for the first screen.
        from tui_chat.core.reply import Recorder, ask

        assert reply.setup is not None
        store = await self._world.store()
        recorder = Recorder(store, self.conversation.id, self._listener.trouble)
        try:
            provider = await self._world.provider(reply.setup.endpoint)
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
            thread,
            reply,
            sink=self._listener.token,
            notice=self._listener.refused,
            record=recorder,
        )

    def stop(self) -> bool:
        """Stop the reply in flight, keeping its text; False when there is none."""
        if not self.answering or self._reply is None:
            return False
        self._reply.cancel()
        return True

    async def finish(self) -> None:
        """Stop the reply in flight and wait until it is written; for leaving."""
        if self.stop() and self._reply is not None:
            await asyncio.wait([self._reply])

    async def turn(self, id: str, steps: int) -> bool:
        """Read an older (-1) or newer (+1) sibling of a message; False at the end of the row."""
        siblings = self.conversation.siblings(id)
        place = siblings.index(id) + steps
        if not 0 <= place < len(siblings):
            return False
        self.conversation.leaf = self.conversation.deepest(siblings[place])
        if self._saved:
            await (await self._world.store()).set_leaf(self.conversation.id, self.conversation.leaf)
        return True

    async def rename(self, title: str) -> None:
        """Give the conversation a title of the person's own."""
        self.conversation.title = title
        if self._saved:
            await (await self._world.store()).rename(self.conversation.id, title)
