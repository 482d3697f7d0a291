"""The prompt: where a message is written, with its mark, its text and its list of typed commands.

It only says what was sent; the draft stays until whoever took it calls `clear_draft`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from textual import on
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static, TextArea

from tui_chat.core.errors import ChatError
from tui_chat.core.text import clean
from tui_chat.core.unsaved import not_written
from tui_chat.widgets.completion import Completions
from tui_chat.widgets.editor import Complete, Editor


class Prompt(Widget):
    """A prompt of one row that grows with its text to a third of the screen."""

    # The mark's height is auto like the editor's: beside a fixed height Textual ignores max-height.
    HELP_KEYS: ClassVar[list[BindingType]] = [
        Binding("enter", "", "Send", id="prompt.send"),
        Binding(
            "ctrl+j",
            "",
            "A new line; so are shift+enter, alt+enter, and \\ before Enter",
            id="prompt.newline",
        ),
        Binding("up,down", "", "Older and newer prompts, at the first and last line"),
        Binding("ctrl+z,ctrl+y", "", "Undo, redo"),
        Binding("slash", "", "A command, completed by tab; // sends a slash", key_display="/"),
    ]
    """What its keys do, for the help: the editing keys are those of any text area."""
    DEFAULT_CSS = """
    Prompt {
        layout: horizontal; height: auto; padding: 0 1;
        & > #mark { width: 2; height: auto; color: $text-muted; }
        &.-focused > #mark { color: $text-primary; text-style: bold; }
    }
    """

    @dataclass(eq=False, repr=False)
    class Submitted(Message):
        """Enter was pressed on a text that is not blank; `text` has every attachment in its place."""

        prompt: Prompt
        text: str

        @property
        def control(self) -> Prompt:
            return self.prompt

    @dataclass(eq=False, repr=False)
    class DraftChanged(Message):
        """The draft is another. Several changes may be told as one."""

        prompt: Prompt

        @property
        def control(self) -> Prompt:
            return self.prompt

        @property
        def text(self) -> str:
            """The whole draft as it is now, put together when it is asked for."""
            return self.prompt.text_to_send

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Prompt.DraftChanged)

    def __init__(
        self,
        *,
        placeholder: str = "Ask something",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._completions = Completions()
        self._editor = Editor(self._completions)
        self.placeholder = placeholder
        self.ephemeral = False
        """Whether nothing is written to disk, not even for an editor of the person's own."""
        self.environ: Callable[[], Mapping[str, str]] = lambda: os.environ
        """The environment for that editor; it is to hold no key."""

    def compose(self) -> ComposeResult:
        yield self._completions
        yield Static("›", id="mark")
        yield self._editor

    def focus(self, scroll_visible: bool = True) -> Self:
        """Give the focus to the text."""
        self._editor.focus(scroll_visible)
        return self

    @property
    def text_area(self) -> TextArea:
        """What has the focus while one writes."""
        return self._editor

    @property
    def placeholder(self) -> str:
        """What an empty prompt says."""
        return str(self._editor.placeholder)

    @placeholder.setter
    def placeholder(self, words: str) -> None:
        self._editor.placeholder = Content(words)

    @property
    def commands(self) -> Complete | None:
        """Says what a line that starts with one slash could become, as (line, explanation) pairs."""
        return self._editor.commands

    @commands.setter
    def commands(self, commands: Complete | None) -> None:
        self._editor.commands = commands

    @property
    def sends(self) -> bool:
        """Whether Enter sends what is written; else the bottom line says that it is saved as a branch."""
        return self._editor.sends

    @sends.setter
    def sends(self, sends: bool) -> None:
        self._editor.sends = sends

    @property
    def text_to_send(self) -> str:
        """The whole draft, with every attachment in its place."""
        return self._editor.attachments.expanded(self._editor.text)

    def set_draft(self, text: str, *, editable: bool = False) -> None:
        """Replace the draft; a large one becomes an attachment, one that is to be `editable` only
        where it would make each key slow."""
        self._editor.load(self._editor.attachments.entered(clean(text), editable=editable))

    def clear_draft(self) -> None:
        """Empty the prompt; what was typed since its text was sent, a moment ago, stays."""
        self._editor.clear_sent()

    def keep_draft(self) -> None:
        """Say that the submitted text was refused; else Enter does nothing for half a second."""
        self._editor.keep_sent()

    def set_history(self, prompts: Sequence[str]) -> None:
        """Replace the prompts that ↑ goes back to, oldest first."""
        self._editor.fill_recall(prompts)

    def remember(self, text: str) -> None:
        """Add the newest of the prompts that ↑ goes back to."""
        self._editor.remember(text)

    @on(Editor.Sent)
    def _submit(self, event: Editor.Sent) -> None:
        event.stop()
        text = self._editor.attachments.expanded(event.document)
        self.post_message(self.Submitted(self, text))

    @on(TextArea.Changed)
    def _tell(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.DraftChanged(self))

    @on(TextArea.SelectionChanged)
    def _keep(self, event: TextArea.SelectionChanged) -> None:
        event.stop()

    @on(Completions.Chosen)
    def _complete(self, event: Completions.Chosen) -> None:
        event.stop()
        self._editor.complete(event.completion)
        self.focus()

    def on_descendant_focus(self) -> None:
        self.add_class("-focused")

    def on_descendant_blur(self) -> None:
        self.remove_class("-focused")

    def action_edit_in_editor(self) -> None:
        """Open the draft in the editor that VISUAL or EDITOR names; the program waits for it."""
        # Deferred: it loads what makes private files, which the first screen does without.
        from tui_chat.widgets.external_editor import edited

        draft = self.text_to_send
        trouble = ""
        try:
            with self.app.suspend():
                # Textual takes the terminal back only when nothing is raised in here.
                try:
                    if self.ephemeral:
                        raise not_written("the draft was put into no file")
                    self._take_edited(draft, edited(draft, self.environ()))
                except ChatError as error:
                    trouble = str(error)
        except SuspendNotSupported:
            trouble = "No editor can be opened from here."
        if trouble:
            self.app.notify(trouble, severity="error", markup=False)
        self.focus()

    def _take_edited(self, draft: str, text: str) -> None:
        if text != draft:
            self.set_draft(text)
