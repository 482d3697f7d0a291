"""The document: what streams in is shown like what is loaded, and only what is near is opened."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.widgets.transcript.sample import (
    EVERYTHING,
    caption,
    conversation,
    drawn,
    finished,
    loaded,
    reply,
    streaming,
)
from tui_chat.core.conversation import Message, said
from tui_chat.widgets.transcript.caption import Caption
from tui_chat.widgets.transcript.document import Document, Part

DOCUMENTS = {
    "everything": EVERYTHING,
    "long fence": "text\n```python\n" + "x = 1  # ```\n" * 700 + "```\n" + "after\n",
    "fence in fence": "````md\n```py\nx\n```\n````\n\n~~~\n```\n~~~\nend",
    "unclosed": "**bold\n\n```rust\nfn main() {",
    "long list": "- item\n" * 900 + "\n\n1. one\n\n   more\n\n2. two",
    "long line": "a " * 8_000 + "\n\n" + "b" * 8_000,
}


def streamed(pieces: list[str]) -> list[str]:
    """The rows of a reply that arrived in these pieces, each of them drawn."""
    message = streaming()
    document = loaded([])
    document.begin(message)
    for piece in pieces:
        document.grow(piece, "")
        if len(piece) < 500:
            drawn(document)
    document.end(finished(message, "".join(pieces)))
    return drawn(document)


def whole(text: str) -> list[str]:
    return drawn(loaded([finished(streaming(), text)]))


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("size", [700, 1_999])
def test_a_streamed_reply_looks_like_a_loaded_one(name: str, size: int) -> None:
    text = DOCUMENTS[name]

    pieces = [text[at : at + size] for at in range(0, len(text), size)]

    assert streamed(pieces) == whole(text)


@pytest.mark.parametrize("name", ["everything", "fence in fence", "unclosed"])
def test_a_reply_that_streams_by_the_character_looks_like_a_loaded_one(name: str) -> None:
    text = DOCUMENTS[name]

    assert streamed(list(text)) == whole(text)


@pytest.mark.parametrize("name", ["everything", "long fence", "fence in fence"])
def test_a_flush_that_ends_in_a_fence_line_leaves_no_trace(name: str) -> None:
    text = DOCUMENTS[name]
    expected = whole(text)

    for at in [i for i, c in enumerate(text) if c in "`~"][-9:]:
        assert streamed([text[: at + 1], text[at + 1 :]]) == expected


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(EVERYTHING)), max_size=6))
def test_a_reply_that_streams_in_any_pieces_looks_like_a_loaded_one(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(EVERYTHING)]

    pieces = [EVERYTHING[a:b] for a, b in pairwise(edges)]

    assert streamed(pieces) == whole(EVERYTHING)


def test_reasoning_that_streams_between_the_text_looks_like_a_loaded_one() -> None:
    message = streaming()
    document = loaded([])
    document.begin(message)
    document.toggle(0)
    for content, reasoning in [("", "think *a"), ("text ", ""), ("more", "gain*\n\nend")]:
        document.grow(content, reasoning)
        drawn(document)
    end = finished(message, "text more", "think *again*\n\nend")
    document.end(end)
    expected = loaded([end])
    expected.toggle(0)

    assert drawn(document) == drawn(expected)


@pytest.mark.parametrize("width", range(1, 21))
def test_a_narrow_screen_shows_every_word(width: int) -> None:
    messages = [said("user", "some words\n\n\ttabbed"), reply(EVERYTHING, "why")]

    rows = "".join(drawn(loaded(messages, width)))
    text = "".join(character for character in rows if character not in " ▎│")

    for word in ("some", "tabbed", "nested", "deeper", "quoted", "first", "print(f(1))", "html"):
        assert word in text


def test_loading_opens_and_captions_nothing() -> None:
    asked: list[Message] = []

    def counting(message: Message) -> Caption:
        asked.append(message)
        return Caption("")

    document = Document(counting)
    document.load(conversation(2_000))

    assert len(document.items) == 2_000
    assert not asked


def test_settled_blocks_are_not_drawn_again_while_a_reply_grows() -> None:
    document = loaded([])
    document.begin(streaming())
    document.grow("one\n\ntwo\n\nthree", "")
    drawn(document)
    before = [document.laid(item) for item in document.items]

    document.grow(" more", "")

    after = document.items
    assert [document.laid(item) is laid for item, laid in zip(after, before, strict=True)] == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_a_reply_that_has_not_begun_shows_a_sign_of_waiting() -> None:
    document = loaded([streaming()])

    assert drawn(document)[:3] == ["model · 0.7" + " " * 42 + "‹ 1/2 ›", "…", "  streaming"]


def test_reasoning_is_one_line_until_it_is_unfolded() -> None:
    document = loaded([reply("answer", "one two\n\nthree")])

    folded = drawn(document)
    document.toggle(0)
    unfolded = drawn(document)

    assert folded[1:3] == ["▸ Reasoning · 3 words", "answer"]
    assert unfolded[1:5] == ["▾ Reasoning · 3 words", "│ one two", "│ ", "│ three"]
    assert unfolded[5:7] == ["", "answer"]


def test_a_long_message_of_a_person_is_folded_to_its_first_lines() -> None:
    document = loaded([said("user", "\n".join(f"line {n}" for n in range(1_254)))])

    folded = drawn(document)
    document.toggle(0)

    assert folded[20:22] == ["line 19", "… 1,234 more lines, enter to unfold"]
    assert drawn(document)[1254] == "line 1253"


def test_a_long_line_of_a_person_is_folded_to_its_first_characters() -> None:
    document = loaded([said("user", "x" * 10_000)])

    assert drawn(document)[-2] == "… 8,000 more characters, enter to unfold"


def test_what_a_person_wrote_is_shown_as_it_was_typed() -> None:
    document = loaded([said("user", "# no *title*\n\n  <b>\n```\ncode\n```\n")])

    assert drawn(document)[1:-1] == ["# no *title*", "", "  <b>", "```", "code", "```"]


def test_a_failed_reply_says_why() -> None:
    message = Message("id", None, "assistant", "", status="failed", error="no route\nto host")

    assert drawn(loaded([message]))[1:] == ["  no route", "  to host", "  failed", ""]


def test_a_replaced_message_is_shown_anew_in_its_place() -> None:
    first, second = said("user", "one"), reply("two")
    document = loaded([first, second])
    drawn(document)

    document.put(Message(first.id, None, "user", "changed\ntext"))

    assert drawn(document)[1:3] == ["changed", "text"]
    assert document.place(second.id) == 1


def test_new_captions_are_drawn_when_they_are_forgotten() -> None:
    heads = iter(["before", "after"])
    head = next(heads)
    document = Document(lambda message: Caption(head))
    document.load([said("user", "text")])
    drawn(document)

    head = next(heads)
    document.forget_captions()

    assert drawn(document)[0] == "after"


def test_keys_of_lines_grow_down_the_document() -> None:
    document = loaded(conversation(6))
    for place in range(6):
        if document.can_fold(place):
            document.toggle(place)
    drawn(document)

    keys = [
        item.key(line) for item in document.items for line in range(len(document.laid(item).lines))
    ]

    assert keys == sorted(set(keys))
    assert {item.part for item in document.items} >= {Part.HEAD, Part.FOLD, Part.BODY, Part.FOOT}


def test_text_for_a_message_that_ended_changes_nothing() -> None:
    message = streaming()
    document = loaded([])
    document.begin(message)
    document.end(finished(message, "all"))

    assert document.grow("late", "") is None
    assert document.messages[0].content == "all"


def test_a_caption_never_breaks_its_row() -> None:
    for width in range(1, 40):
        document = Document(lambda message: Caption("a long head\nof two lines", "‹ 10/12 ›"))
        document.resize(width)
        document.load([said("user", "x")])

        assert drawn(document)[1] == "x"


@pytest.mark.parametrize("width", [12, 20, 30, 31, 60])
def test_how_a_reply_was_made_is_never_cut(width: int) -> None:
    detail = "temperature 0.7 · top p 1"
    document = Document(lambda message: Caption("model", "‹ 1/2 ›", detail=detail))
    document.resize(width)
    document.load([reply("x")])

    rows = drawn(document)

    head = " ".join("\n".join(rows[: rows.index("x")]).replace("‹ 1/2 ›", "").split())
    assert head == (f"model · {detail}" if width == 60 else f"model {detail}")
    assert all(len(row) <= width for row in rows)


def test_the_caption_of_a_reply_is_asked_for_again_at_its_end() -> None:
    message = streaming()
    document = Document(caption)
    document.begin(message)
    document.grow("text", "")
    before = drawn(document)

    document.end(finished(message, "text"))

    assert (before[-2], drawn(document)[-2]) == ("  streaming", "  complete")


def test_a_message_that_is_shown_can_begin_again_and_grow() -> None:
    before, message, after = said("user", "one"), streaming(), said("user", "two")
    document = loaded([before, message, after])
    drawn(document)

    document.begin(finished(message, "half **a"))
    shown_whole = drawn(document)
    document.grow(" word**", "")

    assert "half **a" in shown_whole
    assert "half a word" in drawn(document)
    assert [m.status for m in document.messages] == ["complete", "streaming", "complete"]
