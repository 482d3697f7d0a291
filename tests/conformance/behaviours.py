"""What the program relies on in every server: each behaviour is a function that asks, asserts, and says what it saw.

A server that is known not to have one (see Bench.lacks) is asked all the same, and what the program
says then is asserted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.conformance.bench import QUESTION, Bench, Reply, joined
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.params import Params
from tui_chat.core.wire import Request

Behaviour = Callable[[Bench], Awaitable[str]]
BEHAVIOURS: dict[str, Behaviour] = {}
"""By name, in the order in which they are tried."""
STORY = "Tell me a story about the sea."
COUNT = "Count from one to a thousand in words, and leave nothing out."
SOON = 40
"""Seconds; four replies that were not given up would keep a small model busy for minutes."""


def behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    """Enters a function under this name."""

    def enter(function: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = function
        return function

    return enter


def lacking(bench: Bench, name: str, words: str) -> str:
    """What a server without a behaviour must come to: the words that were declared, or none."""
    expected = bench.lacks[name]
    assert bool(expected) == bool(words), f"expected “{expected}”, the program said “{words}”"
    assert expected in words, f"expected “{expected}”, the program said “{words}”"
    return f"not offered; said: {words}" if words else "ignored by the server, as is known of it"


async def seen_before(bench: Bench, question: str) -> None:
    """Have a server read a prompt: what it keeps of one is not to the last bit what it computes anew (llama.cpp
    says so), and two replies are to be the same."""
    await bench.ask(question, max_tokens=1)


def same(bench: Bench, one: str, other: str) -> bool:
    """Whether two texts are the same; not looked at where a server cannot say the same again."""
    return one == other or "seed" in bench.lacks


def shown(text: str) -> str:
    """A text as a table can show it."""
    short = " ".join(text.split())
    return f"“{short[:40]}…”" if len(short) > 40 else f"“{short}”"


@behaviour("list")
async def lists_its_models(bench: Bench) -> str:
    async with bench.provider() as provider:
        served = await provider.models()
    assert bench.model in [model.id for model in served]
    return f"{len(served)} listed"


@behaviour("chat")
async def answers(bench: Bench) -> str:
    reply = await bench.ask(max_tokens=60)
    assert "Brasilia" in reply.text
    assert reply.ending.status == "complete"
    assert reply.ending.finish_reason == "stop"
    assert not reply.ending.error
    return shown(reply.text)


@behaviour("stream")
async def streams_in_pieces_that_add_up(bench: Bench) -> str:
    await seen_before(bench, STORY)
    reply = await bench.ask(STORY, max_tokens=14)
    status, whole = await bench.posted(
        "/chat/completions",
        {"messages": [{"role": "user", "content": STORY}], "temperature": 0, "max_tokens": 14},
    )
    usage = reply.ending.usage
    assert status == 200
    assert same(bench, reply.text, whole["choices"][0]["message"]["content"])
    assert len([token for token in reply.tokens if token.text]) > 10
    assert usage.first_token_seconds is not None
    assert usage.seconds is not None
    assert usage.first_token_seconds < usage.seconds
    return f"{len(reply.tokens)} pieces"


@behaviour("stop")
async def ends_before_a_stop_sequence(bench: Bench) -> str:
    await seen_before(bench, STORY)
    whole = await bench.ask(STORY, max_tokens=14)
    word = whole.text.split()[5]
    stopped = await bench.ask(STORY, max_tokens=14, stop=("never said", word))
    assert word not in stopped.text
    assert stopped.text
    assert same(bench, stopped.text, whole.text.partition(word)[0])
    assert stopped.ending.status == "complete"
    assert not stopped.refused
    return f"ended before “{word}”"


@behaviour("length")
async def ends_at_the_longest_length(bench: Bench) -> str:
    reply = await bench.ask(STORY, max_tokens=5)
    assert reply.ending.status == "length"
    assert not reply.refused
    if "usage" not in bench.lacks:
        assert reply.ending.usage.completion_tokens == 5
    return shown(reply.text)


@behaviour("penalties")
async def takes_penalties(bench: Bench) -> str:
    asked = "Say the word no again and again: no no no no no no"
    plain = await bench.ask(asked, max_tokens=8)
    kept = await bench.ask(asked, max_tokens=8, frequency_penalty=2.0, presence_penalty=2.0)
    if "penalties" in bench.lacks:
        return lacking(bench, "penalties", " ".join(kept.refused.values()))
    assert not kept.refused
    assert kept.text != plain.text
    return f"{shown(plain.text)} became {shown(kept.text)}"


@behaviour("extensions")
async def takes_what_its_endpoint_says_it_takes(bench: Bench) -> str:
    free = await bench.ask(STORY, max_tokens=8, temperature=2.0, seed=5)
    tied = await bench.ask(STORY, max_tokens=8, temperature=2.0, seed=5, top_k=1)
    greedy = await bench.ask(STORY, max_tokens=8)
    if "extensions" in bench.lacks:
        return lacking(bench, "extensions", " ".join(tied.refused.values()))
    assert not tied.refused
    assert tied.text != free.text
    assert same(bench, tied.text, greedy.text)
    return "only the likeliest token is the same as temperature 0"


def _probable(reply: Reply, candidates: int) -> str:
    """Asserts that each token has its probability, and that the tokens are the text; says what was seen."""
    told = [token for token in reply.tokens if token.logprob is not None]
    assert len(told) > 3
    assert joined(reply.tokens).decode() == reply.text
    for token in told:
        assert token.logprob is not None
        assert token.logprob <= 0
        assert len(token.top) == candidates
        chances = [chance for _, chance in token.top]
        assert chances == sorted(chances, reverse=True)
    return f"{len(told)} tokens with {candidates} candidates each"


@behaviour("logprobs")
async def tells_probabilities_as_they_are_before_temperature(bench: Bench) -> str:
    cold = await bench.ask(logprobs=3, max_tokens=6)
    if "logprobs" in bench.lacks:
        return lacking(bench, "logprobs", " ".join(cold.refused.values()))
    seen = _probable(cold, 3)
    for token in cold.tokens:
        if token.logprob is not None:
            assert token.top[0] == (token.raw, token.logprob), "at zero the likeliest is taken"
    # Raw: another temperature changes what is drawn, not what the first place tells.
    warm = await bench.ask(logprobs=3, max_tokens=6, temperature=1.7, seed=3)
    first, again = (next(one for one in each.tokens if one.top) for each in (cold, warm))
    assert [each.raw for each in first.top] == [each.raw for each in again.top]
    for one, other in zip(first.top, again.top, strict=True):
        assert abs(one.logprob - other.logprob) < 0.05
    return seen


@behaviour("completions")
async def continues_a_text(bench: Bench) -> str:
    reply = await bench.complete("The first days of the week are Monday, Tuesday,", max_tokens=8)
    if "completions" in bench.lacks:
        return lacking(bench, "completions", reply.ending.error)
    assert "Wednesday" in reply.text
    assert reply.ending.status == "length"
    if "usage" not in bench.lacks:
        assert reply.ending.usage.completion_tokens == 8
    return shown(reply.text)


@behaviour("completion logprobs")
async def tells_the_probabilities_of_a_continuation(bench: Bench) -> str:
    reply = await bench.complete("One, two, three, four,", logprobs=3, max_tokens=6)
    assert reply.ending.status == "length"
    if "completion logprobs" in bench.lacks:
        assert all(token.logprob is None for token in reply.tokens), "it has them after all"
        return lacking(bench, "completion logprobs", " ".join(reply.refused.values()))
    return _probable(reply, 3)


@behaviour("usage")
async def counts_tokens(bench: Bench) -> str:
    short = (await bench.ask("hi", max_tokens=4)).ending.usage
    long = (await bench.ask("hi " * 100, max_tokens=4)).ending.usage
    if "usage" in bench.lacks:
        assert (short.prompt_tokens, short.completion_tokens) == (None, None)
        return lacking(bench, "usage", "")
    assert short.completion_tokens == 4
    assert short.prompt_tokens is not None
    assert long.prompt_tokens is not None
    assert short.prompt_tokens + 90 < long.prompt_tokens < short.prompt_tokens + 250
    return f"{short.prompt_tokens} and {long.prompt_tokens} tokens of prompt"


@behaviour("system prompt")
async def heeds_a_system_prompt(bench: Bench) -> str:
    without = await bench.ask("Hello", max_tokens=8)
    other = await bench.ask(
        "Hello", max_tokens=8, system="You are a cat. You only ever say: miaow."
    )
    assert other.text != without.text
    return f"{shown(without.text)} became {shown(other.text)}"


@behaviour("seed")
async def repeats_itself_with_a_seed(bench: Bench) -> str:
    await seen_before(bench, STORY)
    first, second, other = [
        (await bench.ask(STORY, temperature=1.5, seed=seed, max_tokens=8)).text
        for seed in (7, 7, 8)
    ]
    assert first != other
    if "seed" in bench.lacks:
        return lacking(bench, "seed", "")
    assert first == second
    return shown(first)


@behaviour("cancel")
async def is_free_again_after_replies_were_given_up(bench: Bench) -> str:
    async def given_up() -> None:
        tokens: list[Token] = []
        setup = replace(bench.setup, params=Params({"temperature": 0, "max_tokens": 4000}))
        async with bench.provider() as provider:
            request = Request(setup, [said("user", COUNT)])
            task = asyncio.create_task(provider.reply(request, tokens.append))
            try:
                async with asyncio.timeout(60):
                    while len(tokens) < 3:
                        assert not task.done(), "it ended by itself"
                        await asyncio.sleep(0.01)
            finally:
                task.cancel()
                await asyncio.wait([task])
            assert task.cancelled()

    # As many as the built-in model answers at the same time.
    await asyncio.gather(*(given_up() for _ in range(4)))
    began = time.monotonic()
    async with asyncio.timeout(SOON):
        reply = await bench.ask(max_tokens=3)
    assert reply.ending.status == "length"
    return f"the next reply took {time.monotonic() - began:.1f} s"


@behaviour("overflow")
async def says_that_a_thread_is_too_long(bench: Bench) -> str:
    words = await bench.failure("word " * 20_000)
    if "overflow" in bench.lacks:
        return lacking(bench, "overflow", words)
    assert "tokens too long: it has 200" in words, words
    assert ", and the model takes 8192." in words, words
    return words.partition(". ")[0]


@behaviour("unknown model")
async def says_that_there_is_no_such_model(bench: Bench) -> str:
    words = await bench.failure(model="no-such-model")
    if "unknown model" in bench.lacks:
        return lacking(bench, "unknown model", words)
    assert "has no model “no-such-model”" in words, words
    return words


@behaviour("wrong key")
async def says_that_the_key_is_refused(bench: Bench) -> str:
    words = await bench.failure(key=Secret("sk-wrong-0123456789"))
    assert "sk-wrong" not in words, "a key is shown"
    if "wrong key" in bench.lacks:
        return lacking(bench, "wrong key", words)
    assert "refused" in words, words
    assert "key" in words, words
    assert "401" in words, words
    return words


@behaviour("wrong path")
async def says_that_the_path_is_wrong(bench: Bench) -> str:
    base = bench.endpoint.base_url
    words = await bench.failure(base_url=f"{base}/elsewhere")
    if "wrong path" in bench.lacks:
        return lacking(bench, "wrong path", words)
    assert f"There is no API at {base}/elsewhere" in words, words
    assert "/v1?" in words, words
    return words.partition(" It says")[0]


@behaviour("goes on")
async def goes_on_with_a_reply(bench: Bench) -> str:
    tokens: list[Token] = []
    setup = Setup(
        bench.endpoint.name, bench.model, params=Params({"temperature": 0, "max_tokens": 6})
    )
    request = Request(setup, [said("user", QUESTION)], begun="The capital of Brazil is")
    words = ""
    async with bench.provider() as provider:
        try:
            await provider.reply(request, tokens.append)
        except ChatError as error:
            words = str(error)
    if "goes on" in bench.lacks:
        return lacking(bench, "goes on", words)
    text = "".join(token.text for token in tokens)
    assert "Bras" in text, f"{text} {words}"
    assert not text.lstrip().startswith("The capital")
    return shown(text)
