"""The words around a message: who, how it was made, what it took, how it ended; pure."""

from __future__ import annotations

from tui_chat.core.conversation import EDITED, Conversation, Message, Setup, Usage
from tui_chat.widgets.meter import figure
from tui_chat.widgets.transcript import Caption

_HEADS = {"user": "You", "system": "System", "assistant": "Assistant"}
_ENDS = {"length": "length: cut off"}
AGAIN = {
    "interrupted": "F5 answers again",
    "failed": "F5 tries again",
    "cut": "F5 answers again",
    "filtered": "F5 answers again",
}
"""What helps after a reply that did not end as it should."""
MARKED = "◆ marked"


def caption(
    message: Message,
    conversation: Conversation,
    *,
    marked: bool = False,
    last: bool = False,
    cost: str = "",
) -> Caption:
    """The words around this message of this conversation; `marked` when another is compared with it,
    `last` when F5 would answer again what it answers, `cost` is what it cost where that is known."""
    siblings = conversation.siblings(message.id)
    turn = f"‹ {siblings.index(message.id) + 1}/{len(siblings)} ›" if len(siblings) > 1 else ""
    position = "  ".join(part for part in (MARKED if marked else "", turn) if part)
    head = speaker(message)
    if message.setup is None:
        return Caption(head, position)
    end = foot(message, cost)
    if last:
        end = with_help(end, message)
    return Caption(head, position, end, trouble(message), sent(message, message.setup))


def speaker(message: Message) -> str:
    """Who speaks: a person, or the model that a reply was made by."""
    if message.setup is not None and (name := message.setup.model or message.setup.endpoint):
        return name
    return _HEADS[message.role] + (" · edited" if message.finish_reason == EDITED else "")


def sent(message: Message, setup: Setup) -> str:
    """The parameters that the reply was made with: those that were set, and not refused."""
    return setup.without(message.refused).params.summary


def foot(message: Message, cost: str = "") -> str:
    """`12 tokens · 0.4 s · 98 tok/s · $0.0012 · complete`; empty while the reply streams."""
    if message.status == "streaming":
        return ""
    parts = [*figures(message.usage), cost, _ENDS.get(message.status, message.status)]
    return " · ".join(part for part in parts if part)


def with_help(foot: str, message: Message) -> str:
    """The foot of the last reply, with the key that helps where it did not end as it should."""
    helps = AGAIN.get(message.status, "")
    if message.status == "complete" and message.error:
        helps = AGAIN["interrupted"]  # It said nothing.
    return f"{foot}: {helps}" if helps else foot


def figures(usage: Usage) -> list[str]:
    """What a reply took, each figure with its unit; those that are not known are left out."""
    parts: list[str] = []
    if usage.completion_tokens is not None:
        count = figure(usage.completion_tokens, exact=not usage.estimated)
        unit = "token" if usage.completion_tokens == 1 else "tokens"
        thought = f" ({figure(usage.reasoning_tokens)} reasoning)" if usage.reasoning_tokens else ""
        parts.append(f"{count} {unit}{thought}")
    if usage.cached_tokens:
        parts.append(f"{figure(usage.cached_tokens)} cached")
    if usage.seconds is not None:
        parts.append(f"{usage.seconds:.1f} s")
    if usage.tokens_per_second is not None:
        parts.append(f"{usage.tokens_per_second:.0f} tok/s")
    return parts


def trouble(message: Message) -> str:
    """Why the reply failed or was cut, and which parameters it was made without."""
    lines = [message.error] if message.error else []
    if not message.refused:
        return "\n".join(lines)
    from tui_chat.core.heeding import told_of

    lines += [told_of(refusal) for refusal in message.refused if not refusal.unasked]
    return "\n".join(lines)
