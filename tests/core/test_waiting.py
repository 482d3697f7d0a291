"""A busy server is asked once more after its wait, and only where that can help."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.core.failing import error, openai
from tests.core.scene import row, scene
from tests.core.wire import until
from tests.fake_server import Answer, FakeServer
from tui_chat.core import waiting
from tui_chat.core.reply import ask
from tui_chat.core.store import Store
from tui_chat.core.waiting import Wait

SOON = format_datetime(datetime(2026, 10, 21, 7, 28, 7, tzinfo=UTC), usegmt=True)
NOW = format_datetime(datetime(2026, 10, 21, 7, 28, 0, tzinfo=UTC), usegmt=True)
DELAY = [{"error": {"code": 429, "details": [{"@type": "RetryInfo", "retryDelay": "36s"}]}}]


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {}, waiting.USUAL),
        (429, {"retry-after": "12"}, 12),
        (429, {"retry-after": "1.5"}, 1.5),
        (429, {"retry-after": "0"}, waiting.USUAL),
        (429, {"retry-after": "nonsense"}, waiting.USUAL),
        (429, {"retry-after": "nan"}, waiting.USUAL),
        (429, {"retry-after": "-3"}, waiting.USUAL),
        (429, {"retry-after": SOON, "date": NOW}, 7),
        (429, {"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        (429, {"retry-after": "120"}, 120),
        (429, {"retry-after": "121"}, None),
        (429, {"x-ratelimit-reset-requests": "120ms"}, 0.12),
        (429, {"x-ratelimit-reset-requests": "2s", "x-ratelimit-reset-tokens": "1m30s"}, 90),
        (
            429,
            {
                "x-ratelimit-reset-requests": "6m0s",
                "x-ratelimit-remaining-requests": "8",
                "x-ratelimit-reset-tokens": "7.66s",
                "x-ratelimit-remaining-tokens": "0",
            },
            7.66,
        ),
        (429, {"x-ratelimit-reset-tokens": "6m0s"}, None),
        (429, {"x-ratelimit-reset-tokens": "soon"}, waiting.USUAL),
        (429, {"x-should-retry": "false", "retry-after": "1"}, None),
        (503, {"retry-after": "3"}, 3),
        (503, {}, None),
        (529, {"retry-after": "3"}, 3),
        (529, {}, None),
        (500, {"retry-after": "3"}, None),
        (502, {"retry-after": "3"}, None),
        (400, {"retry-after": "3"}, None),
    ],
)
def test_the_wait_is_what_the_server_asks_for(
    status: int, headers: dict[str, str], seconds: float | None
) -> None:
    assert waiting.seconds_asked(status, headers) == seconds


def test_the_wait_in_geminis_body_is_heeded() -> None:
    assert waiting.seconds_asked(429, {}, DELAY) == 36


def test_a_date_is_told_by_our_clock_where_the_server_tells_none() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    seconds = waiting.seconds_asked(429, {"retry-after": then})
    assert seconds is not None
    assert 25 < seconds <= 30


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120ms", 0.12), ("2s", 2), ("1m30s", 90), ("1h1m", 3660), ("1d", 86400), ("12", 12), ("", None),
     ("x", None), ("1m x", None)],
)  # fmt: skip
def test_spans_are_read(text: str, seconds: float | None) -> None:
    assert waiting.span(text) == seconds


BUSY = error(429, openai("Slow down.", code="rate_limit_exceeded"), retry_after_ms="150")


@pytest.mark.parametrize(
    "busy",
    [
        BUSY,
        error(503, b"", retry_after="0.1"),
        error(529, openai("Overloaded"), retry_after="0.1"),
    ],
)
async def test_a_busy_server_is_asked_once_more_and_each_second_of_it_is_told(
    store: Store, busy: Answer
) -> None:
    with FakeServer() as server:
        server.answers = lambda body: busy if len(server.chats) == 1 else Answer()
        waits: list[Wait | None] = []
        async with scene(server, store) as one:
            final = await ask(
                one.provider, [one.question], one.reply, sink=one.tokens.append, wait=waits.append
            )
        assert len(server.chats) == 2
        assert server.chats[0] == server.chats[1]
    assert (final.status, final.content, final.error) == ("complete", "Hello, world.", "")
    assert final.usage.seconds is not None
    assert final.usage.seconds < 0.1, "the wait is no part of what the reply took"
    assert waits[-1] is None
    assert waits[0] is not None
    assert waits[0].words in (
        "fake gets too many requests (429): again in 1 s",
        "fake has a fault of its own (503): again in 1 s",
        "fake has a fault of its own (529): again in 1 s",
    )


async def test_the_seconds_are_counted_down() -> None:
    with FakeServer() as server:
        busy = error(429, {}, retry_after_ms="1200")
        server.answers = lambda body: busy if len(server.chats) == 1 else Answer()
        told: list[tuple[int, float]] = []
        began = time.monotonic()

        def tell(wait: Wait | None) -> None:
            told.append((wait.seconds if wait else 0, time.monotonic() - began))

        async with scene(server) as one:
            await ask(one.provider, [one.question], one.reply, sink=print, wait=tell)
    assert [seconds for seconds, _ in told] == [2, 1, 0]
    assert told[2][1] - told[0][1] >= 1.2


async def test_the_second_failure_is_final() -> None:
    with FakeServer(BUSY) as server:
        async with scene(server) as one:
            final = await one.asked()
        assert len(server.chats) == 2
    assert final.status == "failed"
    assert "too many requests (429). It says: Slow down." in final.error


NEVER = {
    "no quota": error(429, openai("Pay.", code="insufficient_quota"), retry_after="0.1"),
    "no quota by type": error(429, {"error": {"message": "Pay.", "type": "insufficient_quota"}}),
    "a long wait": error(429, {}, retry_after="600"),
    "a fault of its own": error(500, openai("Oh no."), retry_after="0.1"),
    "an overloaded server that says not how long": error(503, b""),
    "a closed connection": Answer(wire=b""),
    "text has come": Answer(
        inject={2: b'data: {"error":{"message":"Slow down.","code":429}}\n\n'}, delay=0.01
    ),
}


@pytest.mark.parametrize("answer", NEVER.values(), ids=NEVER.keys())
async def test_nothing_else_is_sent_twice(answer: Answer) -> None:
    with FakeServer(answer) as server:
        async with scene(server) as one:
            final = await one.asked()
        assert len(server.chats) == 1
    assert final.status in ("failed", "cut")
    assert final.error


async def test_a_busy_server_that_says_so_in_its_stream_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting, "USUAL", 0.1)
    event = b'data: {"error":{"message":"Slow down.","code":429}}\n\n'
    with FakeServer() as server:
        server.answers = lambda body: Answer(raw=event) if len(server.chats) == 1 else Answer()
        async with scene(server) as one:
            final = await one.asked()
        assert len(server.chats) == 2
    assert final.content == "Hello, world."


async def test_who_cancels_the_wait_gets_the_failure_and_nothing_is_sent(store: Store) -> None:
    with FakeServer(error(429, openai("Slow down."), retry_after="60")) as server:
        waits: list[Wait | None] = []
        async with scene(server, store) as one:
            from tui_chat.core.reply import Recorder

            asking = asyncio.create_task(
                ask(
                    one.provider,
                    [one.question],
                    one.reply,
                    sink=print,
                    wait=waits.append,
                    record=Recorder(store, one.conversation.id, one.troubles.append),
                )
            )
            await until(lambda: waits)
            asking.cancel()
            final = await asking
            assert await row(store, one) == final
        assert len(server.chats) == 1
    assert final.status == "failed"
    assert (
        "too many requests (429). It says: Slow down. You cancelled the second try." in final.error
    )
    assert waits == [Wait("fake gets too many requests (429)", 60), None]
