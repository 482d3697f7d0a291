"""Counts equal those of tiktoken on the whole text, whatever the text, and cost only what changed."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from functools import cache
from types import FrameType

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.load.rod import BEAT, Rod
from tui_chat.core import counting
from tui_chat.core.counting import (
    LARGEST,
    PIECE,
    GrowingCounter,
    LineCounter,
    ThreadCounter,
    count_messages,
    count_text,
    encoding_for,
    estimate,
)
from tui_chat.core.vocabulary import VOCABULARIES, read_ranks

BOTH = pytest.mark.parametrize("encoding", VOCABULARIES)

# openai-cookbook, "How to count tokens with tiktoken": 129 tokens with cl100k_base, 124 with o200k_base.
COOKBOOK: tuple[counting.Spoken, ...] = (
    (
        "system",
        "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    ),
    ("system", "New synergies will help drive top-line growth.", "example_user"),
    ("system", "Things working well together will increase revenue.", "example_assistant"),
    (
        "system",
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
        "example_user",
    ),
    (
        "system",
        "Let's talk later when we're less busy about how to do better.",
        "example_assistant",
    ),
    (
        "user",
        "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    ),
)

SPLITTING = [
    *"\n\r\t /'’\"-_.,;:!?(){}#*=<>|@0123abXYséãçñßДж你好世界。、，！？한글ひカ😀🏽€²½ⅷǅʰ٣१",
    *"\u0301\u00a0\u2028\u3000\u0085\x0b\x0c\x1c\x1f\u200d",
    *(
        "\n\n",
        "\r\n",
        "  ",
        "    ",
        "'s",
        "'LL",
        "//",
        "\n/",
        ";\n// ",
        "word",
        " Word",
        "<|endoftext|>",
    ),
]
texts = st.lists(st.sampled_from(SPLITTING), max_size=60).map("".join) | st.text(max_size=60)


@cache
def whole(encoding: str) -> tiktoken.Encoding:
    """tiktoken itself, to compare with."""
    vocabulary = VOCABULARIES[encoding]
    return tiktoken.Encoding(
        encoding,
        pat_str=vocabulary.pattern,
        mergeable_ranks=read_ranks(encoding),
        special_tokens=dict(vocabulary.special),
    )


def tokens_of(text: str, encoding: str) -> int:
    return len(whole(encoding).encode_ordinary(text))


def encoded_by(act: Callable[[], object]) -> list[str]:
    """The texts that tiktoken is given to encode while this runs."""
    given_texts: list[str] = []

    def look(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "encode_ordinary":
            given_texts.append(frame.f_locals["text"])

    sys.setprofile(look)
    try:
        act()
    finally:
        sys.setprofile(None)
    return given_texts


# Which encoding


@pytest.mark.parametrize(
    ("model", "openai", "expected"),
    [
        ("gpt-3.5-turbo", True, ("cl100k_base", True)),
        ("gpt-3.5-turbo-0125", True, ("cl100k_base", True)),
        ("gpt-3.5-turbo-instruct", True, ("cl100k_base", True)),
        ("gpt-4", True, ("cl100k_base", True)),
        ("gpt-4-turbo-2024-04-09", True, ("cl100k_base", True)),
        ("davinci-002", True, ("cl100k_base", True)),
        ("babbage-002", True, ("cl100k_base", True)),
        ("gpt-4o", True, ("o200k_base", True)),
        ("gpt-4o-mini-2024-07-18", True, ("o200k_base", True)),
        ("chatgpt-4o-latest", True, ("o200k_base", True)),
        ("gpt-4.1-nano", True, ("o200k_base", True)),
        ("ft:gpt-4.1-mini-2025-04-14:org::id", True, ("o200k_base", True)),
        ("ft:gpt-3.5-turbo-0125:org:name:id", True, ("cl100k_base", True)),
        ("openai/gpt-4o", False, ("o200k_base", True)),
        ("OpenAI/GPT-4", False, ("cl100k_base", True)),
        ("gpt-4o", False, ("o200k_base", False)),
        ("gpt-4", False, ("cl100k_base", False)),
        ("gpt-4o-audio-preview", True, ("o200k_base", False)),
        ("gpt-4o-search-preview", True, ("o200k_base", False)),
        ("gpt-5", True, ("o200k_base", False)),
        ("gpt-6-luna", True, ("o200k_base", False)),
        ("gpt-6.1-sol", True, ("o200k_base", False)),
        ("o1", True, ("o200k_base", False)),
        ("o3-mini", True, ("o200k_base", False)),
        ("o4-mini", True, ("o200k_base", False)),
        ("gpt-oss-20b", True, ("o200k_base", False)),
        ("openai/gpt-oss-20b", False, ("o200k_base", False)),
        ("claude-opus-5", False, ("o200k_base", False)),
        ("models/gemini-2.5-flash", False, ("o200k_base", False)),
        ("meta-llama/Llama-3.3-70B-Instruct", False, ("o200k_base", False)),
        ("someone/my-gpt-4-distilled", False, ("o200k_base", False)),
        ("smollm2-135m-instruct", False, ("o200k_base", False)),
        ("", True, ("o200k_base", False)),
        ("ft:", True, ("o200k_base", False)),
        ("/", False, ("o200k_base", False)),
    ],
)
def test_a_model_has_its_encoding_and_is_exact_only_where_that_is_published(
    model: str, openai: bool, expected: tuple[str, bool]
) -> None:
    assert encoding_for(model, openai) == expected


# A text


@BOTH
@settings(deadline=None)
@given(text=texts)
def test_a_text_counts_as_tiktoken_counts_it(encoding: str, text: str) -> None:
    assert count_text(text, encoding) == tokens_of(text, encoding)


@BOTH
@settings(deadline=None, max_examples=15)
@given(text=texts, place=st.integers(0, PIECE))
def test_a_text_of_several_pieces_counts_as_tiktoken_counts_it_whole(
    encoding: str, text: str, place: int
) -> None:
    unit = text + " and."
    long = "x " * (place // 2) + unit * (2 * PIECE // len(unit))
    assert count_text(long, encoding) == tokens_of(long, encoding)


@BOTH
def test_a_run_without_any_place_to_cut_is_off_by_no_more_than_its_cuts(encoding: str) -> None:
    run_on = "".join(random.Random(7).choices("abcdefgh0123", k=3 * PIECE))
    assert abs(count_text(run_on, encoding) - tokens_of(run_on, encoding)) <= 2 * 3


@BOTH
def test_special_tokens_in_a_text_are_plain_text(encoding: str) -> None:
    assert count_text("<|endoftext|>", encoding) == 7
    for special in VOCABULARIES[encoding].special:
        assert count_text(f"say {special} now", encoding) > 3


@BOTH
def test_lone_surrogates_are_counted_as_replacement_characters(encoding: str) -> None:
    assert count_text("a\ud800b\udfff", encoding) == count_text("a\ufffdb\ufffd", encoding)
    assert LineCounter().count("a\n\ud800b\n\udfff", encoding) > 0
    assert estimate("a\ud800b") > 0


@BOTH
def test_nothing_counts_as_nothing(encoding: str) -> None:
    assert count_text("", encoding) == LineCounter().count("", encoding) == estimate("") == 0


@BOTH
def test_a_text_beyond_the_largest_is_estimated_from_all_of_it(encoding: str) -> None:
    words = random.Random(3).choices(
        ["the", "model", "says", "olá", "世界", "why;", "not?", "12345", "tokens\n"], k=999
    )
    block = " ".join(words)
    half = block * (LARGEST // 2 // len(block) + 1)
    text = half + "a" * len(half)
    counted = count_text(text, encoding)
    honest = count_text(half, encoding) + len(half) // 8
    assert abs(counted - honest) < honest * 0.05
    assert LineCounter().count(text, encoding) == counted


def test_an_estimate_is_within_a_factor_of_two() -> None:
    for text in (
        "The quick brown fox jumps over the lazy dog. ",
        "Qual é a capital do Brasil? Não sei, pergunto à professora. ",
        "好好学习天天向上，今天我们来看看这个问题。",
        "Съешь же ещё этих мягких французских булок. ",
        "def f(x):\n    return x + 1\n",
    ):
        guess, count = estimate(text * 20), count_text(text * 20, "cl100k_base")
        assert count / 2 <= guess <= count * 2


# A request


@pytest.mark.parametrize(("encoding", "expected"), [("cl100k_base", 129), ("o200k_base", 124)])
def test_the_cookbooks_messages_count_what_openai_bills(encoding: str, expected: int) -> None:
    assert count_messages(COOKBOOK, encoding) == expected
    assert ThreadCounter().count(COOKBOOK, encoding) == expected


# A thread that grows


@BOTH
def test_a_new_message_costs_only_itself(encoding: str) -> None:
    counter = ThreadCounter()
    thread: list[counting.Spoken] = [("user", f"message {number}") for number in range(50)]
    counter.count(thread, encoding)
    thread.append(("assistant", "a new one"))
    assert encoded_by(lambda: counter.count(thread, encoding)) == ["assistant", "a new one"]
    assert counter.count(thread, encoding) == count_messages(thread, encoding)


def test_a_thread_is_counted_again_when_the_encoding_changes() -> None:
    counter = ThreadCounter()
    for encoding in ("cl100k_base", "o200k_base", "cl100k_base"):
        assert counter.count(COOKBOOK, encoding) == count_messages(COOKBOOK, encoding)


@BOTH
def test_a_reply_that_grows_is_counted_as_it_is_now(encoding: str) -> None:
    counter = ThreadCounter()
    for words in range(5):
        thread = [("user", "hi"), ("assistant", "word " * words)]
        assert counter.count(thread, encoding) == count_messages(thread, encoding)


# A draft that is typed


@BOTH
@settings(deadline=None)
@given(edits=st.lists(st.tuples(texts, st.integers(0, 400)), min_size=1, max_size=4))
def test_a_draft_counts_as_the_whole_text_after_each_edit(
    encoding: str, edits: list[tuple[str, int]]
) -> None:
    counter, draft = LineCounter(), ""
    for text, place in edits:
        draft = draft[:place] + text + draft[place:]
        assert counter.count(draft, encoding) == tokens_of(draft, encoding)


@BOTH
@settings(deadline=None, max_examples=60)
@given(
    edits=st.lists(
        st.tuples(st.text("\n\n\n/ a.,。世é", max_size=40), st.integers(0, 99), st.integers(0, 20)),
        max_size=9,
    )
)
def test_so_it_does_when_parts_of_it_are_replaced(
    encoding: str, edits: list[tuple[str, int, int]]
) -> None:
    counter, draft = LineCounter(), ""
    for text, place, gone in edits:
        draft = draft[:place] + text + draft[place + gone :]
        assert counter.count(draft, encoding) == tokens_of(draft, encoding)


@BOTH
@settings(deadline=None, max_examples=30)
@given(text=texts)
def test_a_long_paragraph_counts_as_the_whole_text(encoding: str, text: str) -> None:
    paragraph = (text or "x") * 2_100
    assert LineCounter().count(paragraph[:9_000], encoding) == tokens_of(
        paragraph[:9_000], encoding
    )


@BOTH
def test_a_key_in_a_draft_costs_its_line(encoding: str) -> None:
    lines = [f"Line {number} of the draft.\n" for number in range(200)]
    counter = LineCounter()
    counter.count("".join(lines), encoding)
    lines[100] = "Line 100 of the draft, edited.\n"
    assert encoded_by(lambda: counter.count("".join(lines), encoding)) == [lines[100]]
    assert encoded_by(lambda: counter.count("".join(lines), encoding)) == []


@BOTH
def test_a_key_in_a_long_paragraph_costs_its_clause(encoding: str) -> None:
    clauses = [f" clause number {number}," for number in range(500)]
    counter = LineCounter()
    counter.count("".join(clauses), encoding)
    clauses[250] = " clause that was edited,"
    assert encoded_by(lambda: counter.count("".join(clauses), encoding)) == [clauses[250]]


def test_a_draft_is_counted_again_when_the_encoding_changes() -> None:
    counter, draft = LineCounter(), "Olá, mundo.\n你好，世界。\n"
    for encoding in ("cl100k_base", "o200k_base", "cl100k_base"):
        assert counter.count(draft, encoding) == tokens_of(draft, encoding)


# A reply that arrives


@BOTH
@settings(deadline=None)
@given(pieces=st.lists(texts, max_size=12))
def test_a_growing_text_counts_as_the_whole_text_at_each_piece(
    encoding: str, pieces: list[str]
) -> None:
    counter, text = GrowingCounter(encoding), ""
    for piece in pieces:
        text += piece
        assert counter.add(piece) == tokens_of(text, encoding)


@BOTH
def test_a_piece_of_a_growing_text_costs_its_end(encoding: str) -> None:
    counter = GrowingCounter(encoding)
    for number in range(200):
        counter.add(f"Line {number} of the reply.\n")
    assert "".join(encoded_by(lambda: counter.add("more"))) == "Line 199 of the reply.\nmore"


@BOTH
def test_a_growing_line_without_an_end_costs_no_more_the_longer_it_is(encoding: str) -> None:
    counter = GrowingCounter(encoding)
    counter.add("a" * 3 * PIECE)
    assert max(map(len, encoded_by(lambda: counter.add("a")))) == 1


@given(text=st.text("ab \n/.,。", max_size=40), pattern=st.sampled_from(("_LINE", "_CLAUSE")))
def test_the_last_place_to_cut_is_found_in_pieces_as_in_the_whole(text: str, pattern: str) -> None:
    sought = getattr(counting, pattern)
    whole = max((match.start() for match in sought.finditer(text)), default=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "PIECE", 3)
        assert counting._last_place(sought, text) == whole


async def test_a_giant_without_a_place_to_cut_lets_other_threads_run() -> None:
    giant = "x" * 5_000_000
    with Rod() as rod:
        assert await asyncio.to_thread(counting._last_cut, giant) == len(giant)
        await asyncio.sleep(2 * BEAT)
    assert rod.gap < 0.1, rod
