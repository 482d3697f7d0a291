"""A reply over the wire: what is sent, what arrives, what a server refuses, and how it all ends."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.fake_server import Answer, Body, FakeServer, words
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Message, Refusal, Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.provider import MOST_REPEATS, Provider, ServedModel

SETUP = Setup("fake", "m-1")
HI = (said("user", "hi"),)


async def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition; AssertionError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.002)


@asynccontextmanager
async def provider_for(
    server: FakeServer, key: str = "", **changes: Any
) -> AsyncIterator[Provider]:
    endpoint = replace(Endpoint("fake", server.base_url), **changes)
    provider = Provider(endpoint, Secret(key) if key else None)
    try:
        yield provider
    finally:
        await provider.close()


async def replied(
    server: FakeServer, setup: Setup = SETUP, thread: Sequence[Message] = HI, **more: Any
) -> tuple[list[Token], Ending]:
    """The tokens and the ending of one reply."""
    logprobs, notice = more.pop("logprobs", 0), more.pop("notice", None)
    tokens: list[Token] = []
    async with provider_for(server, **more) as provider:
        ending = await provider.reply(
            setup, thread, tokens.append, logprobs=logprobs, notice=notice
        )
    return tokens, ending


def text(tokens: Sequence[Token], *, reasoning: bool = False) -> str:
    return "".join(token.text for token in tokens if token.reasoning == reasoning)


def with_params(**values: object) -> Setup:
    return replace(SETUP, params=Params(values))


def refusal(message: str, **more: object) -> Body:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


def unsupported(name: str) -> Body:
    return refusal(f"Unsupported parameter: '{name}' is not supported with this model.", param=name)


# What is sent


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


async def test_only_what_is_set_is_sent() -> None:
    with FakeServer() as server:
        await replied(server)
        assert server.chats == [
            {
                "model": "m-1",
                "messages": [{"role": "user", "content": "hi"}],
                "stream": True,
                "stream_options": {"include_usage": True},
            }
        ]


async def test_zero_is_a_value_and_none_is_not() -> None:
    with FakeServer() as server:
        await replied(server, with_params(temperature=0.0, top_p=None, presence_penalty=0, seed=0))
        (sent,) = server.chats
    assert sent["temperature"] == 0
    assert sent["presence_penalty"] == 0
    assert sent["seed"] == 0
    assert "top_p" not in sent


SET = {
    "temperature": 0.25, "top_p": 0.5, "max_tokens": 42, "stop": ["11", "\n"], "seed": 2**63 - 1,
    "frequency_penalty": -1.5, "presence_penalty": 1.5, "top_k": 40, "min_p": 0.05,
    "repeat_penalty": 1.1,
}  # fmt: skip


async def test_every_parameter_that_is_set_arrives_as_it_is() -> None:
    assert SET.keys() == {parameter.name for parameter in PARAMETERS}
    with FakeServer() as server:
        await replied(server, with_params(**SET))
        (sent,) = server.chats
    assert {name: sent[name] for name in SET} == SET


@pytest.mark.parametrize(
    ("accepts", "arrived"),
    [
        (None, {"top_k", "min_p", "repeat_penalty"}),
        (frozenset(), set()),
        (frozenset({"min_p"}), {"min_p"}),
    ],
)
async def test_an_extension_goes_only_where_it_may_be_known(
    accepts: frozenset[str] | None, arrived: set[str]
) -> None:
    with FakeServer() as server:
        await replied(server, with_params(**SET), accepts=accepts)
        assert set(server.chats[0]) & {"top_k", "min_p", "repeat_penalty"} == arrived


async def test_an_endpoint_gets_its_own_field_names() -> None:
    rename = {"max_tokens": "max_completion_tokens", "seed": "random_seed"}
    with FakeServer() as server:
        await replied(server, with_params(max_tokens=9, seed=4), rename=rename)
        (sent,) = server.chats
    assert (sent["max_completion_tokens"], sent["random_seed"]) == (9, 4)
    assert not {"max_tokens", "seed"} & set(sent)


async def test_the_thread_is_sent_without_reasoning_errors_or_empty_replies() -> None:
    thread = [
        said("user", "one"),
        replace(said("assistant", "uno"), reasoning="let me think", error="It was cut."),
        said("user", "two"),
        replace(said("assistant", ""), status="failed", error="Nothing answers."),
        said("user", "three \x00 \U0001f600"),
    ]
    with FakeServer() as server:
        await replied(server, replace(SETUP, system="Be brief."), thread)
        (sent,) = server.chats
    assert [(one["role"], one["content"]) for one in sent["messages"]] == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "uno"),
        ("user", "two"),
        ("user", "three \x00 \U0001f600"),
    ]
    assert all(one.keys() == {"role", "content"} for one in sent["messages"])


async def test_the_key_travels_in_its_header_stripped() -> None:
    with FakeServer(key="k-12345") as server:
        tokens, _ = await replied(server, key=" k-12345\n")
    assert text(tokens) == "Hello, world."


async def test_a_base_url_is_used_as_it_is_meant() -> None:
    with FakeServer() as server:
        await replied(server, base_url=f"  {server.base_url}/ ")
        assert [one.path for one in server.requests] == ["/v1/chat/completions"]


LEAKS = {
    "OPENAI_API_KEY": "sk-ambient-key",
    "OPENAI_ADMIN_KEY": "sk-ambient-admin",
    "OPENAI_ORG_ID": "org-ambient",
    "OPENAI_PROJECT_ID": "proj-ambient",
    "OPENAI_LOG": "debug",
}
PROGRAM = """
import asyncio, sys
from tui_chat.core.conversation import Setup, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.provider import Provider

