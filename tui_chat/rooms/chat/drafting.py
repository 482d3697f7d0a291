"""A conversation with a prompt: what is written and not yet sent, and messages that are edited.

A draft is on disk within a second of its first key, with its conversation; nothing typed is lost
when another conversation is opened, a message is edited, or the program is killed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.timer import Timer

from tui_chat.core.answering import RETRY_SECONDS
from tui_chat.core.conversation import Message
from tui_chat.core.drafts import Drafts
from tui_chat.core.errors import ChatError
from tui_chat.core.world import World
from tui_chat.rooms.chat.commands import has_key, written
from tui_chat.rooms.chat.fitting import FittingScreen
from tui_chat.widgets.prompt import Prompt

_EDITING = {
    "user": "editing a message: Enter sends it as a new branch",
    "assistant": "editing a reply: Enter keeps it as a new branch",
}
SAVE_DRAFT_AFTER = 0.3
"""Seconds from the first key that is not on disk; a draft there is never older than a second."""


class DraftingScreen(FittingScreen):
    """Subclasses compose a Prompt, and set `keeping` while the draft belongs to the open conversation."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "begin_command",
            "Command",
            show=False,
            key_display="/",
            tooltip="To the prompt, for a typed command",
            id="chat.command",
        ),
    ]

    editing: var[str | None] = var(None, init=False)
    """The id of the message that is edited; what is sent becomes its sibling."""

    prompt = getters.query_one(Prompt)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.keeping = False
        self._draft_timer: Timer | None = None
        self._drafts = Drafts(world)
        self._draft_retry: Timer | None = None
        self._draft_trouble = ""
        """Why drafts are not saved now, as it was told."""
        self._writing = False
        self._set_aside = ""
        """The draft that was there before an edit, or what is sent now, was begun."""

    @property
    def has_read_drafts(self) -> bool:
        """Whether the drafts of earlier runs were read: before that none is written over one of them."""
        return True

    async def store_is_back(self) -> None:
        """The saved conversations can be used from now on."""

    @property
    def draft(self) -> str:
        return self.prompt.text_to_send

    def not_sent(self) -> None:
        self.prompt.keep_draft()

    def action_begin_command(self) -> None:
        """From anywhere else to the prompt, where an empty one begins with the slash."""
        self.leave_sidebar()
        if not self.prompt.text_area.text:
            self.prompt.text_area.insert("/")

    # Editing a message

    def action_edit_message(self) -> None:
        at = self.transcript.message_at_cursor()
        if at is not None and not self.busy():
            if self.editing is None:
                self._set_aside = self.draft
            self.editing = at.id
            self.prompt.set_draft(written(at.content), editable=True)
            self.set_focus(self.prompt.text_area)

    def watch_editing(self) -> None:
        words, role = "", "user"
        if self.editing is not None:
            role = self.conversation.message(self.editing).role
            words = _EDITING.get(role, "editing a message: Enter keeps it as a new branch")
        self.prompt.sends = role == "user"
        self.query_one("#talk").border_subtitle = words
        self.refresh_bindings()
        self.count_soon()

    def edit(self, text: str) -> bool:
        """Take the text as the new one of the message that is edited, where nothing is sent for it:
        False for what a person said, which is answered."""
        if self.editing is None or self.conversation.message(self.editing).role == "user":
            return False
        if text == self.conversation.message(self.editing).content:
            self.notify("Nothing was changed.", timeout=3, markup=False)
            self.give_edit_up()
        elif not self._writing:
            self._writing = True
            self._write(text, self.editing)
        return True

    @work(group="branch", description="an edit")
    async def _write(self, text: str, instead_of: str) -> None:
        conversation = self.conversation
        try:
            new = await self.talk.write(text, instead_of)
        except ChatError as error:
            self.complain(error, awaited=True)
            self.not_sent()
            return
        finally:
            self._writing = False
        if self.conversation is not conversation:
            return  # Another was opened meanwhile.
        self.prompt.clear_draft()
        self.bring_back()
        self.save_draft()
        self.show_conversation(at=new.id)
        self.transcript.cursor = new.id

    def branch_gone(self, ids: frozenset[str]) -> None:
        if self.editing in ids:
            self.give_edit_up()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "regenerate" and self.editing is not None:
            return False  # It would answer the question as it was.
        return super().check_action(action, parameters)

    @property
    def next_thread(self) -> Sequence[Message]:
        if self.editing is None:
            return super().next_thread
        # An edit is a sibling: what came after the message is not sent with it.
        return self.talk.conversation.thread(self.editing)[:-1]

    @property
    def can_go_back(self) -> bool:
        return self.editing is not None or self.focused is not self.prompt.text_area

    def give_edit_up(self) -> None:
        """Leave the message as it is."""
        self.editing = None
        self.prompt.set_draft("")
        self.bring_back()

    def bring_back(self) -> None:
        """What was written is sent or given up: the draft from before it comes back."""
        self.editing = None
        aside, self._set_aside = self._set_aside, ""
        if aside:
            self.prompt.set_draft(joined(aside, self.draft))

    # On disk

    @on(Prompt.DraftChanged)
    def _draft_changed(self) -> None:
        self.count_soon()
        self._save_soon()

    def _save_soon(self) -> None:
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(SAVE_DRAFT_AFTER, self._save_due)

    def _save_due(self) -> None:
        self._draft_timer = None
        if self.keeping:
            self.save_draft()
        else:
            # What is typed meanwhile is kept as soon as it is known with what; nobody need type on.
            self._save_soon()

    def save_draft(self) -> None:
        """Keep what is written but not sent, as it is now."""
        self.write_draft(self.talk.saved_id, self.kept_draft)

    @property
    def kept_draft(self) -> str:
        """The draft to keep: what was set aside, and what is written, unless it is an edit's old text, or a
        command with a key."""
        draft = self.draft
        if has_key(draft.strip()):
            draft = ""
        if self.editing is not None:
            before = written(self.talk.conversation.message(self.editing).content)
            draft = draft if draft != before else ""
        return joined(self._set_aside, draft)

    @work(group="draft", description="a draft")  # Else Textual makes one of the text.
    async def write_draft(self, conversation: str, text: str) -> None:
        """Keep a draft of this conversation; "" is the one that is not saved yet."""
        if self.has_read_drafts:
            await self._keep_drafts(self._drafts.keep(conversation, text))
        else:
            self._write_later()  # What is written then is what the prompt has then.

    @work(group="draft")
    async def _write_again(self) -> None:
        self._draft_retry = None
        if self.has_read_drafts:
            await self._keep_drafts(self._drafts.write())
            return
        try:
            await self.world.store()
        except ChatError:
            self._write_later()  # That it cannot be opened was told, and is marked.
        else:
            await self.store_is_back()

    async def _keep_drafts(self, writing: Awaitable[None]) -> None:
        try:
            await writing
            self._draft_trouble = ""
        except ChatError as error:
            # Once: what is tried again and again fails in the same words.
            if error.message != self._draft_trouble:
                self._draft_trouble = error.message
                self.complain(error)
            self._write_later()

    def _write_later(self) -> None:
        waiting = self._drafts.waiting or not self.has_read_drafts
        if waiting and self._draft_retry is None:
            self._draft_retry = self.set_timer(RETRY_SECONDS, self._write_again)

    # Another conversation

    def put_draft_away(self) -> None:
        """Save the draft with its conversation, and empty the prompt for what is typed next."""
        self.save_draft()
        self.editing, self._set_aside = None, ""
        self.prompt.set_draft("")

    async def restore_draft(self) -> None:
        """Bring the draft of the open conversation back; ChatError.

        Where another was begun meanwhile, it comes back when that is sent.
        """
        draft = await (await self.world.store()).draft(self.talk.saved_id)
        if not self.draft:
            self.prompt.set_draft(draft)
        elif draft != self.draft:
            self._set_aside = draft

    @work(group="bring", exclusive=True)
    async def bring_draft(self) -> None:
        """As restore_draft, in the background; says what went wrong."""
        try:
            await self.restore_draft()
        except ChatError as error:
            self.complain(error)


def joined(*parts: str) -> str:
    """Several drafts as one, those that there are."""
    return "\n\n".join(part for part in parts if part)
