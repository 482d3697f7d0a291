"""Conversations as JSON Lines: one conversation a line, its whole tree, in a documented order of keys.

A line is an object with the keys, in this order,

    id, title         texts
    created           when it was begun: UTC, ISO 8601 to the millisecond, `2026-11-23T10:00:00.000Z`
    leaf              the id of the last message of the branch that is read, or null
    messages          all messages, parents before their children
    updated           when it was last added to
    archived, starred true, left out where it is not so
    tags              a list of texts, left out where there are none
    preset            the name of the preset it was begun with, left out without one

and a message is one with

    id, parent        texts; parent is null for a message that begins the conversation
    role              system, user or assistant
    content           the text
    status            complete, length, stopped, cut, filtered, failed, interrupted or streaming
    model, endpoint   what made a reply; null for what a person wrote
    params            what was sent, by the parameters' names; what is not here was not sent
    usage             *_tokens, *seconds (to the millisecond), estimated: what is known of them
    created           when it was made

and, where there is anything to say: system (the system prompt of the reply), reasoning, error,
refused (parameter → the server's words; where it was sent under another name instead, an object with
words and sent_as), finish_reason, request_id, begun (how many characters of
the content the reply was given to go on from), way (how its server was told that: `prefill` or
`continue_final_message`; or `completion` for one that continues a plain text), suffix (what was to follow
a completion) and logprobs (how many candidates were asked for at each place; what is known of them is not
exported). Among the refused, stream_options is what the program itself asks for.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from tui_chat.core.conversation import Conversation, Message, Refusal, Usage
from tui_chat.core.text import HOSTILE


def iso(milliseconds: int) -> str:
    """A time as people and programs read it: UTC, to the millisecond, `2026-11-23T10:00:00.000Z`."""
    # In whole numbers: far from now a float of seconds would lose a millisecond.
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
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
        "refused": {one.name: _refusal(one) for one in message.refused},
        "finish_reason": message.finish_reason,
        "request_id": message.request_id,
        "begun": message.begun,
        "way": message.way,
        "suffix": message.suffix,
        "logprobs": message.logprobs,
    }
    return known | {name: value for name, value in extra.items() if value}


def _refusal(one: Refusal) -> object:
    return {"words": one.words, "sent_as": one.sent_as} if one.sent_as else one.words


def dumped(value: object, indent: int | None = None) -> str:
    """The value as JSON, on one line without an indent; what could control a terminal is escaped, so
    that nothing is lost."""
    return HOSTILE.sub(_escaped, json.dumps(value, ensure_ascii=False, indent=indent))


def _escaped(match: re.Match[str]) -> str:
    # Left to itself, json escapes all but printable ASCII.
    return json.dumps(match.group())[1:-1]


def line(conversation: Conversation) -> str:
    """The conversation as one line of JSON, without the newline."""
    known: dict[str, object] = {
        "id": conversation.id,
        "title": conversation.title,
        "created": iso(conversation.created),
        "leaf": conversation.leaf,
        "messages": [message_object(message) for message in conversation.messages],
        "updated": iso(conversation.updated),
    }
    extra: dict[str, object] = {
        "archived": conversation.archived,
        "starred": conversation.starred,
        "tags": list(conversation.tags),
        "preset": conversation.preset,
    }
    return dumped(known | {name: value for name, value in extra.items() if value})
