"""Asking once more where a server asks for a wait: how long, counted down where it is seen, and once only.

Only what is busy for a moment is asked again, never what wants money, and nothing once text has come.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line

LONGEST = 120.0
"""Seconds; a server that asks for more is not waited for."""
USUAL = 5.0
"""Seconds, for a server that gets too many requests and does not say for how long."""
CANCELLED = "You cancelled the second try."
_SHORTEST = 0.05
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DELAY = re.compile(r'"retryDelay":\s*"(\d+(?:\.\d+)?)s"')
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_Result = TypeVar("_Result")


class Busy(ChatError):
    """A server that may answer after `seconds`; `about` says so without a full stop."""

    def __init__(self, message: str, hint: str, about: str, seconds: float) -> None:
        super().__init__(message, hint)
        self.about = about
        self.seconds = seconds


@dataclass(frozen=True)
class Wait:
    """A request that is sent once more by itself, unless that is cancelled."""

    about: str
    """What happened, without a full stop."""
    seconds: int
    """How long it is until then, rounded up."""

    @property
    def words(self) -> str:
        return f"{self.about}: again in {self.seconds} s"


def wants_money(code: object, type: object) -> bool:
    """Whether a 429 is no wait but an account that is used up."""
    return code in _NO_MONEY or type in _NO_MONEY


def seconds_asked(status: int, headers: Mapping[str, str], body: object = None) -> float | None:
    """How long to wait before the request is sent once more; None where that is not to be done.

    Only 429 is waited for without being asked to.
    """
    if status not in (429, 503, 529) or headers.get("x-should-retry") == "false":
        return None
    told = _told(headers)
    if status == 429 and told is None:
        told = _limit_reset(headers) or _delay(body) or USUAL
    if told is None or told > LONGEST:
        return None
    return max(told, _SHORTEST)


def _told(headers: Mapping[str, str]) -> float | None:
    """The wait that a server asks for; None where it asks for none, or for one that is none."""
    millis = _number(headers.get("retry-after-ms", ""))
    if millis is not None and millis > 0:
        return millis / 1000
    asked = headers.get("retry-after", "").strip()
    seconds = _number(asked)
    if seconds is None and asked:
        seconds = _until(asked, headers.get("date", ""))
    return seconds if seconds is not None and seconds > 0 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number < 1e9 else None


def _until(date: str, now: str) -> float | None:
    """Seconds until a date as HTTP writes it, by the server's own clock where it tells that."""
    from email.utils import parsedate_to_datetime

    try:
        then = parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
    try:
        return then - parsedate_to_datetime(now).timestamp()
    except (ValueError, OverflowError, TypeError):
        return then - time.time()


def span(text: str) -> float | None:
    """The seconds of a span such as `120ms`, `2s` or `1m30s`; None for what is none."""
    text = text.strip().lower()
    if not text:
        return None
    if (plain := _number(text)) is not None:
        return plain
    if _SPAN.sub("", text):
        return None
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _SPAN.findall(text))
    return _number(str(seconds))


def _limit_reset(headers: Mapping[str, str]) -> float | None:
    """When the limit that was reached is reset, as OpenAI and Groq tell it for requests and for tokens."""
    spans: dict[str, float] = {}
    for kind in ("requests", "tokens"):
        seconds = span(headers.get(f"x-ratelimit-reset-{kind}", ""))
        if seconds is not None:
            spans[kind] = seconds
    used_up = [
        seconds
        for kind, seconds in spans.items()
        if _number(headers.get(f"x-ratelimit-remaining-{kind}", "")) == 0
    ]
    return max(used_up or spans.values(), default=None)


def _delay(body: object) -> float | None:
    """The wait that Gemini's error body asks for."""
    if not isinstance(body, list | dict):
        return None
    try:
        found = _DELAY.search(json.dumps(body)[:100_000])
    except (ValueError, RecursionError):
        return None
    return float(found[1]) if found else None


def after(headers: Mapping[str, str]) -> str:
    """The wait that a server asks for, in words; empty when it asks for none."""
    asked = headers.get("retry-after", "").strip()
    seconds = _told(headers)
    if asked and _number(asked) is None:
        return f"Try again after {one_line(asked, 40)}." if re.search(r"\w", asked) else ""
    if seconds is None:
        seconds = _limit_reset(headers)
    if seconds is None:
        return "" if not asked else "Try again in 0 s."
    if seconds < 120:
        return f"Try again in {math.ceil(seconds)} s."
    if seconds < 7200:
        return f"Try again in {seconds / 60:.0f} minutes."
    return f"Try again in {seconds / 3600:.0f} hours."


async def patiently(
    send: Callable[[], Awaitable[_Result]],
    begun: Callable[[], bool],
    tell: Callable[[Wait | None], None],
) -> _Result:
    """What `send` brings; where that is busy and nothing has `begun`, the same once more after its wait.

    `tell` is told each second of the wait, then None. Who is cancelled meanwhile gets the failure that it
    waits for, with that in its words, and nothing more is sent.
    """
    try:
        return await send()
    except Busy as error:
        if begun():
            raise
        busy = error
    try:
        await _count_down(busy, tell)
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        cancelled = ChatError(busy.message, CANCELLED)
        cancelled.status = busy.status
        raise cancelled from None
    finally:
        tell(None)
    return await send()


async def _count_down(busy: Busy, tell: Callable[[Wait | None], None]) -> None:
    until = time.monotonic() + busy.seconds
    while (left := until - time.monotonic()) > 0:
        seconds = math.ceil(left)
        tell(Wait(busy.about, seconds))
        await asyncio.sleep(left - (seconds - 1))
