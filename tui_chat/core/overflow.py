"""A conversation that is longer than its model takes: by how much, and what would make it fit.

Servers say it each in their own way; what is said of it here can be read back, also from a reply that was
kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tui_chat.core import counting
from tui_chat.core.conversation import Message, Setup, new_id, now
from tui_chat.core.params import BY_NAME, Params
from tui_chat.core.wire import spoken

_KINDS = ("exceed_context_size_error", "context_length_exceeded")
# In this order: the plainer ones find the more special too. Who says it so is at the right.
_SAID = tuple(
    re.compile(pattern, re.S)
    for pattern in (
        r"maximum context length is (?P<room>\d{1,12}) tokens.{0,300}?\((?P<used>\d{1,12}) (?:in|of)[^)]{0,120}?(?P<wanted>\d{1,12}) (?:in|for) the (?:completion|output)",  # OpenAI, DeepSeek, OpenRouter, older vLLM
        r"maximum context length is (?P<room>\d{1,12}) tokens.{0,300}?requested (?P<wanted>\d{1,12}) output tokens.{0,300}?(?P<used>\d{1,12}) input tokens",  # vLLM
        r"is too large: (?P<wanted>\d{1,12})\..{0,300}?maximum context length is (?P<room>\d{1,12}) tokens.{0,300}?(?P<used>\d{1,12}) input tokens",  # vLLM
        r"maximum context length is (?P<room>\d{1,12}) tokens.{0,300}?(?P<used>\d{1,12}) (?:input )?tokens",  # OpenAI, vLLM
        r"\((?P<used>\d{1,12}) tokens\) exceeds the available context size \((?P<room>\d{1,12}) tokens",  # llama.cpp
        r"exceed context limit: (?P<used>\d{1,12}) \+ (?P<wanted>\d{1,12}) > (?P<room>\d{1,12})",  # Anthropic
        r"prompt is too long: (?P<used>\d{1,12}) tokens > (?P<room>\d{1,12})",  # Anthropic
        r"input token count \(?(?P<used>\d{1,12})\)? exceeds the maximum number of tokens allowed \(?(?P<room>\d{1,12})",  # Gemini
        r"limit of (?P<room>\d{1,12}) tokens\. Your messages resulted in (?P<used>\d{1,12}) tokens",  # OpenAI
        r"contains (?P<used>\d{1,12}) tokens.{0,300}?too large for model with (?P<room>\d{1,12}) maximum context",  # Mistral
        r"maximum prompt length is (?P<room>\d{1,12}) but the request contains (?P<used>\d{1,12}) tokens",  # xAI
        r"must be <= (?P<room>\d{1,12})\. Given: (?P<used>\d{1,12}) \S+ tokens and (?P<wanted>\d{1,12})",  # Together
        r"keep the first (?P<used>\d{1,12}) tokens.{0,300}?context length of only (?P<room>\d{1,12})",  # LM Studio
    )
)  # fmt: skip
_OWN = (
    re.compile(r"The (?:conversation|text) is ≈?\d+ tokens? too long: it has ≈?(?P<used>\d{1,12}), and the model takes (?P<room>\d{1,12})\."),
    re.compile(r"With the max length the (?:conversation|text) is ≈?\d+ tokens? too long: ≈?(?P<used>\d{1,12}) \+ (?P<wanted>\d{1,12}), and the model takes (?P<room>\d{1,12})\."),
    re.compile(r"The (?:conversation|text) is too long for this model\."),
)  # fmt: skip
_MOST = 10**12
"""Tokens; what a server says beyond this is no count."""
_LONGEST = int(BY_NAME["max_tokens"].high)
SHORTEST = 16
"""Tokens; no shorter answer is offered."""
_USUAL_ANSWER = 512
"""Tokens that are left for an answer where no max length is set."""


@dataclass(frozen=True)
class Overflow:
    """How much is too much; 0 for what is not known."""

    used: int = 0
    """Tokens of the conversation as it would be sent."""
    room: int = 0
    """How many the model takes."""
    wanted: int = 0
    """The max length, where that counts with them."""
    exact: bool = True
    """Whether `used` is a count, not an estimate."""

    @property
    def over(self) -> int:
        return max(0, self.used + self.wanted - self.room) if self.used and self.room else 0

    def sentence(self, what: str = "conversation") -> str:
        """What happened; read() reads it back."""
        if not self.over:
            return f"The {what} is too long for this model."
        about = "" if self.exact else "≈"
        tokens = f"{about}{self.over} token{'s' * (self.over != 1)}"
        if self.wanted:
            return (
                f"With the max length the {what} is {tokens} too long: {about}{self.used} + {self.wanted},"
                f" and the model takes {self.room}."
            )
        return f"The {what} is {tokens} too long: it has {about}{self.used}, and the model takes {self.room}."

    def hint(self, what: str = "conversation") -> str:
        """What helps, in a sentence."""
        if self.over and not self.wanted:
            return f"Shorten the {what}, or choose a model that takes more."
        return f"Shorten the {what}, or lower the max length."


def read(error: str) -> Overflow | None:
    """What the words of a failed reply say of it; None where it failed for another reason."""
    for pattern in _OWN:
        if found := pattern.match(error):
            return _of(found)
    return None


def _of(found: re.Match[str]) -> Overflow:
    figures = {name: int(value) for name, value in found.groupdict().items()}
    return Overflow(figures.get("used", 0), figures.get("room", 0), figures.get("wanted", 0))


def told(facts: Mapping[str, object], words: str) -> Overflow | None:
    """What a server's error says of it, by the facts in its body and its words; None where it is another."""
    used, room = facts.get("n_prompt_tokens"), facts.get("n_ctx")
    if type(used) is int and type(room) is int and 0 <= min(used, room) <= max(used, room) < _MOST:
        return Overflow(used, room)
    named = any(facts.get(name) in _KINDS for name in ("code", "type"))
    for pattern in _SAID:
        if found := pattern.search(words):
            one = _of(found)
            if named or one.over:
                return one
    return Overflow() if named else None


