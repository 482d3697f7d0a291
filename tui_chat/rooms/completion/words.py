"""The line under the text: how its last continuation was made, or where the next one would go; pure."""

from __future__ import annotations

from textual.content import Content

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.text import one_line
from tui_chat.widgets.captions import foot, sent, trouble, with_help
from tui_chat.widgets.tones import MUTED


def of_continuation(message: Message, conversation: Conversation) -> Content:
    """Which of its siblings a continuation is, what it took and how it ended; and what went wrong."""
    siblings = conversation.siblings(message.id)
    turn = f"‹ {siblings.index(message.id) + 1}/{len(siblings)} ›" if len(siblings) > 1 else ""
    made = sent(message, message.setup) if message.setup is not None else ""
    words = " · ".join(part for part in (with_help(foot(message), message), made) if part)
    first = Content.assemble(
        (turn, "bold $text-primary"), "  " if turn and words else "", (words, MUTED)
    )
    wrong = trouble(message)
    second = Content.styled(wrong, "$text-error" if message.error else "$text-warning")
    return Content("\n").join([part for part in (first, second) if part.plain])


def of_nobody(name: str, words: str) -> Content:
    """That the endpoint continues no texts, and which do."""
    return Content.styled(words or f"{one_line(name, 40)} continues no texts.", "$text-warning")


def of_cursor(endpoint: str, *, here: bool) -> Content:
    """Where the model would write while the cursor is within the text."""
    name = one_line(endpoint, 40)
    words = (
        "F5 continues at the cursor; what follows it is sent along."
        if here
        else f"F5 continues at the end: {name} takes no text that is to follow."
    )
    return Content.styled(words, MUTED)


def of_waiting(line: str) -> Content:
    """How long the continuation is waited for."""
    return Content.styled(line, "$text-warning")
