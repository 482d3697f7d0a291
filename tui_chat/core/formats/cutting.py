"""JSON of any size, cut into its items without reading it whole: lines, or the items of an array.

A cut item is bytes, still to be decoded: one that is broken, nested too deep or too large costs itself
and nothing after it. (A parser that streams would end with the first number it does not like.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

LARGEST_ITEM = 256_000_000
"""Bytes of one conversation; it is held in memory several times over while it is read."""
CHUNK = 1 << 18

Read = Callable[[int], bytes]
"""At most so many bytes of a file; none at its end."""

# All up to the next bracket, or to a text that does not end in this chunk; never tried twice.
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|%b)*+' % _TEXT, re.DOTALL)
_TO_COMMA = re.compile(rb'(?:[^"{}\[\],]++|%b)*+' % _TEXT, re.DOTALL)
_BLANK = b" \t\r\n"


class Broken(ValueError):
    """An item that is no JSON; its words say why, and end with a full stop."""


def decoded(raw: bytes | None) -> object:
    """The value of an item. Broken says why there is none."""
    if raw is None:
        raise Broken(f"It is larger than {LARGEST_ITEM // 1_000_000} MB.")
    try:
        return json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise Broken("It is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise Broken(f"It is not whole JSON: {error.msg}, at character {error.pos + 1}.") from None
    except ValueError:
        raise Broken("It holds a number that is far too long.") from None
    except RecursionError:
        raise Broken("It is nested too deep.") from None


def lines(read: Read) -> Iterator[tuple[int, bytes | None]]:
    """The lines that are not blank, each with its number from 1 on; None for one that is too large."""
    number = 1
    kept = bytearray()
    lost = False
    while chunk := read(CHUNK):
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            kept += piece
            if lost or kept.strip():
                yield number, None if lost else bytes(kept)
            kept.clear()
            lost = False
            number += 1
        kept += rest
        if len(kept) > LARGEST_ITEM:
            kept.clear()
            lost = True
    if lost or kept.strip():
        yield number, None if lost else bytes(kept)


def array_items(read: Read) -> Iterator[tuple[int, bytes | None]]:
    """The items of the array that the file is, numbered from 1 on; None for one that is too large.

    Broken, after the last whole item, where the array does not end as one.
    """
    cut = _Cut()
    number = 0
    while chunk := read(CHUNK):
        for item in cut.items(chunk):
            number += 1
            yield number, item
    if not cut.ended:
        raise Broken("The file breaks off here.")


class _Cut:
    """Where in an array the cutting is; strings, escapes and depth reach over chunks."""

    def __init__(self) -> None:
        self.ended = False
        self._kept = bytearray()
        self._lost = False
        self._depth = 0
        self._in_text = False
        self._escaped = False

    def items(self, chunk: bytes) -> Iterator[bytes | None]:
        """The items that end in this chunk."""
        start = at = 0
        if self._escaped:
            self._escaped = False
            at = 1
        while at < len(chunk) and not self.ended:
            if self._in_text:
                at = self._through_text(chunk, at)
                continue
            found = (_TO_BRACKET if self._depth > 1 else _TO_COMMA).match(chunk, at)
            assert found is not None, "it matches nothing at all, too"
            at = found.end() + 1
            if at > len(chunk):
                break
            mark = chunk[at - 1 : at]
            if mark == b'"':
                self._in_text = True
            elif mark in b"{[":
                self._depth += 1
                if self._depth == 1:
                    start = at
            elif mark == b",":
                if self._depth == 1:
                    yield from self._item(chunk[start : at - 1])
                    start = at
            else:
                self._depth -= 1
                if self._depth <= 0:
                    self.ended = True
                    yield from self._item(chunk[start : at - 1], last=True)
        if not self.ended:
            self._keep(chunk[start:])

    def _through_text(self, chunk: bytes, at: int) -> int:
        """Where the text ends, or the chunk."""
        while (quote := chunk.find(b'"', at)) >= 0:
            if not _odd_backslashes(chunk[at:quote]):
                self._in_text = False
                return quote + 1
            at = quote + 1
        self._escaped = _odd_backslashes(chunk[at:])
        return len(chunk)

    def _item(self, rest: bytes, *, last: bool = False) -> Iterator[bytes | None]:
        self._keep(rest)
        item = bytes(self._kept).strip(_BLANK)
        lost = self._lost
        self._kept.clear()
        self._lost = False
        # Nothing stands between the brackets of an empty array.
        if item or lost or not last:
            yield None if lost else item

    def _keep(self, piece: bytes) -> None:
        if not self._lost:
            self._kept += piece
            if len(self._kept) > LARGEST_ITEM:
                self._kept.clear()
                self._lost = True


def _odd_backslashes(text: bytes) -> bool:
    """Whether what comes after this text is escaped."""
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1
