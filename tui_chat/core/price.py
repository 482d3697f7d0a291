"""What a model's tokens cost, as a value, and how dollars are read and shown; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tui_chat.core.conversation import Usage
from tui_chat.core.reading import UNKNOWN_COST
from tui_chat.core.text import one_line

MILLION = Decimal(1_000_000)
_SMALLEST = Decimal("0.000001")
_CENT = Decimal("0.01")
_DEAREST = MILLION
"""Dollars per million tokens; what is more is no price."""


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    """Of the part of a prompt that the server had read before; None where that is not cheaper."""

    @property
    def free(self) -> bool:
        return not (self.input or self.output)

    def of(self, usage: Usage, *, apart: bool = False) -> Decimal | None:
        """What a reply with these counts costs; None where the server's numbers are no counts."""
        counts = Counts.of(usage, apart=apart)
        if counts is None:
            return None
        cached = self.input if self.cached is None else self.cached
        whole = (counts.prompt - counts.cached) * self.input + counts.cached * cached
        return (whole + counts.completion * self.output) / MILLION

    def __str__(self) -> str:
        """In few characters: `$0.15 / $0.60`, or `free`."""
        return "free" if self.free else f"{dollars(self.input)} / {dollars(self.output)}"

    @property
    def words(self) -> str:
        """`$0.15 in, $0.60 out, $0.075 cached`."""
        if self.free:
            return "free"
        words = f"{dollars(self.input)} in, {dollars(self.output)} out"
        return words if self.cached is None else f"{words}, {dollars(self.cached)} cached"


@dataclass(frozen=True)
class Counts:
    """The tokens that are paid for: cached ones are part of the prompt, reasoning of the completion."""

    prompt: int
    completion: int
    reasoning: int
    cached: int

    @classmethod
    def of(cls, usage: Usage, *, apart: bool) -> Counts | None:
        """`apart` says that the server counts reasoning beside the completion, as xAI does (genai-prices,
        extractors of x-ai). None when something is not known, or is no count."""
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        reasoning, cached = usage.reasoning_tokens or 0, usage.cached_tokens or 0
        if prompt is None or completion is None or min(prompt, completion, reasoning, cached) < 0:
            return None
        if apart or reasoning > completion:
            completion += reasoning
        return cls(prompt, completion, reasoning, min(cached, prompt))


def price_of(input: object, output: object, cached: object, *, per: int = 1) -> Price | None:
    """A price from what a server or a person wrote, each for `per` of the million tokens; None where the
    first two are no prices."""
    most = (
        _DEAREST / per
    )  # Looked at before anything is computed: no number holds some of the rest.
    read = [amount(one) for one in (input, output, cached)]
    scaled = [None if one is None or one > most else (one * per).normalize() for one in read]
    if scaled[0] is None or scaled[1] is None:
        return None
    return Price(scaled[0], scaled[1], scaled[2])


def amount(value: object) -> Decimal | None:
    """A number of dollars, written as number or text; None for what is none, or less than nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value)[:40])
    except InvalidOperation:
        return None
    # The API's own ways of saying “it depends” are negative.
    return found if found.is_finite() and found >= 0 else None


def own_price(table: object) -> Price:
    """A person's own price, from settings; ValueError in words for what is wrong."""
    if not isinstance(table, Mapping):
        raise ValueError('a price is a table: [prices."MODEL"], with input and output.')
    read: dict[str, Any] = {}
    for key, value in table.items():
        if key not in ("input", "output", "cached"):
            raise ValueError(
                f"there is no “{one_line(str(key), 40)}” in a price; input, output, cached."
            )
        read[key] = None if isinstance(value, str) else amount(value)
        if read[key] is None or read[key] > _DEAREST:
            raise ValueError(f"{key} takes dollars per million tokens, such as 0.15.")
    for key in ("input", "output"):
        if key not in read:
            raise ValueError(f"{key} is missing: dollars per million tokens.")
    return Price(read["input"], read["output"], read.get("cached"))


def dollars(amount: Decimal) -> str:
    """A price of a million tokens: `$0.15`, `$0.075`, `$15`."""
    if amount == amount.to_integral_value():
        return f"${amount:.0f}"
    shown = f"{amount:.2f}" if amount == round(amount, 2) else f"{round(amount, 4):f}".rstrip("0")
    return f"${shown}" if amount >= Decimal("0.0001") else show_cost(amount)


def show_cost(cost: Decimal | None) -> str:
    """Dollars as people read them: `$1.24`, `$0.0042`, `<$0.000001`, `$0`, or `price unknown`.

    Whole cents from one cent up; two significant digits below.
    """
    if cost is None:
        return UNKNOWN_COST
    if cost == 0:
        return "$0"
    if cost < _SMALLEST:
        return f"<${_SMALLEST:f}"
    if cost < _CENT:
        cost = cost.quantize(Decimal(1).scaleb(cost.adjusted() - 1))
    if cost < _CENT:
        return f"${cost:f}".rstrip("0")
    return f"${cost:.2f}"
