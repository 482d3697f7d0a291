"""From the probabilities that an endpoint gives to those that it draws from; pure, no request.

What is given are logarithms l of probabilities before any parameter. They differ from the model's
scores by one constant, so penalties may be subtracted from them and softmax(l / T) needs nothing
else. In which order the rest is applied, and what a penalty counts, is each engine's own: see Sampler.
"""

from __future__ import annotations

import ctypes
import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from operator import mul
from random import Random
from typing import Any, NamedTuple

from tui_chat.core.conversation import Candidate, Token
from tui_chat.core.engines import Sampler, Step
from tui_chat.core.params import Params

COLDEST = 1e-5
"""Below this temperature the likeliest token is taken (vLLM's bound; llama.cpp's is 0)."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """The parameters that shape the distribution, each with the value that changes nothing where it is not set."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0

    @classmethod
    def of(cls, params: Params) -> Knobs:
        """As these parameters are set."""
        given: dict[str, Any] = {name: params[name] for name in cls.__slots__ if name in params}
        return cls(**given)

    @property
    def greedy(self) -> bool:
        return self.temperature < COLDEST

    def penalty(self, count: int) -> float:
        """What is taken from the score of a token that was counted so often (OpenAI API reference)."""
        return self.frequency_penalty * count + self.presence_penalty if count > 0 else 0.0


NOT_SHAPED = ("repeat_penalty",)
"""Parameters that act on the scores themselves, which no endpoint tells: what they do cannot be computed."""


_FEW = 4
"""Tokens; of fewer nothing can be told by the way."""


class Range(NamedTuple):
    """What is known of a figure: not below `low`, not above `high`."""

    low: float
    high: float

    @property
    def exact(self) -> bool:
        """Whether the two are one as far as people read them: to a tenth of a percent."""
        return self.high - self.low <= 1e-3 * max(1.0, self.high)

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class Share:
    """One candidate, before and after."""

    candidate: Candidate
    raw: float
    """Its probability before any parameter."""
    after: Range
    """Its probability to be drawn."""
    cut: bool
    """Whether it certainly is not drawn from: top k, top p, min p or temperature 0 leave it out."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """What the next token is drawn from; probabilities in [0, 1]."""

    shares: tuple[Share, ...]
    """The likeliest candidates as they are drawn, likeliest first, then those that are cut."""
    others: Range
    """What all other tokens have together."""
    others_raw: float
    """The same before any parameter."""
    entropy: Range
    """In bits."""
    kept: Range
    """How many tokens may be drawn at all; infinity where the size of the vocabulary is not known."""

    @property
    def choices(self) -> Range:
        """As many equally likely tokens would be as uncertain: the perplexity, 2 to the entropy."""
        return Range(2**self.entropy.low, 2**self.entropy.high)

    @property
    def exact(self) -> bool:
        return self.others.exact and all(share.after.exact for share in self.shares)


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
        self.candidates = sorted(told, key=lambda one: -one.logprob)
        self.vocabulary = vocabulary
        self.counts = counts or {}
        self._told = told if in_32_bits else None
        self._roundings: dict[tuple[float, float], float] = {}

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

    def rounding(self, knobs: Knobs) -> float:
        """By how much the engine misses the sum of all tokens' probabilities, as a factor."""
        if self._told is None:
            return 1.0
        penalties = (knobs.frequency_penalty, knobs.presence_penalty)
        if penalties not in self._roundings:
            counts = self.counts
            self._roundings[penalties] = summed_in_32_bits(
                logprob - knobs.penalty(counts[raw]) if raw in counts else logprob
                for raw, logprob in self._told
            )
        return self._roundings[penalties]

    def penalised(self, knobs: Knobs) -> tuple[list[float], list[int]]:
        """The scores after penalties, highest first, and the candidates they belong to by their places."""
        scores, order = self.logprobs, range(len(self.logprobs))
        changed = {
            place: scores[place] - penalty
            for raw, place in self.where.items()
            if (penalty := knobs.penalty(self.counts[raw]))
        }
        if not changed:
            return scores, list(order)
        # A few move in a long list that is in order but for them.
        ordered, moved = list(scores), list(order)
        for place in sorted(changed, reverse=True):
            del ordered[place], moved[place]
        negative = [-score for score in ordered]
        for place, score in changed.items():
            at = bisect_right(negative, -score)
            negative.insert(at, -score)
            ordered.insert(at, score)
            moved.insert(at, place)
        return ordered, moved


def summed_in_32_bits(logprobs: Iterable[float]) -> float:
    """The sum of probabilities, one after the other in single precision, over their true sum.

    Of a vocabulary of 49,152 it misses up to some 2e-4.
    """
    told = list(logprobs)
    top = max(told)
    parts = [math.exp(logprob - top) for logprob in told]
    single = ctypes.c_float(0.0)
    for part in parts:
        single.value += part
    return single.value / math.fsum(parts)


def weights(scores: Sequence[float], temperature: float) -> list[float]:
    """Probabilities but for their sum: exp(score / T), the first being 1."""
    top = scores[0]
    if temperature == 1.0:
        return [math.exp(score - top) for score in scores]
    inverse = 1.0 / temperature
    return [math.exp((score - top) * inverse) for score in scores]


def _after_top_k(scores: Sequence[float], heat: float, knobs: Knobs, place: Place) -> int:
    return min(knobs.top_k, len(scores)) if knobs.top_k > 0 else len(scores)


