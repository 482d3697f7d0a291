"""The filters of a search, `role:user` or `temperature>1`: declared once, read and completed from here; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import translate
from functools import lru_cache
from typing import Literal

from tui_chat.core.conversation import ROLES, STATUSES, Setup
from tui_chat.core.params import PARAMETERS
from tui_chat.core.text import folded, one_line

STATES = ("starred", "archived", "deleted", "kept")
ENDED = tuple(status for status in STATUSES if status != "streaming")
Sign = Literal[":", "=", "<", ">", "<=", ">="]


@dataclass(frozen=True, slots=True)
class Filter:
    """One kind of condition: its names as typed, what it means, and what its values are."""

    names: tuple[str, ...]
    kind: Literal["choice", "text", "date", "number"]
    explanation: str
    choices: tuple[str, ...] = ()
    parameter: str = ""
    """The parameter it compares."""

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def typed(self) -> str:
        """What its beginning looks like, ready for a value."""
        return f"{self.name}{'>' if self.kind == 'number' else ':'}"

    def allows(self, sign: str) -> bool:
        return self.kind == "number" or sign == ":"


FILTERS: tuple[Filter, ...] = (
    Filter(("role",), "choice", "who said it: user, assistant or system", ROLES),
    Filter(("model",), "text", "the model that replied: a part of its name, or all of it with *"),
    Filter(("endpoint",), "text", "where the reply came from: a part of the name, or all with *"),
    Filter(("status",), "choice", f"how the reply ended: {', '.join(ENDED)}", ENDED),
    Filter(("tag",), "text", "conversations with this tag"),
    Filter(("is",), "choice", "starred, archived, deleted (in the trash) or kept", STATES),
    Filter(("title",), "text", "a word of the conversation's title"),
    Filter(("preset",), "text", "the preset that the conversation began with; * is any letters"),
    Filter(("before",), "date", "earlier than this day, not on it: 2026-01-31, 2026-01, today, 7d"),
    Filter(("after",), "date", "on this day or later: 2026-01-31, 2026-01, yesterday, 7d"),
    *(
        Filter(
            tuple(dict.fromkeys((one.flag[2:], one.name))),
            "number",
            f"replies made with this {one.label.lower()}: >1, <1, >=1, <=1 or :1 ({one.range})",
            parameter=one.name,
        )
        for one in PARAMETERS
        if one.is_number
    ),
)
BY_NAME: Mapping[str, Filter] = {name: one for one in FILTERS for name in one.names}

_ITEM = re.compile(
    r"""(?P<minus>-)?(?:
        (?P<name>[A-Za-z][\w-]*)(?P<sign>>=|<=|[:=<>])(?P<value>"[^"]*"?|[^\s"]*)
      | "(?P<phrase>[^"]*)"?
      | (?P<word>[^\s"]+) )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Item:
    """One part of a typed query: a filter with its value, or else a word or a phrase."""

    start: int
    end: int
    text: str
    """The value of a filter, or the words, without their quotes."""
    excluded: bool = False
    phrase: bool = False
    filter: Filter | None = None
    sign: Sign = ":"
    value_start: int = 0


def items(text: str) -> list[Item]:
    """The parts of a query as typed. What is no filter of ours is words, colon and all."""
    found = []
    for match in _ITEM.finditer(text):
        start, end, minus = *match.span(), bool(match["minus"])
        known = BY_NAME.get((match["name"] or "").lower())
        if known is not None and known.allows(match["sign"]):
            sign, value = match["sign"], match["value"].strip('"')
            found.append(
                Item(start, end, value, minus, False, known, sign, match.start("value"))  # type: ignore[arg-type]  # one of the signs
            )
        elif match["phrase"] is not None:
            found.append(Item(start, end, match["phrase"], minus, True))
        else:
            found.append(Item(start, end, match.group()[minus:], minus))
    return found


@dataclass(frozen=True, slots=True)
class SetupTest:
    """A condition on the setup that made a reply."""

    filter: Filter
    sign: Sign
    value: str | float
    excluded: bool = False

    def holds(self, setup: Setup) -> bool:
        return self._met(setup) is not self.excluded

    def _met(self, setup: Setup) -> bool:
        if isinstance(self.value, str):
            name = folded(setup.model if self.filter.name == "model" else setup.endpoint)
            return bool(_glob(self.value).search(name))
        there = setup.params.get(self.filter.parameter)
        if not isinstance(there, int | float):
            return False
        if self.sign in (":", "="):
            return there == self.value
        if self.sign.startswith("<"):
            return there < self.value or (self.sign == "<=" and there == self.value)
        return there > self.value or (self.sign == ">=" and there == self.value)


@lru_cache(64)
def _glob(value: str) -> re.Pattern[str]:
    """A part of a name; the whole name where a `*` stands for any letters."""
    if "*" not in value:
        return re.compile(re.escape(folded(value)))
    # Only the star is special; runs of it would be slow.
    plain = re.sub(r"([\[?])", r"[\1]", re.sub(r"\*+", "*", folded(value)))
    return re.compile(rf"\A{translate(plain)}")


def chosen(filter: Filter, value: str) -> tuple[str, ...]:
    """The choices that begin with this; ValueError in a sentence when none does."""
    found = tuple(one for one in filter.choices if one.startswith(value.lower()))
    if not found:
        shown = ", ".join(filter.choices)
        raise ValueError(f"{filter.name}: is one of {shown}; “{one_line(value, 40)}” is none.")
    return found


def number(filter: Filter, value: str) -> float | None:
    """The number; None for what could be the beginning of one. ValueError in a sentence."""
    plain = value.replace(",", ".")
    if plain in ("-", ".", "-.", "+"):
        return None
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        found = float(plain)
    except ValueError:
        found = math.nan
    if math.isfinite(found):
        return found
    raise ValueError(f"{filter.name} is compared with a number; “{one_line(value, 40)}” is none.")


_DAY = re.compile(r"(\d{4})(?:-(\d\d?))?(?:-(\d\d?))?")
_AGO = re.compile(r"(\d{1,5})([dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_DAY_BEGUN = re.compile(r"\d{1,5}|\d{4}-|\d{4}-0|\d{4}-\d\d?-0?")


def moment(filter: Filter, value: str, today: date) -> int | None:
    """Where the day, month or year begins here, in milliseconds since the epoch; None for what could be
    the beginning of a date. ValueError in a sentence."""
    value = value.lower()
    try:
        day = _day(value, today)
        if day is not None:
            return int(datetime(day.year, day.month, day.day).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        day = None
    if _DAY_BEGUN.fullmatch(value) or any(word.startswith(value) for word in _NAMED):
        return None
    shown = one_line(value, 40)
    raise ValueError(
        f"{filter.name}: takes a day such as 2026-01-31, 2026-01, today or 7d; “{shown}” is none."
    )


_NAMED = {"today": 0, "yesterday": 1}


def _day(value: str, today: date) -> date | None:
    if value in _NAMED:
        return today - timedelta(days=_NAMED[value])
    ago = _AGO.fullmatch(value)
    if ago is not None:
        return today - timedelta(days=int(ago[1]) * _DAYS[ago[2]])
    day = _DAY.fullmatch(value)
    return None if day is None else date(int(day[1]), int(day[2] or 1), int(day[3] or 1))


# Completion


@dataclass(frozen=True, slots=True)
class Known:
    """What there is in the saved conversations, to complete the values of filters from."""

    models: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """What could stand in place of text[start:end]; `words` explain it."""

    start: int
    end: int
    replacement: str
    words: str = ""


_NOTHING_KNOWN = Known()
_MORE = " …  F1 lists all"
_PARAMETER = next(one.name for one in FILTERS if one.parameter)
_HELPED = (
    *("role", "model", _PARAMETER, "before", "after", "tag"),
    *("preset", "endpoint", "status", "is", "title"),
)
"""The filters that the help line names, those first that are named where there is no room for all."""
_DATES = ("today", "yesterday", "7d", "30d")


def completions(text: str, cursor: int, known: Known = _NOTHING_KNOWN) -> Sequence[Completion]:
    """What the filter at the cursor could become: its name, or its value once it has one.

    Nothing for words that begin no filter; nothing where the word at the cursor is complete.
    """
    item = _at(text, cursor)
    if item is None or item.phrase:
        return ()
    minus = "-" if item.excluded else ""
    if item.filter is None:
        typed = text[item.start + len(minus) : cursor].lower()
        return [
            Completion(item.start, item.end, minus + one.typed, one.explanation)
            for one in FILTERS
            if typed and any(name.startswith(typed) for name in one.names)
        ]
    if cursor < item.value_start:
        return ()
    start = text[item.start : item.value_start]
    typed = folded(text[item.value_start : cursor].strip('"'))
    values = _values(item.filter, known)
    begun = [one for one in values if folded(one).startswith(typed)]
    named = item.filter.kind == "text"
    inside = [one for one in values if named and typed in folded(one) and one not in begun]
    offered = [Completion(item.start, item.end, start + _quoted(one)) for one in begun + inside]
    here = text[item.start : item.end]
    return [] if [one.replacement for one in offered] == [here] else offered


def help_line(text: str, cursor: int, width: int) -> str:
    """What the filter at the cursor means; without one, what can be typed. One line of so many cells."""
    item = _at(text, cursor)
    if item is not None and item.filter is not None:
        return whole_words(f"{item.filter.name}: {item.filter.explanation}", width)
    if item is not None and item.phrase:
        return whole_words("A phrase: these words, one after the other, as they stand", width)
    return _what_can_be_typed(width)


def _what_can_be_typed(width: int) -> str:
    """As many filters as there is room for."""
    line = "Words, “a phrase”, -not, " if width >= 100 else "Filters: "
    typed = [BY_NAME[name].typed for name in _HELPED]
    whole = line + " ".join(typed)
    if len(whole) <= width:
        return whole
    while len(whole) + len(_MORE) > width and " " in whole:
        whole = whole.rpartition(" ")[0]
    return whole + _MORE


def whole_words(text: str, width: int) -> str:
    """The text in so many cells, cut after a whole word."""
    if len(text) <= width:
        return text
    shown = text[: max(0, width - 1)]
    return f"{shown.rpartition(' ')[0].rstrip(' ,:;') or shown}…"


def _at(text: str, cursor: int) -> Item | None:
    return next((one for one in items(text) if one.start < cursor <= one.end), None)


def _values(filter: Filter, known: Known) -> tuple[str, ...]:
    opened = {
        "model": known.models,
        "endpoint": known.endpoints,
        "tag": known.tags,
        "preset": known.presets,
    }
    if filter.kind == "date":
        return _DATES
    return filter.choices or opened.get(filter.name, ())


def _quoted(value: str) -> str:
    plain = value.replace('"', "")
    return f'"{plain}"' if re.search(r"\s", plain) else plain
