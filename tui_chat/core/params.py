"""The sampling parameters, each declared once; everything that shows or sends one reads it here.

Sidebar rows, validation, requests, saved messages, presets, flags, commands and the README's
table are read off PARAMETERS. A parameter that is absent from Params is not sent, and the
endpoint's own default stands: so 0 is a value like any other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tui_chat.core.parameter import Parameter, Value, digits
from tui_chat.core.text import one_line

_LADDER = tuple(
    sorted(
        {*range(1, 11), 12, 16, 20, 24, 32, 40, 48, 64, 80, 96}
        | {base * 2**power for base in (128, 192) for power in range(13)}
    )
)


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
    Parameter(
        "reasoning_effort",
        "Reasoning effort",
        "choice",
        "How long a reasoning model thinks before it answers; what it thinks is paid for too.",
        choices=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
        extension=True,
        more=True,
    ),
    Parameter(
        "verbosity",
        "Verbosity",
        "choice",
        "How much the model says: few words, or many.",
        choices=("low", "medium", "high"),
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

    @property
    def longest(self) -> int | None:
        """The most tokens that a reply may have; None where that is left to the model."""
        most = self._values.get("max_tokens")
        return most if isinstance(most, int) else None

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
            + (digits(value) if isinstance(value, float) else BY_NAME[name].show(value))
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