def _after_top_p(scores: Sequence[float], heat: float, knobs: Knobs, place: Place) -> int:
    """The fewest of the likeliest that together reach top p; one at least."""
    if knobs.top_p >= 1.0:
        return len(scores)
    reached = list(accumulate(weights(scores, heat)))
    wanted = knobs.top_p * reached[-1] * place.rounding(knobs)
    return min(len(scores), bisect_left(reached, wanted) + 1)


def _after_min_p(scores: Sequence[float], heat: float, knobs: Knobs, place: Place) -> int:
    if knobs.min_p <= 0.0:
        return len(scores)
    lowest = scores[0] + math.log(knobs.min_p) * heat
    return max(1, bisect_right(scores, -lowest, key=lambda score: -score))


_CUTS: Mapping[Step, Callable[[Sequence[float], float, Knobs, Place], int]] = {
    "top_k": _after_top_k,
    "top_p": _after_top_p,
    "min_p": _after_min_p,
}


def distribution(place: Place, params: Params, sampler: Sampler, most: int = 20) -> Distribution:
    """What is drawn from at a place with these parameters; its `most` likeliest candidates are named.

    Exact where all tokens are among the candidates, and where what is unknown of the others does not
    matter; else ranges that hold the truth. ValueError when there are no candidates.
    """
    if not place.candidates:
        raise ValueError("There are no candidates.")
    if place.complete:
        return _exact(place, Knobs.of(params), sampler, most)
    from tui_chat.core.bounds import bounded

    return bounded(place, Knobs.of(params), sampler, most)


def _exact(place: Place, knobs: Knobs, sampler: Sampler, most: int) -> Distribution:
    scores, order = place.penalised(knobs)
    heat = 1.0
    kept = scores
    for step in sampler.order:
        if step == "temperature":
            heat = max(knobs.temperature, COLDEST)
        elif step != "penalties":
            count = _CUTS[step](kept, heat, knobs, place)
            kept = kept if count == len(kept) else kept[:count]
    if knobs.greedy:
        kept = kept[:1]
    drawn = weights(kept, heat)
    total = sum(drawn)
    top = kept[0]
    below = sum(map(mul, drawn, kept)) - top * total
    entropy = max(0.0, (math.log(total) - below / heat / total) / math.log(2))
    shares = []
    for rank, at in enumerate(order[:most]):
        candidate = place.candidates[at]
        after = drawn[rank] / total if rank < len(drawn) else 0.0
        cut = rank >= len(drawn)
        shares.append(Share(candidate, math.exp(candidate.logprob), Range(after, after), cut))
    others = max(0.0, sum(drawn[most:]) / total)
    raw = max(0.0, 1.0 - sum(share.raw for share in shares))
    remaining = float(len(kept))
    return Distribution(
        tuple(shares),
        Range(others, others),
        raw,
        Range(entropy, entropy),
        Range(remaining, remaining),
    )


def place_of(token: Token, vocabulary: int | None, counts: Mapping[bytes, int]) -> Place | None:
    """What is known of the place of a reply's token; None where nothing is."""
    if token.logprob is None:
        return None
    chosen = Candidate(token.raw, token.logprob)
    return Place(token.top, vocabulary=vocabulary, counts=counts, chosen=chosen)


def shaped_already(tokens: Sequence[Token], params: Params) -> bool:
    """Whether a reply's probabilities are those after sampling, as some servers give them.

    It shows where parameters leave a trace: at temperature 0 each chosen token is certain then; where top p,
    top k or min p cut, all candidates that are left add up to 1.
    """
    knobs = Knobs.of(params)
    known = [token for token in tokens if token.logprob is not None and token.top][:200]
    if len(known) < _FEW:
        return False
    if knobs.greedy:
        return all((token.logprob or 0.0) > -1e-4 for token in known)
    cut = knobs.top_p < 1.0 or knobs.top_k > 0 or knobs.min_p > 0.0
    sums = (sum(math.exp(one.logprob) for one in token.top) for token in known)
    return cut and all(abs(1.0 - total) < 1e-3 for total in sums)


def drawn(found: Distribution, count: int, dice: Random) -> tuple[Sequence[int], int]:
    """So many tokens drawn at random: how often each of the shares came, and how often any other.

    Where the distribution is only bounded, the middle of each range is drawn from.
    """
    chances = [share.after.middle for share in found.shares] + [found.others.middle]
    if not any(chances):
        return [0] * len(found.shares), 0
    came = Counter(dice.choices(range(len(chances)), chances, k=count))
    return [came[place] for place in range(len(found.shares))], came[len(found.shares)]


# Of a whole reply


@dataclass(frozen=True, slots=True)
class Sureness:
    """How sure a model was of a reply, over the tokens whose logprobs are known."""

    tokens: int
    mean: float
    """Of the logprobs."""
    worst: int
    """The place of the least likely token among all."""

    @property
    def perplexity(self) -> float:
        """exp of minus the mean logprob: as many equally likely tokens would have been as uncertain."""
        return math.exp(-self.mean)


def sureness(tokens: Sequence[Token]) -> Sureness | None:
    """None where no logprob is known."""
    known = [
        (token.logprob, place) for place, token in enumerate(tokens) if token.logprob is not None
    ]
    if not known:
        return None
    mean = sum(logprob for logprob, _ in known) / len(known)
    return Sureness(len(known), mean, min(known)[1])


def bits(logprob: float) -> float:
    """The surprise of a token: minus the logarithm of its probability to base 2."""
    return -logprob / math.log(2) + 0.0
