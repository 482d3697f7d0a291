"""Tokens in lines: nothing is lost, nothing is wider than the view, every token is found again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_chat.rooms.lens.layout import Layout, is_word_start

TEXTS = st.lists(
    st.sampled_from(
        ["a", " word", "longer", " ", "", "\n", " \n\n", "漢字", "é", "\t", "x" * 30, "ing", ","]
    )
    | st.text("ab 漢\n", max_size=9),
    max_size=40,
)


def laid_out(texts: list[str], width: int) -> Layout:
    layout = Layout(width)
    layout.extend(texts)
    return layout


@given(TEXTS, st.integers(4, 30))
def test_every_letter_has_its_place_in_order(texts: list[str], width: int) -> None:
    layout = laid_out(texts, width)
    shown: dict[int, str] = {}
    for line in layout.lines:
        for piece in line.pieces:
            shown[piece.token] = shown.get(piece.token, "") + piece.text
    for token, text in enumerate(texts):
        assert shown.get(token, "") == text.replace("\n", "⏎").replace("\t", "⇥")
    order = [piece.token for line in layout.lines for piece in line.pieces]
    assert order == sorted(order)


@given(TEXTS, st.integers(4, 30))
def test_no_line_is_wider_but_for_the_sign_of_its_end(texts: list[str], width: int) -> None:
    for line in laid_out(texts, width).lines:
        assert line.width == sum(cell_len(piece.text) for piece in line.pieces)
        text = "".join(piece.text for piece in line.pieces)
        assert cell_len(text.removesuffix("⏎").removesuffix(" ")) <= width


@given(TEXTS, st.integers(4, 30), st.integers(0, 39))
def test_what_grows_is_laid_out_as_what_was_there_at_once(
    texts: list[str], width: int, cut: int
) -> None:
    grown = laid_out(texts[:cut], width)
    grown.extend(texts[cut:])
    assert [line.pieces for line in grown.lines] == [
        line.pieces for line in laid_out(texts, width).lines
    ]


@given(TEXTS, st.integers(4, 30))
def test_every_token_with_text_is_found_where_it_is_shown(texts: list[str], width: int) -> None:
    layout = laid_out(texts, width)
    for token, text in enumerate(texts):
        if text:
            line, column = layout.line_of(token), layout.column_of(token)
            assert layout.token_at(line, column) == token


def test_words_are_not_torn_apart() -> None:
    layout = laid_out(["The", " quick", " br", "own", " fox"], 12)
    assert ["".join(piece.text for piece in line.pieces) for line in layout.lines] == [
        "The quick ",
        "brown fox",
    ]


def test_words_begin_after_white_space() -> None:
    texts = ["The", " qu", "ick", "\n", "", "fox", " ", "x", ","]
    assert [is_word_start(texts, place) for place in range(len(texts))] == [
        True, True, False, False, False, True, False, True, False,
    ]  # fmt: skip
