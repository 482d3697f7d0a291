"""What a person typed into a search, as a value; any text is a query, none is an error; pure.

    words             messages with a word that begins so; one letter alone is a whole word
    "some words"      these words, one after the other
    -word             not this word
    role:user …       filters; core/filters.py declares them, and - before one turns it round

All conditions must hold; of several roles, statuses or states any one. `role`, `model`, `endpoint`,
`status` and parameters ask about a message and the setup that made it; `tag`, `is`, `title` and `preset` about
its conversation. Dates ask when the message was said; without anything about messages, when the
conversation was last added to. `role:us` is `role:user`; a filter without a value has no effect yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import get_args

from tui_chat.core.conversation import ROLES, Setup, Shelf, State
from tui_chat.core.filters import (
    ENDED,
    Completion,
    Filter,
    Item,
    Known,
    SetupTest,
    chosen,
    completions,
    help_line,
    items,
    moment,
    number,
)
from tui_chat.core.text import clean, one_line
from tui_chat.core.words import VERSION, Phrase, first_place, in_line, normalised, places

__all__ = [
    "VERSION",
    "Completion",
    "Known",
    "Query",
    "completions",
    "help_line",
    "normalised",
    "parse",
]

MOST_WORDS = 32
"""What is typed beyond so many words and filters is not looked at."""
LONGEST = 4_000
STATES: tuple[State, ...] = get_args(State)
_FOUND: tuple[State, ...] = ("kept", "archived")


@dataclass(frozen=True)
class Query:
    """What to look for. Two queries that look for the same are equal."""

    words: tuple[Phrase, ...] = ()
    without: tuple[Phrase, ...] = ()
    roles: tuple[str, ...] = ()
    """Any of these; all where there are none."""
    statuses: tuple[str, ...] = ()
    """Any of these, of replies; all messages where there are none."""
    tests: tuple[SetupTest, ...] = ()
    """What the setup of a reply must be."""
    states: tuple[State, ...] = ()
    starred: bool | None = None
    tags: tuple[str, ...] = ()
    title: str = ""
    preset: str = ""
    after: int | None = None
    before: int | None = None
    impossible: bool = False
    """Nothing can be found; `trouble` says why."""
    trouble: str = field(default="", compare=False)
    """What was wrong with the query, in a sentence."""

    @property
    def of_messages(self) -> bool:
        """Whether it asks for messages, not only for conversations."""
        return bool(self.words or self.without or self.roles or self.statuses or self.tests)

    @property
    def empty(self) -> bool:
        """Whether it has no condition at all: everything that is kept is meant."""
        return replace(self, trouble="") == Query()

    @property
    def shelf(self) -> Shelf:
        """The conversations meant, as far as conversations are asked for.

        Without any condition those that are kept; a search also looks into the archive, and into the trash
        when `is:deleted` says so. No states at all when nothing can be found.
        """
        states = self.states or (("kept",) if self.empty else _FOUND)
        return Shelf(
            () if self.impossible else states,
            self.starred,
            self.tags,
            self.title,
            self.preset,
            self.after,
            self.before,
        )

    def matches(self, text: str) -> bool:
        """Whether a message's text has the words; says nothing of the other conditions."""
        line = in_line(text)
        return all(one.stands_in(line) for one in self.words) and not any(
            one.stands_in(line) for one in self.without
        )

    def suits(self, setup: Setup | None) -> bool:
        """Whether the setup of a message is as asked."""
        return not self.tests or (setup is not None and all(one.holds(setup) for one in self.tests))

    def spans(self, text: str, limit: int | None = None) -> list[tuple[int, int]]:
        """Where the words stand in a text as it was written, in order, without overlaps, the first
        `limit`; of a longer word its beginning."""
        return list(islice(places(self.words, text), limit))

    def first(self, text: str) -> tuple[int, int] | None:
        """The first of spans(), quickly also in a text of megabytes."""
        return first_place(self.words, text)


