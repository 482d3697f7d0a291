"""Lines: rows are cuts of a line that fit, and nothing is lost between them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_chat.widgets.transcript.lines import Line, Span, breaks, fitted, rows_of, sliced


def rows(text: str, first: int, rest: int) -> list[str]:
    edges = [0, *breaks(text, first, rest), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("hello world foo", 5, ["hello ", "world ", "foo"]),
        ("abcdefghij kl", 4, ["abcd", "efgh", "ij ", "kl"]),
        ("ab abcdefgh", 5, ["ab ab", "cdefg", "h"]),
        ("日本語のテキスト", 5, ["日本", "語の", "テキ", "スト"]),
        ("see 日本語", 6, ["see 日", "本語"]),
        ("日本", 1, ["日", "本"]),
        ("    x", 2, ["    ", "x"]),
        ("", 3, [""]),
    ],
)
def test_lines_break_at_words_where_they_can(text: str, width: int, expected: list[str]) -> None:
    assert rows(text, width, width) == expected


@given(
    text=st.text(st.sampled_from("ab 日e\u0301👩\u200d🚀- "), max_size=60),
    more=st.integers(0, 5),
    rest=st.integers(1, 12),
)
@example(text="\u200d\u200d👩", more=0, rest=1)
@example(text="a\u200d\u200d👩", more=1, rest=1)
@example(text="\u200d\u200d👩a", more=0, rest=1)
def test_every_row_fits_and_together_they_are_the_line(text: str, more: int, rest: int) -> None:
    first = rest + more
    parts = rows(text, first, rest)

    assert "".join(parts) == text
    for part, width in zip(parts, [first] + [rest] * len(parts), strict=False):
        assert cell_len(part.rstrip()) <= max(width, 2)


def test_a_prefix_leaves_at_least_half_of_the_width_to_the_text() -> None:
    line = Line((Span("word " * 10),), lead=(Span(" " * 50),), hang=(Span(" " * 50),))

    assert all(row.stop - row.start >= 5 for row in rows_of([line], 10))


def test_a_slice_keeps_styles_and_says_where_each_part_begins() -> None:
    spans = (Span("abc", "strong"), Span("def", "em", "https://x"))

    assert sliced(spans, 1, 5) == [(1, Span("bc", "strong")), (3, Span("de", "em", "https://x"))]


def test_spans_are_cut_off_at_the_width() -> None:
    assert fitted([Span("\u200d\u200d👩")], 1) == [Span("")]
    assert fitted([Span("ab"), Span("日本")], 5) == [Span("ab"), Span("日")]


def test_marks_are_copied_as_they_are_written_in_markdown() -> None:
    line = Line((Span("▎ ", "marker quote-bar"), Span("• ", "marker"), Span("a • b")))

    assert line.copied(0, None) == "> - a • b"
