"""The lines under a reply in the lens: how sure the model was of all of it; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.content import Content

from tui_chat.core.conversation import (
    EDITED,
    LOGPROBS_FIELD,
    Conversation,
    Message,
)
from tui_chat.core.heeding import untold as because_refused
from tui_chat.core.sampling import bits, sureness
from tui_chat.core.text import one_line
from tui_chat.rooms.lens.view import MOST_OF_A_TOKEN
from tui_chat.widgets.candidates import name_of, percent
from tui_chat.widgets.captions import foot
from tui_chat.widgets.meter import figure
from tui_chat.widgets.tones import MUTED


def whole(logprobs: Sequence[float | None], raws: Sequence[bytes], *, surprise: bool) -> str:
    """Perplexity, mean and least likely token of a reply; empty where nothing is known."""
    found = sureness(logprobs)
    if found is None:
        return ""
    logprob = logprobs[found.worst] or 0.0
    if surprise:
        mean, least = f"{bits(found.mean):.2f} bits", f"{bits(logprob):.1f} bits"
    else:
        mean, least = percent(math.exp(found.mean)), percent(math.exp(logprob))
    return f"perplexity {found.perplexity:.2f} · mean {mean} · least {name_of(raws[found.worst])} {least}"


def turn(conversation: Conversation, message: Message) -> str:
    """Which of its siblings a reply is, `‹ 2/5 ›`; empty where it has none."""
    siblings = conversation.siblings(message.id)
    return f"‹ {siblings.index(message.id) + 1}/{len(siblings)} ›" if len(siblings) > 1 else ""


def line(
    conversation: Conversation,
    message: Message,
    logprobs: Sequence[float | None],
    raws: Sequence[bytes],
    width: int,
    *,
    surprise: bool,
) -> Content:
    """As much of it as has room: what is first is dropped last."""
    count = f"{figure(len(raws))} tokens"
    parts = [
        turn(conversation, message),
        whole(logprobs, raws, surprise=surprise) or foot(message) or count,
        "arriving" if message.status == "streaming" else "",
    ]
    words = "  ".join(part for part in parts if part)
    return Content.styled(words, MUTED).truncate(width, ellipsis=True)


def untold(message: Message, logprobs: Sequence[float | None], recorded: bool) -> str:
    """Why nothing is known of a reply's tokens, in words; empty when there is. `recorded` is whether the
    next reply would be asked for probabilities."""
    if any(one is not None for one in logprobs):
        return ""
    why = _why_untold(message, recorded)
    if len(message.content) <= MOST_OF_A_TOKEN:
        return why
    return f"{why} Only its first {MOST_OF_A_TOKEN:,} characters are shown here."


def _why_untold(message: Message, recorded: bool) -> str:
    if message.setup is None or message.finish_reason == EDITED:
        return "A person wrote this."
    name = one_line(message.setup.endpoint, 40)
    refusal = next((one for one in message.refused if one.name == LOGPROBS_FIELD), None)
    if refusal is not None:
        return because_refused(name, refusal.words)
    if message.logprobs:
        return "" if message.status == "streaming" else f"{name} told no probabilities."
    again = " F5 answers again with them." if recorded else ""
    return f"It was not asked for probabilities.{again}"


def untried(endpoint: str) -> str:
    """What to say where it is not known whether an endpoint goes on with a reply."""
    name = one_line(endpoint, 40)
    return f"{name} was not asked anything in this run: whether it takes other roads is not known."
