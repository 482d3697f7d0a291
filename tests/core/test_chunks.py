"""Whatever a server splits, adds or leaves out: the texts of the tokens add up to the reply."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.candidates import Candidate
from tui_chat.core.chunks import Ending, Reader
from tui_chat.core.conversation import Token
from tui_chat.core.errors import ChatError
from tui_chat.core.text import HOSTILE, clean

Fields = dict[str, object]


def chunk(**fields: object) -> Fields:
    """A chunk as it is parsed, of any JSON."""
    return fields


def said(
    content: object, logprobs: object = None, finish: object = None, **delta: object
) -> Fields:
    choice = {
        "index": 0,
        "delta": {"content": content, **delta},
        "logprobs": None if logprobs is None else {"content": logprobs},
        "finish_reason": finish,
    }
    return chunk(choices=[choice])


END = said(None, finish="stop")


def entry(raw: bytes, logprob: object = -0.5, **more: object) -> Fields:
    token = raw.decode("utf-8", "backslashreplace")
    return {"token": token, "logprob": logprob, "bytes": list(raw), "top_logprobs": [], **more}


def read(*chunks: object) -> tuple[list[Token], Ending]:
    tokens: list[Token] = []
    reader = Reader(tokens.append)
    for one in chunks:
        reader.take(one)
    return tokens, reader.ending()


def text(tokens: Sequence[Token], *, reasoning: bool = False) -> str:
    return "".join(token.text for token in tokens if token.reasoning == reasoning)


def pieces_of(text: str, cuts: Sequence[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(places)]


# Text

CUTS = st.lists(st.integers(0, 10_000), max_size=12)
TEXTS = st.text(min_size=1) | st.text("a😀é\r\n\x1b\u202e漢", min_size=1)


def halved(text: str) -> str:
    """The text with each character beyond the BMP as two halves, as JSON escapes spell it."""
    return "".join(
        char
        if ord(char) < 0x10000
        else "".join(chr(int.from_bytes(char.encode("utf-16-be")[at : at + 2])) for at in (0, 2))
        for char in text
    )


@given(TEXTS, CUTS)
def test_a_reply_split_anywhere_is_the_reply(whole: str, cuts: list[int]) -> None:
    pieces = pieces_of(halved(whole), cuts)
    tokens, ending = read(*(said(piece) for piece in pieces), END)
    assert text(tokens) == clean(whole)
    assert ending.status == "complete"


@given(TEXTS, TEXTS, CUTS)
def test_reasoning_between_the_words_does_not_mix_with_them(
    whole: str, thought: str, cuts: list[int]
) -> None:
    words, thoughts = pieces_of(halved(whole), cuts), pieces_of(halved(thought), cuts)
    chunks: list[object] = []
    for place in range(max(len(words), len(thoughts))):
        chunks += [said(None, reasoning=piece) for piece in thoughts[place : place + 1]]
        chunks += [said(piece) for piece in words[place : place + 1]]
    tokens, _ = read(*chunks, END)
    assert text(tokens) == clean(whole)
    assert text(tokens, reasoning=True) == clean(thought)


def test_reasoning_under_two_names_is_told_once() -> None:
    tokens, _ = read(said(None, reasoning="hm", reasoning_content="hm"), said("so"), END)
    assert tokens == [Token("hm", reasoning=True), Token("so")]


@given(st.lists(st.text(), max_size=5), st.text())
def test_nothing_hostile_gets_through(pieces: list[str], last: str) -> None:
    raw = [entry(piece.encode("utf-8", "replace")) for piece in pieces]
    tokens, _ = read(*(said(piece) for piece in pieces), said(last, raw), said("x", finish="stop"))
    assert not any(HOSTILE.search(token.text) for token in tokens if token.text != "\ufffd")


# Probabilities


@given(st.text("a b😀é漢", min_size=1), CUTS, st.booleans())
def test_tokens_that_split_characters_add_up_to_the_reply(
    whole: str, cuts: list[int], held_back: bool
) -> None:
    """Each token in a chunk of its own; half characters come as U+FFFD, or once they are whole."""
    raw = whole.encode()
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    parts = [raw[start:end] for start, end in itertools.pairwise(places)]
    chunks: list[object] = []
    given_out = 0
    for end, part in zip(places[1:], parts, strict=True):
        done = len(raw[:end].decode("utf-8", "ignore"))
        content = whole[given_out:done] if held_back else part.decode("utf-8", "replace")
        given_out = done
        chunks.append(said(content, [entry(part)]))
    tokens, _ = read(*chunks, END)
    assert text(tokens) == whole
    assert [token.logprob for token in tokens] == [-0.5] * len(parts)


@given(st.text("a b😀é漢", min_size=1), CUTS)
def test_several_tokens_in_one_chunk_add_up_to_it(whole: str, cuts: list[int]) -> None:
    raw = whole.encode()
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    parts = [raw[start:end] for start, end in itertools.pairwise(places)]
    tokens, _ = read(said(whole, [entry(part) for part in parts]), END)
    assert text(tokens) == whole
    assert len(tokens) == len(parts)


def test_text_that_was_held_back_is_not_lost_when_only_its_last_token_is_told() -> None:
    """As llama.cpp sends it: several tokens in one chunk, the probabilities of the last."""
    emoji = "😀".encode()
    tokens, _ = read(
        said("a 😀", [entry(emoji[3:], -0.25)]),
        said(" b", [entry(b" b")]),
        END,
    )
    assert tokens == [Token("a 😀", -0.25), Token(" b", -0.5)]


@given(st.lists(st.tuples(st.text("ab😀"), st.lists(st.binary(max_size=4), max_size=3))))
def test_the_content_decides_when_the_probabilities_do_not_fit_it(
    given: list[tuple[str, list[bytes]]],
) -> None:
    chunks = [said(content, [entry(raw) for raw in raws]) for content, raws in given]
    tokens, _ = read(*chunks, said("!"), END)
    assert text(tokens) == "".join(content for content, _ in given) + "!"


@pytest.mark.parametrize(
    ("chunks", "whole"),
    [
        ([("", b"\xf0\x9f"), ("x", b"x")], "x"),
        ([("", b"\xf0\x9f"), ("", b"")], ""),
        ([("a\ufffd", b"a\xf0\x9f"), ("x", b"x")], "a\ufffdx"),
        ([("a\ufffd", b"a\xf0\x9f"), ("x", b"y")], "a\ufffdx"),
        ([("a\ufffd", b"a\xf0\x9f")], "a\ufffd"),
        ([("\ufffd", b"\xf0"), ("\ufffd", b"\x9f"), ("\ufffd\ufffd", b"\x98\x80")], "😀"),
    ],
)
def test_half_a_character_shows_only_where_the_server_showed_it(
    chunks: list[tuple[str, bytes]], whole: str
) -> None:
    tokens, _ = read(*(said(content, [entry(raw)]) for content, raw in chunks), END)
    assert text(tokens) == whole


def test_a_token_without_bytes_counts_with_its_text() -> None:
    tokens, _ = read(
        said("Hi there", [entry(b"Hi", bytes=None), entry(b" there", bytes=None)]), END
    )
    assert tokens == [Token("Hi", -0.5), Token(" there", -0.5)]


def test_candidates_are_told_likeliest_first_and_clean() -> None:
    top = [entry(b"yes", -0.1), entry(b"\x1b[2J", -3), entry(b"\xf0\x9f", -4), entry(b"no", -1)]
    tokens, _ = read(said("yes", [entry(b"yes", -0.1, top_logprobs=top)]), END)
    assert tokens == [
        Token(
            "yes",
            -0.1,
            (
                Candidate(b"yes", -0.1),
                Candidate(b"no", -1.0),
                Candidate(b"\x1b[2J", -3.0),
                Candidate(b"\xf0\x9f", -4.0),
            ),
        )
    ]
    assert [one.text for one in tokens[0].top] == ["yes", "no", "␛[2J", "\ufffd"]


ODD: dict[str, object] = {
    "not a list": {"a": 1},
    "a text": "abc",
    "null inside": [None],
    "a text inside": ["Hi"],
    "nothing in it": [{}],
    "bytes as a text": [entry(b"Hi", bytes="SGk=")],
    "bytes as a number": [entry(b"Hi", bytes=10**15)],
    "bytes beyond a byte": [entry(b"Hi", bytes=[72, 300])],
    "bytes with a null": [entry(b"Hi", bytes=[72, None])],
    "no probability": [entry(b"Hi", None)],
    "a probability in words": [entry(b"Hi", "low")],
    "a probability that is none": [entry(b"Hi", math.nan)],
    "candidates of another type": [entry(b"Hi", top_logprobs={"a": -1})],
    "odd candidates": [
        entry(b"Hi", top_logprobs=[None, "a", {}, {"token": 3, "logprob": -1}, entry(b"x", "y")])
    ],
}


@pytest.mark.parametrize("logprobs", ODD.values(), ids=ODD.keys())
def test_odd_probabilities_do_not_cost_the_text(logprobs: object) -> None:
    tokens, ending = read(said("Hi", logprobs), said("!", [entry(b"!")]), END)
    assert text(tokens) == "Hi!"
    assert ending.status == "complete"
    for token in tokens:
        assert token.logprob is None or math.isfinite(token.logprob)
        assert all(isinstance(raw, bytes) and math.isfinite(value) for raw, value in token.top)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["content", "token", "bytes", "logprob", "top_logprobs", "error", "x"]),
        inner,
        max_size=4,
    ),
    max_leaves=10,
)  # fmt: skip


@given(JSON, JSON, JSON, JSON)
def test_any_json_in_any_place_is_survived(
    delta: object, logprobs: object, finish: object, usage: object
) -> None:
    choice = {"delta": delta, "logprobs": logprobs, "finish_reason": finish}
    reader = Reader(list[Token]().append)
    reader.take(said("begun"))
    reader.take(chunk(choices=[choice], usage=usage, model=finish))
    reader.take(chunk(choices=[delta]))
    reader.take(delta)
    assert reader.ending().status in ("complete", "length", "filtered", "cut")


# Endings


def test_a_stream_that_ends_before_any_text_is_no_reply() -> None:
    with pytest.raises(ChatError, match="stopped without"):
        read(said(None, role="assistant"))


def test_an_ending_after_text_keeps_it() -> None:
    tokens, ending = read(said("Hi"))
    assert (text(tokens), ending.status) == ("Hi", "cut")
    assert ending.error


def test_thought_that_broke_off_is_kept_too() -> None:
    tokens, ending = read(said(None, reasoning="Hm"))
    assert (text(tokens, reasoning=True), ending.status) == ("Hm", "cut")


@pytest.mark.parametrize("count", [-1, 10**30, True, 1.5, "7", None, [7]])
def test_a_count_that_is_none_is_not_taken_for_one(count: object) -> None:
    _, ending = read(said("Hi"), chunk(choices=[], usage={"completion_tokens": count}), END)
    assert ending.usage.completion_tokens is None


def test_the_ending_says_what_the_server_called_its_model_and_its_reason() -> None:
    _, ending = read(chunk(model="m\x1b[1m\n-1", choices=[]), said("Hi", finish="x" * 100))
    assert ending.model == "m␛[1m -1"
    assert len(ending.finish_reason) == 40


@given(TEXTS, CUTS)
def test_a_refusal_is_the_reply(whole: str, cuts: list[int]) -> None:
    pieces = pieces_of(halved(whole), cuts)
    tokens, ending = read(*(said(None, refusal=piece) for piece in pieces), END)
    assert text(tokens) == clean(whole)
    assert ending.status == "complete"


def test_a_refusal_goes_on_where_the_words_end() -> None:
    tokens, _ = read(said("Well. "), said("I ", refusal="re"), said(None, refusal="fuse."), END)
    assert text(tokens) == "Well. I refuse."


@pytest.mark.parametrize("odd", [None, "", 3, ["no"], {}])
def test_a_refusal_that_is_none_changes_nothing(odd: object) -> None:
    tokens, _ = read(said("Hello", refusal=odd), END)
    assert text(tokens) == "Hello"


@pytest.mark.parametrize(
    "told",
    [
        {"prompt_tokens_details": {"cached_tokens": 7}},
        {"prompt_cache_hit_tokens": 7, "prompt_cache_miss_tokens": 2},  # DeepSeek
    ],
)
def test_cached_tokens_are_read_where_servers_put_them(told: dict[str, object]) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, **told}
    _, ending = read(said("Hi"), chunk(choices=[], usage=usage), END)
    assert ending.usage.cached_tokens == 7
