"""The rows on the pages of a SQLite file, each page read by itself: for those that no way leads to any more.

As https://sqlite.org/fileformat2.html describes them. Pure: whatever the bytes are it comes to an end, raises
nothing, and looks at no page more than twice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Value = int | float | str | bytes | None
MAGIC = b"SQLite format 3\0"
_LEAF = 13
"""The first byte of a page that holds rows of a table."""
_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
"""Bytes that a value of each kind takes; from 12 on they are texts and blobs."""
_MOST_COLUMNS = 2_000
_LONGEST = 1 << 31
"""SQLite's limit for a row, in bytes."""
_HEADER = 100
"""Bytes before what the first page holds."""


@dataclass(frozen=True)
class Paged:
    """A file of pages."""

    size: int
    """Bytes of a page."""
    usable: int
    """Bytes of it that are used."""
    count: int
    read: Callable[[int], bytes]
    """A page by its number, from 1 on; too short, or empty, where it cannot be read."""

    @classmethod
    def of(cls, head: bytes, length: int, read: Callable[[int, int], bytes]) -> Paged:
        """A file with this head, of so many bytes; `read` gives bytes at a place. Where the head is bad too,
        pages are taken to be as SQLite makes them by itself."""
        size, spare = 4096, 0
        if head.startswith(MAGIC) and len(head) > 20:
            told = int.from_bytes(head[16:18], "big")
            told = 65_536 if told == 1 else told
            if told >= 512 and not told & (told - 1):
                size = told
                spare = head[20] if head[20] <= size - 480 else 0
        return cls(size, size - spare, length // size, lambda page: read((page - 1) * size, size))


@dataclass(frozen=True)
class Row:
    """A row as it stands on a page."""

    key: int
    values: tuple[Value, ...]
    """None, too, for one of which nothing is there."""
    whole: bool
    """Whether all of it is there."""


def rows(file: Paged, wanted: Callable[[str], object]) -> Iterator[tuple[str, Row]]:
    """The rows of all tables that `wanted` says yes to by their shapes: a letter for each value, n for none,
    i and f for numbers, t for a text, b for bytes."""
    taken = set[int]()
    for number in range(1, file.count + 1):
        page = file.read(number)
        if len(page) < file.size:
            continue
        start = _HEADER if number == 1 else 0
        if page[start] != _LEAF:
            continue
        told = int.from_bytes(page[start + 3 : start + 5], "big")
        first = start + 8
        # The smallest row takes four bytes, and two that lead to it.
        for place in range(first, first + 2 * min(told, file.usable // 6), 2):
            at = int.from_bytes(page[place : place + 2], "big")
            if at >= first and (found := _row(file, page, at, wanted, taken)) is not None:
                yield found


def _row(
    file: Paged, page: bytes, at: int, wanted: Callable[[str], object], taken: set[int]
) -> tuple[str, Row] | None:
    length, at = _varint(page, at, file.usable)
    key, at = _varint(page, at, file.usable)
    if not at or not 2 <= length <= _LONGEST:
        return None
    here = _here(length, file.usable)
    if at + here > file.usable:
        return None
    payload = page[at : at + here]
    kinds = _kinds(payload)
    if kinds is None:
        return None
    shape, end = "".join(map(_letter, kinds)), _varint(payload, 0, len(payload))[0]
    if end + sum(map(_size, kinds)) != length or not wanted(shape):
        return None
    if here < length:
        follows = int.from_bytes(page[at + here : at + here + 4], "big")
        payload += _overflow(file, follows, length - here, taken)
    key -= (key >> 63) << 64
    return shape, Row(key, tuple(_values(payload, end, kinds)), len(payload) == length)


def _here(length: int, usable: int) -> int:
    """How many bytes of a row of this length stand on its own page."""
    if length <= usable - 35:
        return length
    least = (usable - 12) * 32 // 255 - 23
    fitting = least + (length - least) % (usable - 4)
    return fitting if fitting <= usable - 35 else least


def _overflow(file: Paged, number: int, length: int, taken: set[int]) -> bytes:
    """What follows on other pages, as far as they are there; none belongs to two rows."""
    parts = []
    while length > 0 and 1 < number <= file.count and number not in taken:
        taken.add(number)
        page = file.read(number)
        if len(page) < file.size:
            break
        parts.append(page[4 : min(file.usable, 4 + length)])
        length -= len(parts[-1])
        number = int.from_bytes(page[:4], "big")
    return b"".join(parts)


def _kinds(payload: bytes) -> list[int] | None:
    """What kinds of values a row says that it has; None where it cannot be one."""
    end, at = _varint(payload, 0, len(payload))
    if not at or not at <= end <= len(payload):
        return None
    kinds: list[int] = []
    while at < end:
        kind, at = _varint(payload, at, end)
        if not at or kind in (10, 11) or len(kinds) == _MOST_COLUMNS:
            return None
        kinds.append(kind)
    return kinds


def _letter(kind: int) -> str:
    if kind >= 12:
        return "bt"[kind % 2]
    return "n" if not kind else "f" if kind == 7 else "i"


def _size(kind: int) -> int:
    return (kind - 12) // 2 if kind >= 12 else _SIZES[kind]


def _values(payload: bytes, at: int, kinds: list[int]) -> Iterator[Value]:
    for kind in kinds:
        raw = payload[at : at + _size(kind)]
        at += _size(kind)
        if kind in (8, 9):
            yield kind - 8
        elif not kind or (len(raw) < _size(kind) and (kind < 12 or not raw)):
            yield None
        elif kind >= 12:
            yield raw.decode("utf-8", "replace") if kind % 2 else raw
        elif kind == 7:
            yield float(struct.unpack(">d", raw)[0])
        else:
            yield int.from_bytes(raw, "big", signed=True)


def _varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where the next begins; 0 for that where there is none."""
    number = 0
    for place in range(at, min(at + 9, end)):
        byte = raw[place]
        if place == at + 8:
            return number << 8 | byte, place + 1
        number = number << 7 | byte & 127
        if byte < 128:
            return number, place + 1
    return 0, 0
