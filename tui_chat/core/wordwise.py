"""How two texts differ, line beside line and word by word; pure, and bounded for texts of any size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_WORDS = 3_000
"""Words on either side of a changed passage up to which they are compared one by one."""
MOST_LINES = 4_000
"""Lines on either side up to which they are put beside each other where they are alike."""
_WORD = re.compile(r"\w+|[^\w\n]|\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line: whether the other text has it differently."""

    text: str
    differs: bool = False


Pieces = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of either text beside that of the other; None where the other has none."""

    left: Pieces | None
    right: Pieces | None

    @property
    def equal(self) -> bool:
        return self.left == self.right


def compared(left: str, right: str) -> list[Pair]:
    """The lines of both texts, in order, those that are alike beside each other. Blocks: for a thread."""
    one, other = left.split("\n"), right.split("\n")
    pairs: list[Pair] = []
    for tag, a, b, c, d in _opcodes(one, other, MOST_LINES):
        if tag == "equal":
            pairs += [Pair((Piece(line),), (Piece(line),)) for line in one[a:b]]
        else:
            pairs += _changed(one[a:b], other[c:d])
    return pairs


def _opcodes(
    one: Sequence[str], other: Sequence[str], most: int
) -> Iterator[tuple[str, int, int, int, int]]:
    """As difflib's, with what both begin and end with set apart first; beyond `most`, the rest is changed."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = len(one), len(other)
    while a > start and b > start and one[a - 1] == other[b - 1]:
        a, b = a - 1, b - 1
    if start:
        yield "equal", 0, start, 0, start
    if max(a, b) - start > most:
        yield "replace", start, a, start, b
    elif (a, b) != (start, start):
        matcher = SequenceMatcher(None, one[start:a], other[start:b], autojunk=False)
        for tag, i, j, k, m in matcher.get_opcodes():
            yield tag, i + start, j + start, k + start, m + start
    if a < len(one):
        yield "equal", a, len(one), b, len(other)


def _changed(one: Sequence[str], other: Sequence[str]) -> list[Pair]:
    """Lines that differ: word by word, as they stand beside each other."""
    if not one or not other:
        lefts, rights = [_all(line) for line in one], [_all(line) for line in other]
    else:
        words, others = _WORD.findall("\n".join(one)), _WORD.findall("\n".join(other))
        if max(len(words), len(others)) > MOST_WORDS:
            lefts, rights = [_all(line) for line in one], [_all(line) for line in other]
        else:
            lefts, rights = _by_words(words, others)
    rows = max(len(lefts), len(rights))
    return [
        Pair(
            lefts[row] if row < len(lefts) else None,
            rights[row] if row < len(rights) else None,
        )
        for row in range(rows)
    ]


def _all(line: str) -> Pieces:
    return (Piece(line, differs=True),)


def _by_words(words: list[str], others: list[str]) -> tuple[list[Pieces], list[Pieces]]:
    left, right = _Lines(), _Lines()
    for tag, a, b, c, d in _opcodes(words, others, MOST_WORDS):
        left.add("".join(words[a:b]), differs=tag != "equal")
        right.add("".join(others[c:d]), differs=tag != "equal")
    return left.done(), right.done()


class _Lines:
    """Puts pieces together into lines."""

    def __init__(self) -> None:
        self._lines: list[list[Piece]] = [[]]

    def add(self, text: str, *, differs: bool) -> None:
        for number, part in enumerate(text.split("\n")):
            if number:
                self._lines.append([])
            if part:
                self._lines[-1].append(Piece(part, differs))

    def done(self) -> list[Pieces]:
        return [tuple(line) for line in self._lines]
