"""A reply's probabilities as they are kept: nothing is lost, nothing damaged is trusted."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token
from tui_chat.core.probabilities import Kept, packed
from tui_chat.core.text import clean

LOGPROBS = st.floats(-100, 0, width=32)
RAW = st.binary(max_size=6)
TOKENS = st.builds(
    Token,
    st.text(max_size=6).map(clean),
    st.none() | LOGPROBS,
    st.lists(st.builds(Candidate, RAW, LOGPROBS), max_size=5).map(tuple),
    own=st.none() | RAW,
)


def same(kept: Sequence[Token], tokens: Sequence[Token]) -> bool:
    def facts(token: Token) -> object:
        return token.text, token.raw, token.logprob, token.top

    return [facts(token) for token in kept] == [facts(token) for token in tokens]


@given(st.lists(TOKENS, max_size=12), st.lists(TOKENS, max_size=12))
def test_what_is_kept_is_what_came_also_in_several_pieces(
    first: list[Token], second: list[Token]
) -> None:
    kept = Kept(packed(first) + packed(second))
    assert same(kept, first + second)
    assert "".join(kept.texts) == "".join(token.text for token in first + second)
    assert kept.logprobs == [token.logprob for token in first + second]


def test_thoughts_are_not_kept_with_the_reply() -> None:
    assert packed([Token("hm", reasoning=True)]) == b""
    assert len(Kept(b"")) == 0


def test_places_count_from_both_ends() -> None:
    kept = Kept(packed([Token("a"), Token("b")]) + packed([Token("c")]))
    assert (kept[-1].text, kept[2].text, [one.text for one in kept[:2]]) == ("c", "c", ["a", "b"])
    with pytest.raises(IndexError):
        kept[3]


@given(st.lists(TOKENS, min_size=1, max_size=6), st.integers(0, 200), st.integers(0, 255))
def test_what_is_damaged_costs_no_more_than_itself(
    tokens: list[Token], place: int, byte: int
) -> None:
    data = bytearray(packed(tokens))
    data[place % len(data)] = byte
    for token in Kept(bytes(data)):
        assert isinstance(token.text, str)
    assert same(Kept(packed(tokens) + bytes(data[: place % len(data)]))[: len(tokens)], tokens)


def test_a_frame_that_claims_more_than_it_has_is_left_out() -> None:
    import zlib

    body = zlib.compress(struct.pack("<III", 2**31, 5, 5))
    assert len(Kept(struct.pack("<I", len(body)) + body)) == 0


def test_a_long_reply_takes_less_than_a_hundred_bytes_a_token_with_twenty_candidates() -> None:
    """Nearly all of it are the logprobs, which have 80 bytes there."""
    tokens = [
        Token(
            f"word{place % 700} ",
            -((place * 7919) % 1000) / 177,
            tuple(
                Candidate(b"word%d " % ((place * rank) % 700), -((place * rank * 31) % 9999) / 777)
                for rank in range(20)
            ),
        )
        for place in range(1000)
    ]
    assert 20_000 < len(packed(tokens)) < 130_000
