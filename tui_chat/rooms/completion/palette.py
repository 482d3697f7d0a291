"""What the completion room adds to the palette."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.screen import Screen

from tui_chat.widgets.palette import Command

_ACTIONS = (
    ("New text", "Begin anew; this one stays", "new"),
    ("Continue the text", "The model writes on", "begin"),
    ("Continue further", "From where the model ended", "further"),
    ("Another continuation", "Beside the last one", "again"),
    ("Older continuation", "The one made before", "turn(-1)"),
    ("Newer continuation", "The one made after", "turn(1)"),
    ("Stop", "Keep what came", "stop"),
    ("Examples", "Texts to try", "examples"),
    ("Copy the text", "All of it, to the clipboard", "copy_all"),
)


def completion_commands(room: Screen[Any]) -> list[Command]:
    """What can be done to the open text now."""
    return [
        (title, words, partial(room.run_action, action))
        for title, words, action in _ACTIONS
        if room.check_action(action.partition("(")[0], ())
    ]
