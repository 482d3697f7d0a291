"""Heights: the sums agree with the list, whatever was changed before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui_chat.widgets.transcript.heights import Heights

CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 50), st.integers(0, 9)),
        st.tuples(st.just("splice"), st.integers(0, 50), st.integers(0, 4)),
        st.tuples(st.just("ask"), st.integers(0, 200), st.just(0)),
    ),
    max_size=30,
)


@given(changes=CHANGES)
def test_sums_follow_every_change(changes: list[tuple[str, int, int]]) -> None:
    heights, expected = Heights(), [3, 1, 4]
    heights.splice(0, 0, expected)

    for change, at, number in changes:
        index = min(at, len(expected) - 1)
        if change == "set":
            heights.set(index, number, exact=True)
            expected[index] = number
        elif change == "splice":
            heights.splice(index, index + 1, [number] * (number + 1))
            expected[index : index + 1] = [number] * (number + 1)
        else:
            heights.at(at)

    assert heights.total == sum(expected)
    assert [heights.top(n) for n in range(len(expected) + 1)] == [
        sum(expected[:n]) for n in range(len(expected) + 1)
    ]


def test_a_row_belongs_to_the_item_that_covers_it() -> None:
    heights = Heights()
    heights.splice(0, 0, [2, 0, 3])

    assert [heights.at(row) for row in (-1, 0, 1, 2, 4, 5, 99)] == [0, 0, 0, 2, 2, 2, 2]


def test_scaled_heights_are_estimates_and_single_rows_stay() -> None:
    heights = Heights()
    heights.splice(0, 0, [1, 10])
    heights.set(1, 10, exact=True)

    heights.scale(0.5)

    assert (heights[0], heights[1], heights.is_exact(1)) == (1, 5, False)
