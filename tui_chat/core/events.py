"""A stream's bytes as server-sent events: lines cut anywhere are joined, each event is read as JSON; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

DONE = b"[DONE]"
"""How the data of the event behind the last one begins."""
LARGE = 100_000
"""Bytes of an event from which on reading it takes longer than a key may wait: it is for a thread."""
_MOST_VALUES, _MOST_LISTS = 1_000_000, 200_000
"""Of one event. A token with 20 candidates has 200 values in 20 lists; what has more than this in one event
would be read for half a second, in which nothing else of the program runs."""
_STRUCTURE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[,\[]', re.S)
"""A text, which may hold anything, or what parts values and begins lists."""


class Lines:
    """Takes a stream in pieces and gives the data of each event that they end."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """The line that did not end yet."""
        self._data: list[bytes] = []
        """What the lines of the event that did not end yet hold."""
        self._after_return = False

    def take(self, piece: bytes) -> Iterator[bytes]:
        """The data of the events that end in this piece. To be read to its end before the next one."""
        if self._after_return and piece.startswith(b"\n"):
            piece = piece[1:]
            self._after_return = False
        if not piece:
            return
        self._after_return = piece.endswith(b"\r")
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if not end:
            self._rest.append(piece)
            return
        whole = b"".join((*self._rest, piece[:end]))
        self._rest = [piece[end:]] if end < len(piece) else []
        for line in whole.splitlines():
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            elif not line and self._data:
                data, self._data = b"\n".join(self._data), []
                yield data


def parsed(data: bytes) -> Any:
    """What an event holds. Bytes that are no text are read as U+FFFD.

    ValueError for what is no JSON or is more than anybody has to say; RecursionError for what is nested too deeply.
    """
    text = data.decode("utf-8", "replace")
    if len(data) < LARGE:
        return json.loads(text)
    _check(text)
    # A function of Python's lets other threads run in between; without one, none does until all is read.
    return json.loads(text, object_hook=lambda found: found)


def _check(text: str) -> None:
    values = lists = 0
    for match in _STRUCTURE.finditer(text):
        first = text[match.start()]
        values += first == ","
        lists += first == "["
        if values > _MOST_VALUES or lists > _MOST_LISTS:
            raise ValueError("more values than fit")
