"""The sampling parameters, each declared once; everything that shows or sends one reads it here.

Sidebar rows, validation, requests, saved messages, presets, flags, commands and the README's
table are read off PARAMETERS. A parameter that is absent from Params is not sent, and the
endpoint's own default stands: so 0 is a value like any other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from tui_chat.core.escapes import escape, split_texts
from tui_chat.core.text import one_line

Value = float | int | tuple[str, ...]

MOST_TEXTS = 4
"""How many stop sequences a request may carry (OpenAI API reference, `stop`)."""

_MOST_DIGITS = 1e15
_LADDER = tuple(
    sorted(
        {*range(1, 11), 12, 16, 20, 24, 32, 40, 48, 64, 80, 96}
        | {base * 2**power for base in (128, 192) for power in range(13)}
    )
)


@dataclass(frozen=True)
class Parameter:
    """One sampling parameter.

    `neutral` is the value that changes nothing (or None where there is none): bars rest there while the
    parameter is not set, and advice speaks only of values that differ from it. `extension` marks
    parameters outside the OpenAI API, sent only to endpoints that know them; `more` those that
    the sidebar folds away. Range is inclusive at both ends.
    """

    name: str
    label: str
    kind: Literal["number", "integer", "texts"]
    explanation: str
    low: float = 0
    high: float = 0
    step: float = 1
    neutral: float | None = None
    ladder: tuple[int, ...] = ()
    extension: bool = False
    more: bool = False

    @property
    def flag(self) -> str:
        """The command-line flag, `--max-tokens`; without its dashes also the typed command."""
        return "--" + self.name.replace("_", "-")

    @property
    def range(self) -> str:
        """The range in words, as help texts and error messages show it."""
        if self.kind == "texts":
            return f"up to {MOST_TEXTS} texts"
        return f"{_plain(self.low)} to {_plain(self.high)}"

    def check(self, value: object) -> Value:
        """The value as it is stored; ValueError in a person's words when it is not one of ours."""
        if self.kind == "texts":
            return self._check_texts(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{self.label} takes a number, {self.range}.")
        if not self.low <= value <= self.high:  # Also true of what is not a number.
            huge = isinstance(value, int) and abs(value) >= 10**40
            shown = "that number" if huge else _plain(value)
            raise ValueError(f"{self.label} goes from {self.range}; {shown} is outside.")
        if self.kind == "integer":
            if value != int(value):
                raise ValueError(f"{self.label} takes a whole number, {self.range}.")
            return int(value)
        return float(value) + 0.0  # Minus zero is zero: equal values have one spelling.

    def _check_texts(self, value: object) -> tuple[str, ...]:
        if isinstance(value, str):
            value = (value,)
        if not isinstance(value, list | tuple) or not all(isinstance(text, str) for text in value):
            raise ValueError(f"{self.label} takes texts.")
        texts = tuple(dict.fromkeys(self._whole(text) for text in value if text))
        if not texts:
            raise ValueError(f"{self.label} takes at least one text that is not empty.")
        if len(texts) > MOST_TEXTS:
            raise ValueError(f"{self.label}: at most {MOST_TEXTS}, not {len(texts)}.")
        return texts

    def _whole(self, text: str) -> str:
        """The text with halves of characters put together, as JSON escapes give them."""
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise ValueError(f"{self.label}: half a character cannot be sent.") from None

    def parse(self, text: str) -> Value:
        """What a person typed, as a value. ValueError in a person's words.

        Numbers may use a decimal comma. Texts: one sequence as it stands, or several in double quotes;
        both read the escapes \\n \\t \\r \\\\ \\" \\xHH \\uHHHH.
        """
        if self.kind == "texts":
            return self._check_texts(split_texts(text))
        try:
            typed = text.strip().replace(",", ".")
            number = int(typed) if self.kind == "integer" else float(typed)
        except ValueError:
            whole = "whole " if self.kind == "integer" else ""
            shown = one_line(text, 40)
            raise ValueError(
                f"{self.label} takes a {whole}number, {self.range}; “{shown}” is none."
            ) from None
        return self.check(number)

    def show(self, value: Value) -> str:
        """The value as people read and may type it again."""
        if isinstance(value, tuple):
            return " ".join(f'"{escape(text)}"' for text in value)
        if self.kind == "integer":
            return str(value)
        return f"{value:.2f}" if value == round(value, 2) else _digits(value)

    def moved(self, value: Value | None, steps: int) -> Value:
        """The value some steps up or down, kept within the range; from `neutral` when not set."""
        assert self.kind != "texts", "texts have no steps"
        if self.ladder:
            return self._moved_on_ladder(value, steps)
        start = value if isinstance(value, int | float) else self.neutral or 0
        raw = min(self.high, max(self.low, start + steps * self.step))
        return self.check(raw if self.kind == "integer" else round(raw, 10))

    def _moved_on_ladder(self, value: Value | None, steps: int) -> int:
        if not isinstance(value, int):
            return 256
        if not steps:
            return value
        if steps > 0:
            above = [rung for rung in self.ladder if rung > value]
            return above[min(steps, len(above)) - 1] if above else value
        below = [rung for rung in self.ladder if rung < value]
        return below[max(steps, -len(below))] if below else value

    def fraction(self, value: Value | None) -> float | None:
        """Where the value stands in its range, 0 to 1; None when it has no place on a bar."""
        number = self.neutral if value is None else value
        if not isinstance(number, int | float) or self.kind == "texts":
            return None
        if self.ladder:
            return min(1.0, math.log2(max(1, number)) / math.log2(self.ladder[-1]))
        if self.high - self.low > 10_000:
            return None
        return (number - self.low) / (self.high - self.low)

    def at(self, fraction: float) -> Value:
        """The value nearest to a place on the bar, 0 to 1, on a whole step."""
        fraction = min(1.0, max(0.0, fraction))
        if self.ladder:
            wanted = fraction * math.log2(self.ladder[-1])
            return min(self.ladder, key=lambda rung: abs(math.log2(rung) - wanted))
        steps = round(fraction * (self.high - self.low) / self.step)
        return self.check(round(self.low + steps * self.step, 10))


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "temperature",
        "Temperature",
        "number",
        "How random the choice of each token is: 0 always takes the likeliest, 2 is close to chaos.",
        low=0,
        high=2,
        step=0.05,
        neutral=1,
    ),
    Parameter(
        "top_p",
        "Top P",
        "number",
        "Draws only from the likeliest tokens that together reach this probability; 1 allows all.",
        low=0,
        high=1,
        step=0.05,
        neutral=1,
    ),
    Parameter(
        "max_tokens",
        "Max length",
        "integer",
        "The most tokens a reply may have; it is cut off there, even in mid-sentence.",
        low=1,
        high=1_000_000,
        ladder=_LADDER,
    ),
    Parameter(
        "stop",
        "Stop sequences",
        "texts",
        'The reply ends just before any of these texts. \\n is a new line; several go in quotes: "a" "b".',
    ),
    Parameter(
        "frequency_penalty",
        "Frequency penalty",
        "number",
        "Makes a token less likely each time it has appeared; above 0 there is less repetition.",
        low=-2,
        high=2,
        step=0.1,
        neutral=0,
    ),
    Parameter(
        "presence_penalty",
        "Presence penalty",
        "number",
        "Makes a token less likely once it has appeared at all; above 0 there are more new topics.",
        low=-2,
        high=2,
        step=0.1,
        neutral=0,
    ),
    Parameter(
        "seed",
        "Seed",
        "integer",
        "Fixes the dice: the same seed and parameters give the same reply, where the model can.",
        low=0,
        high=2**63 - 1,
        more=True,
    ),
    Parameter(
        "top_k",
        "Top K",
        "integer",
        "Draws only from this many of the likeliest tokens; 0 allows all.",
        low=0,
        high=1000,
        neutral=0,
        extension=True,
        more=True,
    ),
    Parameter(
        "min_p",
        "Min P",
        "number",
        "Drops tokens less likely than this fraction of the likeliest one; 0 drops none.",
        low=0,
        high=1,
        step=0.01,
        neutral=0,
        extension=True,
        more=True,
    ),
    Parameter(
        "repeat_penalty",
        "Repeat penalty",
        "number",
        "Divides the score of tokens seen already; above 1 there is less repetition, 1 is none.",
        low=0.1,
        high=2,
        step=0.05,
        neutral=1,
        extension=True,
        more=True,
    ),
)

