"""The open end of a text: half a mark is completed or left out, words never are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.widgets.transcript.tail import completed


@pytest.mark.parametrize(
    ("arrived", "drawn"),
    [
        ("some **bold te", "some **bold te**"),
        ("some **bold** te", "some **bold** te"),
        ("some **", "some"),
        ("some *slanted", "some *slanted*"),
        ("**bold *both", "**bold *both***"),
        ("**bold *both*", "**bold *both***"),
        ("call `f(", "call `f(`"),
        ("call `", "call "),
        ("`a*b` and *c", "`a*b` and *c*"),
        ("~~no", "~~no~~"),
        ("2 * 3 = 6", "2 * 3 = 6"),
        ("* item", "* item"),
        ("a [link](https://exam", "a link"),
        ("an ![image](https://exam", "an image"),
        ("title\n-", "title\n"),
        ("title\n==", "title\n"),
        ("text\n```", "text\n"),
        ("#", ""),
        ("42", "42"),
        ("\\**", "\\*"),
        ("done.", "done."),
        ("- a\n  ```\n  f(*args", "- a\n  ```\n  f(*args"),
    ],
)
def test_what_is_still_open_is_closed_for_the_eye(arrived: str, drawn: str) -> None:
    assert completed(arrived).rstrip() == drawn.rstrip()


@given(st.text(st.sampled_from("ab*`~ []()!\n-#"), max_size=40))
def test_no_word_is_ever_left_out(text: str) -> None:
    words = [character for character in text.split("](")[0] if character in "ab"]

    assert [c for c in completed(text) if c in "ab"][: len(words)] == words
