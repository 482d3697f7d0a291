"""One sampling parameter as a value: its range, how it is typed, shown, moved and placed on a bar; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tui_chat.core.escapes import escape, split_texts
from tui_chat.core.text import one_line

Value = float | int | tuple[str, ...] | str

MOST_TEXTS = 4
"""How many stop sequences a request may carry (OpenAI API reference, `stop`)."""

_MOST_DIGITS = 1e15


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
    kind: Literal["number", "integer", "texts", "choice"]
    explanation: str
    low: float = 0
    high: float = 0
    step: float = 1
    neutral: float | None = None
    ladder: tuple[int, ...] = ()
    choices: tuple[str, ...] = ()
    """The words that a choice is among, from the least to the most."""
    extension: bool = False
    more: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its values can be compared and counted in steps."""
        return self.kind in ("number", "integer")

    @property
    def flag(self) -> str:
        """The command-line flag, `--max-tokens`; without its dashes also the typed command."""
        return "--" + self.name.replace("_", "-")

    @property
    def range(self) -> str:
        """The range in words, as help texts and error messages show it."""
        if self.kind == "texts":
            return f"up to {MOST_TEXTS} texts"
        if self.kind == "choice":
            return ", ".join(self.choices)
        return f"{_plain(self.low)} to {_plain(self.high)}"

    def check(self, value: object) -> Value:
        """The value as it is stored; ValueError in a person's words when it is not one of ours."""
        if self.kind == "texts":
            return self._check_texts(value)
        if self.kind == "choice":
            return self._check_choice(value)
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

    def _check_choice(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            shown = one_line(str(value), 40)
            raise ValueError(f"{self.label} is one of {self.range}; “{shown}” is none.")
        return value

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
        if self.kind == "choice":
            return self._check_choice(text.strip().lower())
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
        if self.kind == "integer" or isinstance(value, str):
            return str(value)
        return f"{value:.2f}" if value == round(value, 2) else digits(value)

    def moved(self, value: Value | None, steps: int) -> Value:
        """The value some steps up or down, kept within the range; from `neutral` when not set."""
        assert self.kind != "texts", "texts have no steps"
        if self.kind == "choice":
            return self._moved_choice(value, steps)
        if self.ladder:
            return self._moved_on_ladder(value, steps)
        start = value if isinstance(value, int | float) else self.neutral or 0
        raw = min(self.high, max(self.low, start + steps * self.step))
        return self.check(raw if self.kind == "integer" else round(raw, 10))

    def _moved_choice(self, value: Value | None, steps: int) -> str:
        last = len(self.choices) - 1
        if value not in self.choices:
            return self.choices[(last + 1) // 2]
        return self.choices[min(last, max(0, self.choices.index(str(value)) + steps))]

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
        if self.kind == "choice":
            known = value in self.choices
            return self.choices.index(str(value)) / (len(self.choices) - 1) if known else None
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
        if self.kind == "choice":
            return self.choices[round(fraction * (len(self.choices) - 1))]
        if self.ladder:
            wanted = fraction * math.log2(self.ladder[-1])
            return min(self.ladder, key=lambda rung: abs(math.log2(rung) - wanted))
        steps = round(fraction * (self.high - self.low) / self.step)
        return self.check(round(self.low + steps * self.step, 10))


def digits(number: float) -> str:
    """The number as short as it can be typed again."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def _plain(number: float) -> str:
    """The number in digits alone, in groups from a million on; powers of ten only for what is huge."""
    if isinstance(number, float) and (abs(number) > _MOST_DIGITS or not math.isfinite(number)):
        return digits(number)
    if number == int(number) and abs(number) >= 1e6:
        return f"{int(number):,}".replace(",", "\u202f")
    short = digits(number)
    if "e" not in short:
        return short
    # Deferred: only a refusal needs it.
    from decimal import Decimal

    return f"{Decimal(short):f}"
