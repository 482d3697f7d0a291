"""What may reach a terminal or a disk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import HOSTILE
from tui_chat.core import text as module
from tui_chat.core.text import Joiner, clean, folded, one_line

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@given(text=ANY)
def test_nothing_hostile_is_left(text: str) -> None:
    assert HOSTILE.isdisjoint(clean(text))


def test_no_character_that_unicode_calls_a_control_or_hides_passes_by_itself() -> None:
    assert [hex(ord(one)) for one in HOSTILE if clean(one) == one] == []


@given(text=ANY)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(pieces=st.lists(ANY, max_size=6))
def test_a_text_in_pieces_is_cleaned_like_the_whole(pieces: list[str]) -> None:
    joiner = Joiner()
    joined = "".join(joiner.add(piece) for piece in pieces) + joiner.end()
    assert joined == clean("".join(pieces))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\x1b[2Jb", "a\u241b[2Jb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("tab\tstays", "tab\tstays"),
        ("\x00", "\ufffd"),
        ("\x9b31m", "\ufffd31m"),
        ("\x7f", "\u2421"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ud83d", "\ufffd"),
        ("abc\u202edef", "abc\ufffddef"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("soft\u00adhyphen", "softhyphen"),
        ("\ufff9words\ufffaabove\ufffb", "\ufffdwords\ufffdabove\ufffd"),
        ("\ufffe\U000e0041", "\ufffd\ufffd"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("葛\U000e0100\u3164", "葛\U000e0100\u3164"),
        ("\U0001f469\u200d\U0001f4bb\ufe0f", "\U0001f469\u200d\U0001f4bb\ufe0f"),
    ],
)
def test_controls_become_visible_and_the_rest_stays(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(text=ANY, limit=st.integers(1, 30))
def test_one_line_is_one_line_and_not_too_long(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert "\n" not in line
    assert len(line) <= limit


@pytest.mark.parametrize(("text", "same"), [("Ação", "acao"), ("STRASSE", "strasse"), ("ﬁ", "fi")])
def test_searches_do_not_see_case_or_accents(text: str, same: str) -> None:
    assert folded(text) == same


def test_nothing_hostile_is_printable() -> None:
    assert not [
        code
        for code in range(0x110000)
        if module.HOSTILE.match(chr(code)) and chr(code).isprintable()
    ]
