"""A conversation that is too long: what servers say of it is read, and what would make it fit is right."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.failing import ASKED, openai
from tui_chat.core import failures, overflow
from tui_chat.core.conversation import Conversation, Role, Setup, said
from tui_chat.core.overflow import Overflow, Remedies, remedies_for
from tui_chat.core.params import Params

OPENAI = "This model's maximum context length is 4097 tokens. However, "
SAID = {
    "OpenAI": (OPENAI + "your messages resulted in 5001 tokens. Please reduce the length.", (5001, 4097, 0)),
    "OpenAI, with the length": (OPENAI + "you requested 5097 tokens (1097 in the messages, 4000 in the completion). Please reduce the length of the messages or completion.", (1097, 4097, 4000)),
    "OpenAI's completions": (OPENAI + "you requested 5000 tokens (1000 in your prompt; 4000 for the completion).", (1000, 4097, 4000)),
    "OpenAI's newer models": ("Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens.", (300000, 272000, 0)),
    "OpenRouter": ("This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens (8900 of text input, 10 of tool input, 100 in the output).", (8900, 8192, 100)),
    "vLLM": (OPENAI + "you requested 4000 output tokens and your prompt contains at least 1000 input tokens, for a total of at least 5000 tokens.", (1000, 4097, 4000)),
    "vLLM, the length": ("'max_tokens' is too large: 4000. This model's maximum context length is 4097 tokens and your request has 1000 input tokens (4000 > 4097 - 1000).", (1000, 4097, 4000)),
    "llama.cpp": ("request (631 tokens) exceeds the available context size (256 tokens), try increasing it", (631, 256, 0)),
    "Anthropic": ("prompt is too long: 205000 tokens > 200000 maximum", (205000, 200000, 0)),
    "Anthropic, with the length": ("input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000, decrease input length", (199000, 200000, 20000)),
    "Gemini": ("The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).", (1048577, 1048576, 0)),
    "Mistral": ("Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length", (40000, 32768, 0)),
    "xAI": ("This model's maximum prompt length is 131072 but the request contains 140000 tokens.", (140000, 131072, 0)),
    "Together": ("`inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4000 `inputs` tokens and 512 `max_new_tokens`", (4000, 4097, 512)),
    "LM Studio": ("Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens", (5000, 4096, 0)),
}  # fmt: skip


@pytest.mark.parametrize(("words", "figures"), SAID.values(), ids=SAID.keys())
def test_the_figures_are_read_out_of_each_servers_words_and_told_with_how_many_are_too_many(
    words: str, figures: tuple[int, int, int]
) -> None:
    used, room, wanted = figures
    told = failures.from_status(400, openai(words), {}, ASKED).message
    assert f"conversation is {used + wanted - room} token" in told
    assert overflow.read(told) == Overflow(used, room, wanted)


@pytest.mark.parametrize(
    "words",
    [
        "This model's maximum context length is 4097 tokens. Your messages have 12 tokens.",
        "maximum context length is " + "9" * 5_000 + " tokens, and 10 tokens",
        "maximum context length is 1 tokens " * 5_000,
        "something else",
    ],
)
def test_words_that_name_no_overflow_are_none(words: str) -> None:
    told = failures.from_status(400, openai(words), {}, ASKED).message
    assert overflow.read(told) is None


def test_a_texts_overflow_is_told_as_a_texts() -> None:
    told = Overflow(300, 200).sentence("text")
    assert told == "The text is 100 tokens too long: it has 300, and the model takes 200."


@given(st.builds(Overflow, *[st.integers(0, 10**9)] * 3, st.booleans()))
def test_what_is_said_of_an_overflow_is_read_back(over: Overflow) -> None:
    found = overflow.read(over.sentence() + " It says: no. Shorten it.")
    assert found is not None
    if over.over:
        assert (found.used, found.room, found.wanted) == (over.used, over.room, over.wanted)
    assert overflow.read("fake says: " + over.sentence()) is None


@pytest.mark.parametrize(
    ("given", "over"),
    [
        ((100, 200, 100), None),
        ((100, 200, 101), Overflow(100, 200, 101)),
        ((201, 200, 0), Overflow(201, 200)),
        ((None, 200, 1000), None),
        ((1000, None, 1000), None),
    ],
)
def test_a_request_is_known_to_overflow_before_it_is_sent(
    given: tuple[int | None, int | None, int], over: Overflow | None
) -> None:
    assert overflow.check_overflow(*given) == over


USER: Role = "user"
REPLY: Role = "assistant"
CHAT = [USER, REPLY] * 3 + [USER]


@pytest.mark.parametrize(
    ("over", "found"),
    [
        (Overflow(1097, 4097, 4000), Remedies(shorter=3000)),
        # Seven messages of 100 and 10 besides: three of them, and a quarter for the answer, fit.
        (Overflow(710, 600), Remedies(forget=4, left_out=4)),
        (Overflow(710, 600, 500), Remedies(forget=6, left_out=6, length=490)),
        (Overflow(710, 110), Remedies()),
        (Overflow(), Remedies(forget=6, left_out=6)),
    ],
)
def test_what_would_make_a_thread_fit(over: Overflow, found: Remedies) -> None:
    if over.used == 1097:
        assert remedies_for(over, 4000, 97, [1000], ["user"]) == found
    else:
        assert remedies_for(over, 0, 10, [100] * 7, CHAT) == found


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), st.integers(1, 500))),
    st.integers(1, 5_000),
    st.integers(0, 3_000),
    st.integers(0, 200),
)
def test_what_is_offered_does_fit_and_keeps_the_question(
    messages: list[tuple[Role, int]], room: int, wanted: int, base: int
) -> None:
    roles: list[Role] = [*(role for role, _ in messages), USER]
    sizes = [*(size for _, size in messages), 7]
    used = base + sum(sizes)
    over = Overflow(used, room, wanted)
    found = remedies_for(over, wanted, base, sizes, roles)
    if found.shorter:
        assert used + found.shorter <= room
    if found.forget:
        assert roles[found.forget] == "user"
        before = roles[: found.forget]
        kept = base + sum(sizes[found.forget :])
        kept += sum(size for role, size in zip(before, sizes, strict=False) if role == "system")
        assert kept + (found.length or wanted) <= room
        assert found.left_out == sum(role != "system" for role in before) > 0


def test_a_threads_tokens_are_counted_and_scaled_to_the_servers_count() -> None:
    roles = [USER, REPLY] * 10 + [USER]
    thread = [said(role, "word " * 100) for role in roles]
    setup = Setup("e", "m", params=Params({"max_tokens": 100}))
    found = overflow.remedies(Overflow(4200, 2350), setup, thread)
    # 200 tokens each by the server's count: eleven of them and the answer fit.
    assert (found.forget, found.left_out) == (10, 10)


def test_the_copies_are_a_branch_beside_the_first_message_in_order() -> None:
    first = said("system", "Be brief.")
    one = said("user", "one", first.id)
    two = said("assistant", "two", one.id, setup=Setup("e", "m"))
    three = said("user", "three", two.id)
    whole = Conversation(messages=[first, one, two, three])
    made = overflow.copies(whole.thread(), 3)
    for copy, _ in made:
        whole.add(copy)
    assert [message.content for message in whole.thread()] == ["Be brief.", "three"]
    assert whole.siblings(made[0][0].id) == (first.id, made[0][0].id)
    assert [original for _, original in made] == [first.id, three.id]
    assert all(two.parent == one.id for (one, _), (two, _) in pairwise(made))
