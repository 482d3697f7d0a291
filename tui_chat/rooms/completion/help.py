"""What the help says of the completion room."""

from __future__ import annotations

from textual.binding import Binding

from tui_chat.rooms.completion.screen import CompletionScreen
from tui_chat.widgets.asking_screen import AskingScreen
from tui_chat.widgets.help import Places, Section

PLACES: Places = (
    (
        "In a text",
        (
            *AskingScreen.BINDINGS,
            *CompletionScreen.BINDINGS,
            Binding(
                "ctrl+z,ctrl+y",
                "",
                tooltip="Undo, redo: what was typed, and each continuation as a whole",
            ),
        ),
    ),
)
TABLES: tuple[Section, ...] = ()
