"""The dialog that shows a request as programs, and copies them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import TextArea

from tui_chat.core.formats.code import parted
from tui_chat.widgets.copying import copy
from tui_chat.widgets.dialogs import Dialog


class CodeDialog(Dialog):
    """A request as a Python program and a curl command, to read and to copy, each by its key."""

    DEFAULT_CSS = """
    CodeDialog {
        & > Vertical { width: 110; height: 90%; }
        & TextArea, & TextArea:focus { height: 1fr; max-height: 100%; }
        & #trouble { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy(0)", "Copy the Python", id="dialog.copy_python", priority=True),
        Binding("c", "copy(1)", "Copy the curl", id="dialog.copy_curl", priority=True),
    ]

    def content(self) -> Iterator[Widget]:
        yield TextArea(self._text, read_only=True, show_line_numbers=False, tab_behavior="focus")

    async def action_copy(self, which: int) -> None:
        what = ("the Python program", "the curl command")[which]
        await copy(self.app, parted(self._text)[which], what)