BY_NAME: Mapping[str, Parameter] = {parameter.name: parameter for parameter in PARAMETERS}


def label_of(name: str) -> str:
    """What people call this parameter; the name itself for one that is not ours."""
    return BY_NAME[name].label if name in BY_NAME else name


def for_one_token(params: Params) -> Params:
    """What the next token is looked at with: one of it, and nothing that shapes its probabilities. Only
    what a person set is sent, with the value that changes nothing: so a model that does not know a
    parameter is not sent it."""
    neutral: dict[str, object] = {
        one.name: one.neutral
        for one in PARAMETERS
        if one.name in params and one.neutral is not None and not one.extension
    }
    return Params({**neutral, "max_tokens": 1})


def at_half_temperature(params: Params) -> Params:
    """The same, colder: probabilities that change with it are not the model's own."""
    return Params({**params, "temperature": 0.5})


def at_neutral_temperature(params: Params) -> Params:
    """The same, with the temperature said that changes nothing."""
    return Params({**params, "temperature": BY_NAME["temperature"].neutral})


_ADVICE = (
    (
        "temperature",
        "top_p",
        "Alter temperature or top p, not both: each hides what the other does.",
    ),
    (
        "frequency_penalty",
        "presence_penalty",
        "Use one penalty, not both: together it is hard to tell which did what.",
    ),
)