def parse(text: str, *, today: date | None = None) -> Query:
    """The query in a typed text; `today` is this machine's date unless given."""
    text = clean(text[:LONGEST])
    found = items(text)
    reading = _Reading(today or date.today())
    for item in found[:MOST_WORDS]:
        if item.filter is None:
            reading.word(item)
        elif item.text.strip():
            try:
                reading.filter(item, item.filter)
            except ValueError as error:
                reading.refuse(str(error))
    if len(found) > MOST_WORDS and not reading.trouble:
        reading.trouble = f"Only the first {MOST_WORDS} words count."
    return reading.query()


class _Reading:
    """A query while it is read, one item after the other."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._words: list[Phrase] = []
        self._without: list[Phrase] = []
        self._choices: dict[str, list[str]] = {}
        self._left_out: dict[str, list[str]] = {}
        self._tests: list[SetupTest] = []
        self._texts: dict[str, list[str]] = {}
        self._times: dict[str, int] = {}
        self._impossible = False
        self.trouble = ""

    def word(self, item: Item) -> None:
        # What is not wanted is the word as it stands: without java, javascript may stay.
        phrase = Phrase.of(item.text, whole=item.phrase or item.excluded)
        if phrase is not None:
            (self._without if item.excluded else self._words).append(phrase)

    def filter(self, item: Item, filter: Filter) -> None:
        """ValueError in a sentence for a value that nothing can have."""
        if filter.kind == "choice":
            table = self._left_out if item.excluded else self._choices
            table.setdefault(filter.name, []).extend(chosen(filter, item.text))
        elif filter.kind == "number":
            value = number(filter, item.text)
            if value is not None:
                self._tests.append(SetupTest(filter, item.sign, value, item.excluded))
        elif filter.name in ("model", "endpoint"):
            self._tests.append(SetupTest(filter, item.sign, item.text, item.excluded))
        elif item.excluded:
            raise ValueError(f"{filter.name}: cannot be turned round with a minus.")
        elif filter.kind == "date":
            self._time(filter, moment(filter, item.text, self._today))
        else:
            self._text(filter, item.text)

    def _time(self, filter: Filter, time: int | None) -> None:
        if time is not None:
            both = (time, self._times.get(filter.name, time))
            self._times[filter.name] = min(both) if filter.name == "before" else max(both)

    def _text(self, filter: Filter, text: str) -> None:
        before = self._texts.setdefault(filter.name, [])
        if filter.name == "preset" and before and before[0] != text:
            raise ValueError("A conversation began with one preset, not with two.")
        before.append(text)

    def refuse(self, words: str) -> None:
        self._impossible = True
        self.trouble = self.trouble or words

    def _any(self, name: str, all: Iterable[str]) -> tuple[str, ...]:
        """Which of all are meant, in their order; none where every one is."""
        wanted, left_out = self._choices.get(name, ()), self._left_out.get(name, ())
        if not wanted and not left_out:
            return ()
        found = tuple(one for one in all if (one in wanted or not wanted) and one not in left_out)
        if not found:
            self.refuse(f"With these, {name}: leaves nothing.")
        return found

    def query(self) -> Query:
        is_, is_not = (table.get("is", []) for table in (self._choices, self._left_out))
        states = [one for one in is_ if one != "starred"]
        hidden = [one for one in is_not if one != "starred"]
        starred = True if "starred" in is_ else False if "starred" in is_not else None
        if "starred" in is_ and "starred" in is_not:
            self.refuse("Nothing is starred and is not.")
        self._choices["is"] = states or (list(_FOUND) if hidden else [])
        self._left_out["is"] = hidden
        found = self._any("is", STATES)
        roles = self._any("role", ROLES)
        statuses = self._any("status", ENDED)
        return Query(
            tuple(dict.fromkeys(self._words)),
            tuple(dict.fromkeys(self._without)),
            roles,
            statuses,
            tuple(dict.fromkeys(self._tests)),
            tuple(one for one in STATES if one in found),
            starred,
            tuple(dict.fromkeys(self._texts.get("tag", ()))),
            " ".join(self._texts.get("title", ())),
            "".join(self._texts.get("preset", ())[:1]),
            self._times.get("after"),
            self._times.get("before"),
            self._impossible,
            one_line(self.trouble),
        )
