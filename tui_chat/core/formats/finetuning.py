"""Conversations as OpenAI's fine-tuning takes them: JSON Lines of `{"messages": [{"role", "content"}, …]}`.

A line is the thread being read, with the system prompt of its last reply first. Only what a model should
learn is in it: a reply that failed, was cut off by anything but a person or the length, or has no text
is left out together with the question that it answers; so are questions at the end that nothing answers.
"""

from __future__ import annotations

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.formats.jsonl import dumped

_GOOD = ("complete", "length", "stopped")


def line(conversation: Conversation) -> str | None:
    """The conversation as one line of JSON, without the newline; None when it has no reply to learn."""
    kept: list[Message] = []
    asked: list[Message] = []
    system = ""
    for message in conversation.thread():
        if message.role == "assistant":
            if message.status in _GOOD and message.content.strip():
                kept += [*asked, message]
                system = message.setup.system if message.setup is not None else system
                asked = []
            else:
                # What a system message says holds for the replies after this one, too.
                asked = [one for one in asked if one.role == "system"]
        elif message.content.strip():
            asked.append(message)
    if not any(message.role == "assistant" for message in kept):
        return None
    spoken = [(message.role, message.content) for message in kept]
    if system and ("system", system) not in spoken[:1]:
        spoken.insert(0, ("system", system))
    return dumped({"messages": [{"role": role, "content": text} for role, text in spoken]})
