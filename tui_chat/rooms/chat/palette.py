"""What the chat adds to the palette."""

from __future__ import annotations

from tui_chat.rooms.chat.screen import ChatScreen
from tui_chat.widgets.palette import Command


def chat_commands(chat: ChatScreen) -> list[Command]:
    """What can be done to the open conversation, as the palette lists it."""
    room = ("Make room", "What helps where the conversation is too long", chat.action_make_room)
    return [
        ("New conversation", "Begin anew; this one stays saved", chat.action_new),
        ("Regenerate", "Answer the last question again", chat.action_regenerate),
        ("Stop", "Stop the reply and keep its text", chat.action_stop),
        ("Edit the draft in $EDITOR", "", chat.prompt.action_edit_in_editor),
        ("Rename this conversation", "Its title", chat.action_rename),
        (
            "Export this conversation",
            "Markdown, JSON Lines, fine-tuning, HTML",
            chat.action_export,
        ),
        (
            "Import conversations",
            "From other programs, or JSON Lines from here",
            chat.action_import,
        ),
        ("View code", "The next request as Python and curl", chat.action_show_code),
        *([room] if chat.check_action("make_room", ()) else []),
    ]
