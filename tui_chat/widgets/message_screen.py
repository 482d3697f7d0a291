"""A screen that shows one conversation, and the keys that act on the message under the cursor.

What only reads is done here; what asks a model or changes what is kept is the screen's own, which
says in `deeds` what of it there is.
"""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.binding import Binding, BindingType
from textual.screen import Screen, ScreenResultType

from tui_chat.core.conversation import Conversation, Message
from tui_chat.widgets.captions import caption
from tui_chat.widgets.transcript import Caption, Transcript


class MessageTranscript(Transcript):
    """The transcript with the keys that act on the message under its cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "screen.copy_message", "Copy", tooltip="Copy the message", id="message.copy"),
        Binding(
            "e",
            "screen.edit_message",
            "Edit",
            tooltip="Edit the message as a new branch",
            id="message.edit",
        ),
        Binding(
            "r",
            "screen.regenerate_message",
            "Regenerate",
            tooltip="Answer again what this reply answers",
            id="message.regenerate",
        ),
        Binding(
            "left_square_bracket",
            "screen.turn(-1)",
            "Siblings",
            tooltip="The sibling before, after",
            key_display="[ ]",
            id="message.older",
        ),
        Binding("right_square_bracket", "screen.turn(1)", "Newer", show=False, id="message.newer"),
        Binding(
            "p",
            "screen.use_parameters",
            "Use these parameters",
            tooltip="Take the setup of this reply over",
            id="message.use_parameters",
        ),
    ]


def _is_reply(message: Message) -> bool:
    return message.setup is not None


def _any(message: Message) -> bool:
    return True


_FITS = {
    "edit_message": lambda message: message.role == "user",
    "regenerate_message": _is_reply,
    "use_parameters": _is_reply,
    "copy_message": _any,
}
"""What can be done with one message, and with which."""


class MessageScreen(Screen[ScreenResultType]):
    """Subclasses compose a MessageTranscript(self.caption), and say what the conversation is.

    To be named after the kind of screen in a class's bases: Textual looks for styles in the first.
    """

    deeds: ClassVar[frozenset[str]] = frozenset()
    """The actions of MessageTranscript's keys that the subclass has: edit_message, regenerate_message,
    use_parameters. It defines `action_…` for each; what is not named here is not offered."""

    transcript = getters.query_one(MessageTranscript)

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

    def leaf_changed(self) -> None:
        """Another branch is read now: for subclasses that remember it."""

    def caption(self, message: Message) -> Caption:
        """The words around a message of this conversation."""
        return caption(message, self.conversation)

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
        return self.transcript.message_at_cursor() if self.is_mounted else None

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "turn":
            at = self.at_cursor()
            return at is not None and len(self.conversation.siblings(at.id)) > 1
        if action in _FITS:
            at = self.at_cursor()
            own = action in self.deeds or action == "copy_message"
            return at is not None and own and _FITS[action](at)
        return super().check_action(action, parameters)

    def action_copy_message(self) -> None:
        at = self.at_cursor()
        if at is not None:
            self.app.copy_to_clipboard(at.content)
            self.notify("Copied.", timeout=2, markup=False)

    def action_turn(self, steps: int) -> None:
        at = self.at_cursor()
        if at is None or self.busy():
            return
        siblings = self.conversation.siblings(at.id)
        place = siblings.index(at.id) + steps
        if 0 <= place < len(siblings):
            self.read(siblings[place])

    @on(Transcript.LinkOpened)
    async def _ask_about_link(self, event: Transcript.LinkOpened) -> None:
        """Show where a link leads before anything is opened."""
        from tui_chat.widgets.dialogs import YesDialog

        def take(answer: str | None) -> None:
            if answer:
                self.app.open_url(event.url)

        await self.app.push_screen(YesDialog("Open this link?", event.url), take)
