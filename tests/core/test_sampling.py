"""From probabilities to those that are drawn from: what each parameter does, and bounds that hold the truth."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from random import Random
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token
from tui_chat.core.engines import (
    LLAMA_CPP,
    OLLAMA,
    USUAL,
    VLLM,
    Sampler,
    Step,
)
from tui_chat.core.knobs import NOT_SHAPED, Knobs
from tui_chat.core.parameter import Value
from tui_chat.core.params import BY_NAME, PARAMETERS, Params
from tui_chat.core.places import Place, summed_in_32_bits
from tui_chat.core.sampling import (
    Distribution,
    Range,
    bits,
    distribution,
    drawn,
    shaped_already,
    sureness,
)

HALVES = {"a": 0.5, "b": 0.25, "c": 0.125, "d": 0.125}
SAMPLERS = (LLAMA_CPP, VLLM, OLLAMA, USUAL)


def place_of(
    chances: Mapping[str, float], known: int | None = None, counts: Mapping[str, int] | None = None
) -> Place:
    """A place with these probabilities, of which the `known` likeliest are told."""
    candidates = [Candidate(name.encode(), math.log(chance)) for name, chance in chances.items()]
    candidates.sort(key=lambda one: -one.logprob)
    counted = {name.encode(): count for name, count in (counts or {}).items()}
    return Place(candidates[:known], vocabulary=len(candidates), counts=counted)


def after(found: Distribution) -> dict[str, float]:
    return {share.candidate.text: round(share.after.middle, 6) for share in found.shares}


def shaped(
    chances: Mapping[str, float],
    sampler: Sampler = LLAMA_CPP,
    params: Mapping[str, Value] | None = None,
    counts: Mapping[str, int] | None = None,
) -> dict[str, float]:
    return after(distribution(place_of(chances, counts=counts), Params(params or {}), sampler))


def test_without_parameters_nothing_changes() -> None:
    found = distribution(place_of(HALVES), Params(), LLAMA_CPP)
    assert after(found) == HALVES
    assert found.entropy.low == pytest.approx(1.75)
    assert found.choices.low == pytest.approx(2**1.75)
    assert found.kept == Range(4, 4)
    assert found.others == Range(0, 0)


TABLE: list[tuple[dict[str, Value], dict[str, float]]] = [
    ({"temperature": 0}, {"a": 1, "b": 0, "c": 0, "d": 0}),
    ({"temperature": 0.5}, {"a": 16 / 22, "b": 4 / 22, "c": 1 / 22, "d": 1 / 22}),
    ({"top_p": 0.5}, {"a": 1, "b": 0, "c": 0, "d": 0}),
    ({"top_p": 0.6}, {"a": 2 / 3, "b": 1 / 3, "c": 0, "d": 0}),
    ({"top_p": 0}, {"a": 1, "b": 0, "c": 0, "d": 0}),
    ({"top_k": 2}, {"a": 2 / 3, "b": 1 / 3, "c": 0, "d": 0}),
    ({"top_k": 0}, HALVES),
    ({"min_p": 0.4}, {"a": 2 / 3, "b": 1 / 3, "c": 0, "d": 0}),
    ({"min_p": 1}, {"a": 1, "b": 0, "c": 0, "d": 0}),
]


@pytest.mark.parametrize(("params", "expected"), TABLE, ids=lambda one: str(one))
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_parameter_does_what_its_formula_says(
    params: dict[str, Value], expected: dict[str, float], sampler: Sampler
) -> None:
    assert shaped(HALVES, sampler, params) == pytest.approx(expected, abs=1e-6)


def test_penalties_are_taken_from_the_scores_of_counted_tokens() -> None:
    """mu - count * frequency - presence, as OpenAI's documents have it."""
    taken = math.exp(-(2 * 0.5 + 1.0))
    total = 0.5 * taken + 0.5
    found = shaped(
        HALVES, params={"frequency_penalty": 0.5, "presence_penalty": 1}, counts={"a": 2}
    )
    expected = {"a": 0.5 * taken, "b": 0.25, "c": 0.125, "d": 0.125}
    assert found == pytest.approx(
        {name: value / total for name, value in expected.items()}, abs=1e-6
    )
    assert next(iter(found)) == "b", "the likeliest comes first"


