"""What other programs' files hold, read with care: values of any type, ids made from theirs.

A reader turns one item of a file into one Conversation, or raises NotUnderstood. Whatever an item holds
in a wrong type is left out; it never makes the rest of the item unreadable.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tui_chat.core.conversation import Conversation, id_of
from tui_chat.core.params import BY_NAME, Params
from tui_chat.core.records import LATEST
from tui_chat.core.text import clean, one_line

LONGEST_TITLE = 200
_MILLISECOND = timedelta(milliseconds=1)
_HALF = timedelta(microseconds=500)


class NotUnderstood(ValueError):
    """An item that is no conversation; its words say why, and end with a full stop."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a file that could not be read: `place` is "line 12", `words` say why."""

    place: str
    words: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the readers of one file share."""

    time: int
    """Milliseconds since the epoch: when a message was made whose file does not say."""
    seen: Counter[str]
    """How often each content came up in the file, where ids are made from the content."""


Item = Conversation | Unreadable


def table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def rows(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def words(value: object) -> str:
    """The text, cleaned; empty for what is none."""
    return clean(value) if isinstance(value, str) else ""


def name(value: object) -> str:
    """A short text on one line, as a title or the name of a model."""
    return one_line(value, LONGEST_TITLE) if isinstance(value, str) else ""


def milliseconds(seconds: object, otherwise: int) -> int:
    """Seconds since the epoch as milliseconds, within what calendars know."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return otherwise
    # A whole number may be too large for a float.
    if isinstance(seconds, float) and not math.isfinite(seconds):
        return otherwise
    if not 0 < seconds < LATEST / 1000:
        return otherwise
    return round(seconds * 1000)


def moment(written: object, otherwise: int) -> int:
    """A time as ISO 8601 has it, in milliseconds since the epoch; UTC where it does not say."""
    if not isinstance(written, str):
        return otherwise
    try:
        found = datetime.fromisoformat(written.strip()[:40])
        zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
        since = zoned - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return otherwise
    return min(max((since + _HALF) // _MILLISECOND, 0), LATEST)


def count(value: object) -> int | None:
    """A number of tokens; None for what is none."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < 2**63 else None  # type: ignore[operator, return-value]


def params_of(values: Mapping[str, Any]) -> Params:
    """Those of the values that are parameters of ours and in their range."""
    kept: dict[str, object] = {}
    for given, value in values.items():
        try:
            kept[given] = BY_NAME[given].check(value)
        except (KeyError, ValueError, OverflowError):
            continue
    return Params(kept)


def derived_id(*parts: str) -> str:
    """The same id for the same parts, on every machine and in every version."""
    return id_of(hashlib.sha256(json.dumps(parts).encode()).digest())


def fenced(text: str, language: str = "") -> str:
    """The text as a block of code in Markdown, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    label = re.sub(r"[^\w+#.-]", "", language)[:30]
    return f"{fence}{label}\n{text.rstrip()}\n{fence}"


def parents_first(parents: Mapping[str, str | None]) -> Iterator[str]:
    """All that have an entry, each after its parent and branch by branch, siblings in the given order.

    Of a circle, each comes once, too; a parent that has no entry is none.
    """
    below: dict[str | None, list[str]] = {}
    for one, parent in parents.items():
        below.setdefault(parent if parent in parents else None, []).append(one)
    seen: set[str] = set()
    # Whatever hangs on no root is in a circle, or below one.
    for start in (*below.get(None, ()), *parents):
        waiting = [start]
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                yield at
                waiting.extend(reversed(below.get(at, ())))
