"""What models have refused so far, so that they are not asked for the same again; kept for some weeks.

It is a cache: a file of it that is missing, old or broken costs one request that is repeated.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tui_chat.core.conversation import Refusal
from tui_chat.core.errors import ChatError
from tui_chat.core.files import again_if_changed, read_text, write_text
from tui_chat.core.params import PARAMETERS
from tui_chat.core.text import one_line
from tui_chat.core.wire import LOGPROBS

_NAMES_FOR_LENGTH = ("max_tokens", "max_completion_tokens")
_TOLD = frozenset(one.name for one in PARAMETERS) | {LOGPROBS[0]}
"""What a refusal can be of."""
DAYS = 30
"""How long a refusal is believed: models change."""
_MOST = 500
"""Models that are remembered; the oldest go first."""
_MANY_LOGPROBS = 10**9
_OF_VALUES = re.compile(
    r"must be|should be|at (?:most|least)|(?:less|greater|more|fewer|larger|smaller) than|between|maximum|minimum"
    r"|too (?:large|small|high|low|long|many)|exceed|out of range|\brange\b|[<>]=?|invalid value"
    r"|not a valid (?:value|number)|\bin [\[(]",
    re.IGNORECASE,
)
"""Words of a refusal that is of a value, and not of its parameter."""
_OF_NAMES = re.compile(
    r"unsupported|un(?:known|recogni[sz]ed|expected)|(?:not|n't) support|deprecated|not permitted|cannot find"
    r"|only the default|not enabled|does not (?:take|accept|have)",
    re.IGNORECASE,
)
"""Words of one that is of the parameter, whatever its value."""


@dataclass
class Learned:
    """What one model refused so far: fields left out, fields renamed, and the words for each."""

    left_out: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    told: dict[str, Refusal] = field(default_factory=dict)
    most_logprobs: int = _MANY_LOGPROBS
    as_switch: bool = False
    """Whether it wants to be asked for probabilities by a switch, where others there want a number."""
    values: dict[str, object] = field(default_factory=dict)
    """Parameter → its value that was refused, where others may be taken."""
    when: float = 0
    """When something was learned last, in seconds since the epoch."""

    @property
    def is_something(self) -> bool:
        """Whether anything was learned that is worth keeping."""
        return bool(self.told) or self.as_switch or self.most_logprobs < _MANY_LOGPROBS

    def names(self, rename: Mapping[str, str]) -> dict[str, str]:
        """The fields that a request to this model may have → the parameter that each says."""
        own = {rename.get(one.name, one.name): one.name for one in PARAMETERS}
        names = {self.renamed.get(name, name): parameter for name, parameter in own.items()}
        return names | dict.fromkeys(LOGPROBS, LOGPROBS[0])

    def leaves_out(self, name: str, names: Mapping[str, str]) -> bool:
        """Whether a request goes without this field; of names(), for what a file says of others is not true."""
        return name in self.left_out and name in names

    def fewer_logprobs(self, body: Mapping[str, Any], words: str) -> bool:
        """Whether the server's words name a smaller number of candidates, which it may give; then that is
        asked for."""
        asked = max((body[name] for name in LOGPROBS if type(body.get(name)) is int), default=0)
        named = [int(number) for number in re.findall(r"\d{1,6}", words)]
        fewer = max((number for number in named if 0 < number < asked), default=0)
        self.most_logprobs = fewer or self.most_logprobs
        return fewer > 0

    def wants_switch(self, body: Mapping[str, Any], words: str) -> bool:
        """Whether the server's words want a switch where it was sent a number of candidates; then it gets it."""
        asked = type(body.get(LOGPROBS[0])) is int and not self.as_switch
        self.as_switch = self.as_switch or (asked and "boolean" in words.lower())
        return asked and self.as_switch

    def forget(self, name: str, parameter: str, words: str, value: object = None) -> Refusal:
        """Send this field no more, or under its other name when the server's words want that; where they are
        only of its value, no more with that."""
        other = next((one for one in _NAMES_FOR_LENGTH if one != name), "")
        suggested = re.search(rf"\buse ['\"`]?{other}\b", words, re.IGNORECASE)
        if name in _NAMES_FOR_LENGTH and not self.renamed and suggested:
            self.renamed[name] = other
            told = Refusal(parameter, words, other)
        else:
            if _OF_VALUES.search(words) and not _OF_NAMES.search(words):
                self.values[parameter] = value
            else:
                self.left_out.update(LOGPROBS if name in LOGPROBS else (name,))
                self.values.pop(parameter, None)
            told = Refusal(parameter, words)
        self.told[told.name] = told
        self.when = time.time()
        return told

    def refuses(self, parameter: str, value: object) -> bool:
        """Whether this value is the one that was refused, or any would be; of a parameter that was told of."""
        return parameter not in self.values or _plain(self.values[parameter]) == _plain(value)

    def told_of(self, params: Mapping[str, object]) -> list[Refusal]:
        """What was told of these parameters, with these values."""
        return [
            one
            for name, one in self.told.items()
            if one.sent_as or name not in params or self.refuses(name, params[name])
        ]

    def joined(self, other: Learned) -> Learned:
        """This, and what another window learned of the same model."""
        return Learned(
            self.left_out | other.left_out,
            self.renamed | other.renamed,
            self.told | other.told,
            min(self.most_logprobs, other.most_logprobs),
            self.as_switch or other.as_switch,
            self.values | other.values,
            max(self.when, other.when),
        )

    def forgive(self, parameter: str, fields: tuple[str, ...]) -> None:
        """Send this parameter again, under its own name."""
        self.told.pop(parameter, None)
        self.values.pop(parameter, None)
        for name in fields:
            self.left_out.discard(name)
            self.renamed.pop(name, None)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


