"""What is known of the token at one place: candidates with their logprobs, in the order of their scores.

All that does not change when a knob is turned is computed once; what a penalty moves is moved, not sorted anew.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import neg

from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token
from tui_chat.core.knobs import Knobs

MOST_ROUNDING = 1e-3
"""By how much a sum in single precision may miss, as a share of it: five times what was measured."""


@dataclass(frozen=True, slots=True)
class _Ordered:
    """The candidates in the order of their scores under one pair of penalties."""

    scores: Sequence[float]
    order: Sequence[int]
    """The places of the candidates that the scores belong to."""
    parts: Sequence[float]
    """exp of each score, but for one factor."""


class Place:
    """What an endpoint told of the token at one place: candidates with their logprobs.

    `vocabulary` is how many tokens there are, None when that is not known; `counts` how often each
    token stands in what penalties count. `in_32_bits` says that the engine adds up in 32 bits, as llama.cpp
    does, which decides at the margin what top p cuts; the candidates are then given in the
    order of the vocabulary. `chosen` is the token that stands there, which need not be among the likeliest.
    """

    def __init__(
        self,
        candidates: Iterable[Candidate],
        *,
        vocabulary: int | None = None,
        counts: Mapping[bytes, int] | None = None,
        in_32_bits: bool = False,
        chosen: Candidate | None = None,
    ) -> None:
        told = list(candidates)
        self.highest_other = min((one.logprob for one in told), default=0.0)
        """None of the tokens that are not known has a higher logprob."""
        if chosen is not None and all(one.raw != chosen.raw for one in told):
            told.append(chosen)
        self._rank = sorted(range(len(told)), key=lambda place: -told[place].logprob)
        self.candidates = [told[place] for place in self._rank]
        self.vocabulary = vocabulary
        self.counts = counts or {}
        self._in_32_bits = in_32_bits
        self._ordered: tuple[tuple[float, float], _Ordered] | None = None
        self._reached: tuple[_Ordered, list[float]] | None = None
        self._rounding: tuple[tuple[float, float], float] | None = None

    @property
    def complete(self) -> bool:
        """Whether all tokens are among the candidates."""
        return self.vocabulary is not None and len(self.candidates) >= self.vocabulary

    @cached_property
    def logprobs(self) -> list[float]:
        return [candidate.logprob for candidate in self.candidates]

    @cached_property
    def where(self) -> Mapping[bytes, int]:
        """At which place of the candidates each token that penalties count stands."""
        counted = self.counts
        return {one.raw: place for place, one in enumerate(self.candidates) if one.raw in counted}

    @cached_property
    def _parts(self) -> list[float]:
        top = self.logprobs[0]
        return [math.exp(logprob - top) for logprob in self.logprobs]

    @cached_property
    def _told_parts(self) -> list[float]:
        """The same in the order of the vocabulary."""
        parts = [0.0] * len(self._rank)
        for part, place in zip(self._parts, self._rank, strict=True):
            parts[place] = part
        return parts

    def prepare(self) -> None:
        """Compute what does not change when a knob is turned. Takes a tenth of a second for a large
        vocabulary: for a thread."""
        _ = self.where, self._parts
        if self._in_32_bits:
            _ = self._told_parts
        self.rounding(Knobs())

    def penalised(self, knobs: Knobs) -> tuple[Sequence[float], Sequence[int]]:
        """The scores after penalties, highest first, and the candidates they belong to by their places."""
        ordered = self._under(knobs)
        return ordered.scores, ordered.order

    def reached(self, knobs: Knobs) -> Sequence[float]:
        """What the likeliest have together, but for one factor, after penalties."""
        ordered = self._under(knobs)
        if self._reached is None or self._reached[0] is not ordered:
            self._reached = ordered, list(accumulate(ordered.parts))
        return self._reached[1]

    def rounding(self, knobs: Knobs) -> float:
        """By how much the engine misses the sum of all tokens' probabilities, as a factor."""
        if not self._in_32_bits:
            return 1.0
        penalties = (knobs.frequency_penalty, knobs.presence_penalty)
        if self._rounding is None or self._rounding[0] != penalties:
            parts, changed = self._told_parts, self._changed(knobs)
            if changed:
                parts = list(parts)
                for place, score in changed.items():
                    parts[self._rank[place]] = math.exp(score - self.logprobs[0])
                # The engine's largest part is 1.
                factor = 1.0 / self._under(knobs).parts[0]
                if factor != 1.0:
                    parts = [part * factor for part in parts]
            self._rounding = penalties, summed_in_32_bits(parts)
        return self._rounding[1]

    def _under(self, knobs: Knobs) -> _Ordered:
        penalties = (knobs.frequency_penalty, knobs.presence_penalty)
        if self._ordered is None or self._ordered[0] != penalties:
            self._ordered = penalties, self._moved(self._changed(knobs))
        return self._ordered[1]

    def _changed(self, knobs: Knobs) -> Mapping[int, float]:
        """The places of the candidates that penalties change, and what their scores become."""
        return {
            place: self.logprobs[place] - penalty
            for raw, place in self.where.items()
            if (penalty := knobs.penalty(self.counts[raw]))
        }

    def _moved(self, changed: Mapping[int, float]) -> _Ordered:
        """A few move in a long list that is in order but for them."""
        if not changed:
            return _Ordered(self.logprobs, range(len(self.logprobs)), self._parts)
        scores, order, parts = (
            list(self.logprobs),
            list(range(len(self.logprobs))),
            list(self._parts),
        )
        top = self.logprobs[0]
        for place in sorted(changed, reverse=True):
            del scores[place], order[place], parts[place]
        for place, score in changed.items():
            at = bisect_right(scores, -score, key=neg)
            scores.insert(at, score)
            order.insert(at, place)
            parts.insert(at, math.exp(score - top))
        return _Ordered(scores, order, parts)


def summed_in_32_bits(parts: Sequence[float]) -> float:
    """The sum of numbers, one after the other in single precision, over their true sum.

    Of the probabilities of 49,152 tokens it misses up to some 2e-4.
    """
    total, limit, magic = 0.0, 0.0, 0.0
    for part in parts:
        total += part
        if total >= limit:
            # Added and taken away again, this leaves as many bits of the sum as single precision has.
            limit = 2.0 ** math.frexp(total)[1]
            magic = 1.5 * limit * 2.0**28
        total = (total + magic) - magic
    return total / math.fsum(parts)


def place_of(token: Token, vocabulary: int | None, counts: Mapping[bytes, int]) -> Place | None:
    """What is known of the place of a reply's token; None where nothing is."""
    if token.logprob is None:
        return None
    chosen = Candidate(token.raw, token.logprob)
    return Place(token.top, vocabulary=vocabulary, counts=counts, chosen=chosen)