def test_the_order_of_the_steps_is_the_engines_own() -> None:
    """At T = 0.5 the likeliest alone has 0.73: before it, two are needed for 0.7."""
    cold: dict[str, Value] = {"temperature": 0.5, "top_p": 0.7}
    assert shaped(HALVES, LLAMA_CPP, cold) == pytest.approx({"a": 0.8, "b": 0.2, "c": 0, "d": 0})
    assert shaped(HALVES, VLLM, cold) == {"a": 1, "b": 0, "c": 0, "d": 0}


def test_llama_cpp_counts_the_prompt_and_vllm_only_the_reply() -> None:
    prompt, reply = [b"x"] * 100 + [b"a", b"b"], [b"b"]
    assert LLAMA_CPP.counts(prompt, reply) == {b"x": 61, b"a": 1, b"b": 2}
    assert VLLM.counts(prompt, reply) == {b"b": 1}


def test_every_parameter_that_shapes_is_known_or_said_not_to_be() -> None:
    shaping = {"temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty"}
    assert set(Knobs.__slots__) == shaping
    assert shaping | set(NOT_SHAPED) == BY_NAME.keys() - {
        "max_tokens",
        "stop",
        "seed",
        "reasoning_effort",
        "verbosity",
    }
    for sampler in SAMPLERS:
        assert sorted(sampler.order) == sorted(get_args(Step))
    for parameter in PARAMETERS:
        if parameter.name in shaping:
            assert getattr(Knobs(), parameter.name) == parameter.neutral


def test_a_place_without_candidates_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="no candidates"):
        distribution(Place([]), Params(), USUAL)


def test_what_is_not_named_is_in_the_others() -> None:
    found = distribution(place_of(HALVES), Params(), LLAMA_CPP, most=2)
    assert [share.candidate.text for share in found.shares] == ["a", "b"]
    assert found.others.low == found.others.high == pytest.approx(0.25)
    assert found.others_raw == pytest.approx(0.25)


# When only the likeliest are known

CHANCES = st.lists(st.floats(-12, 0), min_size=2, max_size=60).map(
    lambda scores: {
        f"t{place}": math.exp(score) / sum(map(math.exp, scores))
        for place, score in enumerate(scores)
    }
)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0.0, 0.001, 0.1, 0.4, 0.7, 1.0, 1.3, 2.0]),
        "top_p": st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99, 1.0]),
        "top_k": st.sampled_from([0, 1, 3, 10, 40]),
        "min_p": st.sampled_from([0.0, 0.01, 0.1, 0.5]),
        "frequency_penalty": st.sampled_from([-2.0, -0.5, 0.0, 0.5, 2.0]),
        "presence_penalty": st.sampled_from([-2.0, 0.0, 1.0]),
    },
)


def holds(bounds: Range, truth: float) -> bool:
    # What rounding leaves is no untruth.
    return bounds.low - 1e-9 <= truth <= bounds.high + 1e-9


@settings(max_examples=400, deadline=None)
@given(
    CHANCES,
    PARAMS,
    st.integers(1, 40),
    st.dictionaries(st.integers(0, 60).map(lambda n: f"t{n}"), st.integers(1, 4), max_size=6),
    st.sampled_from(SAMPLERS),
)
@example(
    {"t0": 0.5, "t1": 0.5}, {"temperature": 0.001, "presence_penalty": -2.0}, 1, {"t2": 1}, VLLM
)
@example(
    {"t0": 0.5, "t1": 0.5},
    {"temperature": 0.001, "presence_penalty": -2.0},
    1,
    {"t0": 1},
    LLAMA_CPP,
)
@example({"t0": 0.4, "t1": 0.3, "t2": 0.3}, {"frequency_penalty": 2.0}, 2, {"t0": 3}, VLLM)
def test_the_bounds_hold_the_truth(
    chances: dict[str, float],
    params: dict[str, Value],
    known: int,
    counts: dict[str, int],
    sampler: Sampler,
) -> None:
    truth = distribution(place_of(chances, counts=counts), Params(params), sampler, most=100)
    found = distribution(place_of(chances, known, counts), Params(params), sampler, most=100)
    true = {share.candidate: share for share in truth.shares}
    for share in found.shares:
        assert holds(share.after, true[share.candidate].after.low)
        assert not share.cut or true[share.candidate].after.low == 0
    named = sum(true[share.candidate].after.low for share in found.shares)
    assert holds(found.others, 1 - named)
    assert holds(found.entropy, truth.entropy.low)
    assert holds(found.kept, truth.kept.low)


