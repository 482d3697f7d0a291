"""One open conversation and the reply in flight: sending, regenerating, branching, reopening.

What was said is on disk before the request leaves. Nothing is ever sent by itself: only say(),
again() and go_on() send, once each, and once more where a server is busy for a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui_chat.core.answering import Answering, Asked, Listener, Listeners
from tui_chat.core.conversation import (
    COMPLETION,
    EDITED,
    Conversation,
    Message,
    Setup,
    Token,
    begun,
    said,
    title_from,
)
from tui_chat.core.errors import ChatError
from tui_chat.core.world import World

if TYPE_CHECKING:
    from tui_chat.core.waiting import Wait


@dataclass(frozen=True)
class Deleted:
    """A branch that was deleted and can be brought back."""

    branch: tuple[Message, ...]
    order: tuple[str, ...]
    """The ids of all messages there were, in their order."""
    leaf: str | None
    """What was read before."""


@dataclass(frozen=True)
class Road:
    """A beginning of a reply: what it takes over, and the token that it takes instead."""

    tokens: tuple[Token, ...]
    """Their texts are what it begins with."""

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)


class Talk:
    """The conversation being read, kept in the store from its first message on."""

    def __init__(self, world: World, listener: Listener) -> None:
        self._world = world
        self._listener = Listeners(listener)
        self._answers = Answering(world, self._listener)
        world.open_ones.append(lambda: self.conversation if self._saved else None)
        self._saved = False
        self._deleted: dict[str, list[Deleted]] = {}
        self.conversation = Conversation()

    def watch(self, listener: Listener) -> None:
        """Tell this one too of what happens, until unwatch()."""
        self._listener.add(listener)

    def unwatch(self, listener: Listener) -> None:
        self._listener.remove(listener)

    def on_wait(self, tell: Callable[[str, Wait | None], None]) -> None:
        """Tell this one each second how long a busy server is waited for, with the reply's id; then None."""
        self._answers.wait = tell

    @property
    def answering(self) -> bool:
        """Whether a reply is in flight."""
        return self._answers.busy

    @property
    def saved_id(self) -> str:
        """The conversation's id once it is in the store, else "" (as drafts are keyed)."""
        return self.conversation.id if self._saved else ""

    @property
    def so_far(self) -> Conversation:
        """A copy of the conversation as it is now, with what has arrived of replies that still do."""
        shown = self.conversation
        coming = self._answers.arriving
        messages = [
            replace(one, content="".join(token.text for token in coming[one.id]))
            if one.id in coming
            else one
            for one in shown.messages
        ]
        return shown.rebuilt(messages, shown.leaf)

    def start_new(self) -> None:
        """Put an empty conversation in place of this one."""
        self.conversation, self._saved = Conversation(), False

    async def open(self, id: str, at: str | None = None) -> bool:
        """Read a saved conversation, on the branch with the message `at` where one is given; False
        when there is none with this id."""
        found = await (await self._world.store()).load(id)
        if found is None:
            return False
        self.conversation, self._saved = found, True
        if at is not None and found.has(at):
            await self.read(at)
        return True

    async def read(self, id: str) -> None:
        """Read the branch with this message from now on: to the latest leaf below it, unless the leaf
        being read is below it already."""
        if id in {message.id for message in self.conversation.thread()}:
            return
        self.conversation.leaf = self.conversation.deepest(id)
        if self._saved:
            await (await self._world.store()).set_leaf(self.conversation.id, self.conversation.leaf)

    async def say(
        self, text: str, setup: Setup, *, instead_of: str | None = None, preset: str = ""
    ) -> None:
        """Send a message after the leaf, or as a sibling of the message it is `instead_of`.

        A new conversation remembers the name of the preset it was begun with.

        ChatError when the message could not be written to disk; then nothing was sent.
        """
        conversation = self.conversation
        parent = conversation.leaf
        if instead_of is not None:
            parent = conversation.message(instead_of).parent
        await self._say(text, parent, preset)
        await self._asked(conversation, self._begun(setup))

    async def _say(self, text: str, parent: str | None, preset: str) -> None:
        """Write and add what a person said, which begins the conversation where there is none yet."""
        conversation, message = self.conversation, said("user", text, parent)
        if not await self._answers.write_rest():
            # What follows a reply is kept below it, so that must be kept first.
            raise ChatError("The last reply could not be saved yet, so this was not sent.")
        store = await self._world.store()
        if self._saved:
            await store.add(conversation.id, message)
        else:
            conversation.title, conversation.preset = title_from(text), preset
            await store.create(conversation, message)
            self._saved = True
        conversation.add(message)
        self._listener.said(message)

    async def again(self, id: str, setup: Setup) -> None:
        """Answer once more what this reply answered: the new reply is its sibling. A question that
        has no reply, since the program was killed before there was one, is answered."""
        conversation = self.conversation
        asked = conversation.message(id).role == "user"
        question = id if asked else conversation.parent(id)
        if question is None:
            return
        conversation.leaf = question
        again = conversation.message(id)
        reply = self._begun(setup, suffix=again.suffix)
        if again.way == COMPLETION or (asked and conversation.is_text):
            reply = replace(reply, way=COMPLETION)
        await self._asked(conversation, reply)

    async def leave_out(self, forget: int, leaf: str | None) -> str | None:
        """Begin a branch that is the thread up to this leaf from its message with this number on: copies, which
        are on disk; what was said stays where it is. The id of its last message, None where nothing was left.

        ChatError when it could not be written; then nothing is changed.
        """
        # Deferred: what overflows is seldom.
        from tui_chat.core.overflow import copies

        conversation = self.conversation
        made = copies(conversation.thread(leaf) if leaf is not None else (), forget)
        await (await self._world.store()).add_copies(conversation.id, made)
        for message, _ in made:
            conversation.add(message)
        conversation.leaf = made[-1][0].id if made else None
        return conversation.leaf

    async def check_going_on(self, id: str, setup: Setup) -> None:
        """ChatError when there is nothing in this reply to go on from, or when the endpoint cannot."""
        if not self.conversation.message(id).content.strip():
            raise ChatError("There is no text yet to go on from.", "r answers again.")
        await (await self._world.provider(setup.endpoint)).continues()

    async def go_on(self, id: str, setup: Setup) -> None:
        """Go on with this reply in a sibling that begins with its text, but for white space at the end:
        many servers drop that, and would begin with it again."""
        conversation = self.conversation
        conversation.leaf = conversation.parent(id)
        old, way = conversation.message(id), self._world.way_to_continue(setup.endpoint)
        reply = self._begun(setup, old.content.rstrip(), old.reasoning, way)
        await self._asked(conversation, reply, _of_text(reply.content, await self.tokens(id)))

    async def write(self, text: str, instead_of: str) -> Message:
        """Save a text of the person's own beside the message it is `instead_of`; nothing is sent.

        ChatError when it could not be written to disk; then there is none.
        """
        conversation = self.conversation
        role = conversation.message(instead_of).role
        new = said(role, text, conversation.parent(instead_of))
        if role == "assistant":
            new = replace(new, finish_reason=EDITED)
        await (await self._world.store()).add(conversation.id, new)
        conversation.add(new)
        return new

    def _begun(
        self, setup: Setup, content: str = "", reasoning: str = "", way: str = "", suffix: str = ""
    ) -> Message:
        """A reply to the leaf of which nothing has arrived yet."""
        return begun(
            self.conversation.leaf,
            setup,
            content,
            reasoning,
            way,
            suffix,
            self._world.logprobs(setup.endpoint),
        )

    async def write_on(
        self, text: str, setup: Setup, *, suffix: str = "", preset: str = ""
    ) -> None:
        """Continue a text. What of it is the thread being read already, or the beginning of it, stays;
        the rest is added as a message of the person's, and the continuation is the reply to that.

        ChatError when what was written could not be put on disk, or when the endpoint continues no texts;
        then nothing was sent.
        """
        (await self._world.provider(setup.endpoint)).check_completions()
        conversation = self.conversation
        parent, rest = _grown_from(conversation.thread(), text)
        if rest or parent is None:
            await self._say(rest, parent, preset)
        else:
            conversation.leaf = parent
        await self._asked(conversation, self._begun(setup, way=COMPLETION, suffix=suffix))

    async def check_roads(self, setup: Setup, *, text: bool, unasked: bool = False) -> bool:
        """Whether the endpoint can go on with a reply or, as it would have to, with a text. ChatError when it
        cannot; False when that is not known, and it is not asked since this is `unasked` by the person."""
        if unasked and not text and not self._world.may_tell_how_it_continues(setup.endpoint):
            return False
        provider = await self._world.provider(setup.endpoint)
        if text:
            provider.check_completions()
        else:
            await provider.continues()
        return True

    async def take_roads(self, id: str, roads: Sequence[Road], setup: Setup) -> None:
        """Go on along each of these beginnings of the reply with this id, all at once, in siblings; the first
        is read. ChatError as for check_roads()."""
        conversation = self.conversation
        old = conversation.message(id)
        text = old.way == COMPLETION
        await self.check_roads(setup, text=text)
        way = COMPLETION if text else self._world.way_to_continue(setup.endpoint)
        logprobs = self._world.logprobs(setup.endpoint)
        replies = [
            begun(
                conversation.parent(id),
                setup,
                road.text,
                way=way,
                suffix=old.suffix,
                logprobs=logprobs,
            )
            for road in roads
        ]
        # The first is added last, so that it is the one that is read.
        asking = [
            self._asked(conversation, reply, road.tokens)
            for reply, road in reversed(list(zip(replies, roads, strict=True)))
        ]
        await asyncio.gather(*asking)

    async def _asked(
        self, conversation: Conversation, reply: Message, before: Sequence[Token] = ()
    ) -> None:
        """Ask for this reply to the thread up to its parent, and add it as it ends."""
        thread = () if reply.parent is None else conversation.thread(reply.parent)
        conversation.add(reply)
        self._listener.said(reply)
        final = await self._answers.answer(Asked(conversation.id, thread, reply, before))
        conversation.add(final, follow=conversation.leaf == reply.id)
        self._listener.ended(final)

    def stop(self) -> bool:
        """Stop the replies in flight, keeping their texts; False when there are none."""
        return self._answers.stop()

    async def finish(self) -> None:
        """Stop what is in flight and wait until it is written; for leaving.

        ChatError when a reply could not be written.
        """
        await self._answers.finish()

    async def tokens(self, id: str) -> Sequence[Token]:
        """The tokens of a reply with what is known of them: those that came so far of one that arrives,
        else those that were kept; none where there are none."""
        if (coming := self._answers.arriving.get(id)) is not None:
            return list(coming)
        # Deferred: only a view of probabilities needs it.
        from tui_chat.core.probabilities import Kept

        return Kept(await (await self._world.store()).tokens(id))

    async def keep_leaf(self) -> None:
        """Remember which branch is being read."""
        leaf = self.conversation.leaf
        if self._saved and leaf is not None:
            await (await self._world.store()).set_leaf(self.conversation.id, leaf)

    # Deleting a branch

    @property
    def deleted(self) -> Deleted | None:
        """What was deleted last of this conversation, in this run, and not brought back."""
        branches = self._deleted.get(self.conversation.id)
        return branches[-1] if branches else None

    async def delete(self, id: str) -> None:
        """Take a message and all below it out, in the store as well. ChatError when that could not be
        written; then it stays. What is read then is not kept: keep_leaf() does that."""
        conversation = self.conversation
        branch = tuple(conversation.message(one) for one in conversation.branch(id))
        order = tuple(message.id for message in conversation.messages)
        gone = Deleted(branch, order, conversation.leaf)
        await (await self._world.store()).delete_messages([one.id for one in branch])
        conversation.drop(id)
        self._deleted.setdefault(conversation.id, []).append(gone)

    async def undelete(self) -> str | None:
        """Bring back what was deleted last, and read what was read then: the id of the branch's first
        message, None when nothing was deleted. ChatError when that could not be written."""
        gone, conversation = self.deleted, self.conversation
        if gone is None:
            return None
        await (await self._world.store()).restore_messages([one.id for one in gone.branch])
        self._deleted[conversation.id].remove(gone)
        there = {message.id: message for message in (*gone.branch, *conversation.messages)}
        places = {one: place for place, one in enumerate(gone.order)}
        last = len(places)
        messages = sorted(there.values(), key=lambda message: places.get(message.id, last))
        self.conversation = conversation.rebuilt(messages, gone.leaf)
        await self.keep_leaf()
        return gone.branch[0].id

    async def rename(self, title: str) -> None:
        """Give the conversation a title of the person's own."""
        self.conversation.title = title
        if self._saved:
            await (await self._world.store()).rename(self.conversation.id, title)


def _grown_from(thread: Sequence[Message], text: str) -> tuple[str | None, str]:
    """The message of a thread up to which the text is what was written there, and what follows that."""
    parent, at = None, 0
    for message in thread:
        if not message.content or not text.startswith(message.content, at):
            break
        parent, at = message.id, at + len(message.content)
    return parent, text[at:]


def _of_text(text: str, tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens whose texts are this text, the last one cut where it goes beyond; none where they are not."""
    found, length = list[Token](), 0
    for token in tokens:
        if length >= len(text):
            break
        found.append(token)
        length += len(token.text)
    if found and length > len(text):
        cut = found[-1].text[: len(found[-1].text) - (length - len(text))]
        found[-1] = replace(found[-1], text=cut, own=None)
    return found if "".join(token.text for token in found) == text else ()
