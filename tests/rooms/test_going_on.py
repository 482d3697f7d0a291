"""Going on with a reply that was stopped or cut off, where the endpoint can; saying so where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fake_server import Answer, FakeServer, words
from tests.local_model import put_model
from tests.rooms.house import open_house, stored, wait_until
from tests.rooms.probabilities import answer
from tests.rooms.test_branches import on_messages, screen_has, stopped
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params

LLAMA = Answer(
    raw=json.dumps({"data": [{"id": "fake-1", "owned_by": "llamacpp"}]}).encode(),
    content_type="application/json",
)


async def test_a_stopped_reply_is_gone_on_with_beside_it(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.01)) as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            old = await stopped(house, server)
            server.answer = Answer(words(" and an end."))
            await on_messages(house, "G", "c")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            assert house.thread[-1].content == old.rstrip() + " and an end."
            assert screen_has(house, "end.", "‹ 2/2 ›")  # The words before may be on another row.
        assert server.chats[1]["messages"] == [
            {"role": "user", "content": "talk"},
            {"role": "assistant", "content": old.rstrip()},
        ]
    (conversation,) = await stored(tmp_path)
    first, second = (
        conversation.message(one) for one in conversation.siblings(conversation.thread()[-1].id)
    )
    assert (first.content, first.status) == (old, "stopped")
    assert (second.status, second.usage.completion_tokens) == ("complete", 4)


async def test_what_is_gone_on_from_keeps_its_probabilities(tmp_path: Path) -> None:
    first = answer([("Once", {"Once": 0.5}), (" upon ", {" upon ": 0.25})], finish="length")
    with FakeServer(first) as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            await house.send("talk")
            server.answer = answer([(" a time", {" a time": 0.125})])
            await on_messages(house, "G", "c")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            reply = house.thread[-1]
            kept = await house.chat.talk.tokens(reply.id)
            assert "".join(token.text for token in kept) == reply.content == "Once upon a time"
            assert [token.text for token in kept] == ["Once", " upon", " a time"]
            assert all(token.logprob is not None for token in kept)


async def test_where_a_server_cannot_go_on_nothing_is_sent_and_it_is_said(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.01)) as server:
        async with open_house(tmp_path, server) as house:
            await stopped(house, server)
            await on_messages(house, "G", "c")
            await wait_until(lambda: "cannot go on with a reply" in house.notices())
            assert "environment cannot go on with a reply. r answers again." in house.notices()
            await house.answered()
            assert len(house.chat.talk.conversation) == 2
        assert len(server.chats) == 1


async def test_a_server_that_refuses_to_go_on_costs_nothing(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.01)) as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            old = await stopped(house, server)
            server.answer = Answer(status=400, error={"error": {"message": "No prefill here."}})
            await on_messages(house, "G", "c")
            await wait_until(lambda: house.thread[-1].status == "failed")
            await house.answered()
            assert screen_has(house, "No prefill here.")
    (conversation,) = await stored(tmp_path)
    texts = [one.content.rstrip() for one in conversation.messages if one.role == "assistant"]
    assert texts == [old.rstrip()] * 2


async def test_a_whole_reply_is_not_gone_on_with(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.listed = LLAMA
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "c")
            await house.press("tab")
            house.chat.set_focus(house.chat.prompt.text_area)
            await house.write("/continue")
            await house.press("escape", "enter")
            await wait_until(lambda: "was not broken off" in house.notices())
        assert len(server.chats) == 1


async def test_the_built_in_model_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    setup = Opening(params=Params({"temperature": 0, "max_tokens": 5}))
    async with open_house(tmp_path, opening=setup) as house:
        await wait_until(lambda: house.chat.topline.state == "ready", "the model runs")
        cut = await house.send("What is the capital of Brazil?")
        await house.command("/max-tokens off")
        await house.command("/continue")
        await wait_until(lambda: len(house.chat.talk.conversation) == 3)
        await house.answered()
        joined = house.thread[-1]
        await house.press("f5")
        await wait_until(lambda: len(house.chat.talk.conversation) == 4)
        await house.answered()
        whole = house.thread[-1]
    assert (cut.status, joined.status, whole.status) == ("length", "complete", "complete")
    # To the letter what it says when nothing cuts it off.
    assert cut.content != joined.content == whole.content
    assert "Brasilia" in joined.content
    assert cut.usage.prompt_tokens is not None
    assert whole.usage.completion_tokens is not None
    assert joined.usage.prompt_tokens == cut.usage.prompt_tokens + 5
    assert joined.usage.completion_tokens == whole.usage.completion_tokens - 5
    (conversation,) = await stored(tmp_path)
    assert conversation.message(joined.id) == joined
