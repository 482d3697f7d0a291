"""What is to be done about a refusal: which field it names, and how the request is sent the next time; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tui_chat.core.conversation import COUNT_FIELD, Refusal
from tui_chat.core.errors import ChatError
from tui_chat.core.failures import refused_field
from tui_chat.core.learned import Learned
from tui_chat.core.wire import LOGPROBS

UNTOLD = Refusal("", "")
"""Stands for a request that is sent in another form, with nothing left out that a person set."""


@dataclass
class Refused:
    """A refusal by status code, as the server put it and in our words."""

    status: int
    body: object
    words: ChatError


_PARTS = {"include_usage": COUNT_FIELD}
"""A part of a field → the field."""


def named_otherwise(body: object, words: str, sent: Iterable[str]) -> str | None:
    """Which of these fields an error names in another way: by a part of it (Mistral), in one word with humps
    as in `presencePenalty` (xAI), in a list of arguments (OpenAI), or in words for people (vLLM and Gemini on
    logprobs)."""
    for name in sent:
        first, *others = name.split("_")
        humped = "".join([first, *(one.capitalize() for one in others)])
        if others and re.search(rf"\b{humped}\b", words):
            return name
        if re.search(rf"\b[Aa]rguments?\b[^.:]*:\s*(?:\w+,\s*)*{name}(?=,|\.?$)", words):
            return name
        if name == LOGPROBS[0] and re.search(r"\blogprobs\b", words, re.IGNORECASE):
            return name
        shown = repr(body)[:10_000]
        if any(whole == name and f"'{part}'" in shown for part, whole in _PARTS.items()):
            return name
    return None


def met(
    learned: Learned,
    rename: Mapping[str, str],
    body: Mapping[str, Any],
    answer: object,
    words: str,
    *,
    completes: bool,
) -> Refusal | None:
    """What is left out or sent under another name from now on, because a server answered a request with this
    error; None where it names nothing that could be. `words` are those of the answer."""
    names = learned.names(rename)
    sent = [name for name in (*names, COUNT_FIELD) if name in body]
    if not completes and learned.wants_switch(body, words):
        return UNTOLD
    name = refused_field(answer, sent) or named_otherwise(answer, words, sent)
    if name is None:
        return None
    if name in LOGPROBS and learned.fewer_logprobs(body, words):
        return UNTOLD
    return (
        Refusal(name, words)
        if name == COUNT_FIELD
        else learned.forget(name, names[name], words, body.get(name))
    )
