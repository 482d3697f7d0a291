"""A screen with one conversation: shows what happens to it, and acts on the message under the cursor.

It listens to a Talk; what is said and kept is decided there. What only some keys need is imported then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message as Event

from tui_chat.core.conversation import Conversation, Message, Setup, Token, said
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line
from tui_chat.core.windows import News
from tui_chat.widgets.captions import caption
from tui_chat.widgets.message_screen import MessageScreen
from tui_chat.widgets.transcript import Caption
from tui_chat.widgets.windows import WindowsScreen

if TYPE_CHECKING:
    from tui_chat.core.exporting import Source
    from tui_chat.widgets.looks import Wanted


class ConversationScreen(WindowsScreen, MessageScreen[None]):
    """Subclasses compose a Topline and a MessageTranscript(self.caption), and say what the draft is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", tooltip="Stop the reply, keep its text", id="chat.stop"),
        Binding("escape", "back", "Back", tooltip="Back to the prompt", id="chat.back"),
        Binding(
            "f5,ctrl+r",
            "regenerate",
            "Regenerate",
            tooltip="Answer the last question again",
            id="chat.regenerate",
        ),
    ]
    answers_again = True
    leads_to_news = "On a message, [ and ] lead to it, and t shows all branches."
    _growing = ""
    """The message at the end of what is shown: of several replies that arrive, the one that is seen."""
    _end: Conversation | None = None
    """What is shown of a conversation that is still being read."""

    @dataclass(eq=False, repr=False)
    class Seen(Event):
        """What one comes for is on the screen."""

    @property
    def draft(self) -> str:
        """What is written and not yet sent."""
        return ""

    @property
    def draft_to_send(self) -> str:
        """What would be sent of the draft: for subclasses in which not all is."""
        return self.draft

    @property
    def conversation(self) -> Conversation:
        return self.talk.conversation

    @property
    def arriving(self) -> bool:
        return self.answering

    # What happens to the conversation (the talk's listener)

    def said(self, message: Message) -> None:
        super().said(message)
        self._growing = message.id
        shown, cursor = self.transcript.messages, self.transcript.cursor
        if (shown[-1].id if shown else None) != message.parent:
            self.transcript.load(self.talk.conversation.thread()[:-1])
        self.transcript.begin(message, follow=message.role == "user")
        if shown and shown[-1].status in ("failed", "interrupted"):
            self.transcript.refresh_captions()  # F5 is not for that one any more.
        if cursor in self.talk.conversation.siblings(message.id):
            # Answered again: the next key acts on the new reply, not on what is above it.
            self.transcript.cursor = message.id
        self.show_title()

    def token(self, token: Token, id: str) -> None:
        if id == self._growing:
            super().token(token, id)
            self.transcript.append(token.text, reasoning=token.reasoning)

    def show_waiting(self) -> None:
        last = self.transcript.messages[-1:]
        if last and last[0].id == self._growing and last[0].status == "streaming":
            self.transcript.replace(last[0])

    def caption(self, message: Message) -> Caption:
        if self._end is not None and not self.conversation.has(message.id):
            return caption(message, self._end)
        words = super().caption(message)
        if message.id == self._growing and message.status == "streaming":
            return replace(words, foot=self.waiting)
        if self.too_long is not None and message.id == self.too_long.id:
            return replace(words, foot=f"{words.foot}, F9 makes room")
        return words

    @property
    def too_long(self) -> Message | None:
        """The last reply, where it failed since the thread is too long: for subclasses that can tell."""
        return None

    def ended(self, message: Message) -> None:
        if message.id == self._growing:
            self.transcript.end(message)
        super().ended(message)

    def show_news(self, news: News) -> None:
        super().show_news(news)
        for message in news.changed:
            self.transcript.replace(message)
        self.transcript.refresh_captions()
        self.refresh_bindings()
        self.show_title()

    def show_conversation(self, at: str | None = None) -> None:
        super().show_conversation(at)
        self.show_title()
        self.count_soon()

    async def show_end(self, id: str, at: str | None = None) -> None:
        """Show the end of a saved conversation, where all of it takes longer to be read and the message `at`
        stands there; ChatError."""
        end = self._end = await (await self.world.store()).end(id)
        if end is not None and (at is None or end.has(at)):
            self.transcript.load(end.thread(), at=at)
            self.topline.title = end.title
            self.post_message(self.Seen())

    def show_title(self) -> None:
        self.topline.title = self.talk.conversation.title or "New conversation"

    # Asking

    def read_reply(self, id: str) -> None:
        if self.conversation.has(id) and not self.answering:
            self.read(id)

    def ask_again(self, id: str) -> None:
        """Answer once more what the reply with this id answered, or the question it is."""
        self.ask(lambda setup: self.talk.again(id, setup))

    def say(self, text: str, instead_of: str | None = None) -> None:
        """Send a message and show its answer."""

        def send(setup: Setup) -> Awaitable[None]:
            preset = self.preset.name if self.preset else ""
            return self.talk.say(text, setup, instead_of=instead_of, preset=preset)

        self.ask(send)

    def go_on(self, id: str) -> None:
        """Go on with the reply with this id, in a sibling."""
        self.ask(
            lambda setup: self.talk.go_on(id, setup),
            lambda setup: self.talk.check_going_on(id, setup),
        )

    def setup_used(self) -> None:
        self.present_setup = self.setup
        super().setup_used()

    @property
    def wanted_look(self) -> Wanted | None:
        from tui_chat.widgets.looks import in_chat

        way = self.setup.endpoint and self.world.way_to_continue(self.setup.endpoint)
        return in_chat(self.setup, tuple(self.next_thread), self.draft_to_send, bool(way))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "back":
            return self.can_go_back
        if action == "regenerate":
            return self.talk.conversation.leaf is not None and not self.answering
        return super().check_action(action, parameters)

    @property
    def can_go_back(self) -> bool:
        """Whether Esc leads anywhere: for subclasses."""
        return False

    def action_back(self) -> None:
        """Esc when nothing is to be stopped."""
        self.leave_sidebar()

    @property
    def reply_to_see(self) -> Message | None:
        """That under the cursor, where the keys act on messages, else the last one."""
        at = self.at_cursor() if self.focused is self.transcript else None
        return at if at is not None and at.role == "assistant" else super().reply_to_see

    def action_open_lens(self) -> None:
        self.action_lens()

    def action_regenerate(self) -> None:
        leaf = self.talk.conversation.leaf
        if leaf is not None and not self.busy():
            self.ask_again(leaf)

    def leaf_changed(self) -> None:
        self._keep_leaf()

    @work(group="turn", exclusive=True)
    async def _keep_leaf(self) -> None:
        try:
            await self.talk.keep_leaf()
        except ChatError as error:
            self.complain(error)

    # Taking it elsewhere

    async def rename(self, title: str) -> None:
        """Give the conversation this title; without one, ask."""
        from tui_chat.widgets.dialogs import LineDialog

        if not title:
            dialog = LineDialog("Title of this conversation", text=self.talk.conversation.title)
            answer: str | None = await self.app.push_screen_wait(dialog)
            title = answer or ""
        if title:
            await self.talk.rename(one_line(title))
            self.show_title()

    @work(group="dialog", exclusive=True)
    async def action_rename(self) -> None:
        try:
            await self.rename("")
        except ChatError as error:
            self.complain(error)

    @work(group="dialog", exclusive=True)
    async def action_export(self) -> None:
        try:
            await self.export("")
        except ChatError as error:
            self.complain(error)

    async def export(self, words: str) -> None:
        """Write the conversation to a new file, in the format that its name asks for; without a name,
        ask what it shall be. ChatError."""
        from tui_chat.core import exporting
        from tui_chat.widgets.taking import Choice, placed, take_away

        conversation = self.talk.conversation
        ids = [self.talk.saved_id] if self.talk.saved_id else []

        async def this() -> Sequence[str]:
            return ids

        if not ids:
            raise ChatError("Nothing was said yet, so there is nothing to take along.")
        if not words:
            choices = [Choice("This", this, conversation.title)]
            await take_away(self.app, await self._source(), choices)
            return
        path = placed(words)
        kind = exporting.format_for(path) or "markdown"
        report = await exporting.write(await self._source(), ids, kind, path)
        self.notify(report.words, markup=False)

    async def _source(self) -> Source:
        """What has all of the conversation: the disk, unless that did not take all, or has it no more."""
        from tui_chat.core.exporting import OnScreen

        with suppress(ChatError):
            store = await self.world.store()
            headline = await store.headline(self.talk.saved_id)
            there = headline is not None and headline.state != "deleted"
            if there and not self.world.unsaved.failing:
                return store
        return OnScreen(self.talk.so_far)

    @work(group="dialog", exclusive=True)
    async def action_import(self) -> None:
        try:
            await self.bring_along("")
        except ChatError as error:
            self.complain(error)

    async def bring_along(self, words: str) -> None:
        """Import the files that these words name; without any, ask for one. ChatError."""
        from tui_chat.widgets import bringing

        files = await asyncio.to_thread(bringing.named_files, words)
        await bringing.bring_along(self.app, self.world, files)

    @work(group="dialog", exclusive=True)
    async def action_show_code(self) -> None:
        """Show the request that Enter would send, as programs; where no model is chosen yet, the endpoint
        is asked for its first, as Enter would ask."""
        from tui_chat.widgets.code_dialog import CodeDialog
        from tui_chat.widgets.replied import code_of_next

        if self.endpoint is None:
            return
        thread = [*self.next_thread]
        if self.draft.strip():
            thread.append(said("user", self.draft.strip()))
        try:
            settled = await self.world.settled(self.setup)
        except ChatError as error:
            self.complain(error)
            return
        endpoint, setup = self.as_learned(self.endpoint, settled)
        logprobs = self.world.asked_logprobs(settled)
        text = await code_of_next(self.world, endpoint, setup, thread, logprobs)
        self.app.push_screen(CodeDialog("The next request", text=text))
