"""What servers do with parameters that they do not heed, as facts with conditions; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Kind = Literal["refused", "ignored", "capped"]
KINDS: Mapping[str, Kind] = {"refuses": "refused", "ignores": "ignored", "caps": "capped"}
"""What a table says a server does → what becomes of the parameter."""
UNSET = "unset"
"""Stands in conditions for a parameter that is not set."""
SET = "set"
"""Stands in conditions for a parameter that is, whatever its value."""


@dataclass(frozen=True)
class Rule:
    """Some parameters that some models do not heed, and why."""

    kind: Kind
    fields: tuple[str, ...]
    """Names of parameters, or conversation.LOGPROBS_FIELD."""
    why: str
    """In words that go on from “Refused by NAME: ”; without a full stop at the end."""
    models: tuple[str, ...] = ()
    """Patterns of the models it holds for; none for all. `*` stands for any letters."""
    but: tuple[str, ...] = ()
    """Patterns of models it does not hold for."""
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """It does not hold where one of these parameters has one of these values, UNSET among them."""
    when: tuple[str, ...] = ()
    """It holds only where all of these parameters are set."""
    above: float | None = None
    """It holds only for values above this."""
    only: tuple[str, ...] = ()
    """It holds only for values that are none of these."""
    blank: bool = False
    """It holds only where one of the texts is nothing but white space."""

    def covers(self, model: str, name: str) -> bool:
        """Whether it speaks of this parameter of this model."""
        if name not in self.fields:
            return False
        return (not self.models or _matches(self.models, model)) and not _matches(self.but, model)

    def holds(self, name: str, values: Mapping[str, object]) -> bool:
        """Whether it applies with these parameters set."""
        for other, allowed in self.unless.items():
            # Of a parameter that is not set it is asked whether it could be set to anything.
            if other == name not in values:
                continue
            if _worded(values.get(other)) in allowed:
                return False
        if any(other not in values for other in self.when):
            return False
        value = values.get(name)
        if self.above is not None and not (
            isinstance(value, int | float) and value > self.above + 1e-9
        ):
            return False
        if self.only and (value is None or _worded(value) in self.only):
            return False
        if self.blank:
            texts = value if isinstance(value, tuple) else ()
            return any(isinstance(text, str) and not text.strip() for text in texts)
        return True


@dataclass(frozen=True)
class Verdict:
    """What becomes of one parameter at one model."""

    kind: Kind
    why: str


def verdict(
    rules: Collection[Rule], model: str, name: str, values: Mapping[str, object]
) -> Verdict | None:
    """What a server is known to do with a parameter, of these that are set; None where it heeds it, or
    where nobody knows. The first rule that covers the parameter and holds decides."""
    for rule in rules:
        if rule.covers(model, name) and rule.holds(name, values):
            return Verdict(rule.kind, rule.why)
    return None


def _worded(value: object) -> str:
    if value is None:
        return UNSET
    return f"{value:g}" if isinstance(value, float) else str(value)


def _matches(patterns: Collection[str], model: str) -> bool:
    # What stands before the last slash is whose model it is.
    name = model.rpartition("/")[2].lower()
    if name.startswith("ft:"):  # OpenAI's fine-tuned models: ft:MODEL:WHOSE:…
        name = name.split(":")[1]
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.lower().split("*")), re.S)


def matches(pattern: str, model: str) -> bool:
    """Whether a model's name, without what stands before its last slash, has this pattern."""
    return _matches((pattern,), model)
