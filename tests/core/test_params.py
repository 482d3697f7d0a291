"""The parameters: what they take, how they are shown, how steps and bars move them."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.parameter import Parameter, Value
from tui_chat.core.params import BY_NAME, PARAMETERS, Params

NUMBERS = [parameter for parameter in PARAMETERS if parameter.is_number]
STOP = BY_NAME["stop"]


def values(parameter: Parameter) -> st.SearchStrategy[Value]:
    if parameter.kind == "texts":
        texts = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True)
        return texts.map(tuple)
    if parameter.kind == "integer":
        return st.integers(int(parameter.low), int(parameter.high))
    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
    return st.floats(parameter.low, parameter.high).map(lambda number: round(number, 2))


ANY_PARAMS = st.fixed_dictionaries(
    {}, optional={parameter.name: values(parameter) for parameter in PARAMETERS}
).map(Params)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda one: one.name)
@given(data=st.data())
def test_what_is_shown_can_be_typed_again(parameter: Parameter, data: st.DataObject) -> None:
    value = data.draw(values(parameter))
    assert parameter.parse(parameter.show(value)) == value


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda one: one.name)
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, True, "1", None, [1]])
def test_what_is_no_number_of_its_range_is_refused(parameter: Parameter, wrong: object) -> None:
    with pytest.raises(ValueError, match=parameter.label):
        parameter.check(wrong)


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda one: one.name)
def test_both_ends_of_the_range_are_inside_and_beyond_is_outside(parameter: Parameter) -> None:
    assert parameter.check(parameter.low) == parameter.low
    assert parameter.check(parameter.high) == parameter.high
    for beyond in (parameter.low - 1, parameter.high * 2 + 1):
        with pytest.raises(ValueError, match=r"outside|whole"):
            parameter.check(beyond)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (50_000_000, "50\u202f000\u202f000"),
        (-50_000_000, "-50\u202f000\u202f000"),
        (1_000_001, "1\u202f000\u202f001"),
        (10**15, "1\u202f000\u202f000\u202f000\u202f000\u202f000"),
        (-12_345, "-12345"),
        (1e7, "10\u202f000\u202f000"),
        (-0.00001, "-0.00001"),
        (2_000_000.5, "2000000.5"),
        (2.5e17, "2.5e+17"),
        (math.inf, "inf"),
    ],
)
def test_a_number_outside_is_told_in_plain_digits(value: float, shown: str) -> None:
    with pytest.raises(ValueError, match=f"; {re.escape(shown)} is outside"):
        BY_NAME["max_tokens"].check(value)


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda one: one.name)
@given(data=st.data())
def test_steps_stay_in_the_range(parameter: Parameter, data: st.DataObject) -> None:
    start = data.draw(st.none() | values(parameter))
    moved = parameter.moved(start, data.draw(st.integers(-50, 50).filter(bool)))
    assert parameter.check(moved) == moved


@pytest.mark.parametrize("name", ["temperature", "top_p", "frequency_penalty", "min_p"])
def test_ten_steps_are_ten_times_one(name: str) -> None:
    parameter = BY_NAME[name]
    one: Value = parameter.low
    for _ in range(10):
        one = parameter.moved(one, 1)
    assert parameter.moved(parameter.low, 10) == one


def test_the_first_step_leaves_from_where_nothing_changes() -> None:
    assert BY_NAME["temperature"].moved(None, 1) == 1.05
    assert BY_NAME["presence_penalty"].moved(None, -1) == -0.1
    assert BY_NAME["max_tokens"].moved(None, 1) == 256


def test_max_length_moves_on_a_ladder() -> None:
    length = BY_NAME["max_tokens"]
    assert [length.moved(start, 1) for start in (1, 10, 100, 256)] == [2, 12, 128, 384]
    assert length.moved(256, -1) == 192
    assert length.moved(1, -1) == 1


@pytest.mark.parametrize("name", ["temperature", "top_p", "frequency_penalty", "max_tokens"])
@given(fraction=st.floats(0, 1))
def test_a_place_on_the_bar_gives_a_value_near_that_place(name: str, fraction: float) -> None:
    parameter = BY_NAME[name]
    place = parameter.fraction(parameter.at(fraction))
    assert place is not None
    assert abs(place - fraction) <= 0.06


def test_a_decimal_comma_is_read() -> None:
    assert BY_NAME["temperature"].parse(" 0,7 ") == 0.7


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ("11", ("11",)),
        (r"\n", ("\n",)),
        ('"11" "\\n\\n"', ("11", "\n\n")),
        ('"a","b"', ("a", "b")),
        ("two words", ("two words",)),
        ('"same" "same"', ("same",)),
    ],
)
def test_stop_sequences_are_typed_alone_or_in_quotes(typed: str, texts: tuple[str, ...]) -> None:
    assert STOP.parse(typed) == texts


@pytest.mark.parametrize("typed", ['"open', '"a" b', '"1" "2" "3" "4" "5"', '""', "\\q"])
def test_stop_sequences_that_cannot_be_meant_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        STOP.parse(typed)


@given(params=ANY_PARAMS)
def test_params_survive_json(params: Params) -> None:
    again = Params(json.loads(params.json()))
    assert again == params
    assert hash(again) == hash(params)
    assert again.json() == params.json()


def test_params_do_not_depend_on_the_order_given() -> None:
    assert Params({"seed": 1, "temperature": 0}) == Params({"temperature": 0, "seed": 1})
    assert Params({"seed": 1, "temperature": 0}).json() == '{"temperature":0.0,"seed":1}'


def test_none_means_not_set_and_zero_is_a_value() -> None:
    params = Params({"temperature": 0, "top_p": None})
    assert dict(params) == {"temperature": 0.0}
    assert dict(params.changed("temperature", None)) == {}


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="warmth"):
        Params({"warmth": 1})


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"temperature": 0.5, "top_p": 0.5}, "temperature or top p"),
        ({"temperature": 1, "top_p": 0.5}, ""),
        ({"temperature": 0.5}, ""),
        ({"frequency_penalty": 1, "presence_penalty": 1}, "one penalty"),
        ({"frequency_penalty": 1, "presence_penalty": 0}, ""),
    ],
)
def test_advice_speaks_when_two_that_hide_each_other_are_changed(
    values: dict[str, object], broken: str
) -> None:
    advice = Params(values).advice_on("model") or ""
    assert broken in advice
    assert bool(advice) is bool(broken)
