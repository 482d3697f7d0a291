"""From the probabilities that an endpoint gives to those that it draws from; pure, no request.

What is given are logarithms l of probabilities before any parameter. They differ from the model's
scores by one constant, so penalties may be subtracted from them and softmax(l / T) needs nothing
else. In which order the rest is applied, and what a penalty counts, is each engine's own: see Sampler.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul, neg
from random import Random
from typing import NamedTuple

from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token
from tui_chat.core.engines import Sampler, Step
from tui_chat.core.knobs import COLDEST, Knobs
from tui_chat.core.params import Params
from tui_chat.core.places import MOST_ROUNDING, Place

_FEW = 8
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
    whole = heat == 1.0 and len(scores) == len(place.candidates)
    reached = place.reached(knobs) if whole else list(accumulate(weights(scores, heat)))
    wanted = knobs.top_p * reached[-1]
    count = bisect_left(reached, wanted * (1 - MOST_ROUNDING))
    if count != bisect_left(reached, wanted * (1 + MOST_ROUNDING)):
        # Only at the margin does it matter how the engine rounds, which takes a while to tell.
        count = bisect_left(reached, wanted * place.rounding(knobs))
    return min(len(scores), count + 1)


def _after_min_p(scores: Sequence[float], heat: float, knobs: Knobs, place: Place) -> int:
    if knobs.min_p <= 0.0:
        return len(scores)
    lowest = scores[0] + math.log(knobs.min_p) * heat
    return max(1, bisect_right(scores, -lowest, key=neg))


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
    remaining = float(len(kept))
    # What is less likely than e^-45 of the likeliest adds nothing that a number could hold.
    kept = kept[: max(1, bisect_right(kept, 45.0 * heat - kept[0], key=neg))]
    drawn = weights(kept, heat)
    total = sum(drawn)
    top = kept[0]
    below = sum(map(mul, drawn, kept)) - top * total
    entropy = max(0.0, (math.log(total) - below / heat / total) / math.log(2))
    shares = []
    for rank, at in enumerate(order[:most]):
        candidate = place.candidates[at]
        after = drawn[rank] / total if rank < len(drawn) else 0.0
        cut = rank >= remaining
        shares.append(Share(candidate, math.exp(candidate.logprob), Range(after, after), cut))
    others = max(0.0, sum(drawn[most:]) / total)
    raw = max(0.0, 1.0 - sum(share.raw for share in shares))
    return Distribution(
        tuple(shares),
        Range(others, others),
        raw,
        Range(entropy, entropy),
        Range(remaining, remaining),
    )


def shaped_already(tokens: Sequence[Token], params: Params, asked: int) -> bool:
    """Whether a reply's probabilities are those after sampling, as some servers give them.

    It shows where parameters leave a trace: at temperature 0 each chosen token is certain then; where top p,
    top k or min p cut, fewer candidates are left than were asked for, and add up to 1.
    """
    knobs = Knobs.of(params)
    cut = knobs.top_p < 1.0 or knobs.top_k > 0 or knobs.min_p > 0.0
    if not cut and not knobs.greedy:
        return False
    known = [token for token in tokens[:200] if token.logprob is not None and token.top]
    if len(known) < _FEW:
        return False
    if knobs.greedy:
        return all((token.logprob or 0.0) > -1e-4 for token in known)
    return all(
        len(token.top) < asked and abs(1.0 - sum(math.exp(one.logprob) for one in token.top)) < 1e-3
        for token in known
    )


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
        return math.exp(min(700.0, -self.mean))


def sureness(logprobs: Sequence[float | None]) -> Sureness | None:
    """Of the logprobs of a reply's tokens; None where none is known."""
    known = [(one, place) for place, one in enumerate(logprobs) if one is not None]
    if not known:
        return None
    mean = sum(logprob for logprob, _ in known) / len(known)
    return Sureness(len(known), mean, min(known)[1])


def bits(logprob: float) -> float:
    """The surprise of a token: minus the logarithm of its probability to base 2."""
    return -logprob / math.log(2) + 0.0
