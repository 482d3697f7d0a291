"""Two texts beside each other, word by word."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.wordwise import MOST_WORDS, Pair, Pieces, compared

TEXTS = st.lists(st.sampled_from(["a", "b", "ação", "中", " ", "\n", "\n\n", "."])).map("".join)


def shown(pieces: Pieces | None) -> str | None:
    """A line, with what differs in brackets."""
    if pieces is None:
        return None
    return "".join(f"[{one.text}]" if one.differs else one.text for one in pieces)


def lines(left: str, right: str) -> list[tuple[str | None, str | None]]:
    return [(shown(pair.left), shown(pair.right)) for pair in compared(left, right)]


def test_words_that_differ_are_marked() -> None:
    found = lines("The sky is blue today.", "The sea is blue today.")
    assert found == [("The [sky] is blue today.", "The [sea] is blue today.")]


def test_lines_that_are_alike_stand_beside_each_other() -> None:
    assert lines("a\nb\nc", "a\nc") == [("a", "a"), ("[b]", None), ("c", "c")]
    assert lines("a\nc", "a\nb\nc") == [("a", "a"), (None, "[b]"), ("c", "c")]


def test_equal_texts_have_only_equal_lines() -> None:
    assert all(pair.equal for pair in compared("a\n\nb", "a\n\nb"))
    assert not compared("a", "b")[0].equal


def test_a_passage_may_have_more_lines_on_one_side() -> None:
    assert lines("one two", "one\ntwo") == [("one[ ]two", "one"), (None, "two")]


def _text(pairs: list[Pair], side: str) -> str:
    sides: list[Pieces | None] = [getattr(pair, side) for pair in pairs]
    return "\n".join(
        "".join(piece.text for piece in pieces) for pieces in sides if pieces is not None
    )


@given(TEXTS, TEXTS)
def test_both_texts_are_there_whole(left: str, right: str) -> None:
    pairs = compared(left, right)
    assert _text(pairs, "left") == left
    assert _text(pairs, "right") == right
    assert all(pair.equal for pair in pairs) == (left == right)


def test_texts_of_any_size_are_compared_in_time() -> None:
    chance, few = random.Random(1), ("the", "a", "of", "and", "sea", "sky")
    words = [chance.choice(few) for _ in range(4 * MOST_WORDS)]
    others = [chance.choice(few) for _ in range(4 * MOST_WORDS)]
    started = time.perf_counter()
    for between in (" ", "\n"):
        left, right = between.join(words), between.join(others)
        pairs = compared(left, right)
        assert (_text(pairs, "left"), _text(pairs, "right")) == (left, right)
    assert time.perf_counter() - started < 10