def _digits(number: float) -> str:
    """The number as short as it can be typed again."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def _plain(number: float) -> str:
    """The number in digits alone, in groups from a million on; powers of ten only for what is huge."""
    if isinstance(number, float) and (abs(number) > _MOST_DIGITS or not math.isfinite(number)):
        return _digits(number)
    if number == int(number) and abs(number) >= 1e6:
        return f"{int(number):,}".replace(",", "\u202f")
    short = _digits(number)
    if "e" not in short:
        return short
    # Deferred: only a refusal needs it.
    from decimal import Decimal

    return f"{Decimal(short):f}"


class Params(Mapping[str, Value]):
    """Which parameters are set, and to what: a frozen, hashable mapping of name → checked value.

    The order is that of PARAMETERS, whatever the order given. ValueError for an unknown
    name or a value outside its range.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        given = dict(values or {})
        unknown = given.keys() - BY_NAME.keys()
        if unknown:
            raise ValueError(f"There is no parameter “{one_line(min(unknown), 40)}”.")
        self._values: dict[str, Value] = {
            parameter.name: parameter.check(given[parameter.name])
            for parameter in PARAMETERS
            if given.get(parameter.name) is not None
        }

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(tuple(self._values.items()))

    def __repr__(self) -> str:
        return f"Params({self._values!r})"

    def changed(self, name: str, value: Value | None) -> Params:
        """A copy with one parameter set, or not set when the value is None."""
        return Params({**self._values, name: value})

    def json(self) -> str:
        """Compact JSON with names in declared order: equal params give equal text."""
        return json.dumps(self._values, ensure_ascii=False, separators=(",", ":"))

    @property
    def summary(self) -> str:
        """One line for people: `temperature 0.7 · top p 1`; empty when nothing is set."""
        return " · ".join(
            f"{BY_NAME[name].label.lower()} "
            + (_digits(value) if isinstance(value, float) else BY_NAME[name].show(value))
            for name, value in self._values.items()
        )

    def advice_on(self, name: str) -> str | None:
        """The rule of thumb these values break, where it concerns this parameter; where `name` is
        none, any rule that they break."""
        for first, second, words in _ADVICE:
            broken = all(
                one in self._values and self._values[one] != BY_NAME[one].neutral
                for one in (first, second)
            )
            if broken and (name in (first, second) or name not in BY_NAME):
                return words
        return None
