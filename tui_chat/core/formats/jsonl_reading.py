"""Our own JSON Lines read again: the whole tree under its own ids, to the letter.

What a person edited in a line is read as far as it goes; an id that cannot be one is replaced by another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tui_chat.core.conversation import (
    ROLES,
    STATUSES,
    Conversation,
    Message,
    Refusal,
    Setup,
    title_from,
)
from tui_chat.core.endpoints import WAYS
from tui_chat.core.formats.foreign import (
    Context,
    NotUnderstood,
    derived_id,
    moment,
    params_of,
    parents_first,
    rows,
    table,
    words,
)
from tui_chat.core.records import usage_from

_ID = re.compile(r"[\w.:-]{1,100}", re.ASCII)


def is_one(item: object) -> bool:
    """Whether this looks like a line of ours: a tree, which fine-tuning data is not."""
    if not isinstance(item, dict) or not isinstance(item.get("messages"), list):
        return False
    return "leaf" in item or any("parent" in table(one) for one in item["messages"][:3])


def conversation(item: object, context: Context) -> Conversation:
    """The conversation in one line, empty when it says so; NotUnderstood when no message in it is one."""
    whole = table(item)
    raw = _by_id(whole)
    if not raw and whole.get("messages") == []:
        return Conversation()
    if not raw:
        raise NotUnderstood("There are no “messages” with a role and a text in it.")
    source = words(whole.get("id")) or next(iter(raw))
    ids = {given: _id("message", source, given) for given in raw}
    created = moment(whole.get("created"), context.time)
    messages: list[Message] = []
    before: set[str | None] = set()
    for given in _in_order(raw):
        parent = ids.get(_text(raw[given].get("parent")))
        # Of a circle, one comes before its parent: it begins.
        messages.append(
            _message(raw[given], ids[given], parent if parent in before else None, created)
        )
        before.add(ids[given])
    return Conversation(
        _id("conversation", source),
        words(whole.get("title")) if "title" in whole else title_from(messages[0].content),
        messages,
        ids.get(_text(whole.get("leaf"))),
        created,
        updated=moment(whole.get("updated"), max(one.created for one in messages)),
        archived=whole.get("archived") is True,
        starred=whole.get("starred") is True,
        tags=[words(tag) for tag in rows(whole.get("tags")) if isinstance(tag, str)],
        preset=words(whole.get("preset")),
    )


def _by_id(whole: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The messages that are ones, by the id that the file gives them or by their place."""
    found: dict[str, Mapping[str, Any]] = {}
    for place, one in enumerate(rows(whole.get("messages"))):
        raw = table(one)
        role = raw.get("role")
        if isinstance(role, str) and role in ROLES and isinstance(raw.get("content"), str):
            given = _text(raw.get("id"))
            found[given if given and given not in found else f"{given} {place}"] = raw
    return found


def _in_order(raw: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """As they stand, where each comes after its parent; else branch by branch."""
    parents: dict[str, str | None] = {}
    for given, one in raw.items():
        named = _text(one.get("parent"))
        parents[given] = named if named in raw else None
    before: set[str] = set()
    for given, parent in parents.items():
        if parent is not None and parent not in before:
            return list(parents_first(parents))
        before.add(given)
    return list(raw)


def _id(kind: str, source: str, given: str | None = None) -> str:
    own = source if given is None else given
    return own if _ID.fullmatch(own) else derived_id(kind, source, own)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _message(raw: Mapping[str, Any], id: str, parent: str | None, otherwise: int) -> Message:
    status = raw.get("status", "complete")
    known = isinstance(status, str) and status in STATUSES and status != "streaming"
    return Message(
        id,
        parent,
        raw["role"],
        words(raw["content"]),
        status if known else "interrupted",
        words(raw.get("reasoning")),
        words(raw.get("error")),
        _setup(raw),
        usage_from(table(raw.get("usage"))),
        _refused(raw.get("refused")),
        words(raw.get("finish_reason")),
        words(raw.get("request_id")),
        moment(raw.get("created"), otherwise),
        _begun(raw.get("begun"), words(raw["content"])),
        _way(raw.get("way")),
        words(raw.get("suffix")),
        _count(raw.get("logprobs")),
    )


def _count(value: object) -> int:
    return value if type(value) is int and 0 < value < 2**31 else 0


def _begun(value: object, content: str) -> int:
    return value if type(value) is int and 0 < value <= len(content) else 0


def _way(value: object) -> str:
    return next((way for way in WAYS if way == value), "")


def _setup(raw: Mapping[str, Any]) -> Setup | None:
    """What made a reply; None where nothing of it is named."""
    endpoint, model = raw.get("endpoint"), raw.get("model")
    if not isinstance(endpoint, str) and not isinstance(model, str):
        return None
    params = params_of(table(raw.get("params")))
    return Setup(words(endpoint), words(model), words(raw.get("system")), params)


def _refused(value: object) -> tuple[Refusal, ...]:
    found = []
    for refused, said in table(value).items():
        more = table(said)
        text = words(more.get("words")) if more else words(said)
        found.append(Refusal(words(refused), text, words(more.get("sent_as"))))
    return tuple(found)
