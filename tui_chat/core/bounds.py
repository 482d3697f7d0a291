"""What can be said of a distribution when only the likeliest tokens are known: ranges that hold the truth.

The mass of all other tokens is known before any parameter, how it is shared among them is not. Each of
them is at most as likely as the least likely one that is known. So at another temperature their
mass lies between that of a flat tail and that of a tail as steep as may be:
n (r/n)^(1/T) and (r/x) x^(1/T) for mass r, n tokens, none above x.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tui_chat.core.engines import Sampler
from tui_chat.core.knobs import COLDEST, Knobs
from tui_chat.core.places import Place
from tui_chat.core.sampling import Distribution, Range, Share

LARGEST_VOCABULARY = 2**18
"""Where it is not known: no model in use has more tokens (Gemma's 262,144)."""
SLACK = 4e-4
"""Servers compute in 32 bits: the probabilities of 49,152 tokens add up to 1 only within 2e-4 (llama.cpp)."""


@dataclass(frozen=True)
class _Known:
    """One candidate: its score, and whether it is drawn from: certainly, certainly not, or perhaps."""

    score: float
    at: int
    sure: bool = True
    possible: bool = True


@dataclass(frozen=True)
class _Tail:
    """All other tokens: at most `most` of them, their exp(score) together in `mass`, none above `top`."""

    most: float
    mass: Range
    top: float

    @property
    def gone(self) -> bool:
        return self.most <= 0.0

    def scaled(self, factor: float) -> _Tail:
        """With all weights that much greater."""
        mass = Range(self.mass.low * factor, self.mass.high * factor)
        return replace(self, mass=mass, top=self.top * factor)

    def heated(self, temperature: float) -> _Tail:
        """After division of all scores by T."""
        if self.gone or temperature == 1.0:
            return self
        power = 1.0 / temperature
        flat, steep = self._flat, self._steep
        low, high = (steep, flat) if power < 1 else (flat, steep)
        mass = Range(low(self.mass.low, power), high(self.mass.high, power))
        return replace(self, mass=mass, top=_power(self.top, power))

    def _flat(self, mass: float, power: float) -> float:
        if mass <= 0.0:
            return 0.0
        return self.most * _power(mass / self.most, power)

    def _steep(self, mass: float, power: float) -> float:
        return mass * _power(self.top, power - 1.0) if mass > 0.0 else 0.0


def _power(base: float, exponent: float) -> float:
    """base to the exponent; infinity where no number holds it."""
    try:
        return float(base**exponent) if base > 0.0 else 0.0
    except OverflowError:
        return math.inf


_NO_TAIL = _Tail(0.0, Range(0.0, 0.0), 0.0)


def bounded(place: Place, knobs: Knobs, sampler: Sampler, most: int) -> Distribution:
    """As sampling.distribution(), from candidates that are not all."""
    scores, order = place.penalised(knobs)
    tail = _penalised(_tail(place), place, knobs)
    # The likeliest that is known has 1: at a low temperature all others would else vanish with it.
    shift = scores[0]
    known = [_Known(score - shift, at) for score, at in zip(scores, order, strict=True)]
    tail = tail.scaled(math.exp(-shift))
    for step in sampler.order:
        if step == "temperature" and not knobs.greedy:
            heat = max(knobs.temperature, COLDEST)
            known = [replace(one, score=one.score / heat) for one in known]
            tail = tail.heated(heat)
        elif step == "top_k" and knobs.top_k > 0:
            known, tail = _cut_by_rank(known, tail, knobs.top_k)
        elif step == "top_p" and knobs.top_p < 1.0:
            known, tail = _cut_by_mass(known, tail, knobs.top_p)
        elif step == "min_p" and knobs.min_p > 0.0:
            known, tail = _cut_by_height(known, tail, knobs.min_p)
    if knobs.greedy:
        known, tail = _cut_by_rank(known, tail, 1)
    return _summed(place, known, tail, most)


def _tail(place: Place) -> _Tail:
    listed = sum(math.exp(logprob) for logprob in place.logprobs)
    count = (place.vocabulary or LARGEST_VOCABULARY) - len(place.candidates)
    if count <= 0:
        return _NO_TAIL
    top = math.exp(place.highest_other)
    # Rounding may even leave less than nothing.
    mass = Range(max(0.0, 1.0 - listed - SLACK), min(count * top, max(0.0, 1.0 - listed) + SLACK))
    return _Tail(float(count), Range(min(mass), mass.high), top)


def _penalised(tail: _Tail, place: Place, knobs: Knobs) -> _Tail:
    """A few of the others may have been counted; which of them weighs how much is not known."""
    factors = [
        math.exp(-penalty)
        for raw, count in place.counts.items()
        if raw not in place.where and (penalty := knobs.penalty(count))
    ]
    if tail.gone or not factors:
        return tail
    least, best = min(1.0, *factors), max(1.0, *factors)
    lost = sum(1 - factor for factor in factors if factor < 1) * tail.top
    won = sum(factor - 1 for factor in factors if factor > 1) * tail.top
    low = max(tail.mass.low - lost, tail.mass.low * least)
    high = min(tail.mass.high + won, tail.mass.high * best)
    return replace(tail, mass=Range(low, high), top=tail.top * best)


def _weight(one: _Known) -> float:
    return math.exp(one.score)


def _cut_by_rank(known: list[_Known], tail: _Tail, count: int) -> tuple[list[_Known], _Tail]:
    """Only so many of the likeliest are kept."""
    above = _before_tail(known, tail)
    if tail.gone or above >= count:
        return [_dropped(one) if rank >= count else one for rank, one in enumerate(known)], _NO_TAIL
    room = min(count - above, tail.most)
    # Each of these may be pushed out by others, of which it is not known how many are above it.
    cut = [
        _dropped(one) if rank >= count else replace(one, sure=one.sure and rank < above)
        for rank, one in enumerate(known)
    ]
    return cut, replace(tail, most=room, mass=Range(0.0, min(tail.mass.high, room * tail.top)))


def _before_tail(known: list[_Known], tail: _Tail) -> int:
    """How many are certainly before all others."""
    return sum(_weight(one) >= tail.top for one in known)


def _dropped(one: _Known) -> _Known:
    return replace(one, sure=False, possible=False)


def _sums(known: list[_Known]) -> Range:
    return Range(
        sum(_weight(one) for one in known if one.sure),
        sum(_weight(one) for one in known if one.possible),
    )


def _cut_by_mass(known: list[_Known], tail: _Tail, share: float) -> tuple[list[_Known], _Tail]:
    """The fewest of the likeliest are kept that together reach this share of all."""
    sums = _sums(known)
    wanted = Range(share * (sums.low + tail.mass.low), share * (sums.high + tail.mass.high))
    cut: list[_Known] = []
    low = high = 0.0
    for rank, one in enumerate(known):
        # Others may stand before it.
        between = tail.mass.high if _weight(one) < tail.top else 0.0
        first = rank == 0 and not between
        possible = one.possible and (rank == 0 or low < wanted.high)
        sure = one.sure and possible and (first or high + between < wanted.low)
        cut.append(replace(one, sure=sure, possible=possible))
        low += _weight(one) if one.sure else 0.0
        high += _weight(one) if one.possible else 0.0
    certain = sum(_weight(one) for one in known if one.sure and _weight(one) >= tail.top)
    if tail.gone or (certain > 0.0 and certain >= wanted.high):
        return cut, _NO_TAIL
    mass = Range(
        min(tail.mass.low, max(0.0, wanted.low - sums.high)),
        min(tail.mass.high, wanted.high - certain + tail.top),
    )
    return cut, replace(tail, mass=mass)


def _cut_by_height(known: list[_Known], tail: _Tail, share: float) -> tuple[list[_Known], _Tail]:
    """What is less likely than this share of the likeliest is cut."""
    best = _weight(known[0])
    lowest = Range(share * best, share * max(best, tail.top))
    cut = [
        replace(
            one,
            sure=one.sure and (_weight(one) >= lowest.high or (rank == 0 and tail.top <= best)),
            possible=one.possible and _weight(one) >= lowest.low,
        )
        for rank, one in enumerate(known)
    ]
    if tail.gone or tail.top < lowest.low:
        return cut, _NO_TAIL
    return cut, replace(tail, mass=Range(0.0, tail.mass.high))


def _summed(place: Place, known: list[_Known], tail: _Tail, most: int) -> Distribution:
    sums = _sums(known)
    shares = []
    for one in known[:most]:
        weight = _weight(one)
        candidate = place.candidates[one.at]
        sure, possible = (weight if one.sure else 0.0), (weight if one.possible else 0.0)
        low = _part(sure, sums.high - possible + tail.mass.high)
        high = _part(possible, sums.low - sure + tail.mass.low)
        shares.append(
            Share(candidate, math.exp(candidate.logprob), Range(low, high), not one.possible)
        )
    rest = _sums(known[most:])
    first = _sums(known[:most])
    others = Range(
        _part(rest.low + tail.mass.low, first.high), _part(rest.high + tail.mass.high, first.low)
    )
    sure = float(sum(one.sure for one in known))
    possible = float(sum(one.possible for one in known))
    unknown = tail.most if place.vocabulary or tail.most < LARGEST_VOCABULARY / 2 else math.inf
    kept = Range(max(1.0, sure), possible + (0.0 if tail.gone else unknown))
    raw = max(0.0, 1.0 - sum(share.raw for share in shares))
    return Distribution(tuple(shares), others, raw, _entropy(known, tail), kept)


def _part(weight: float, rest: float) -> float:
    if math.isinf(weight):
        return 1.0
    return weight / (weight + rest) if weight > 0.0 else 0.0


def _entropy(known: list[_Known], tail: _Tail) -> Range:
    """In bits. What a mass adds to it is least when it is in few tokens, most when it is flat.

    For the sum Z of weights w it is ln Z - (sum of w ln w) / Z; both parts are bounded on their own
    where it is not certain what is cut.
    """
    sums = _sums(known)
    certain = all(one.sure == one.possible for one in known)
    inner = sum(_weight(one) * one.score for one in known if one.possible)
    if sums.low <= 0.0:
        return _loosely(known, tail)
    if tail.gone and certain:
        total = sums.low
        nats = math.log(total) - inner / total
        return Range(max(0.0, nats / math.log(2)), max(0.0, nats / math.log(2)))
    low, high = tail.mass
    # More of the tail is more surprise, as long as what is known is likelier on the whole: both
    # derivatives of the entropy by the mass are above zero then.
    grows = (
        certain
        and 0.0 < high < math.inf
        and tail.top > 0.0
        and sums.low + low + inner - sums.low * math.log(tail.top) > 0.0
        and inner - sums.low * math.log(high / tail.most) > 0.0
    )
    if grows:
        steep = low * math.log(tail.top) if low > 0 else 0.0
        flat = high * math.log(high / tail.most)
        least = math.log(sums.low + low) - (inner + steep) / (sums.low + low)
        greatest = math.log(sums.low + high) - (inner + flat) / (sums.low + high)
        return Range(max(0.0, least / math.log(2)), max(0.0, greatest / math.log(2)))
    return _loosely(known, tail)


def _loosely(known: list[_Known], tail: _Tail) -> Range:
    """Bounds that hold whatever is cut: from the likeliest's probability, and from the number of tokens."""
    sums = _sums(known)
    least_total = max(sums.low + tail.mass.low, 1e-300)
    top = max(
        [_weight(one) for one in known if one.possible] + ([tail.top] if not tail.gone else [])
    )
    likeliest = min(1.0, top / least_total)
    count = sum(one.possible for one in known) + (0.0 if tail.gone else tail.most)
    return Range(max(0.0, -math.log2(likeliest)), math.log2(max(1.0, count)))
