"""Streams of any speed and size: each event costs little, and what nobody has to say is left in time."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest

from tests.core.wire import HI, SETUP
from tests.load.flood import event, flood, with_candidates
from tests.load.rod import Rod
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.events import Lines
from tui_chat.core.pace import TURN_SECONDS
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

HELD = 0.1
"""Seconds of the processor for which nothing may hold the loop."""
PARSED = {"alone": 20.0, "with candidates": 7.0}
"""How often the time of reading its JSON an event may take, from the socket to the tokens."""
EVENTS = {"alone": event(" word"), "with candidates": event(" word", with_candidates(" word"))}


async def replied(url: str, tokens: list[Token]) -> Ending:
    provider = Provider(Endpoint("fake", url), None)
    await provider.warm()
    try:
        return await provider.reply(Request(SETUP, HI, logprobs=20), tokens.append)
    finally:
        await provider.close()


@pytest.mark.parametrize("kind", EVENTS)
async def test_an_event_costs_little_more_than_reading_its_json(tmp_path: Path, kind: str) -> None:
    count, one = 1_000, EVENTS[kind]
    ratios: list[float] = []
    with flood(tmp_path, one, count) as server:
        for _ in range(3):
            tokens: list[Token] = []
            began = time.thread_time()
            await replied(server.base_url, tokens)
            took, began = time.thread_time() - began, time.thread_time()
            for _ in range(count):
                json.loads(one[6:])
            ratios.append(took / (time.thread_time() - began))
            assert len(tokens) == count
    assert min(ratios) < PARSED[kind]


async def test_a_flood_is_read_in_turns_between_which_others_run(tmp_path: Path) -> None:
    with flood(tmp_path, event(" word") * 20, 300) as server:
        tokens: list[Token] = []
        with Rod() as rod:
            await replied(server.base_url, tokens)
    assert len(tokens) == 6_000
    # Whatever makes the request comes on top of the first.
    turns = sorted(one.processor for one in rod.worst if "asend" in one.name)[:-1]
    assert max(turns, default=0) < 3 * TURN_SECONDS, str(rod)


LARGEST = {
    "lists without end": b"data: [" + b"[]," * 2_600_000 + b"[]]\n\n",
    "depth without end": b"data: " + b"[" * 10_000 + b"]" * 10_000 + b"\n\n",
    "depth of objects": b"data: " + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"\n\n",
}


@pytest.mark.parametrize("events", LARGEST.values(), ids=LARGEST.keys())
async def test_what_nobody_has_to_say_is_left(tmp_path: Path, events: bytes) -> None:
    tokens: list[Token] = []
    with flood(tmp_path, event("Hello") + events) as server, Rod() as rod:
        ending = await replied(server.base_url, tokens)
    assert (tokens[0].text, ending.status) == ("Hello", "cut")
    assert "not in the API's form" in ending.error
    assert rod.gap < HELD, rod


async def test_a_line_of_50_megabytes_is_left_before_it_is_in_memory(tmp_path: Path) -> None:
    tokens: list[Token] = []
    with flood(tmp_path, event("Hello") + event("x" * 50_000_000)) as server, Rod() as rod:
        tracemalloc.start()
        try:
            ending = await replied(server.base_url, tokens)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (tokens[0].text, ending.status) == ("Hello", "cut")
    assert peak < 25_000_000
    assert rod.gap < HELD, rod


async def test_an_answer_in_one_event_of_megabytes_is_read_whole(tmp_path: Path) -> None:
    text = '漢字 and "words"\n' * 400_000
    tokens: list[Token] = []
    with flood(tmp_path, event(text)) as server, Rod() as rod:
        ending = await replied(server.base_url, tokens)
    assert ending.status == "complete"
    assert "".join(token.text for token in tokens) == text
    assert rod.gap < HELD, rod


async def test_bytes_that_are_no_text_end_no_reply(tmp_path: Path) -> None:
    broken = event("one").replace(b"one", b"\xff two")
    tokens: list[Token] = []
    with flood(tmp_path, event("One") + broken + event(" three")) as server:
        ending = await replied(server.base_url, tokens)
    assert ending.status == "complete"
    assert "".join(token.text for token in tokens) == "One\ufffd two three"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_events_are_the_same_however_the_stream_is_cut(end: bytes) -> None:
    stream = end.join((b": hello", b"event: x", b"data: one", b"data:two", b"", b"", b"data", b""))
    stream += end + b"data: three" + end + end + b"data: never ended" + end
    for size in range(1, len(stream) + 1):
        lines = Lines()
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [data for piece in pieces for data in lines.take(piece)] == [b"one\ntwo", b"three"]
