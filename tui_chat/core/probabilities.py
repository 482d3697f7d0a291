"""A reply's tokens with their probabilities as they are kept: in columns, read without making each token.

A packed sequence is any number of frames one behind the other, so that a reply can be added to while it
arrives. A frame is a length (4 bytes) and so many bytes of zlib: the number of tokens and of different
texts; for each text its length; the texts; then columns of what each token has. Numbers are
little-endian; logprobs have single precision, as servers compute them.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import overload

from tui_chat.core.candidates import Candidates
from tui_chat.core.conversation import Token
from tui_chat.core.text import clean

_HEAD = struct.Struct("<III")
_LENGTH = struct.Struct("<I")
_NONE = math.nan
_MOST = 1 << 28
"""Bytes of a frame when it is unpacked; a million tokens with 20 candidates have fewer."""


def packed(tokens: Sequence[Token]) -> bytes:
    """One frame; no bytes for no tokens. Reasoning is left out: it is no part of the reply's text."""
    kept = [token for token in tokens if not token.reasoning]
    if not kept:
        return b""
    texts: dict[bytes, int] = {}

    def place(text: bytes) -> int:
        return texts.setdefault(text, len(texts))

    own = array("I", (place(token.text.encode("utf-8", "replace")) for token in kept))
    raws = array("I", (place(token.raw) for token in kept))
    chosen = array("f", (_NONE if token.logprob is None else token.logprob for token in kept))
    counts = array("H", (min(len(token.top), 0xFFFF) for token in kept))
    candidates, logprobs = array("I"), array("f")
    for token in kept:
        for raw, logprob in token.top if len(token.top) <= 0xFFFF else token.top[:0xFFFF]:
            candidates.append(place(raw))
            logprobs.append(logprob)
    lengths = array("I", map(len, texts))
    columns = (lengths, own, raws, chosen, counts, candidates, logprobs)
    body = b"".join(
        (
            _HEAD.pack(len(kept), len(texts), len(candidates)),
            b"".join(_little(column) for column in columns),
            b"".join(texts),
        )
    )
    squeezed = zlib.compress(body, 6)
    return _LENGTH.pack(len(squeezed)) + squeezed


def _little(column: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        column = array(column.typecode, column)
        column.byteswap()
    return column.tobytes()


@dataclass(frozen=True, slots=True)
class _Frame:
    """The columns of one frame."""

    texts: tuple[bytes, ...]
    own: array[int]
    raw: array[int]
    chosen: array[float]
    starts: array[int]
    """Where the candidates of each token begin, and after the last where they end."""
    candidates: array[int]
    logprobs: array[float]

    def token(self, place: int) -> Token:
        text, raw = self.texts[self.own[place]], self.texts[self.raw[place]]
        logprob = self.chosen[place]
        start, end = self.starts[place], self.starts[place + 1]
        return Token(
            clean(text.decode("utf-8", "replace")),
            None if math.isnan(logprob) else logprob,
            Candidates(
                (self.texts[name], value)
                for name, value in zip(
                    self.candidates[start:end], self.logprobs[start:end], strict=True
                )
                if not math.isnan(value)
            ),
            own=None if raw == text else raw,
        )


class Kept(Sequence[Token]):
    """The tokens of a packed sequence, each made when it is asked for; what cannot be read is left out."""

    def __init__(self, data: bytes) -> None:
        self._frames = list(_frames(data))
        self._ends = list(accumulate(len(frame.own) for frame in self._frames))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: int) -> Token: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Token]: ...
    def __getitem__(self, place: int | slice) -> Token | Sequence[Token]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        if place < 0:
            place += len(self)
        if not 0 <= place < len(self):
            raise IndexError(place)
        start = 0
        for frame, end in zip(self._frames, self._ends, strict=True):
            if place < end:
                return frame.token(place - start)
            start = end
        raise AssertionError("the ends are in order")

    @property
    def texts(self) -> list[str]:
        """The text of each token: what the reply is made of."""
        return [
            text
            for frame in self._frames
            for text in _decoded(frame.texts[place] for place in frame.own)
        ]

    @property
    def raws(self) -> list[bytes]:
        """What each token is made of."""
        return [frame.texts[place] for frame in self._frames for place in frame.raw]

    @property
    def logprobs(self) -> list[float | None]:
        """The logprob of each token."""
        return [
            None if math.isnan(value) else value for frame in self._frames for value in frame.chosen
        ]


def _decoded(texts: Iterable[bytes]) -> Iterable[str]:
    return (clean(text.decode("utf-8", "replace")) for text in texts)


def _frames(data: bytes) -> Iterable[_Frame]:
    at = 0
    while at + _LENGTH.size <= len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        frame = _frame(data[at : at + length])
        at += length
        if frame is None:
            return  # Damaged: what follows cannot be told apart.
        yield frame


def _frame(squeezed: bytes) -> _Frame | None:
    try:
        unpacker = zlib.decompressobj()
        body = unpacker.decompress(squeezed, _MOST)
        count, different, shown = _HEAD.unpack_from(body)
        at = _HEAD.size
        columns: list[array[int] | array[float]] = []
        for kind, size in zip(
            "IIIfHIf", (different, count, count, count, count, shown, shown), strict=True
        ):
            column: array[int] | array[float] = array(kind)
            end = at + size * column.itemsize
            if end > len(body):
                return None
            column.frombytes(body[at:end])
            if sys.byteorder == "big":
                column.byteswap()
            columns.append(column)
            at = end
        lengths, own, raw, chosen, counts, candidates, logprobs = columns
        ends = list(accumulate(lengths, initial=at))
        texts = tuple(body[int(start) : int(end)] for start, end in pairwise(ends))
        starts = array("I", accumulate(map(int, counts), initial=0))
    except (zlib.error, struct.error, OverflowError):
        return None
    named = max((*own, *raw, *candidates), default=0)
    if named >= different or starts[-1] != shown or ends[-1] != len(body):
        return None
    return _Frame(texts, own, raw, chosen, starts, candidates, logprobs)  # type: ignore[arg-type]  # each of its kind
