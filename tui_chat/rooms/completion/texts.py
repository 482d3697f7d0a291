"""A text as the tree of what was written and what the model wrote on: what of it is where; pure."""

from __future__ import annotations

from collections.abc import Sequence

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.wire import written


def text_of(conversation: Conversation) -> str:
    """The text that is being read: the thread, and what a continuation was put before."""
    thread = conversation.thread()
    return written(thread) + (thread[-1].suffix if thread else "")


def pieces_of(conversation: Conversation) -> list[tuple[str, bool]]:
    """The pieces of that text, each with whether the model wrote it."""
    thread = conversation.thread()
    pieces = [(message.content, message.role == "assistant") for message in thread]
    return [*pieces, (thread[-1].suffix, False)] if thread else pieces


def ending_in(conversation: Conversation, text: str) -> str | None:
    """The id of the message with which this text is all that is read: the one being read where it is that,
    else the latest; None where the text is not, or not yet, among what was written."""
    found = [
        one
        for one, at in _along(conversation, text)
        if text[at:] == conversation.message(one).suffix
    ]
    if not found:
        return None
    return conversation.leaf if conversation.leaf in found else found[-1]


def _along(conversation: Conversation, text: str) -> list[tuple[str, int]]:
    """The messages with which the text begins, each with how far it reaches, oldest first."""
    found: dict[str, int] = {}
    left: list[tuple[str | None, int]] = [(None, 0)]
    while left:
        parent, at = left.pop()
        for child in conversation.children(parent):
            content = conversation.message(child).content
            if text.startswith(content, at):
                found[child] = at + len(content)
                left.append((child, found[child]))
    return [(one.id, found[one.id]) for one in conversation.messages if one.id in found]


def untouched(conversation: Conversation, text: str) -> Message | None:
    """The continuation with which this text is as the model left it; None where there is none."""
    last = ending_in(conversation, text)
    message = conversation.message(last) if last is not None else None
    return message if message is not None and message.role == "assistant" else None


def parted(conversation: Conversation, text: str) -> tuple[Sequence[Message], str]:
    """The messages that are the beginning of a text, along what is being read, and the rest of it."""
    kept: list[Message] = []
    at = 0
    for message in conversation.thread():
        if not text.startswith(message.content, at):
            break
        kept.append(message)
        at += len(message.content)
    return kept, text[at:]
