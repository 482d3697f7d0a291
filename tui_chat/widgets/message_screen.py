"""A screen that shows one conversation, and the keys that act on the message under the cursor.

What only reads is done here; what asks a model or changes what is kept is the screen's own, which
says in `deeds` what of it there is. Dialogs are imported when they are first opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on, work
from textual.events import ScreenResume
from textual.screen import Screen, ScreenResultType

from tui_chat.core.conversation import EDITED, Conversation, Message, Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.world import World
from tui_chat.widgets.backdrop import Backdrop
from tui_chat.widgets.captions import caption
from tui_chat.widgets.copying import copy, copy_code
from tui_chat.widgets.message_transcript import MessageTranscript
from tui_chat.widgets.transcript import Caption, Transcript

RECKON_AFTER = 0.05
"""Seconds until the costs of what is shown are reckoned, all at once."""
_BROKEN_OFF = ("interrupted", "stopped", "length", "cut", "failed")


def _always(message: Message, conversation: Conversation) -> bool:
    return True


def _is_reply(message: Message, conversation: Conversation) -> bool:
    return message.role == "assistant"


def _answers(message: Message, conversation: Conversation) -> bool:
    return message.role == "assistant" and conversation.parent(message.id) is not None


def _goes_on(message: Message, conversation: Conversation) -> bool:
    unfinished = message.status in _BROKEN_OFF or message.finish_reason == EDITED
    return message.role == "assistant" and unfinished


def _has_setup(message: Message, conversation: Conversation) -> bool:
    return message.setup is not None


def _has_siblings(message: Message, conversation: Conversation) -> bool:
    return len(conversation.siblings(message.id)) > 1


_FITS: Mapping[str, Callable[[Message, Conversation], bool]] = {
    "copy_message": _always,
    "copy_code": _always,
    "turn": _has_siblings,
    "show_tree": _always,
    "show_info": _always,
    "mark_message": _is_reply,
    "show_code_of_reply": _has_setup,
    "edit_message": _always,
    "regenerate_message": _answers,
    "continue_message": _goes_on,
    "open_lens": _is_reply,
    "delete_branch": _always,
    "use_parameters": _has_setup,
}
"""What can be done with a message, and with which."""


def fits(action: str, message: Message, conversation: Conversation) -> bool:
    """Whether the action, one of MessageTranscript's keys, can be done with this message."""
    return _FITS[action](message, conversation)


READING = frozenset(
    {
        "copy_message",
        "copy_code",
        "turn",
        "show_tree",
        "show_info",
        "mark_message",
        "show_code_of_reply",
    }
)
"""What every MessageScreen can do."""


@dataclass
class Mark:
    """The reply that the next one is compared with; screens that share one compare across themselves."""

    message: Message | None = None


