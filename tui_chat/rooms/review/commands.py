"""What the palette offers in the review room."""

from __future__ import annotations

from functools import partial
from typing import Any

from textual.screen import Screen

from tui_chat.widgets.palette import Command

_ACTIONS = (
    ("Open in the chat", "At the message that was found", "open"),
    ("Search", "Type words or filters", "search"),
    ("Next hit", "", "hit(1)"),
    ("Previous hit", "", "hit(-1)"),
    ("Order", "Newest first, or the best match", "order"),
    ("View", "In use, starred, archived, in the trash", "next_view"),
    ("Mark", "For what is done to several at once", "mark"),
    ("Unmark all", "", "unmark_all"),
    ("Mark all that are shown", "", "mark_all"),
    ("Rename the conversation", "Its title", "rename"),
    ("Star", "Or take the star away", "star"),
    ("Tag", "Or take a tag away", "tag"),
    ("Archive", "Or bring back from there", "archive"),
    ("Delete", "To the trash; from there, for good", "delete"),
    ("Restore", "From the trash", "restore"),
    ("Undo delete", "", "undo"),
    ("Export", "To a file or the clipboard: one, marked, found or all", "export"),
    ("Import", "Conversations from a file", "import"),
)


def review_commands(screen: Screen[Any]) -> list[Command]:
    """The actions that can be done now."""
    return [
        (title, words, partial(screen.run_action, action))
        for title, words, action in _ACTIONS
        if screen.check_action(action.partition("(")[0], ())
    ]
