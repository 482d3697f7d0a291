"""Dialogs: a text to edit, a question to answer. Esc always leads back without a change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from tui_chat.widgets.bars import Keyline


class AnswersOnce(Screen[ScreenResultType]):
    """A screen whose first answer counts: keys of a burst reach it after it was dismissed.

    To be named after the kind of modal screen in a class's bases: Textual looks for styles in the first.
    """

    answered = False

    @property
    def leaving(self) -> bool:
        """Whether it is answered or removed: what is on it must not be touched any more."""
        return self.answered or not self.is_attached

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Answer; nothing happens when this was answered already, or while another screen is over it."""
        if self.answered or not self.is_active:
            return AwaitComplete()
        self.answered = True
        return super().dismiss(result)


class Modal(ModalScreen[ScreenResultType], AnswersOnce[ScreenResultType]):
    """What opens over a room: dialogs, lists, the help."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # The keys of the house do not reach what is modal, but this one is to help everywhere.
        Binding("ctrl+c", "app.interrupt", "Quit", show=False, id="app.interrupt"),
    ]


class Dialog(Modal[str | None]):
    """A titled box over the room; dismissed with a text, or with None by Esc."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > Vertical {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & Static { width: 1fr; color: $text-muted; }
        & Input, & TextArea, & Input:focus, & TextArea:focus {
            border: none; background: $boost; height: 1; margin: 1 0; padding: 0 1;
        }
        & TextArea, & TextArea:focus { height: 12; max-height: 60vh; }
        & #trouble { color: $text-error; }
        & Keyline { background: $surface; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="dialog.back"),
    ]

    def __init__(self, title: str, note: str = "", text: str = "", wrong: str = "") -> None:
        """`wrong` says why what was entered before was refused."""
        super().__init__()
        self._wrong = wrong
        self._title = title
        self._note = note
        self._text = text

    def content(self) -> Iterator[Widget]:
        """What stands between the note and the keys; subclasses say."""
        yield from ()

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            if self._note:
                yield Static(self._note, markup=False)
            yield from self.content()
            yield Static(self._wrong, id="trouble", markup=False)
            yield Keyline()

    def trouble(self, words: str) -> None:
        """Say what is wrong with what was entered; the dialog stays."""
        self.query_one("#trouble", Static).update(words)


class LineInput(Input):
    """An input that shows what Enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "OK", id="dialog.accept_line"),
    ]


class LineDialog(Dialog):
    """One line of text."""

    def content(self) -> Iterator[Widget]:
        yield LineInput(self._text, select_on_focus=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())


class TextDialog(Dialog):
    """A longer text, such as a system prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "accept", "Use it", id="dialog.accept", priority=True),
    ]

    def content(self) -> Iterator[Widget]:
        area = TextArea(self._text, show_line_numbers=False, tab_behavior="focus")
        area.move_cursor(area.document.end)
        yield area

    def action_accept(self) -> None:
        if not self.answered:
            self.dismiss(self.query_one(TextArea).text)


class YesDialog(Dialog):
    """A question: Enter is yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss('yes')", "Yes", id="dialog.accept"),
    ]
