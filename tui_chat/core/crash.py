"""A fault of our own, told so that it can be mended: where it was, and no value, no key, no control."""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import warnings
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from tui_chat.core.text import clean, one_line

if TYPE_CHECKING:
    from tui_chat.core.unsaved import Unsaved

_HEAD = "tui-chat: It had to stop, by a fault of its own."
_SAVED = "What you wrote and what was answered is saved. Start it again to go on."
_UNSAVED = (
    "What came in the last second may not be saved; all before that is. Start it again to go on."
)
_NOT_ALL = (
    "Not all of it could be saved; what was saved before is as it was. Start it again to go on."
)
_NOTHING = "This run was saving nothing, so what was said meanwhile is gone; what was saved before is as it was."
_REPORT = "If it happens again, please report these lines; keys were taken out of them:"
_MOST_OF_A_MESSAGE = 300
_MOST_CAUSES = 5


def report(error: BaseException) -> str:
    """Where it was and what it was, in lines for whoever mends it."""
    return plain("\n".join([*_lines(error), ""]))


def with_fate(report: str, fate: str) -> str:
    """The lines for standard error: what has become of what there was, then the report."""
    return f"{_HEAD} {fate}\n{_REPORT}\n\n{report}"


def fate_of(*, ended: bool, unsaved: Unsaved) -> str:
    """What has become of what there was, in words; `ended` where the run could save all it wanted to."""
    if not unsaved.saves:
        return _NOTHING
    if unsaved.failing:
        return _NOT_ALL
    return _SAVED if ended else _UNSAVED


def plain(text: str) -> str:
    """Words that nobody wrote for a reader, made safe to print."""
    # Deferred: a start without a fault does not need it.
    from tui_chat.core.redaction import redacted

    return clean(redacted(text, os.environ))


def _lines(error: BaseException) -> list[str]:
    """Where it was, causes first, as Python tells it but for values."""
    lines: list[str] = []
    one: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if one is None:
            break
        # What failed in a worker of Textual's is wrapped in an error that knows not where.
        inner = getattr(one, "error", None)
        if isinstance(inner, BaseException) and inner is not one:
            one = inner
            continue
        frames = traceback.extract_tb(one.__traceback__)
        said = one_line(str(one), _MOST_OF_A_MESSAGE)
        last = f"{type(one).__qualname__}: {said}" if said else type(one).__qualname__
        lines = [*(line.rstrip("\n") for line in traceback.format_list(frames)), last, *lines]
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return lines


def guard() -> None:
    """Have whatever Python itself would print of a fault pass here."""
    sys.excepthook = _unhandled
    sys.unraisablehook = lambda it: _hinted(it.exc_value)
    threading.excepthook = lambda it: _hinted(it.exc_value)
    logging.lastResort = _LastResort(logging.WARNING)
    warnings.showwarning = _warned


def _unhandled(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(f"{_HEAD}\n{_REPORT}\n\n{report(error)}")


def _hinted(error: BaseException | None) -> None:
    """A fault that ends nothing."""
    if error is not None and sys.stderr is not None:
        sys.stderr.write(report(error))


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """As Python itself has it: where there is nobody to warn, nobody is."""
    stream = sys.stderr if file is None else file
    if stream is not None:
        with suppress(OSError):
            stream.write(plain(warnings.formatwarning(message, category, filename, lineno, line)))


class _LastResort(logging.Handler):
    """For what libraries log where nobody listens."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None:
            sys.stderr.write(f"{plain(one_line(record.getMessage(), 1000))}\n")
            if record.exc_info and record.exc_info[1]:
                _hinted(record.exc_info[1])
