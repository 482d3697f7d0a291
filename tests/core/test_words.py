"""Words are compared without case and accents, and found again in the text as it was written."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stored import texts
from tui_chat.core import words
from tui_chat.core.words import Phrase, in_line, normalised, places


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("São-Paulo, AÇÃO!", "sao paulo acao"),
        ("max_tokens=3", "max tokens 3"),
        ("你好world", "你 好 world"),
        ("カタカナ", "カ タ カ ナ"),
        ("ｗｉｄｅ ﬁne Straße", "wide fine strasse"),
        ("İstanbul ΟΔΟΣ ὁδός", "istanbul οδοσ οδοσ"),
        ("soft\u00adhyphen 👍🏽 3€", "softhyphen 👍 3 €"),
        ("| ── | ¿que?", "que"),
        ("สวัส", "ส ว ั ส"),
    ],
)
def test_a_text_becomes_its_words(text: str, folded: str) -> None:
    assert normalised(text).split() == folded.split()


@given(texts)
def test_it_does_not_matter_how_a_text_was_composed(text: str) -> None:
    assert in_line(unicodedata.normalize("NFD", text)) == in_line(text)
    assert in_line(unicodedata.normalize("NFC", text)) == in_line(text)


@given(texts)
def test_words_have_only_letters_that_the_index_keeps_whole(text: str) -> None:
    folded = normalised(text)

    assert in_line(folded) == in_line(text)
    assert not any(char.isspace() and char != " " for char in folded)
    assert all(char == " " or char.isalnum() for char in folded if char.isascii())


@pytest.mark.parametrize(
    ("typed", "whole", "text", "found"),
    [
        ("acao", False, "Uma ação, duas ações", ["ação"]),
        ("aco", False, "Uma ação, duas ações", ["açõ"]),
        (
            "acao",
            False,
            "a\u0327c\u0327a\u0303o ac\u0327a\u0303o",
            ["a\u0327c\u0327a\u0303o", "ac\u0327a\u0303o"],
        ),
        ("ber", False, "Berlin, Hamberg", ["Ber"]),
        ("ber", True, "Berlin ber", ["ber"]),
        ("a", False, "abc a", ["a"]),
        ("好世", False, "你好世界", ["好世"]),
        ("de graças", False, "ação de\n graças!", ["de\n graças"]),
        ("strass", False, "Straße", ["Straß"]),
        ("한", False, "한국", ["한"]),
        ("👍", False, "gut👍🏽", ["👍"]),
    ],
)
def test_places_are_those_of_the_text_as_it_was_written(
    typed: str, whole: bool, text: str, found: list[str]
) -> None:
    phrase = Phrase.of(typed, whole=whole)
    assert phrase is not None

    assert [text[start:end] for start, end in places([phrase], text)] == found


@given(st.lists(texts, max_size=3), texts, st.booleans())
def test_a_phrase_has_a_place_exactly_where_it_stands(
    typed: list[str], text: str, whole: bool
) -> None:
    for one in [*typed, text[2:5]]:
        phrase = Phrase.of(one, whole=whole)
        if phrase is not None:
            found = list(places([phrase], text))
            assert bool(found) == phrase.stands_in(in_line(text))
            assert found == sorted(found)
            assert all(0 <= start < end <= len(text) for start, end in found)


def test_places_do_not_overlap_and_longer_phrases_come_first() -> None:
    phrases = [one for one in map(Phrase.of, ("new", "new york", "york")) if one]

    assert list(places(phrases, "New York is new")) == [(0, 8), (12, 15)]


@pytest.mark.parametrize("piece", ["word and other words ", "palavra não 你好 ação "])
def test_a_long_text_takes_a_moment(piece: str) -> None:
    phrase = Phrase.of("nothing")
    began = time.perf_counter()

    assert phrase is not None
    assert list(places([phrase], piece * (100_000 // len(piece)))) == []
    assert time.perf_counter() - began < 1


@given(st.lists(texts, max_size=3), texts, st.integers(0, 60))
def test_the_first_place_is_the_first_of_all_wherever_a_long_text_is_divided(
    typed: list[str], text: str, before: int
) -> None:
    whole = "hay " * (before // 4) + "h" * (before % 4) + text
    phrases = [one for one in map(Phrase.of, [*typed, text[2:5], "h"]) if one is not None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "WINDOW", 16)
        patch.setattr(words, "AROUND", 1000)
        assert words.first_place(phrases, whole) == next(places(phrases, whole), None)
    assert words.first_place([], whole) is None


@pytest.mark.parametrize(
    "piece", ["word and another needles' word ", "não: você e a avaliação neeedle ", "量子力学"]
)
@pytest.mark.parametrize("end", ["", " a needle", " ação: needle"])
def test_a_word_at_the_end_of_a_megabyte_is_found_in_a_moment(piece: str, end: str) -> None:
    text = piece.replace("needles", "eedles") * (1_000_000 // len(piece.encode())) + end
    phrase = Phrase.of("needle")
    assert phrase is not None
    began = time.perf_counter()
    place = words.first_place([phrase], text)
    seconds = time.perf_counter() - began

    assert (text[slice(*place)] if place else "") == ("needle" if end else "")
    assert seconds < 0.5
