"""The tokens that could stand at one place, and many of them in few bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from tui_chat.core.text import clean

_COUNT = struct.Struct("=I")


class Candidate(NamedTuple):
    """A token that could stand at one place."""

    raw: bytes
    """What it is made of: often no whole characters. Empty for one without text, such as the end of a reply."""
    logprob: float
    """Natural logarithm of its probability, as the endpoint gave it."""

    @property
    def text(self) -> str:
        """Its text, with U+FFFD for half a character."""
        return clean(self.raw.decode("utf-8", "replace"))


class Candidates(Sequence[Candidate]):
    """Candidates as a tuple of them would be, and equal to it, but each made when it is asked for.

    A long reply comes with hundreds of thousands. Each an object of its own, they would take five times the
    memory, and the collector, which holds all threads meanwhile, would take a tenth of a second to go through them.
    """

    __slots__ = ("_packed",)

    def __init__(self, candidates: Iterable[tuple[bytes, float]]) -> None:
        told = list(candidates)
        lengths = [len(raw) for raw, _ in told]
        # How many, their logprobs in double precision, the lengths of what they are made of, and that itself.
        head = struct.pack(
            _layout(len(told)), len(told), *(logprob for _, logprob in told), *lengths
        )
        self._packed = b"".join((head, *(raw for raw, _ in told)))

    def __len__(self) -> int:
        return int(_COUNT.unpack_from(self._packed)[0])

    def __iter__(self) -> Iterator[Candidate]:
        count, packed = len(self), self._packed
        layout = _layout(count)
        _, *figures = struct.unpack_from(layout, packed)
        at = struct.calcsize(layout)
        # Twice as quick as calling it.
        new = tuple.__new__
        for logprob, length in zip(figures[:count], figures[count:], strict=True):
            yield new(Candidate, (packed[at : at + length], logprob))
            at += length

    @overload
    def __getitem__(self, place: int) -> Candidate: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Candidate]: ...
    def __getitem__(self, place: int | slice) -> Candidate | Sequence[Candidate]:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Candidates):
            return self._packed == other._packed or tuple(self) == tuple(other)
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Candidates({list(self)})"


def _layout(count: int) -> str:
    return f"=I{count}d{count}I"
