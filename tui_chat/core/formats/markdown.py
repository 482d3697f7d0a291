"""A conversation as a Markdown document that reads well: front matter, then the thread being read."""

from __future__ import annotations

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.formats.jsonl import dumped, iso
from tui_chat.core.text import clean

_ROLES = {"user": "You", "assistant": "Assistant", "system": "System"}


def document(conversation: Conversation) -> str:
    """The title, the setup of the last reply as YAML front matter, and each message of the thread."""
    parts = [_front_matter(conversation), f"# {conversation.title or 'Untitled'}\n"]
    parts += [_section(message) for message in conversation.thread()]
    return clean("\n".join(parts))


def _front_matter(conversation: Conversation) -> str:
    facts: dict[str, object] = {"title": conversation.title, "id": conversation.id}
    facts["created"] = iso(conversation.created)
    setup = conversation.latest_setup()
    if setup is not None:
        facts |= {"endpoint": setup.endpoint, "model": setup.model}
        if setup.system:
            facts["system"] = setup.system
        facts["parameters"] = dict(setup.params)
    # JSON values are YAML values, and need no other quoting rules.
    rows = [f"{name}: {dumped(value)}" for name, value in facts.items()]
    return "\n".join(["---", *rows, "---", ""])


def _section(message: Message) -> str:
    heading = f"## {_ROLES[message.role]}"
    if message.setup is not None:
        made = " · ".join(
            part for part in (message.setup.model, message.setup.params.summary) if part
        )
        heading += f" ({made})"
    lines = [heading, "", message.content, ""]
    if message.status != "complete":
        lines += [f"*{message.status}{': ' + message.error if message.error else ''}*", ""]
    return "\n".join(lines)
