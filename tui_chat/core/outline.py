"""The tree of a conversation as a list: one line for each message, straight runs flat; pure.

The branch that is read runs down the left edge. Others hang off where they leave it, before it
goes on, each indented under its first message.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.core.conversation import Conversation, Message

_MOST_GUIDE = 120
"""Cells of a guide that are kept, its end: no screen shows more, and each of thousands may be longer."""


@dataclass(frozen=True, slots=True)
class Limb:
    """A message in its place: what is drawn before it, and whether it is on the branch that is read."""

    message: Message
    guide: str
    read: bool

    @property
    def key(self) -> str:
        return self.message.id

    @property
    def mark(self) -> str:
        return self.message.id


def outline(conversation: Conversation) -> list[Limb]:
    """All messages, each after the one that it follows."""
    read = {message.id for message in conversation.thread()}
    limbs: list[Limb] = []
    # What is still to be drawn, the next one last: a message, what stands before it, and before
    # all that hangs off below it.
    left: list[tuple[str, str, str]] = []
    _hang(conversation, None, "", read, left)
    while left:
        at, guide, inner = left.pop()
        limbs.append(Limb(conversation.message(at), guide, at in read))
        _hang(conversation, at, inner, read, left)
    return limbs


def _hang(
    conversation: Conversation,
    id: str | None,
    inner: str,
    read: set[str],
    left: list[tuple[str, str, str]],
) -> None:
    """Add what follows a message: the branches that leave here, then the one that goes on straight."""
    children = conversation.children(id)
    if not children:
        return
    straight = next((one for one in children if one in read), children[-1])
    inner = inner[-_MOST_GUIDE:]
    left.append((straight, inner, inner))
    aside = [one for one in children if one != straight]
    left += [(one, f"{inner}├─ ", f"{inner}│  ") for one in reversed(aside)]