def length_of(setup: Setup) -> int:
    """The max length that is set; 0 where none is."""
    value = setup.params.get("max_tokens")
    return value if isinstance(value, int) else 0


def with_length(setup: Setup, length: int) -> Setup:
    """The setup with this max length."""
    return replace(setup, params=Params({**setup.params, "max_tokens": length}))


def check_overflow(
    used: int | None, window: int | None, wanted: int = 0, *, exact: bool = True
) -> Overflow | None:
    """How much too much a request would be that has so many tokens and wants so long an answer; None where
    it fits, or where that is not known."""
    if not used or not window or used + wanted <= window:
        return None
    return Overflow(used, window, wanted, exact)


@dataclass(frozen=True)
class Remedies:
    """What would make a thread fit; 0 for what would not."""

    shorter: int = 0
    """A max length with which all of it fits."""
    forget: int = 0
    """With which of its messages it would begin."""
    left_out: int = 0
    """How many messages that leaves out."""
    length: int = 0
    """The max length that is needed besides, where they are left out."""


def remedies(over: Overflow, setup: Setup, thread: Sequence[Message]) -> Remedies:
    """What would make this thread fit, whose last message is the question. Blocks, for it counts tokens."""
    encoding, _ = counting.encoding_for(setup.model, openai=False)
    nothing = counting.count_messages((), encoding)
    sizes = [
        sum(counting.count_messages([pair], encoding) - nothing for pair in spoken(Setup(), [one]))
        for one in thread
    ]
    base = counting.count_messages(spoken(setup, ()), encoding)
    return remedies_for(over, length_of(setup), base, sizes, [one.role for one in thread])


def remedies_for(
    over: Overflow, length: int, base: int, sizes: Sequence[int], roles: Sequence[str]
) -> Remedies:
    """As remedies(), of the sizes and roles of a thread's messages and what a request has besides; `length` is
    the max length that is set."""
    whole = base + sum(sizes)
    used = over.used or whole
    # Where the room is not said, half of what was refused is a guess that helps in the end.
    room = over.room or used // 2
    # The server's own count is the measure of ours.
    scale = used / whole if whole else 1.0
    margin = 0 if over.exact and over.used and over.room else room // 50
    shorter = room - used - margin if over.wanted else 0
    shorter = min(shorter, _LONGEST) if shorter >= SHORTEST else 0
    asked = over.wanted or length
    answer = min(asked, room // 2) if asked else min(_USUAL_ANSWER, room // 4)
    kept = whole
    for place in range(len(sizes)):  # it is where the loop ended
        tokens = math.ceil(kept * scale) + margin
        if tokens + answer <= room and (roles[place] == "user" or kept == whole):
            break
        if roles[place] != "system":
            kept -= sizes[place]
    else:
        return Remedies(shorter)
    left_out = place - sum(role == "system" for role in roles[:place])
    if not left_out:
        return Remedies(shorter)
    length = min(room - tokens, _LONGEST) if over.wanted > room - tokens else 0
    return Remedies(shorter, place, left_out, length)


def copies(thread: Sequence[Message], forget: int) -> list[tuple[Message, str]]:
    """The thread without its oldest messages as a branch of its own: each new message with the id of the one
    that it is a copy of. What stands there as the system's stays.

    The first is of now, so that a reply that is older than it is known to have been given to another thread.
    """
    kept = [one for one in thread[:forget] if one.role == "system"] + list(thread[forget:])
    made: list[tuple[Message, str]] = []
    for one in kept:
        parent = made[-1][0].id if made else None
        created = one.created if made else now()
        made.append((replace(one, id=new_id(), parent=parent, created=created), one.id))
    return made
