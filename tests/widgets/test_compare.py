"""The rows of a comparison, the lines of a tree, and what is known of a message: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_chat.core.conversation import EDITED, Conversation, Message, Refusal, Setup, Usage, said
from tui_chat.core.outline import Limb
from tui_chat.core.params import Params
from tui_chat.core.wordwise import Pair, Piece, compared
from tui_chat.widgets.captions import caption, speaker
from tui_chat.widgets.compare import Row, rows_of, setup_rows, wrapped
from tui_chat.widgets.info import about
from tui_chat.widgets.tree import tree_line

SETUP = Setup("lab", "m", params=Params({"temperature": 0.7}))
LINES = st.text(st.sampled_from("ab 中é\t"), max_size=60)


def text(row: Row, side: str = "left") -> str:
    return "".join(piece.text for piece in getattr(row, side))


def test_beside_each_other_rows_are_level() -> None:
    pairs = compared("a " * 60 + "\nsame", "short\nsame")
    rows = rows_of(pairs, 80)
    assert [row.mark for row in rows] == ["≠", "≠", "≠", "≠", "│"]
    assert (text(rows[-1]), text(rows[-1], "right")) == ("same", "same")
    assert text(rows[1], "right") == ""


def test_one_under_the_other_what_is_alike_stands_once() -> None:
    rows = rows_of(compared("one\ntwo\nend", "one\n2\n3\nend"), 40)
    assert [(row.mark, text(row)) for row in rows] == [
        (" ", "one"),
        ("-", "two"),
        ("+", "2"),
        ("+", "3"),
        (" ", "end"),
    ]


@given(LINES, st.integers(2, 20))
def test_a_wrapped_line_has_all_of_it_and_fits(line: str, width: int) -> None:
    rows = wrapped((Piece(line[:20]), Piece(line[20:], True)), width)
    whole = "".join(piece.text for row in rows for piece in row)
    assert whole == line[:20].expandtabs(4) + line[20:].expandtabs(4)
    for row in rows:
        assert cell_len("".join(piece.text for piece in row).rstrip()) <= width


def test_a_line_that_is_not_there_has_no_rows() -> None:
    assert wrapped(None, 10) == []
    assert len(wrapped((), 10)) == 1
    assert rows_of([Pair(None, (Piece("x", True),))], 40) == [Row((Piece("x", True),), mark="+")]


def reply(**changes: object) -> Message:
    made = said("assistant", "First words\nand more", "q", setup=SETUP)
    return replace(made, **changes)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize(
    ("limb", "shown"),
    [
        (Limb(said("user", "Hello\nyou"), "", True), "● You: Hello you"),
        (Limb(reply(), "├─ ", False), "├─ First words and more   m · temperature 0.7"),
        (Limb(reply(status="cut"), "", True), "● First words and more  cut · m · temperature…"),
        (Limb(reply(content="", error="It broke."), "", True), "● It broke.  m · temperature 0.7"),
        (
            Limb(reply(setup=None, finish_reason=EDITED), "│  ", False),
            "│  Assistant · edited: First",
        ),
        (Limb(said("user", "deep"), "│  " * 50, False), "…  │  │  │  │  │  │  │  You: deep"),
    ],
)
def test_a_line_of_the_tree(limb: Limb, shown: str) -> None:
    line = tree_line(limb, 66)
    assert " ".join(line.plain.split()).startswith(" ".join(shown.split()))
    assert line.cell_length <= 66


def test_an_edited_reply_is_called_so() -> None:
    written = replace(said("assistant", "x"), finish_reason=EDITED)
    assert speaker(written) == "Assistant · edited"
    assert speaker(said("assistant", "x")) == "Assistant"
    # As other programs' exports tell it.
    assert speaker(said("assistant", "x", setup=Setup("", "", "Be brief."))) == "Assistant"
    assert speaker(said("system", "x")) == "System"
    assert "by a person" in about(written)


def test_estimates_are_said_to_be_such() -> None:
    text = about(reply(usage=Usage(7, 12, estimated=True)))
    assert "≈12 tokens, estimated here" in text


def test_what_was_sent_under_another_name_is_told() -> None:
    text = about(reply(refused=(Refusal("max_tokens", "Use the other.", "max_completion_tokens"),)))
    assert "sent as max_completion_tokens: Use the other." in text


def test_what_was_refused_is_no_difference_and_is_not_listed_as_sent() -> None:
    set_ = replace(SETUP, params=SETUP.params.changed("seed", 7))
    one, other = reply(setup=set_), reply(setup=set_, refused=(Refusal("seed", "No seeds."),))
    assert setup_rows(one, other) == [("Seed", "7", "not set")]
    assert setup_rows(reply(), other) == []
    assert "Seed" not in about(one).partition("Left out")[2]
    assert about(other).partition("Left out")[2].split("\n")[1].split() == [
        "Seed", "refused:", "No", "seeds."
    ]  # fmt: skip
    assert "Seed" not in about(other).partition("Left out")[0]


def test_what_this_model_refused_it_would_refuse_again_but_another_may_take_it() -> None:
    set_ = replace(SETUP, params=SETUP.params.changed("seed", 7))
    old = reply(refused=(Refusal("seed", "No seeds."),))
    assert "Same as the present setup" in about(old, set_)
    assert "Seed" in about(old, replace(set_, model="other")).partition("Differs")[2]


def test_an_endpoints_own_parameters_are_not_listed() -> None:
    assert "none: the endpoint's own" in about(reply(setup=Setup("lab", "m")))


def test_a_marked_reply_says_so() -> None:
    one = replace(reply(), parent=None)
    conversation = Conversation(messages=[one])
    assert caption(one, conversation, marked=True).position == "◆ marked"
