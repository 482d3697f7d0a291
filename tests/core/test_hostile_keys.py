"""A server that sends the key back, whole or in part, in whatever place, does not bring it on the screen or
the disk."""

from __future__ import annotations

import json

import pytest

from tests.core.wire import provider_for, replied
from tests.fake_server import Answer, FakeServer
from tui_chat.core import failures
from tui_chat.core.checking import one_token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.failures import Asked
from tui_chat.core.keys import Secret

KEY = "Zq7-canary-0123456789-abcdefghij-ABCDEFGHIJ-9876543210"
HALF = KEY[:9]
BROKEN = [f"{HALF}{sign}{KEY[9:]}" for sign in ("\u200b", "\ufeff", "\u2060")]


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def refused(message: str, status: int = 400, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, error={"error": {"message": message}}, headers=named)


WHERE = {
    "the wait after too many": refused("no", 429, retry_after=KEY),
    "the wait of a fault": refused("no", 500, retry_after=KEY),
    "the wait of who is busy": refused("no", 503, retry_after=f"ask {KEY}"),
    "where to go on": refused("no", 302, location=f"https://elsewhere.example/{'x' * 80}/{KEY}"),
    **{f"signs that vanish, {one[9]!a}": refused(f"bad {one}") for one in BROKEN},
    "the end of what is read": refused(" " * (200_000 - 20) + KEY),
    "the end of what is read, after what vanishes": refused("\u200b" * (200_000 - 30) + KEY),
    "the end of what is shown": refused("x" * 279 + KEY),
    "a message in place of a chunk": Answer(raw=event(message="x" * 279 + KEY) + event()),
    "an error that is a text": Answer(raw=event(error="x" * 279 + KEY)),
    "another service": Answer(raw=b"x" * 180 + KEY.encode(), content_type="text/plain"),
    "another service, far on": Answer(
        raw=b" " * (4_000 - 20) + KEY.encode(), content_type="text/plain"
    ),
}  # fmt: skip


@pytest.mark.parametrize("answer", WHERE.values(), ids=WHERE.keys())
async def test_it_is_not_in_the_words_of_a_failure(answer: Answer) -> None:
    with FakeServer(answer) as server:
        with pytest.raises(ChatError) as caught:
            await replied(server, key=KEY)
        assert HALF not in str(caught.value)
        server.listed = answer
        async with provider_for(server, key=KEY) as provider:
            with pytest.raises(ChatError) as caught:
                await provider.models()
    assert HALF not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(tokens=("Hello", "you"), inject={1: event(message="x" * 279 + KEY)}, finish=None),
        Answer(tokens=("Hello", "you"), inject={1: event(error="x" * 279 + KEY)}, finish=None),
        Answer(finish=KEY),
        Answer(finish=BROKEN[0]),
        Answer(headers={"x-request-id": "x" * 80 + KEY}),
        Answer(inject={0: event(model="x" * 190 + KEY, choices=[])}),
    ],
)
async def test_it_is_not_kept_with_a_reply(answer: Answer) -> None:
    with FakeServer(answer) as server:
        _, ending = await replied(server, key=KEY)
    assert HALF not in repr(ending)


async def test_it_is_not_in_the_token_of_a_trial() -> None:
    for tokens in ((KEY,), tuple(KEY), ("x" * 30 + KEY,), (BROKEN[0],)):
        with FakeServer(Answer(tokens)) as server:
            told = await one_token(Endpoint("fake", server.base_url), Secret(KEY), "m-1")
        assert "answered with" in told
        assert HALF not in told


def test_a_hint_holds_none_either() -> None:
    asked = Asked(Endpoint("fake", "https://host/v1"), "m", KEY)
    assert KEY not in failures.explained(ChatError("No.", f"Try {KEY}."), asked).hint


def test_a_wait_beyond_all_time_is_none() -> None:
    for wait in ("9" * 400, "9" * 400 + "s", "9" * 300 + "h", "9" * 400 + "ms"):
        told = failures.from_status(
            429,
            None,
            {"x-ratelimit-reset-requests": wait},
            Asked(Endpoint("fake", "https://host/v1")),
        )
        assert "inf" not in str(told)