def test_at_temperature_one_what_is_told_is_exact() -> None:
    found = distribution(place_of(HALVES, known=2), Params(), USUAL)
    assert found.exact
    assert found.others.middle == pytest.approx(0.25, abs=5e-4)


def test_a_nucleus_within_what_is_told_is_exact_at_any_temperature() -> None:
    params = Params({"temperature": 0.5, "top_p": 0.7})
    found = distribution(place_of(HALVES, known=3), params, LLAMA_CPP)
    assert found.exact
    assert after(found) == pytest.approx({"a": 0.8, "b": 0.2, "c": 0.0})
    assert found.others == Range(0, 0)


def test_what_is_not_known_is_never_shown_as_exact() -> None:
    many = {f"t{n}": chance for n, chance in enumerate([0.3, 0.1, *[0.6 / 100] * 100])}
    found = distribution(place_of(many, known=2), Params({"temperature": 1.6}), USUAL)
    assert not found.exact
    assert not found.others.exact


def test_the_size_of_a_vocabulary_need_not_be_known() -> None:
    place = Place([Candidate(b"a", math.log(0.6)), Candidate(b"b", math.log(0.3))])
    found = distribution(place, Params({"temperature": 0.5}), USUAL)
    assert found.kept.high == math.inf
    assert 0 < found.others.low < found.others.high < 0.1


def test_a_chosen_token_beyond_those_told_says_nothing_of_the_others() -> None:
    many = {f"t{n}": chance for n, chance in enumerate([0.3, 0.1, *[0.6 / 100] * 100])}
    told = [Candidate(b"t0", math.log(0.3)), Candidate(b"t1", math.log(0.1))]
    chosen = Candidate(b"t9", math.log(0.006))
    params = Params({"temperature": 1.6})
    found = distribution(Place(told, vocabulary=102, chosen=chosen), params, USUAL)
    truth = distribution(place_of(many), params, USUAL, most=200)
    true = {share.candidate.raw: share.after.low for share in truth.shares}
    assert [share.candidate.raw for share in found.shares] == [b"t0", b"t1", b"t9"]
    for share in found.shares:
        assert holds(share.after, true[share.candidate.raw])


def test_a_throw_of_the_dice_comes_as_often_as_it_is_likely() -> None:
    found = distribution(place_of(HALVES), Params(), USUAL, most=2)
    came, others = drawn(found, 10_000, Random(1))
    assert sum(came) + others == 10_000
    assert came[0] == pytest.approx(5000, abs=200)
    assert others == pytest.approx(2500, abs=200)


def test_a_sum_in_single_precision_is_that_of_single_precision() -> None:
    dice = Random(7)
    logprobs = [-dice.expovariate(0.1) for _ in range(5000)]
    single = ctypes.c_float(0.0)
    parts = [math.exp(one - max(logprobs)) for one in logprobs]
    for part in parts:
        single.value += part
    assert summed_in_32_bits(parts) == pytest.approx(single.value / math.fsum(parts), rel=1e-12)


# Of a whole reply


def test_probabilities_after_sampling_are_recognised_by_what_parameters_leave() -> None:
    certain = [Token("a", 0.0, (Candidate(b"a", 0.0),))] * 9
    natural = [Token("a", -0.2, (Candidate(b"a", -0.2), Candidate(b"b", -3.0)))] * 9
    cold, cut = Params({"temperature": 0}), Params({"top_p": 0.5})
    assert shaped_already(certain, cold, 20)
    assert not shaped_already(natural, cold, 20)
    assert shaped_already(certain, cut, 20)
    assert not shaped_already(natural, cut, 20)
    assert not shaped_already(certain, cut, 1), "all that were asked for are there"
    assert not shaped_already(certain, Params(), 20)
    assert not shaped_already(certain[:2], cold, 20), "a short answer may be certain"


def test_the_perplexity_of_a_reply_is_that_of_its_mean() -> None:
    found = sureness([math.log(0.5), None, math.log(0.125)])
    assert found is not None
    assert (found.tokens, found.worst) == (2, 2)
    assert found.perplexity == pytest.approx(4)
    assert sureness([None]) is None
    impossible = sureness([-8999.0])
    assert impossible is not None
    assert impossible.perplexity > 1e300, "no overflow"


def test_surprise_is_told_in_bits() -> None:
    assert bits(math.log(0.125)) == pytest.approx(3)
    assert math.copysign(1, bits(0.0)) == 1
