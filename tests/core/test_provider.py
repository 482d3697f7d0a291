"""A reply over the wire: what arrives, and how it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from tests.core.wire import HI, SETUP, provider_for, replied, text, until
from tests.fake_server import Answer, FakeServer, words
from tui_chat.core import client as client_of
from tui_chat.core.conversation import Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.wire import Request

# What arrives


async def test_a_reply_arrives_token_by_token_with_its_figures() -> None:
    with FakeServer(Answer(words("The capital is Brasília."))) as server:
        tokens, ending = await replied(server)
    assert [token.text for token in tokens] == ["The ", "capital ", "is ", "Brasília."]
    assert (ending.status, ending.finish_reason, ending.error) == ("complete", "stop", "")
    assert (ending.model, ending.request_id, ending.refused) == ("m-1", "req-1", ())
    assert (ending.usage.prompt_tokens, ending.usage.completion_tokens) == (7, 4)
    assert not ending.usage.estimated
    assert ending.usage.first_token_seconds is not None
    assert ending.usage.seconds is not None
    assert 0 < ending.usage.first_token_seconds <= ending.usage.seconds


@pytest.mark.parametrize(
    ("finish", "status", "error"),
    [
        ("stop", "complete", ""),
        ("length", "length", ""),
        (
            "content_filter",
            "filtered",
            "The server's content filter stopped it. Put it in other words.",
        ),
        ("tool_calls", "complete", ""),
        ("something_new", "complete", ""),
    ],
)
async def test_the_finish_reason_decides_the_status(finish: str, status: str, error: str) -> None:
    with FakeServer(Answer(finish=finish)) as server:
        _, ending = await replied(server)
    assert (ending.status, ending.finish_reason, ending.error) == (status, finish, error)


async def test_an_empty_reply_is_complete() -> None:
    with FakeServer(Answer(tokens=())) as server:
        tokens, ending = await replied(server)
    assert tokens == []
    assert (ending.status, ending.error) == ("complete", "")
    assert ending.usage.first_token_seconds is None


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_reasoning_comes_apart_from_the_reply(name: str) -> None:
    answer = Answer(("Four", "."), reasoning=("2 and", " 2"), reasoning_name=name)
    with FakeServer(answer) as server:
        tokens, ending = await replied(server)
    assert text(tokens) == "Four."
    assert text(tokens, reasoning=True) == "2 and 2"
    assert ending.status == "complete"


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (("a\ud83d", "\ude00b"), "a\U0001f600b"),
        (("\ud83d", "\ude00"), "\U0001f600"),
        (("broken \ud83d", " half"), "broken \ufffd half"),
        (("end \ud83d",), "end \ufffd"),
        (("one\r", "\ntwo\r", "three\r"), "one\ntwo\nthree\n"),
        (("\x1b]0;owned", "\x07 [/]", "\x9b2J\u202e"), "␛]0;owned␇ [/]\ufffd2J\ufffd"),
    ],
)
async def test_text_is_cleaned_whole_wherever_it_was_split(
    pieces: Sequence[str], whole: str
) -> None:
    with FakeServer(Answer(pieces, reasoning=pieces)) as server:
        tokens, _ = await replied(server)
    assert text(tokens) == whole
    assert text(tokens, reasoning=True) == whole


@pytest.mark.parametrize("size", [1, 7])
async def test_bytes_may_be_split_anywhere(size: int) -> None:
    event = {"choices": [{"index": 0, "delta": {"content": "Olá 😀"}, "finish_reason": "stop"}]}
    stream = f": comment\r\n\r\ndata: {json.dumps(event, ensure_ascii=False)}\r\n\r\n".encode()
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n"
    with FakeServer(Answer(wire=head + body + b"0\r\n\r\n")) as server:
        tokens, ending = await replied(server)
    assert text(tokens) == "Olá 😀"
    assert ending.status == "complete"


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


ODD = {
    "comments": b": keep-alive\n\n:\n\n",
    "no choices": event(id="x", prompt_filter_results=[]),
    "choices null": event(choices=None),
    "choices empty": event(choices=[]),
    "delta null": event(choices=[{"index": 0, "delta": None}]),
    "delta missing": event(choices=[{"index": 0}]),
    "content null": event(choices=[{"index": 0, "delta": {"content": None}}]),
    "content of another type": event(choices=[{"index": 0, "delta": {"content": [{"a": 1}]}}]),
    "unknown fields": event(choices=[{"delta": {"mood": "odd"}, "x": [1]}], obfuscation="zz"),
    "odd usage": event(choices=[], usage={"prompt_tokens": "many", "completion_tokens": -1}),
    "a second choice beside an empty one": event(
        choices=[{"index": 0, "delta": {}}, {"index": 1, "delta": {"content": "other"}}]
    ),
    "progress": event(choices=[{"delta": {}}], prompt_progress={"total": 9, "processed": 3}),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
async def test_odd_chunks_are_tolerated(odd: bytes) -> None:
    with FakeServer(Answer(inject={0: odd, 2: odd, 4: odd})) as server:
        tokens, ending = await replied(server)
    assert text(tokens) == "Hello, world."
    assert ending.status == "complete"


async def test_all_the_counts_that_a_server_sends_are_kept() -> None:
    counts = {
        "prompt_tokens": 11,
        "completion_tokens": 22,
        "total_tokens": 33,
        "completion_tokens_details": {"reasoning_tokens": 5},
        "prompt_tokens_details": {"cached_tokens": 8},
    }
    with FakeServer(Answer(usage=counts)) as server:
        _, ending = await replied(server)
    usage = ending.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 22)
    assert (usage.reasoning_tokens, usage.cached_tokens) == (5, 8)


async def test_without_counts_the_figures_stay_unknown() -> None:
    with FakeServer(Answer(usage=False)) as server:
        _, ending = await replied(server)
    assert ending.usage.completion_tokens is None
    assert ending.usage.seconds is not None


async def test_thousands_of_tokens_arrive_in_order() -> None:
    numbers = [f"{number} " for number in range(5_000)]
    with FakeServer(Answer(numbers)) as server:
        tokens, ending = await replied(server)
    assert [token.text for token in tokens] == numbers
    assert ending.usage.completion_tokens == 5_000


async def test_the_event_loop_turns_while_a_flood_arrives() -> None:
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    with FakeServer(Answer(["word "] * 3_000)) as server:
        beside = asyncio.create_task(turning())
        tokens, _ = await replied(server)
        beside.cancel()
    assert len(tokens) == 3_000
    assert turns > 20


# How it ends


async def test_a_cancelled_reply_closes_its_connection_and_keeps_its_tokens() -> None:
    tokens: list[Token] = []
    with FakeServer(Answer(["word "] * 1_000, delay=0.01)) as server:
        async with provider_for(server) as provider:
            task = asyncio.create_task(provider.reply(Request(SETUP, HI), tokens.append))
            await until(lambda: len(tokens) > 3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: server.disconnects)
            sent = len(server.sent)
            assert len(tokens) <= sent < 1_000
            server.answer = Answer()
            assert (await provider.reply(Request(SETUP, HI), tokens.append)).status == "complete"


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(stall_after=0)])
async def test_a_reply_is_cancelled_before_its_first_token(answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with provider_for(server) as provider:
            task = asyncio.create_task(provider.reply(Request(SETUP, HI), print))
            await until(lambda: server.chats)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: server.disconnects)


async def test_a_sink_that_fails_closes_the_connection() -> None:
    def full(token: Token) -> None:
        raise RuntimeError("the sink is full")

    with FakeServer(Answer(["word "] * 1_000, delay=0.01)) as server:
        async with provider_for(server) as provider:
            with pytest.raises(RuntimeError, match="full"):
                await provider.reply(Request(SETUP, HI), full)
            await until(lambda: server.disconnects)


async def test_a_line_that_never_ends_is_given_up() -> None:
    head = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\n\r\ndata: "
    with FakeServer(Answer(wire=head + b"x" * 33_000_000)) as server:
        async with provider_for(server) as provider:
            with pytest.raises(ChatError, match="not in the API's form"):
                await provider.reply(Request(SETUP, HI), print)


async def test_a_closed_provider_opens_again() -> None:
    with FakeServer() as server:
        async with provider_for(server) as provider:
            await provider.close()
            await provider.warm()
            await asyncio.gather(provider.warm(), provider.warm())
            await provider.close()
            assert await provider.models()
            await provider.close()
            await provider.close()


async def test_a_request_that_comes_as_the_client_closes_is_a_failure_in_words() -> None:
    with FakeServer() as server:
        client = client_of.made(Endpoint("fake", server.base_url), "k", 5)
        await client.close()
        with pytest.raises(client_of.faults()) as caught:
            await client_of.at_root(client, "/apply-template", {})
    assert not isinstance(caught.value, RuntimeError)
    assert not server.requests
