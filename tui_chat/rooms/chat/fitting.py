"""What is done about a conversation that is longer than its model takes: before it is sent, and after it was
refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui_chat.core.conversation import COMPLETION, Message, said
from tui_chat.core.errors import ChatError
from tui_chat.core.world import World
from tui_chat.rooms.chat.branching import BranchingScreen

if TYPE_CHECKING:
    from tui_chat.core.overflow import Overflow, Remedies

_STOPS_AT_THE_END = ("llamacpp", "ollama")
"""Engines that refuse no max length: where the window is full, the reply ends."""


class FittingScreen(BranchingScreen):
    """Warns before a request that would overflow a known context window, and offers what helps."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f9",
            "make_room",
            "Make room",
            tooltip="After a reply that failed since the conversation is too long: what helps",
            id="chat.make_room",
        ),
    ]

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._just_failed = ""
        """The reply that failed a moment ago, for which nothing was offered yet."""
        self._anyway = set[tuple[str, str, str]]()
        """Conversation, endpoint and model for which a person said that it is sent anyway."""

    def ended(self, message: Message) -> None:
        super().ended(message)
        self._just_failed = message.id if message.status == "failed" else ""

    def watch_answering(self) -> None:
        super().watch_answering()
        failed, self._just_failed = self._just_failed, ""
        if not failed or self.answering or self.too_long is None:
            return
        # Keys that are meant for a draft must not choose anything.
        if self.is_active and not self.draft:
            self.action_make_room()

    @property
    def too_long(self) -> Message | None:
        """The reply at the end of what is read, where it failed since its thread was too long."""
        leaf = self.conversation.leaf
        last = self.conversation.message(leaf) if leaf is not None else None
        if last is None or last.status != "failed" or last.way == COMPLETION:
            return None
        # Deferred: it counts tokens, which nothing at the start needs.
        from tui_chat.core.overflow import read

        return last if read(last.error) is not None else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "make_room":
            return not self.answering and self.too_long is not None
        return super().check_action(action, parameters)

    # After it was refused

    @work(group="room", exclusive=True)
    async def action_make_room(self) -> None:
        """Offer what would make the conversation fit, and do it."""
        from tui_chat.core import overflow
        from tui_chat.widgets.overflowing import OverflowDialog

        failed, conversation = self.too_long, self.conversation
        over = overflow.read(failed.error) if failed is not None else None
        if failed is None or failed.parent is None or over is None or not self.is_active:
            return
        thread = conversation.thread(failed.parent)
        over = self._with_window(over)
        found = await asyncio.to_thread(overflow.remedies, over, self.setup, thread)
        chosen = await self.app.push_screen_wait(OverflowDialog(over, found, before=False))
        if self.conversation is not conversation or self.busy():
            return
        if chosen == "shorter":
            self._shorten(found.shorter)
            self.ask_again(failed.id)
        elif chosen == "forget":
            leaf = await self._leave_out(found, failed.parent)
            if leaf is not None:
                self.ask_again(leaf)
        elif chosen == "edit":
            self.set_focus(self.transcript)
            self.transcript.cursor = failed.parent
            await self.run_action("edit_message")
        elif chosen == "model":
            await self.action_choose_model()

    def _with_window(self, over: Overflow) -> Overflow:
        """With the window that is known here, where the server did not say it."""
        return over if over.room else replace(over, room=self.meter.reading.window or 0)

    def _shorten(self, length: int) -> None:
        from tui_chat.core.overflow import with_length

        self.use(with_length(self.setup, length))

    async def _leave_out(self, found: Remedies, leaf: str | None) -> str | None:
        """Read a branch without the oldest messages; its last message, None where that could not be made."""
        try:
            made = await self.talk.leave_out(found.forget, leaf)
        except ChatError as error:
            self.complain(error)
            return None
        if found.length:
            self._shorten(found.length)
        self.show_conversation()
        one = found.left_out == 1
        many = "The oldest message is" if one else f"The {found.left_out} oldest messages are"
        back = "it" if one else "all of them"
        words = f"{many} left out of this branch; [ on its first message goes back to {back}."
        self.notify(words, timeout=10, markup=False)
        return made

    # Before it is sent

    def check_overflow(self) -> Overflow | None:
        """How much too long the draft would make the request, as far as the meter knows it now."""
        reading = self.tally.current()
        place = (self.conversation.id, self.setup.endpoint, self.setup.model)
        if reading is None or not reading.window or place in self._anyway:
            return None
        from tui_chat.core import overflow

        known = self.world.endpoints.has(self.setup.endpoint)
        stops = known and self.world.engine(self.setup.endpoint).name in _STOPS_AT_THE_END
        wanted = 0 if stops else overflow.length_of(self.world.as_accepted(self.setup))
        return overflow.check_overflow(
            reading.total, reading.window, wanted, exact=reading.total_exact
        )

    def say_if_it_fits(self, text: str, instead_of: str | None = None) -> None:
        """As say(), after a warning where the context window would overflow."""
        over = self.check_overflow()
        if over is None:
            self.say(text, instead_of)
        else:
            self._warn(over, text, instead_of)

    @work(group="room", exclusive=True, description="a message")
    async def _warn(self, over: Overflow, text: str, instead_of: str | None) -> None:
        from tui_chat.core import overflow
        from tui_chat.widgets.overflowing import OverflowDialog

        conversation, before = self.conversation, tuple(self.next_thread)
        thread: Sequence[Message] = [*before, said("user", text)]
        found = await asyncio.to_thread(overflow.remedies, over, self.setup, thread)
        chosen = await self.app.push_screen_wait(OverflowDialog(over, found, before=True))
        if self.conversation is not conversation or self.busy():
            chosen = None
        if chosen == "shorter":
            self._shorten(found.shorter)
            self.say(text, instead_of)
        elif chosen == "send":
            self._anyway.add((conversation.id, self.setup.endpoint, self.setup.model))
            self.say(text, instead_of)
        elif chosen == "forget":
            leaf = conversation.leaf
            made = await self._leave_out(found, before[-1].id if before else None)
            if made is not None or found.forget >= len(before):
                self.say(text)
            else:
                conversation.leaf = leaf
                self.not_sent()
        else:
            self.not_sent()
            if chosen == "model":
                await self.action_choose_model()
