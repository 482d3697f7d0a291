"""Many candidates in few bytes: what they are, and what they cost."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.load.flood import with_candidates
from tui_chat.core.candidates import Candidate, Candidates
from tui_chat.core.chunks import Reader
from tui_chat.core.conversation import Token
from tui_chat.core.probabilities import Kept, packed

SOME = st.lists(st.tuples(st.binary(max_size=20), st.floats(-9000, 0)), max_size=30)
TOKENS = 150
MOST_BYTES, MOST_TRACKED = 1_000, 3
"""For one token with 20 candidates."""


@given(SOME, st.slices(30), st.integers(-40, 40))
def test_candidates_are_what_a_tuple_of_them_is(
    told: list[tuple[bytes, float]], part: slice, place: int
) -> None:
    plain: Sequence[Candidate] = tuple(Candidate(*one) for one in told)
    dense: Sequence[Candidate] = Candidates(told)
    assert (dense, hash(dense), len(dense)) == (plain, hash(plain), len(plain))
    assert plain == dense == Candidates(plain)
    assert list(dense) == list(plain)
    assert all(isinstance(one, Candidate) for one in dense)
    assert dense[part] == plain[part]
    assert list(reversed(dense)) == list(reversed(plain))
    assert Token("a", -0.5, dense) == Token("a", -0.5, plain)
    if -len(plain) <= place < len(plain):
        assert dense[place] == plain[place]
    assert dense != (*plain, Candidate(b"", 0.0))
    assert dense != list(plain)


def read() -> list[Token]:
    tokens: list[Token] = []
    reader = Reader(tokens.append)
    for number in range(TOKENS):
        told = {"content": [with_candidates(f" {number}")]}
        reader.take(
            {"choices": [{"index": 0, "delta": {"content": f" {number}"}, "logprobs": told}]}
        )
    return tokens


def test_what_is_known_of_a_long_reply_takes_little_and_is_nothing_to_go_through() -> None:
    for how in (read, lambda: list(Kept(packed(read())))):
        gc.collect()
        before = len(gc.get_objects())
        tracemalloc.start()
        tokens = how()
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(tokens) == TOKENS
        assert len(tokens[-1].top) == 20
        assert taken / TOKENS < MOST_BYTES
        assert (len(gc.get_objects()) - before) / TOKENS < MOST_TRACKED