async def main():
    provider = Provider(Endpoint("fake", sys.argv[1]), None)
    await provider.reply(Setup("fake", "m"), [said("user", "a private prompt")], lambda token: None)
    await provider.models()
    await provider.close()

asyncio.run(main())
"""


def test_nothing_of_the_environment_or_the_machine_reaches_a_server() -> None:
    with FakeServer() as server, FakeServer() as trap:
        root = trap.base_url.removesuffix("/v1")
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), root)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.base_url],
            env={**os.environ, **LEAKS, **proxies, "OPENAI_BASE_URL": trap.base_url},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stdout, done.stderr) == ("", "")
        assert not trap.requests, "a local endpoint is asked directly"
        assert len(server.requests) == 2
        for request in server.requests:
            assert request.headers["authorization"] == "Bearer none"
            assert "ambient" not in json.dumps(request.headers)
            assert not [name for name in request.headers if name.startswith(("x-", "openai-"))]


async def test_a_redirect_is_not_followed() -> None:
    with FakeServer() as other:
        away = {"location": f"{other.base_url}/chat/completions"}
        with FakeServer(Answer(status=307, error=b"", headers=away)) as server:
            server.listed = Answer(status=301, error=b"", headers=away)
            async with provider_for(server) as provider:
                with pytest.raises(ChatError, match="nothing was sent there"):
                    await provider.reply(SETUP, HI, print)
                with pytest.raises(ChatError, match="nothing was sent there"):
                    await provider.models()
        assert not other.requests


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SSL_CERT_FILE", "/nowhere/at/all.pem", "certificates cannot be read"),
        ("ALL_PROXY", "socks5://user:password@127.0.0.1:1", "SOCKS"),
        ("HTTPS_PROXY", "junk://user:password@127.0.0.1:1", "is not a URL"),
        ("HTTPS_PROXY", "http://user:password@127.0.0.1:99999999", "failed"),
    ],
)
async def test_an_environment_that_cannot_work_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    provider = Provider(Endpoint("fake", "https://host.invalid/v1"), None)
    with pytest.raises(ChatError, match=told) as caught:
        await provider.reply(SETUP, HI, print)
    assert "password" not in str(caught.value)
    await provider.close()


# What arrives


@pytest.mark.parametrize(
    ("finish", "status", "error"),
    [
        ("stop", "complete", ""),
        ("length", "length", ""),
        ("content_filter", "filtered", "The server's content filter stopped it."),
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


# Probabilities


def entry(token: str, logprob: float, *top: tuple[str, float], raw: bytes | None = None) -> Body:
    return {
        "token": token,
        "logprob": logprob,
        "bytes": list(token.encode() if raw is None else raw),
        "top_logprobs": [
            {"token": other, "logprob": value, "bytes": list(other.encode())}
            for other, value in top
        ],
    }


async def test_probabilities_come_with_their_tokens() -> None:
    entries = [entry("Bra", -0.25, ("Bra", -0.25), ("Rio", -1.5)), entry("sil", -0.5)]
    with FakeServer(Answer(("Bra", "sil"), logprobs=entries)) as server:
        tokens, _ = await replied(server, logprobs=5)
        (sent,) = server.chats
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 5)
    assert tokens == [
        Token("Bra", -0.25, (("Bra", -0.25), ("Rio", -1.5))),
        Token("sil", -0.5),
    ]


async def test_a_character_split_over_tokens_adds_up() -> None:
    emoji = "😀".encode()
    entries = [
        entry("\\xf0\\x9f", -0.1, raw=emoji[:2]),
        entry("\\x98\\x80", -0.2, raw=emoji[2:]),
        entry("!", -0.3),
    ]
    with FakeServer(Answer(("", "😀", "!"), logprobs=[None, None, None])) as server:
        server.answer = Answer(("\ufffd", "\ufffd", "!"), logprobs=entries)
        tokens, _ = await replied(server, logprobs=1)
    assert text(tokens) == "😀!"
    assert [token.logprob for token in tokens] == [-0.1, -0.2, -0.3]


async def test_without_probabilities_the_text_still_comes() -> None:
    with FakeServer(Answer(("a", "b", "c"), logprobs=[None, entry("b", -1.0), None])) as server:
        tokens, _ = await replied(server, logprobs=3)
    assert text(tokens) == "abc"
    assert [token.logprob for token in tokens] == [None, -1.0, None]


# What a server refuses


async def test_a_refused_parameter_is_left_out_and_told_at_once() -> None:
    told: list[Refusal] = []
    with FakeServer() as server:
        server.refuses = {"temperature": unsupported("temperature")}
        tokens, ending = await replied(
            server, with_params(temperature=0.3, top_p=0.9), notice=told.append
        )
        assert "temperature" not in server.chats[1]
        assert server.chats[1]["top_p"] == 0.9
    words = "Unsupported parameter: 'temperature' is not supported with this model."
    assert told == [Refusal("temperature", words)]
    assert ending.refused == tuple(told)
    assert text(tokens) == "Hello, world."


async def test_several_refusals_are_met_one_by_one() -> None:
    names = ("temperature", "top_p", "stop", "frequency_penalty", "presence_penalty", "seed")
    with FakeServer() as server:
        server.refuses = {name: unsupported(name) for name in names}
        _, ending = await replied(server, with_params(**{name: SET[name] for name in names}))
        assert len(server.chats) == 1 + MOST_REPEATS
    assert {refused.name for refused in ending.refused} == set(names)


async def test_a_server_that_refuses_without_end_is_given_up() -> None:
    with FakeServer() as server:
        server.refuses = {name: unsupported(name) for name in SET}
        with pytest.raises(ChatError, match="Unsupported parameter"):
            await replied(server, with_params(**SET))
        assert len(server.chats) == 1 + MOST_REPEATS


async def test_a_field_that_is_refused_though_it_was_not_sent_ends_the_matter() -> None:
    with FakeServer(Answer(status=400, error=unsupported("seed"))) as server:
        with pytest.raises(ChatError, match="'seed' is not supported"):
            await replied(server, with_params(temperature=1))
        assert len(server.chats) == 1


async def test_a_refusal_that_names_nothing_is_not_repeated() -> None:
    with FakeServer(Answer(status=400, error=refusal("No."))) as server:
        with pytest.raises(ChatError, match="refused the request"):
            await replied(server, with_params(**SET))
        assert len(server.chats) == 1


async def test_other_errors_that_name_a_field_are_not_repeated() -> None:
    with FakeServer(Answer(status=403, error=unsupported("seed"))) as server:
        with pytest.raises(ChatError, match="does not allow"):
            await replied(server, with_params(seed=1))
        assert len(server.chats) == 1


async def test_validation_errors_name_their_field_by_place() -> None:
    detail = {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}
    with FakeServer() as server:
        server.answers = lambda body: (
            Answer(status=422, error=detail) if "seed" in body else Answer()
        )
        _, ending = await replied(server, with_params(seed=1))
    assert ending.refused == (Refusal("seed", "Extra inputs are not permitted"),)


RENAME = refusal(
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead.",
    param="max_tokens",
    code="unsupported_parameter",
)


async def test_the_length_is_sent_under_its_other_name_when_the_server_says_so() -> None:
    with FakeServer() as server:
        server.refuses = {"max_tokens": RENAME}
        _, ending = await replied(server, with_params(max_tokens=99))
        assert server.chats[1]["max_completion_tokens"] == 99
        assert "max_tokens" not in server.chats[1]
        assert len(server.chats) == 2
    assert [refused.name for refused in ending.refused] == ["max_tokens"]


async def test_the_length_is_left_out_when_both_names_are_refused() -> None:
    told: list[Refusal] = []
    with FakeServer() as server:
        server.refuses = {
            "max_tokens": RENAME,
            "max_completion_tokens": refusal("Use 'max_tokens' instead of max_completion_tokens."),
        }
        _, ending = await replied(server, with_params(max_tokens=99), notice=told.append)
        assert not {"max_tokens", "max_completion_tokens"} & set(server.chats[2])
    assert [refused.name for refused in told] == ["max_tokens", "max_tokens"]
    assert ending.refused == (told[1],)


async def test_a_renamed_endpoint_field_is_told_by_the_parameters_name() -> None:
    with FakeServer() as server:
        server.refuses = {"max_completion_tokens": unsupported("max_completion_tokens")}
        rename = {"max_tokens": "max_completion_tokens"}
        _, ending = await replied(server, with_params(max_tokens=9), rename=rename)
    assert [refused.name for refused in ending.refused] == ["max_tokens"]


async def test_what_one_model_refused_is_remembered_for_that_model_alone() -> None:
    told: list[Refusal] = []
    setup = with_params(temperature=0.3)
    with FakeServer() as server:
        server.refuses = {"temperature": unsupported("temperature")}
        async with provider_for(server) as provider:
            first = await provider.reply(setup, HI, list[Token]().append, notice=told.append)
            again = await provider.reply(setup, HI, list[Token]().append, notice=told.append)
            unset = await provider.reply(SETUP, HI, list[Token]().append, notice=told.append)
            assert len(server.chats) == 4
            server.refuses = {}
            other = replace(setup, model="m-2")
            fine = await provider.reply(other, HI, list[Token]().append, notice=told.append)
        assert server.chats[-1]["temperature"] == 0.3
    assert len(told) == 1
    assert first.refused == again.refused == tuple(told)
    assert unset.refused == fine.refused == ()


async def test_replies_at_the_same_time_learn_from_each_other() -> None:
    with FakeServer() as server:
        server.refuses = {"max_tokens": RENAME, "seed": unsupported("seed")}
        setup = with_params(max_tokens=5, seed=1)
        async with provider_for(server) as provider:
            endings = await asyncio.gather(
                *(provider.reply(setup, HI, list[Token]().append) for _ in range(4))
            )
    for ending in endings:
        assert ending.status == "complete"
        assert {refused.name for refused in ending.refused} == {"max_tokens", "seed"}


@pytest.mark.parametrize("name", ["logprobs", "top_logprobs"])
async def test_a_server_without_probabilities_answers_without_them(name: str) -> None:
    told: list[Refusal] = []
    with FakeServer() as server:
        server.refuses = {name: unsupported(name)}
        tokens, ending = await replied(server, logprobs=5, notice=told.append)
        assert not {"logprobs", "top_logprobs"} & set(server.chats[1])
    assert text(tokens) == "Hello, world."
    assert [refused.name for refused in told] == ["logprobs"]
    assert ending.refused == tuple(told)


async def test_a_server_that_counts_nothing_is_not_asked_to() -> None:
    with FakeServer() as server:
        server.refuses = {"stream_options": refusal("Unknown field: stream_options")}
        async with provider_for(server) as provider:
            ending = await provider.reply(SETUP, HI, list[Token]().append)
            await provider.reply(SETUP, HI, list[Token]().append)
        assert ["stream_options" in sent for sent in server.chats] == [True, False, False]
    assert ending.refused == ()


async def test_too_long_a_thread_is_not_repeated_without_a_parameter() -> None:
    error = refusal("x 'max_tokens' y", code="context_length_exceeded", param="messages")
    with FakeServer(Answer(status=400, error=error)) as server:
        with pytest.raises(ChatError, match="too long"):
            await replied(server, with_params(max_tokens=5))
        assert len(server.chats) == 1


# How it ends


async def test_a_cancelled_reply_closes_its_connection_and_keeps_its_tokens() -> None:
    tokens: list[Token] = []
    with FakeServer(Answer(["word "] * 1_000, delay=0.01)) as server:
        async with provider_for(server) as provider:
            task = asyncio.create_task(provider.reply(SETUP, HI, tokens.append))
            await until(lambda: len(tokens) > 3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: server.disconnects)
            sent = len(server.sent)
            assert len(tokens) <= sent < 1_000
            server.answer = Answer()
            assert (await provider.reply(SETUP, HI, tokens.append)).status == "complete"


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(stall_after=0)])
async def test_a_reply_is_cancelled_before_its_first_token(answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with provider_for(server) as provider:
            task = asyncio.create_task(provider.reply(SETUP, HI, print))
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
                await provider.reply(SETUP, HI, full)
            await until(lambda: server.disconnects)


async def test_a_line_that_never_ends_is_given_up() -> None:
    head = b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\n\r\ndata: "
    with FakeServer(Answer(wire=head + b"x" * 33_000_000)) as server:
        async with provider_for(server) as provider:
            with pytest.raises(ChatError, match="not in the API's form"):
                await provider.reply(SETUP, HI, print)


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


# Lists and counts


async def test_the_models_are_listed_in_the_servers_order() -> None:
    with FakeServer(models=("b", "a", "c"), context=4096) as server:
        async with provider_for(server) as provider:
            models = await provider.models()
        assert server.count("/v1/models") == 1
    assert models == tuple(ServedModel(name, 4096, "us") for name in ("b", "a", "c"))


async def test_odd_lists_of_models_are_read_as_far_as_they_go() -> None:
    rows = [
        {"id": "good", "max_model_len": 8192},
        {"id": "evil\x1b[2J\n[bold]", "context_length": 10, "owned_by": {"a": 1}},
        {"id": "good", "max_model_len": 1},
        {"id": ""},
        {"id": 7},
        "text",
        None,
        {"id": "zero", "meta": {"n_ctx": 0}, "context_window": 99},
        {"id": "bare", "meta": None, "max_model_len": "much"},
    ]
    expected = (
        ServedModel("good", 8192),
        ServedModel("evil␛[2J [bold]", 10),
        ServedModel("zero", 99),
        ServedModel("bare"),
    )
    for body in ({"data": rows}, rows):
        raw = json.dumps(body).encode()
        with FakeServer() as server:
            server.listed = Answer(raw=raw, content_type="application/json")
            async with provider_for(server) as provider:
                assert await provider.models() == expected


async def test_a_list_of_many_models_is_read_whole() -> None:
    with FakeServer(models=[f"vendor/model-{number}" for number in range(3_000)]) as server:
        async with provider_for(server) as provider:
            models = await provider.models()
    assert len(models) == 3_000
    assert models[-1].id == "vendor/model-2999"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(raw=b"<html><body>hi", content_type="text/html"), "is a web page"),
        (Answer(raw=b"<html><body>hi", content_type="application/json"), "not in the API's form"),
        (Answer(raw=b"{}", content_type="application/json"), "not an API answer"),
        (
            Answer(raw=b'{"error": "no models here"}', content_type="application/json"),
            "answered with an error: no models here",
        ),
        (Answer(raw=b'{"data": {"a": 1}}', content_type="application/json"), "not an API answer"),
        (Answer(raw=b"hello", content_type="text/plain"), "It begins: hello"),
        (Answer(raw=b"", content_type=""), "not an API answer"),
        (Answer(status=404, error={"detail": "Not Found"}), "There is no API"),
        (Answer(status=500, error=b""), "fault of its own"),
        (Answer(wire=b""), "closed the connection"),
    ],
)
async def test_a_list_that_cannot_be_had_is_told(answer: Answer, message: str) -> None:
    with FakeServer() as server:
        server.listed = answer
        async with provider_for(server) as provider:
            with pytest.raises(ChatError) as caught:
                await provider.models()
    assert message in caught.value.message


async def test_an_endpoint_that_counts_is_asked_for_what_would_be_sent() -> None:
    setup = replace(SETUP, system="Be brief.")
    with FakeServer(counted=31) as server:
        async with provider_for(server, counts_tokens=True) as provider:
            assert await provider.count(setup, HI) == 31
        (request,) = server.requests
    assert request.path == "/v1/chat/completions/input_tokens"
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]


async def test_an_endpoint_that_cannot_count_counts_nothing() -> None:
    with FakeServer() as server:
        async with provider_for(server) as provider:
            assert await provider.count(SETUP, HI) is None
            assert not server.requests
        async with provider_for(server, counts_tokens=True) as provider:
            assert await provider.count(SETUP, HI) is None
            assert len(server.requests) == 1
