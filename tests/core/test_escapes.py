"""Texts with control characters, typed and shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.escapes import escape, split_texts, unescape


@given(text=st.text())
def test_what_is_escaped_is_read_back(text: str) -> None:
    assert unescape(escape(text)) == text


@given(texts=st.lists(st.text(), min_size=1, max_size=4))
def test_several_texts_in_quotes_are_read_back(texts: list[str]) -> None:
    assert split_texts(" ".join(f'"{escape(text)}"' for text in texts)) == tuple(texts)


@pytest.mark.parametrize(
    ("typed", "text"),
    [(r"\n", "\n"), (r"\\n", r"\n"), (r"\x41\u00e7", "Aç"), ("plain", "plain"), (r"\"", '"')],
)
def test_escapes_stand_for_characters(typed: str, text: str) -> None:
    assert unescape(typed) == text


@pytest.mark.parametrize("typed", ["\\", "\\q", "\\x4", "\\xzz", "\\u12", "\\ud800"])
def test_what_is_no_escape_is_said(typed: str) -> None:
    with pytest.raises(ValueError, match="escape"):
        unescape(typed)