class MessageScreen(Screen[ScreenResultType], Backdrop):
    """Subclasses compose a MessageTranscript(self.caption), and say what the conversation is.

    To be named after the kind of screen in a class's bases: Textual looks for styles in the first.
    """

    deeds: ClassVar[frozenset[str]] = frozenset()
    """What the subclass does besides READING, and has an `action_…` for: edit_message,
    regenerate_message, continue_message, open_lens, delete_branch, undo_delete; and use_parameters, for which it
    has use_setup(). What is not named here is not offered."""

    answers_again: ClassVar[bool] = False
    """Whether F5 answers the last question again."""

    world: World
    """Set by the subclass."""
    transcript = getters.query_one(MessageTranscript)

    def __init__(
        self, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name, id, classes)
        self.mark = Mark()
        """To be shared with the other screens of the house."""
        self.present_setup: Setup | None = None
        """What a reply's setup is compared with; None where there is none."""
        self._mark_shown: Message | None = None
        self._reckoning = False
        self._costs_shown = 0

    @property
    def conversation(self) -> Conversation:
        """What is shown."""
        raise NotImplementedError

    @property
    def arriving(self) -> bool:
        """Whether a reply of it is arriving, so that no other branch can be read."""
        return False

    def busy(self) -> bool:
        """As arriving, and says so."""
        return self.arriving

    def use_setup(self, setup: Setup) -> None:
        """Take the setup of a reply over, and say so: for subclasses that can."""

    async def code_of(self, reply: Message, setup: Setup) -> str:
        """The request that made a reply, as programs; ChatError when its endpoint is not known any more."""
        raise NotImplementedError

    def leaf_changed(self) -> None:
        """Another branch is read now: for subclasses that remember it."""

    def caption(self, message: Message) -> Caption:
        """The words around a message of this conversation."""
        marked = self.mark.message is not None and self.mark.message.id == message.id
        last = self.answers_again and message.id == self.conversation.leaf
        costs = self.world.costs
        if not self._reckoning and costs.waits(message):
            self._reckoning = True
            self.set_timer(RECKON_AFTER, self._reckon)
        cost = costs.known(message)
        return caption(message, self.conversation, marked=marked, last=last, cost=cost)

    @work(group="costs")
    async def _reckon(self) -> None:
        """Find out what the replies cost, and say it under them."""
        costs, thread = self.world.costs, self.conversation.thread()
        try:
            await asyncio.to_thread(
                lambda: [costs.reply(one) for one in thread if costs.waits(one)]
            )
        finally:
            self._reckoning = False
        # The meter may have reckoned some meanwhile.
        if costs.counted != self._costs_shown:
            self._costs_shown = costs.counted
            self.transcript.refresh_captions()

    def show_conversation(self, at: str | None = None) -> None:
        """Show the thread being read, from its end or from the message `at`."""
        self.transcript.load(self.conversation.thread(), at=at)
        self.refresh_bindings()

    def read(self, id: str) -> None:
        """Read the branch of the message with this id, with the cursor on it: the present one where it
        is on that, else the latest below it."""
        conversation = self.conversation
        if all(message.id != id for message in conversation.thread()):
            conversation.leaf = conversation.deepest(id)
            self.leaf_changed()
        self.show_conversation(at=id)
        self.transcript.cursor = id

    @on(Transcript.Moved)
    def _keys_changed(self) -> None:
        """Which keys do something depends on the message under the cursor."""
        self.refresh_bindings()

    def at_cursor(self) -> Message | None:
        """The message under the cursor."""
        at = self.transcript.message_at_cursor() if self.is_mounted else None
        return at if at is not None and self.conversation.has(at.id) else None

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in _FITS:
            at = self.at_cursor()
            own = action in READING or action in self.deeds
            return at is not None and own and fits(action, at, self.conversation)
        if action == "undo_delete":
            return action in self.deeds
        if action == "copy_conversation":
            return self.conversation.leaf is not None
        return super().check_action(action, parameters)

    def action_copy_message(self) -> None:
        at = self.at_cursor()
        if at is not None:
            self.app.run_worker(copy(self.app, at.content, "the message"), group="copy")

    def action_copy_code(self) -> None:
        at = self.at_cursor()
        if at is not None:
            self.app.run_worker(copy_code(self.app, at.content), group="copy")

    def action_copy_conversation(self) -> None:
        """Copy the thread being read, as Markdown."""
        from tui_chat.core.formats import markdown

        text = markdown.document(self.conversation)
        self.app.run_worker(copy(self.app, text, "the conversation"), group="copy")

    def action_turn(self, steps: int) -> None:
        at = self.at_cursor()
        if at is None or self.busy():
            return
        siblings = self.conversation.siblings(at.id)
        place = siblings.index(at.id) + steps
        if 0 <= place < len(siblings):
            self.read(siblings[place])

    def action_use_parameters(self) -> None:
        at = self.at_cursor()
        if at is not None and at.setup is not None:
            self.use_setup(at.setup)

    async def action_show_tree(self) -> None:
        """All branches of the conversation, from the message under the cursor; Enter reads one."""
        from tui_chat.widgets.tree import TreeDialog

        conversation = self.conversation
        at = self.transcript.cursor or conversation.leaf
        if at is None or not self.is_active:
            return

        def take(chosen: str | None) -> None:
            if chosen and self.conversation is conversation and not self.busy():
                self.read(chosen)

        await self.app.push_screen(TreeDialog(conversation, at), take)

    async def action_show_info(self) -> None:
        at = self.at_cursor()
        if at is not None:
            await self.show_info(at)

    async def show_info(self, message: Message) -> None:
        """All that is known of how a message was made."""
        from tui_chat.widgets.info import InfoDialog

        if not self.is_active:
            return

        def take(answer: str | None) -> None:
            if answer and message.setup is not None:
                self.use_setup(message.setup)

        usable = message.setup is not None and "use_parameters" in self.deeds
        present = self.present_setup and self.world.as_accepted(self.present_setup)
        bill = await asyncio.to_thread(self.world.costs.bill, message)
        if self.is_active:
            dialog = InfoDialog(message, present, usable=usable, bill=bill)
            await self.app.push_screen(dialog, take)

    async def action_show_code_of_reply(self) -> None:
        from tui_chat.widgets.code_dialog import CodeDialog

        at = self.at_cursor()
        if at is None or at.setup is None or not self.is_active:
            return
        try:
            text = await self.code_of(at, at.setup)
        except ChatError as error:
            self.notify(str(error), severity="warning", markup=False)
            return
        if self.is_active:
            dialog = CodeDialog("The request that made this reply", text=text)
            await self.app.push_screen(dialog)

    async def action_mark_message(self) -> None:
        """Mark the reply under the cursor; where another is marked, compare the two."""
        at, marked = self.at_cursor(), self.mark.message
        if at is None or not self.is_active:
            return
        if marked is None:
            self.mark.message = at
            self.notify("Marked; m on another compares them.", timeout=4, markup=False)
        elif marked.id == at.id:
            self.mark.message = None
            self.notify("Not marked any more.", timeout=2, markup=False)
        else:
            from tui_chat.widgets.compare import Comparison

            await self.app.push_screen(Comparison(marked, at))
            return
        self._show_mark()

    @on(ScreenResume)
    def _show_mark(self) -> None:
        """It may have been set or taken away on another screen."""
        if self._mark_shown is not self.mark.message:
            self._mark_shown = self.mark.message
            self.transcript.refresh_captions()

    @on(Transcript.LinkOpened)
    async def _ask_about_link(self, event: Transcript.LinkOpened) -> None:
        """Show where a link leads before anything is opened."""
        from tui_chat.widgets.dialogs import YesDialog

        def take(answer: str | None) -> None:
            if answer:
                self.app.open_url(event.url)

        await self.app.push_screen(YesDialog("Open this link?", event.url), take)
