"""Lists of turns without branches: fine-tuning data as OpenAI takes it, and ShareGPT's conversations.

A first system message is the system prompt of the replies after it, as an export of ours writes it; one
further down, or one to which nobody replied, is a message. What a tool said is an assistant's message
with a block of code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tui_chat.core.conversation import Conversation, Message, Role, Setup, title_from
from tui_chat.core.formats.foreign import (
    Context,
    NotUnderstood,
    derived_id,
    fenced,
    name,
    rows,
    table,
    words,
)

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "claude": "assistant",
}
_TOOLS = ("tool", "function", "observation", "function_response")
_CALLS = ("function_call",)

_Turn = tuple[Role, str]


def is_finetuning(item: object) -> bool:
    return isinstance(item, dict) and _is_list_of(item.get("messages"), "role")


def is_sharegpt(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    found = item.get("conversations")
    return _is_list_of(found, "from") or _is_list_of(found, "role")


def _is_list_of(value: object, key: str) -> bool:
    return isinstance(value, list) and any(key in table(one) for one in value[:3])


def finetuning(item: object, context: Context) -> Conversation:
    """The conversation in one example of fine-tuning data; NotUnderstood when there is none."""
    return _conversation("finetuning", item, "messages", context)


def sharegpt(item: object, context: Context) -> Conversation:
    """The conversation in one item of ShareGPT's; NotUnderstood when there is none."""
    return _conversation("sharegpt", item, "conversations", context)


def _conversation(format: str, item: object, key: str, context: Context) -> Conversation:
    whole = table(item)
    turns = [turn for raw in rows(whole.get(key)) for turn in _turn(table(raw))]
    if not turns:
        raise NotUnderstood(f"There is no “{key}” with texts of known roles in it.")
    source = whole.get("id")
    if not isinstance(source, str | int) or source == "":
        source = _by_content(turns, context)
    system = ""
    replied = any(role == "assistant" for role, _ in turns)
    # Said twice, it would be written once.
    if replied and turns[0][0] == "system" and turns[0] != turns[1]:
        system = turns.pop(0)[1]
    setup = Setup(model=name(whole.get("model")), system=system)
    messages = _chain(derived_id(format, str(source)), turns, setup, context)
    title = name(whole.get("title")) or title_from(messages[0].content)
    return Conversation(derived_id(format, str(source)), title, messages, created=context.time)


def _by_content(turns: Iterable[_Turn], context: Context) -> str:
    """A name for what has none; the same content again, in the same file, is another conversation."""
    content = derived_id(*(part for turn in turns for part in turn))
    context.seen[content] += 1
    return f"{content} {context.seen[content]}"


def _chain(id: str, turns: Sequence[_Turn], setup: Setup, context: Context) -> list[Message]:
    """The turns as messages; their ids hold what was said before, as two files may use the same id."""
    messages: list[Message] = []
    parent: str | None = None
    for role, text in turns:
        own = derived_id(parent or id, role, text, setup.system)
        made = setup if role == "assistant" else None
        messages.append(Message(own, parent, role, text, setup=made, created=context.time))
        parent = own
    return messages


def _turn(raw: Mapping[str, Any]) -> list[_Turn]:
    """The turn, where it has a known role and a text."""
    said_by = raw.get("from", raw.get("role"))
    role = said_by.strip().lower() if isinstance(said_by, str) else ""
    text = _text(raw.get("value", raw.get("content")))
    calls = [_call(table(one)) for one in rows(raw.get("tool_calls"))]
    if role in _TOOLS or role in _CALLS:
        return [("assistant", fenced(text))] if text.strip() else []
    whole = "\n\n".join(part for part in (text, *calls) if part)
    return [(_ROLES[role], whole)] if role in _ROLES and (whole or text) else []


def _text(value: object) -> str:
    """The text; of a list of parts those that are texts, and a mark for the others."""
    if isinstance(value, str):
        return words(value)
    parts = []
    for part in rows(value):
        found = table(part)
        kind = name(found.get("type")).removesuffix("_url").removeprefix("input_")
        parts.append(words(part) or words(found.get("text")) or (f"[{kind}]" if kind else ""))
    return "\n\n".join(part for part in parts if part.strip())


def _call(raw: Mapping[str, Any]) -> str:
    function = table(raw.get("function"))
    called = name(function.get("name"))
    return fenced(f"{called}({words(function.get('arguments'))})") if called else ""
