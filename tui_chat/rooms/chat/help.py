"""What the help says of the chat: its keys by place, and its typed commands."""

from __future__ import annotations

from tui_chat.rooms.chat.commands import COMMANDS
from tui_chat.rooms.chat.conversing import ConversationScreen
from tui_chat.rooms.chat.drafting import DraftingScreen
from tui_chat.rooms.chat.fitting import FittingScreen
from tui_chat.rooms.chat.screen import ChatScreen
from tui_chat.widgets.asking_screen import AskingScreen
from tui_chat.widgets.help import Places, Section
from tui_chat.widgets.message_transcript import MessageTranscript
from tui_chat.widgets.prompt import Prompt
from tui_chat.widgets.setup_screen import SetupScreen
from tui_chat.widgets.sidebar import Sidebar
from tui_chat.widgets.transcript import Transcript

PLACES: Places = (
    (
        "In the chat",
        (
            *SetupScreen.BINDINGS,
            *AskingScreen.BINDINGS,
            *ConversationScreen.BINDINGS,
            *FittingScreen.BINDINGS,
            *DraftingScreen.BINDINGS,
            *ChatScreen.BINDINGS,
        ),
    ),
    ("Writing", Prompt.HELP_KEYS),
    ("On a parameter", Sidebar.BINDINGS),
    ("On a message", (*Transcript.BINDINGS, *MessageTranscript.BINDINGS)),
)
TABLES = (
    Section(
        "What is saved",
        (
            (
                "not saved",
                "In the line at the top: with a reason, something waits for the disk and is tried again; without"
                " one, this run saves nothing",
            ),
            (
                "Check what is saved",
                "Among all commands: whether it is sound, and the ways out where it is not",
            ),
            (
                "several windows",
                "What another one adds to this conversation becomes a branch; nothing is lost",
            ),
        ),
    ),
    Section(
        "Typed commands",
        tuple((f"/{one.name} {one.argument}".strip(), one.explanation) for one in COMMANDS),
    ),
)
