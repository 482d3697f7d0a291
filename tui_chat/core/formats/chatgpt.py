"""ChatGPT's data export: one conversation of a conversations.json, read with all its branches.

Our roles are three, so what a tool put out is kept as an assistant's message with a block of code. What
ChatGPT hides (its own system messages, custom instructions) is left out; what a model thought is the
reasoning of the message that follows. Pictures and sounds are not in the text: a `[image]` stands for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tui_chat.core.conversation import Conversation, Message, Role, Setup, Status, title_from
from tui_chat.core.formats.foreign import (
    Context,
    NotUnderstood,
    derived_id,
    fenced,
    milliseconds,
    name,
    parents_first,
    rows,
    table,
    words,
)

ENDPOINT = "chatgpt"
"""The name under which replies of ChatGPT keep their model."""
_ROLES: Mapping[object, Role] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "assistant",
}
_THOUGHTS = ("thoughts", "reasoning_recap")
_HIDDEN = ("user_editable_context", "model_editable_context")
_CODE = ("code", "execution_output")
_ENDINGS: Mapping[object, Status] = {"max_tokens": "length", "interrupted": "stopped"}
_MARKS = {
    "image_asset_pointer": "[image]",
    "audio_asset_pointer": "[audio]",
    "real_time_user_audio_video_asset_pointer": "[audio]",
    "video_container_asset_pointer": "[video]",
}


def is_one(item: object) -> bool:
    """Whether this looks like a conversation of ChatGPT's."""
    return isinstance(item, dict) and isinstance(item.get("mapping"), dict)


def conversation(item: object, context: Context) -> Conversation:
    """The conversation in one item; NotUnderstood when it is none or says nothing."""
    whole = table(item)
    nodes = {key: table(node) for key, node in table(whole.get("mapping")).items()}
    if not nodes:
        raise NotUnderstood("There is no “mapping” with messages in it.")
    created = milliseconds(whole.get("create_time"), context.time)
    source = whole.get("conversation_id") or whole.get("id")
    if not isinstance(source, str):
        source = f"{created} {next(iter(nodes))}"
    tree = _Tree(source, nodes, created, name(whole.get("default_model_slug")))
    messages = list(tree.messages())
    if not messages:
        raise NotUnderstood("There is no message with a text in it.")
    current = whole.get("current_node")
    return Conversation(
        derived_id(ENDPOINT, source),
        name(whole.get("title")) or title_from(messages[0].content),
        messages,
        tree.stands_for.get(current) if isinstance(current, str) else None,
        created,
        updated=milliseconds(whole.get("update_time"), max(one.created for one in messages)),
        archived=whole.get("is_archived") is True,
        starred=whole.get("is_starred") is True,
    )


@dataclass(frozen=True, slots=True)
class _Above:
    """What a node passes on to those below it."""

    message: Message | None = None
    """The nearest message above that is kept."""
    thoughts: str = ""
    """What was thought since then."""


