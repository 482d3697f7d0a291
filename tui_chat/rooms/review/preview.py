"""The preview of the review room: the conversation under the cursor, and the ways from it to the chat."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual import on, work
from textual.content import Content
from textual.message import Message as Event

from tui_chat.core.conversation import Conversation, Message, Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line
from tui_chat.core.world import World
from tui_chat.rooms.review.catalogue import Catalogue
from tui_chat.rooms.review.lines import Line
from tui_chat.widgets.dialogs import AnswersOnce
from tui_chat.widgets.message_screen import MessageScreen
from tui_chat.widgets.replied import code_of_reply
from tui_chat.widgets.roll import Roll
from tui_chat.widgets.storing_app import complain
from tui_chat.widgets.transcript import Transcript

PREVIEW_AFTER = 0.03
"""Seconds that the cursor rests on a conversation before it is read."""


@dataclass(frozen=True)
class Left:
    """How the room was left: where to go on, and what was looked for."""

    conversation: str = ""
    """The id of the conversation to open; empty for none."""
    message: str | None = None
    """The message to go to; None for the end of the branch that was read last."""
    deed: str = ""
    """An action of the chat to do there."""


class PreviewingScreen(AnswersOnce[Left], MessageScreen[Left]):
    """Subclasses compose `catalogue`, and a MessageTranscript within `#preview`."""

    # What changes the conversation is done in the chat.
    deeds = frozenset(
        {
            "edit_message",
            "regenerate_message",
            "continue_message",
            "open_lens",
            "delete_branch",
            "use_parameters",
        }
    )

    @dataclass(eq=False, repr=False)
    class SetupTaken(Event):
        """The setup of a reply is to be the present one."""

        setup: Setup

    def __init__(self, world: World, catalogue: Catalogue) -> None:
        super().__init__()
        self.world = world
        self.catalogue = catalogue
        self._read_here = Conversation()
        self._with_deleted = ""
        """The message of a deleted branch for which those of deleted branches are shown, too."""

    @property
    def conversation(self) -> Conversation:
        return self._read_here

    @on(Roll.Moved)
    def _moved(self) -> None:
        self.refresh_bindings()
        self._preview()

    @work(exclusive=True, group="preview")
    async def _preview(self) -> None:
        """Show the conversation under the cursor, at the message that was found."""
        line = self.catalogue.at_cursor
        if line is None:
            self._show_preview(Conversation(), None)
            return
        with_deleted = line.key if line.branch else ""
        if (line.conversation, with_deleted) != (self._read_here.id, self._with_deleted):
            await asyncio.sleep(PREVIEW_AFTER)
            try:
                store = await self.world.store()
                found = await store.load(line.conversation, also_deleted=True, at=with_deleted)
            except ChatError as error:
                self.complain(error)
                return
            if self.leaving or found is None:
                return
            self._read_here, self._with_deleted = found, with_deleted
        self._show_preview(self._read_here, line.message)

    @on(Transcript.NoMatch)
    def _go_on_to_hit(self, event: Transcript.NoMatch) -> None:
        """Beyond the last match of a conversation is the next hit in another one."""
        here, place = self.conversation.id, self.catalogue.highlighted
        entries = self.catalogue.entries
        while place is not None and 0 <= place < len(entries):
            if entries[place].conversation != here:
                self.catalogue.highlighted = place
                return
            place += event.step

    def _show_preview(self, conversation: Conversation, at: str | None) -> None:
        self._read_here = conversation
        self.query_one("#preview").border_title = Content(one_line(conversation.title, 200))
        if at is not None and conversation.has(at):
            self.read(at)
            self.transcript.show_match(at)
        else:
            self.show_conversation()

    # The ways to the chat

    def leave_for(self, line: Line, message: str | None, deed: str = "") -> None:
        if line.of.state == "deleted":
            self.notify("It is in the trash: u in the list brings it back.", markup=False)
        else:
            self.dismiss(Left(line.conversation, message, deed))

    def _leave_at_message(self, deed: str) -> None:
        """To the chat, to do there what is done to the message under the preview's cursor."""
        line, at = self.catalogue.at_cursor, self.at_cursor()
        if line is not None and at is not None and line.conversation == self.conversation.id:
            self.leave_for(line, at.id, deed)

    def action_open_at_message(self) -> None:
        self._leave_at_message("")

    def action_edit_message(self) -> None:
        self._leave_at_message("edit_message")

    def action_regenerate_message(self) -> None:
        self._leave_at_message("regenerate_message")

    def action_continue_message(self) -> None:
        self._leave_at_message("continue_message")

    def action_open_lens(self) -> None:
        self._leave_at_message("open_lens")

    def action_delete_branch(self) -> None:
        self._leave_at_message("delete_branch")

    async def code_of(self, reply: Message, setup: Setup) -> str:
        return await code_of_reply(self.world, self.conversation, reply, setup)

    def use_setup(self, setup: Setup) -> None:
        self.present_setup = setup
        self.post_message(self.SetupTaken(setup))
        self.notify("The sidebar has the setup of this reply.", timeout=3, markup=False)

    def complain(self, error: Exception) -> None:
        """Say what went wrong, as plain words, for a while."""
        complain(self, error)
