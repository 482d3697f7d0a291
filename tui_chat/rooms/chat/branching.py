"""What makes or takes away branches of the conversation: answering again, going on, deleting, undoing."""

from __future__ import annotations

from textual import work

from tui_chat.core.conversation import Message, Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line
from tui_chat.rooms.chat.conversing import ConversationScreen
from tui_chat.widgets.replied import code_of_reply


class BranchingScreen(ConversationScreen):
    """Acts on the message under the transcript's cursor; what is edited is for subclasses."""

    deeds = frozenset(
        {
            "edit_message",
            "regenerate_message",
            "continue_message",
            "open_lens",
            "delete_branch",
            "undo_delete",
            "use_parameters",
        }
    )

    async def code_of(self, reply: Message, setup: Setup) -> str:
        return await code_of_reply(self.world, self.conversation, reply, setup)

    def use_setup(self, setup: Setup) -> None:
        self.take_setup(setup)
        self.notify("The sidebar has the setup of this reply.", timeout=3, markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "undo_delete":
            return self.talk.deleted is not None and not self.answering
        return super().check_action(action, parameters)

    def action_regenerate_message(self) -> None:
        at = self.at_cursor()
        if at is not None and not self.busy():
            self.ask_again(at.id)

    def action_continue_message(self) -> None:
        at = self.at_cursor()
        if at is not None and not self.busy():
            self.go_on(at.id)

    def branch_gone(self, ids: frozenset[str]) -> None:
        """These messages are there no more: for subclasses."""

    @work(group="branch")
    async def action_delete_branch(self) -> None:
        at, conversation = self.at_cursor(), self.conversation
        if at is None or self.busy():
            return
        branch = conversation.branch(at.id)
        if len(branch) == len(conversation):
            words = "This is the whole conversation: F3 deletes it among the saved ones."
            self.notify(words, markup=False)
            return
        if not await self._sure(one_line(at.content, 200), len(branch) - 1):
            return
        if self.conversation is not conversation or self.busy():
            return  # It was left, or is answered, meanwhile.
        beside = [one for one in conversation.siblings(at.id) if one != at.id]
        next_read = beside[-1] if beside else conversation.parent(at.id)
        on_it = at.id in {message.id for message in conversation.thread()}
        try:
            await self.talk.delete(at.id)
            # At once: nothing else may come between that still means one of these.
            self.branch_gone(frozenset(branch))
            self._show_at(next_read if on_it else self.transcript.cursor)
            self.notify("Deleted; ctrl+z on the messages brings it back.", timeout=4, markup=False)
            await self.talk.keep_leaf()
        except ChatError as error:
            self.complain(error)

    async def _sure(self, words: str, below: int) -> bool:
        from tui_chat.widgets.dialogs import YesDialog

        more = f" and the {below} below it" if below > 1 else " and the one below it"
        question = f"Delete this message{more if below else ''}?"
        dialog = YesDialog(question, f"{words}\n\nIt can be brought back with ctrl+z.")
        answer: str | None = await self.app.push_screen_wait(dialog)
        return answer is not None

    @work(group="branch")
    async def action_undo_delete(self) -> None:
        if self.busy():
            return
        try:
            back = await self.talk.undelete()
        except ChatError as error:
            self.complain(error)
            return
        if back is not None:
            self._show_at(back)
            self.notify("Brought back.", timeout=2, markup=False)

    def _show_at(self, id: str | None) -> None:
        self.show_conversation(at=id)
        self.transcript.cursor = id