class _Tree:
    """The nodes of one conversation, on their way to messages."""

    def __init__(
        self, source: str, nodes: Mapping[str, Mapping[str, Any]], created: int, model: str
    ) -> None:
        self._source = source
        self._nodes = nodes
        self._created = created
        self._model = model
        self.stands_for: dict[str, str] = {}
        """Which message is read where the file names this node."""

    def messages(self) -> Iterator[Message]:
        """The messages that are kept, each after its parent."""
        above: dict[str, _Above] = {}
        parents = self._parents()
        last = parents.keys() - set(parents.values())
        for node in parents_first(parents):
            parent = parents[node]
            # Of a circle, one node comes before its parent: it begins.
            before = above.get(parent, _Above()) if parent is not None else _Above()
            above[node], found = self._read(node, before, is_last=node in last)
            yield from found
            if (stands := above[node].message) is not None:
                self.stands_for[node] = stands.id

    def _parents(self) -> dict[str, str | None]:
        """The parent of each node; siblings in the order in which their parent names them, else by time."""
        named: dict[str, tuple[int, str]] = {}
        for node, raw in self._nodes.items():
            for place, child in enumerate(rows(raw.get("children"))):
                if isinstance(child, str):
                    named.setdefault(child, (place, node))
        nowhere = (len(self._nodes), None)
        found: dict[str, str | None] = {}
        for node in sorted(
            self._nodes, key=lambda one: (named.get(one, nowhere)[0], self._time(one))
        ):
            parent = self._nodes[node].get("parent")
            known = isinstance(parent, str) and parent in self._nodes
            found[node] = parent if known else named.get(node, nowhere)[1]
        return found

    def _time(self, id: str) -> int:
        made = table(table(self._nodes.get(id)).get("message")).get("create_time")
        return milliseconds(made, self._created)

    def _read(self, node: str, before: _Above, *, is_last: bool) -> tuple[_Above, list[Message]]:
        """What a node passes on, and the messages it makes."""
        raw = table(self._nodes[node].get("message"))
        thought = _thought(raw)
        message = None if thought else self._message(node, raw, before.message)
        thoughts = "\n\n".join(part for part in (before.thoughts, thought) if part)
        if message is None:
            if not (thoughts and is_last):
                return _Above(before.message, thoughts), []
            # Nothing follows: what was thought is kept by itself.
            message = self._made(node, "assistant", raw, before.message)
        elif thoughts and message.role != "assistant":
            alone = self._made(f"{node} thoughts", "assistant", {}, before.message)
            message = replace(message, parent=alone.id)
            return _Above(message), [replace(alone, reasoning=thoughts), message]
        message = replace(message, reasoning=thoughts)
        return _Above(message), [message]

    def _message(self, id: str, raw: Mapping[str, Any], parent: Message | None) -> Message | None:
        author = table(raw.get("author"))
        role = _ROLES.get(author.get("role")) if isinstance(author.get("role"), str) else None
        if role is None or _hidden(raw, author.get("role")):
            return None
        text = _text(table(raw.get("content")))
        if author.get("role") == "tool" and text:
            text = text if text.startswith("[") or "```" in text else fenced(text)
        files = [name(table(one).get("name")) for one in _attachments(raw)]
        marks = [f"[file: {one}]" for one in files if one]
        whole = "\n\n".join(part for part in (text, *marks) if part.strip())
        if not whole:
            return None
        made = self._made(id, role, raw, parent)
        tool = author.get("role") == "tool"
        return replace(made, content=whole, setup=None if tool else made.setup)

    def _made(self, id: str, role: Role, raw: Mapping[str, Any], parent: Message | None) -> Message:
        """A message without its text."""
        metadata = table(raw.get("metadata"))
        finish = table(metadata.get("finish_details")).get("type")
        status: Status = "interrupted" if raw.get("status") == "in_progress" else "complete"
        setup = None
        if role == "assistant":
            setup = Setup(ENDPOINT, name(metadata.get("model_slug")) or self._model)
            status = _ENDINGS.get(finish, status) if isinstance(finish, str) else status
        return Message(
            derived_id(ENDPOINT, self._source, id),
            parent.id if parent else None,
            role,
            "",
            status,
            setup=setup,
            finish_reason=name(finish) if setup else "",
            created=milliseconds(
                raw.get("create_time"), parent.created if parent else self._created
            ),
        )


def _hidden(raw: Mapping[str, Any], role: object) -> bool:
    """Whether ChatGPT itself would not show this message."""
    metadata = table(raw.get("metadata"))
    if metadata.get("is_visually_hidden_from_conversation") is True:
        return True
    if table(raw.get("content")).get("content_type") in _HIDDEN:
        return True
    return role in ("system", "tool") and raw.get("weight") == 0


def _attachments(raw: Mapping[str, Any]) -> list[object]:
    return list(rows(table(raw.get("metadata")).get("attachments")))


def _thought(raw: Mapping[str, Any]) -> str:
    """What a model thought, where this is all that a message holds."""
    content = table(raw.get("content"))
    if content.get("content_type") not in _THOUGHTS:
        return ""
    parts = [words(content.get("content"))]
    for one in rows(content.get("thoughts")):
        parts += [words(table(one).get("summary")), words(table(one).get("content"))]
    return "\n\n".join(part for part in parts if part.strip())


def _text(content: Mapping[str, Any]) -> str:
    """The text of any kind of content; a mark for what is no text."""
    kind = content.get("content_type")
    if kind in _CODE:
        text = words(content.get("text"))
        return fenced(text, words(content.get("language"))) if text.strip() else ""
    parts = [_part(part) for part in rows(content.get("parts"))]
    if not parts:
        parts = [words(content.get(key)) for key in ("title", "text", "result", "content")]
    return "\n\n".join(part for part in parts if part.strip())


def _part(part: object) -> str:
    if not isinstance(part, dict):
        return words(part)
    kind = part.get("content_type")
    if isinstance(kind, str) and kind in _MARKS:
        return _MARKS[kind]
    return words(part.get("text")) or (f"[{name(kind)}]" if name(kind) else "")