Key = tuple[str, str, bool]
"""Base URL, model, and whether it is of completions: they differ in what they allow."""


class Lessons:
    """What was learned of all models, and what a person insists on sending."""

    def __init__(self, path: Path | None = None, *, kept: bool = True) -> None:
        """`path` is where it is kept over runs; without one it is for this run. Without `kept` the file there
        is only read."""
        self._path = path
        self._kept = kept and path is not None
        self._learned: dict[Key, Learned] = {}
        self.insisted: dict[tuple[str, str], set[str]] = {}
        """By base URL and model: the parameters that are sent although they are known to be refused."""
        self._forgiven: dict[tuple[str, str], set[tuple[str, tuple[str, ...]]]] = {}
        """By the same: each parameter that was insisted on in this run, and its fields."""
        self._loaded = False
        self.strict = False
        """Whether all that is set is sent, and a refusal ends the request."""

    def of(self, base_url: str, model: str, completes: bool) -> Learned:
        """What was learned of one model."""
        return self._learned.setdefault((base_url, model, completes), Learned())

    def insisted_on(self, base_url: str, model: str) -> set[str]:
        return self.insisted.setdefault((base_url, model), set())

    def insist(self, place: str, model: str, name: str, field: str) -> None:
        """Send this parameter, whose field is called so, all the same; asked for again, no longer."""
        insisted = self.insisted_on(place, model)
        if name in insisted:
            insisted.discard(name)
            return
        insisted.add(name)
        self._forgiven.setdefault((place, model), set()).add((name, (name, field)))
        for completes in (False, True):
            self.of(place, model, completes).forgive(name, (name, field))

    def load(self) -> None:
        """Read what earlier runs learned, once; what cannot be read was never learned. Blocks."""
        if self._loaded:
            return
        self._loaded = True
        text = ""
        with suppress(OSError, ChatError):
            text = read_text(self._path) if self._path else ""
        for key, read in _read_rows(text):
            known = self.of(*key)
            # In place: it may have been asked for before this was read.
            if not known.when and not self.insisted.get(key[:2]):
                vars(known).update(vars(read))

    def save_soon(self) -> None:
        """As save(), on a thread, which nobody waits for."""
        if self._kept:
            threading.Thread(target=self.save, daemon=True).start()

    def save(self) -> None:
        """Keep what was learned, with what other windows learned meanwhile, as well as the disk allows. Blocks."""
        if self._path is None or not self._kept:
            return
        with suppress(OSError, ChatError):
            self._save_with_others()

    @again_if_changed
    def _save_with_others(self) -> None:
        assert self._path is not None
        known = {key: one for key, one in list(self._learned.items()) if one.is_something}
        for one in known.values():
            one.when = one.when or time.time()
        before = ""
        with suppress(FileNotFoundError):
            before = read_text(self._path)
        for key, other in _read_rows(before):
            for parameter, fields in self._forgiven.get(key[:2], ()):
                other.forgive(parameter, fields)
            joined = other.joined(self._learned.get(key, Learned()))
            if joined.is_something:
                known[key] = joined
        rows = sorted(known.items(), key=lambda row: row[1].when)[-_MOST:]
        after = json.dumps([_row(*row) for row in rows], ensure_ascii=False, indent=1)
        write_text(self._path, after, expected=before)


def _row(key: Key, one: Learned) -> Mapping[str, object]:
    return (
        {"base_url": key[0], "model": key[1], "completes": key[2], "when": one.when}
        | {"left_out": sorted(one.left_out), "renamed": one.renamed}
        | {"told": [asdict(told) for told in one.told.values()]}
        | {"most_logprobs": one.most_logprobs, "as_switch": one.as_switch, "values": one.values}
    )


def _read_rows(text: str) -> Iterator[tuple[Key, Learned]]:
    """What stands in the file, as far as it can be read and is not too old."""
    rows: object = None
    with suppress(ValueError, RecursionError):
        rows = json.loads(text)
    for row in rows if isinstance(rows, list) else ():
        with suppress(ArithmeticError, ValueError, TypeError, KeyError, AttributeError):
            if time.time() - float(row["when"]) < DAYS * 86_400:
                key = (str(row["base_url"]), str(row["model"]), bool(row["completes"]))
                yield key, _read(row)


def _read(row: Mapping[str, Any]) -> Learned:
    told = [
        Refusal(str(one["name"]), one_line(str(one["words"]), 300), str(one["sent_as"]))
        for one in row["told"]
        if one["name"] in _TOLD and one["sent_as"] in ("", *_NAMES_FOR_LENGTH)
    ]
    most = row["most_logprobs"]
    if type(most) is not int or most < 1:
        raise ValueError(most)
    return Learned(
        {str(name) for name in row["left_out"]},
        {
            name: other
            for name, other in row["renamed"].items()
            if name in _NAMES_FOR_LENGTH and other in _NAMES_FOR_LENGTH
        },
        {one.name: one for one in told},
        most_logprobs=most,
        values={
            name: value for name, value in dict(row.get("values") or {}).items() if name in _TOLD
        },
        as_switch=row.get("as_switch") is True,
        when=float(row["when"]),
    )
