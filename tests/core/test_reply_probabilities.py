"""The probabilities of a reply are kept with it, however it ends, and add up to its text."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.scene import Scene, after_a_crash, scene
from tests.core.stored import by_hand
from tests.core.wire import until
from tests.fake_server import Answer, Body, FakeServer
from tui_chat.core.conversation import Token
from tui_chat.core.probabilities import Kept
from tui_chat.core.reply import Recorder, ask
from tui_chat.core.store import Store

WORDS = ("Ol", "á", " ", "", "😀", "!")
RAW = (b"Ol", "á".encode(), b" ", "😀".encode()[:2], "😀".encode()[2:], b"!")


def entry(raw: bytes, chance: float = 0.5) -> Body:
    def of(one: bytes, value: float) -> Body:
        return {"token": "?", "bytes": list(one), "logprob": math.log(value)}

    return {**of(raw, chance), "top_logprobs": [of(raw, chance), of(b"x", 0.25)]}


ANSWER = Answer(WORDS, logprobs=[entry(raw) for raw in RAW])


async def kept(store: Store, one: Scene) -> Kept:
    return Kept(await store.tokens(one.reply.id))


async def test_tokens_are_kept_and_add_up_to_the_reply_bytes_and_all(store: Store) -> None:
    with FakeServer(ANSWER) as server:
        async with scene(server, store) as one:
            final = await one.asked(store, logprobs=20)
            found = await kept(store, one)
    assert final.content == "Olá 😀!" == "".join(token.text for token in found)
    assert b"".join(token.raw for token in found) == final.content.encode()
    assert [token.raw for token in found] == list(RAW)
    assert found[0].top[1].raw == b"x"
    assert found[0].top[1].logprob == pytest.approx(math.log(0.25)), "in single precision"


async def test_nothing_is_kept_of_probabilities_that_nobody_asked_for(store: Store) -> None:
    with FakeServer(ANSWER) as server:
        async with scene(server, store) as one:
            await one.asked(store)
            assert await store.tokens(one.reply.id) == b""


async def test_a_stopped_reply_has_those_of_what_arrived(store: Store) -> None:
    with FakeServer(replace(ANSWER, stall_after=2)) as server:
        async with scene(server, store) as one:
            task = asyncio.create_task(one.asked(store, logprobs=20))
            await until(lambda: one.text == "Olá")
            task.cancel()
            await task
            found = await kept(store, one)
    assert [token.text for token in found] == ["Ol", "á"]


async def test_a_kill_leaves_those_of_what_was_written(store: Store, path: Path) -> None:
    with FakeServer(replace(ANSWER, delay=0.1, stall_after=5)) as server:
        async with scene(server, store) as one:
            task = asyncio.create_task(one.asked(store, logprobs=20))
            pieces = "SELECT count(*) FROM piece WHERE length(tokens)>0"
            await until(lambda: by_hand(path, pieces) >= [(2,)])
            crashed = await after_a_crash(path, one)
            found = await _after_a_crash(path)
            task.cancel()
            await task
    assert crashed.status == "interrupted"
    assert crashed.content
    assert "".join(token.text for token in found) == crashed.content


async def _after_a_crash(path: Path) -> Kept:
    (copy,) = path.parent.glob("*/conversations.db")
    ((data,),) = by_hand(copy, "SELECT tokens FROM probabilities")
    assert isinstance(data, bytes)
    return Kept(data)


async def test_what_it_goes_on_from_has_its_tokens_before_the_new_ones(store: Store) -> None:
    with FakeServer(Answer((" time",), logprobs=[entry(b" time")])) as server:
        async with scene(server, store) as one:
            one.provider._endpoint = replace(one.provider._endpoint, continues="prefill")
            one.reply = replace(one.reply, content="Once a", begun=6)
            record = Recorder(store, one.conversation.id, one.troubles.append)
            before = [Token("Once", -0.25), Token(" a", -0.5)]
            final = await ask(
                one.provider,
                [one.question],
                replace(one.reply, logprobs=20),
                sink=one.tokens.append,
                record=record,
                before=before,
            )
            found = await kept(store, one)
    assert final.content == "Once a time"
    assert [(token.text, token.logprob) for token in found][:2] == [("Once", -0.25), (" a", -0.5)]


async def test_where_nothing_is_known_of_the_beginning_its_text_is_one_token(store: Store) -> None:
    with FakeServer(Answer((" time",), logprobs=[entry(b" time")])) as server:
        async with scene(server, store) as one:
            one.provider._endpoint = replace(one.provider._endpoint, continues="prefill")
            one.reply = replace(one.reply, content="Once a", begun=6)
            await one.asked(store, logprobs=20)
            found = await kept(store, one)
    assert [token.text for token in found] == ["Once a", " time"]
    assert found[0].logprob is None


async def test_they_go_for_good_with_the_conversation(store: Store, path: Path) -> None:
    with FakeServer(ANSWER) as server:
        async with scene(server, store) as one:
            await one.asked(store, logprobs=20)
            await store.delete([one.conversation.id])
            assert len(await kept(store, one)) == len(WORDS)
            await store.purge([one.conversation.id])
    assert by_hand(path, "SELECT count(*) FROM probabilities") == [(0,)]
