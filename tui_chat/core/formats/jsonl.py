"""Conversations as JSON Lines: one conversation a line, its whole tree, in a documented order of keys."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime

from tui_chat.core.conversation import Conversation, Message, Usage
from tui_chat.core.text import HOSTILE


def iso(milliseconds: int) -> str:
    """A time as people and programs read it: UTC, to the millisecond, `2026-11-23T10:00:00.000Z`."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def usage_object(usage: Usage) -> dict[str, object]:
    """The figures that are known; `estimated` only when the counts are ours."""
    figures = {field.name: getattr(usage, field.name) for field in fields(usage)}
    return {
        name: round(figure, 3) if isinstance(figure, float) else figure
        for name, figure in figures.items()
        if figure is not None and figure is not False
    }


def message_object(message: Message) -> dict[str, object]:
    """One message with what made it; what does not apply to its role is null or empty."""
    setup = message.setup
    known: dict[str, object] = {
        "id": message.id,
        "parent": message.parent,
        "role": message.role,
        "content": message.content,
        "status": message.status,
        "model": setup.model if setup else None,
        "endpoint": setup.endpoint if setup else None,
        "params": dict(setup.params) if setup else {},
        "usage": usage_object(message.usage),
        "created": iso(message.created),
    }
    extra: dict[str, object] = {
        "system": setup.system if setup else "",
        "reasoning": message.reasoning,
        "error": message.error,
        "refused": {one.name: one.words for one in message.refused if not one.sent_as},
        "finish_reason": message.finish_reason,
        "request_id": message.request_id,
    }
    return known | {name: value for name, value in extra.items() if value}


def dumped(value: object) -> str:
    """The value as JSON on one line; what could control a terminal is escaped, so that nothing is lost."""
    return HOSTILE.sub(_escaped, json.dumps(value, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    # Left to itself, json escapes all but printable ASCII.
    return json.dumps(match.group())[1:-1]


def line(conversation: Conversation) -> str:
    """The conversation as one line of JSON, without the newline."""
    return dumped(
        {
            "id": conversation.id,
            "title": conversation.title,
            "created": iso(conversation.created),
            "leaf": conversation.leaf,
            "messages": [message_object(message) for message in conversation.messages],
        }
    )
