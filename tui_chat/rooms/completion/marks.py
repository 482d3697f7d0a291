"""Which parts of a text the model wrote, kept true under edits; pure.

A part that is typed into is split: what was typed is a person's, what stands around it stays the model's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile

Marks = tuple[tuple[int, int], ...]
"""The parts, as (start, end) in characters, in order, none empty, no two that touch."""


def joined(parts: Iterable[tuple[int, int]]) -> Marks:
    """Parts in order, those that touch as one."""
    made: list[tuple[int, int]] = []
    for start, end in sorted(part for part in parts if part[0] < part[1]):
        if made and start <= made[-1][1]:
            made[-1] = made[-1][0], max(end, made[-1][1])
        else:
            made.append((start, end))
    return tuple(made)


def edited(marks: Marks, at: int, removed: int, inserted: int) -> Marks:
    """The parts after so many characters at a place were replaced by others, which are a person's."""
    end, by = at + removed, inserted - removed
    parts: list[tuple[int, int]] = []
    for start, stop in marks:
        parts += [(start, min(stop, at)), (max(start, end) + by, stop + by)]
    # Not joined: what a person deletes between two parts leaves them side by side, which is one.
    return joined((start, stop) for start, stop in parts if start < stop)


def grown(marks: Marks, at: int, inserted: int) -> Marks:
    """The parts after the model wrote so many characters at a place."""
    return joined([*edited(marks, at, 0, inserted), (at, at + inserted)])


def read_off(pieces: Sequence[tuple[str, bool]], text: str) -> Marks:
    """The parts of a text that was made of these pieces, each with whether the model wrote it: what changed
    since, from the first to the last difference, is a person's."""
    made = "".join(piece for piece, _ in pieces)
    marks: list[tuple[int, int]] = []
    at = 0
    for piece, models in pieces:
        if models:
            marks.append((at, at + len(piece)))
        at += len(piece)
    start, end = difference(made, text)
    return edited(joined(marks), start, len(made) - end - start, len(text) - end - start)


def difference(old: str, new: str) -> tuple[int, int]:
    """How many characters two texts have in common at the beginning and, behind that, at the end."""
    most = min(len(old), len(new))
    start = _alike(old, new, most)
    end = _alike(old[::-1], new[::-1], most - start)
    return start, end


def _alike(one: str, other: str, most: int) -> int:
    if one[:most] == other[:most]:
        return most
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
