"""In what two setups differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_params import ANY_PARAMS
from tui_chat.core.conversation import Setup
from tui_chat.core.differences import Difference, differences, parts
from tui_chat.core.params import Params

BASE = Setup("lab", "m", "Be brief.", Params({"temperature": 0.7, "stop": ("\n",)}))
SETUPS = st.builds(
    Setup, st.sampled_from(["", "lab", "x"]), st.just("m"), st.text(max_size=3), ANY_PARAMS
)


@pytest.mark.parametrize(
    ("mine", "found"),
    [
        (BASE, ()),
        (replace(BASE, model="n"), (Difference("Model", "m", "n"),)),
        (replace(BASE, system=""), (Difference("System prompt", "Be brief.", "not set"),)),
        (
            replace(BASE, endpoint="x", params=Params({"temperature": 1, "stop": ("\n",)})),
            (Difference("Endpoint", "lab", "x"), Difference("Temperature", "0.70", "1.00")),
        ),
        (
            replace(BASE, params=Params({"temperature": 0.7, "seed": 7})),
            (
                Difference("Stop sequences", '"\\n"', "not set"),
                Difference("Seed", "not set", "7"),
            ),
        ),
    ],
)
def test_each_part_is_named_with_what_either_has(
    mine: Setup, found: tuple[Difference, ...]
) -> None:
    assert differences(BASE, mine) == found


def test_zero_is_not_the_same_as_not_set() -> None:
    zero = replace(BASE, params=Params({"temperature": 0.7, "stop": ("\n",), "seed": 0}))
    assert differences(zero, BASE) == (Difference("Seed", "0", "not set"),)


@given(SETUPS, SETUPS)
def test_differences_are_the_same_from_the_other_side(one: Setup, other: Setup) -> None:
    there = differences(one, other)
    assert differences(other, one) == tuple(
        Difference(each.part, each.mine, each.theirs) for each in there
    )
    assert differences(one, one) == ()
    assert {each.part for each in there} <= parts(one).keys() | parts(other).keys()
