"""The dialog for a conversation that is longer than its model takes: what would make it fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.core.overflow import Overflow, Remedies
from tui_chat.widgets.dialogs import Dialog
from tui_chat.widgets.meter import figure
from tui_chat.widgets.tones import MUTED

Remedy = Literal["shorter", "forget", "edit", "model", "send", "back"]


def _choices(over: Overflow, found: Remedies, *, before: bool) -> Iterator[tuple[Remedy, str, str]]:
    """What can be chosen: its key, its name, and what it does."""
    if found.shorter:
        was, now = figure(over.wanted), figure(found.shorter)
        yield "shorter", f"Shorter max length ({was} → {now})", ""
    if found.forget:
        many = "the oldest message" if found.left_out == 1 else f"the {found.left_out} oldest"
        name = f"Forget {many}" if found.left_out == 1 else "Forget the oldest messages"
        length = f", and max length {figure(found.length)}" if found.length else ""
        yield "forget", name, f"A branch without {many}{length}; all stay where they are"
    helpless = not found.shorter and not found.forget
    if before:
        yield "send", "Send anyway", "The server may refuse it, or forget a part itself"
    elif helpless:
        # Where it is not sent yet, it stands in the prompt: Back leads there.
        yield "edit", "Edit the question", ""
    if helpless:
        yield "model", "Another model", "One that takes more"
    yield "back", "Back", ""


class ChoiceList(OptionList):
    """A list that shows what Enter does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Choose", id="dialog.choose"),
    ]


class OverflowDialog(Dialog):
    """What to do with what does not fit; dismissed with a Remedy, or with None by Esc."""

    DEFAULT_CSS = """
    OverflowDialog OptionList, OverflowDialog OptionList:focus {
        height: auto; max-height: 12; border: none; background: $surface; padding: 0; margin: 1 0 0 0;
    }
    """

    def __init__(self, over: Overflow, found: Remedies, *, before: bool) -> None:
        """`before` when it is not sent yet."""
        note = over.sentence()
        if not found.shorter and not found.forget:
            note += " No part of it can be left out so that the rest fits."
        super().__init__("Too long for the model", note)
        self._choices = list(_choices(over, found, before=before))

    def content(self) -> Iterator[Widget]:
        yield ChoiceList(
            *(
                Option(Content.assemble(name, (f"\n  {about}" if about else "", MUTED)), id=key)
                for key, name, about in self._choices
            )
        )

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
