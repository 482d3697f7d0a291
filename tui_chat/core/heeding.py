"""Whether a model heeds a parameter, as far as that is known: what is held back, and what to say; pure.

What is known to be refused is not sent, and that is said, unless a person insists. What is only
ignored is sent: nothing is lost by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from tui_chat.core.conversation import LOGPROBS_FIELD, Refusal, Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.params import BY_NAME, PARAMETERS, label_of
from tui_chat.core.rules import verdict
from tui_chat.core.text import one_line

HELD = "not sent: "
"""How the words of a refusal begin that no server spoke: it was known before."""


@dataclass(frozen=True)
class Heed:
    """What becomes of a parameter that is not simply heeded."""

    kind: Literal["refused", "ignored", "capped", "unknown", "insisted", "strict", "renamed"]
    why: str
    """In words that go on from a colon; without a full stop."""

    @property
    def lost(self) -> bool:
        """Whether it does nothing: it is not sent, or not heeded."""
        return self.kind not in ("insisted", "strict", "renamed")

    @property
    def held(self) -> bool:
        """Whether it is not sent."""
        return self.kind in ("refused", "unknown")


def heed(
    endpoint: Endpoint,
    model: str,
    name: str,
    params: Mapping[str, object],
    listed: Collection[str] | None = None,
) -> Heed | None:
    """What the endpoint's model does with a parameter (or with being asked for logprobs), with these set;
    None where it heeds it or nobody knows. `listed` are the fields that the server's list of models says
    this one takes."""
    found = verdict(endpoint.rules, model, name, params)
    if name == LOGPROBS_FIELD and found is None and endpoint.most_logprobs == 0:
        return Heed("refused", "it tells no probabilities")
    if found is not None:
        return Heed(found.kind, found.why)
    if name == LOGPROBS_FIELD:
        return None
    parameter = BY_NAME[name]
    if not endpoint.takes(parameter):
        return Heed("unknown", f"{one_line(endpoint.name, 60)} does not know it")
    if listed is not None and not {name, endpoint.rename.get(name, name)} & set(listed):
        return Heed("ignored", "the list of models says that this one does not take it")
    return None


def heeds(
    endpoint: Endpoint, setup: Setup, listed: Collection[str] | None = None
) -> dict[str, Heed]:
    """All parameters that are not simply heeded, set or not."""
    found = {
        one.name: heed(endpoint, setup.model, one.name, setup.params, listed) for one in PARAMETERS
    }
    return {name: one for name, one in found.items() if one is not None}


def held_back(
    endpoint: Endpoint, setup: Setup, insisted: Collection[str] = (), *, logprobs: bool = False
) -> tuple[Refusal, ...]:
    """What a request with this setup is not sent with, and why: all that is set and known to be refused,
    but for what a person insists on."""
    names = [*setup.params, *([LOGPROBS_FIELD] if logprobs else [])]
    found = ((name, heed(endpoint, setup.model, name, setup.params)) for name in names)
    return tuple(
        Refusal(name, HELD + one.why)
        for name, one in found
        if one is not None and one.held and name not in insisted
    )


def told_of(refusal: Refusal) -> str:
    """What became of a parameter, in a sentence."""
    label = label_of(refusal.name)
    if refusal.sent_as:
        why = f": {refusal.words.rstrip('.')}" if refusal.words else ""
        return f"{label} was sent as {refusal.sent_as}{why}."
    if refusal.words.startswith(HELD):
        return f"{label} was {refusal.words}."
    return f"{label} was refused: {refusal.words}"


def untold(name: str, words: str) -> str:
    """Why an endpoint of this name tells no probabilities: because it refused to, in these words, or was
    known to."""
    if words.startswith(HELD):
        return f"{name} is not asked for probabilities: {one_line(words.removeprefix(HELD), 200)}."
    return f"{name} refuses to tell probabilities: {one_line(words, 200)}"


def explained(one: Heed, model: str, *, is_set: bool) -> str:
    """The sentence for the parameter's row."""
    whose, why = one_line(model, 40) or "the model", one.why.rstrip(".")
    begin = {
        "refused": f"Refused by {whose}: {why}.",
        "unknown": f"Not sent: {why}.",
        "ignored": f"Ignored by {whose}: {why}.",
        "capped": f"Bounded by {whose}: {why}.",
        "insisted": f"Sent all the same: {why}.",
        "strict": f"Sent, since requests are strict: {why}.",
        "renamed": f"Sent as {why}.",
    }[one.kind]
    if one.held and is_set:
        return f"{begin} ! sends it anyway."
    return begin + (" ! holds it back again." if one.kind == "insisted" else "")
