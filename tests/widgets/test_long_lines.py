"""Of a long line one row is cut out, and it is what Rich cuts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from tui_chat.widgets.long_lines import LongLine

PLACES = st.integers(0, 40)


@given(
    st.text("ab \t漢", min_size=1, max_size=40),
    st.lists(st.tuples(PLACES, PLACES, st.sampled_from(["bold", "red"])), max_size=4),
    st.sets(st.integers(1, 39), min_size=1),
    st.data(),
)
def test_a_row_of_a_long_line_is_what_cutting_all_of_it_gives(
    words: str, spans: list[tuple[int, int, str]], cuts: set[int], data: st.DataObject
) -> None:
    offsets = sorted(cut for cut in cuts if cut < len(words))
    plain, long = Text(words, end="", no_wrap=True), LongLine(words)
    for line in (plain, long):
        line.set_length(len(words) + 1)  # As a text area does, for the cursor.
    for start, stop, style in spans:
        plain.stylize(style, start, stop)
        long.stylize(style, start, stop)
    index = data.draw(st.integers(0, len(offsets)))
    expected, pieces = plain.divide(offsets), long.divide(offsets)
    if offsets:
        assert pieces[index] == expected[index]
        tabs = [piece.plain.count("\t") for piece in expected]
        assert [pieces[place].plain.count("\t") for place in range(len(tabs))] == tabs
