"""Which pastes become attachments, and how a document with their labels is put together again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.text import clean
from tui_chat.widgets.paste import LARGE, LONG_LINE, Attachments, is_large
from tui_chat.widgets.recall import KEPT, Recall


@pytest.mark.parametrize(
    ("text", "large"),
    [
        ("", False),
        ("a" * LONG_LINE, False),
        ("a" * (LONG_LINE + 1), True),
        ("short\n" + "a" * (LONG_LINE + 1) + "\nshort", True),
        ("a\n" * (LARGE // 2), False),
        ("a\n" * (LARGE // 2) + "a", True),
    ],
)
def test_a_text_is_large_by_its_size_or_by_one_line(text: str, large: bool) -> None:
    assert is_large(text) is large


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("a" * 3_000, "[pasted 3.0 KB · 1 line]"),
        ("é" * 3_000, "[pasted 6.0 KB · 1 line]"),
        ("a" * 999_960, "[pasted 1.0 MB · 1 line]"),
        ("a" * 80 + "\n" + "a" * 3_000 + "\n", "[pasted 3.1 KB · 2 lines]"),
        ("abcdefghi\n" * 12_345, "[pasted 123.5 KB · 12,345 lines]"),
        ("abcdefghijklm\n" * 1_000_000, "[pasted 14.0 MB · 1,000,000 lines]"),
    ],
)
def test_a_label_says_how_much_was_pasted(text: str, label: str) -> None:
    assert Attachments().entered(text).replace("\u00a0", " ") == label


def test_two_texts_of_one_size_have_two_labels() -> None:
    attachments = Attachments()
    first, second = "a" * 3_000, "b" * 3_000
    labels = [attachments.entered(first), attachments.entered(second)]
    assert labels[0] != labels[1]
    assert attachments.expanded(f"{labels[1]} {labels[0]}") == f"{second} {first}"


def test_a_label_that_comes_in_with_other_text_stands_for_nothing() -> None:
    label = Attachments().entered("a" * 3_000)
    attachments = Attachments()
    copied = attachments.entered(f"see {label}")
    attachments.entered("a" * 3_000)
    typed = label.replace("\u00a0", " ")
    assert attachments.expanded(copied) == f"see {typed}"
    assert attachments.expanded(typed) == typed
    assert attachments.spans(typed) == []


LARGE_TEXTS = st.integers(LONG_LINE + 1, 2 * LARGE).flatmap(
    lambda size: st.sampled_from("ab\u00a0\n").map(lambda character: character * size)
)
TEXTS = st.one_of(st.text(), st.text("[]pasted\u00a01.0KB·line#2 "), LARGE_TEXTS).map(clean)


@given(st.lists(TEXTS, max_size=8))
def test_what_entered_comes_out_as_it_was(texts: list[str]) -> None:
    attachments = Attachments()
    document = "|".join([attachments.entered(text) for text in texts])
    assert attachments.expanded(document) == "|".join(texts)


def test_a_draft_that_is_one_attachment_is_its_text_and_no_copy() -> None:
    text = "word " * 5_000
    attachments = Attachments()
    assert attachments.expanded(attachments.entered(text)) is text


def test_only_so_many_prompts_are_kept_and_a_repeated_one_once() -> None:
    recall = Recall()
    recall.fill([str(number) for number in range(KEPT + 5)])
    recall.add(str(KEPT + 4))
    walked = [recall.older("") for _ in range(KEPT + 1)]
    assert walked == [str(number) for number in range(KEPT + 4, 4, -1)] + [None]
