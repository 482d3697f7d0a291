"""Talking: sending, stopping, regenerating, branching, coming back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import open_house, stored, wait_until
from tui_chat.core import queries
from tui_chat.core.conversation import Conversation, said
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.core.store import Store


async def test_a_question_is_answered_shown_and_saved(tmp_path: Path) -> None:
    with FakeServer(Answer(words("The capital is **Brasília**."))) as server:
        async with open_house(tmp_path, server) as house:
            reply = await house.send("What is the capital of Brazil?")
            assert reply.content == "The capital is **Brasília**."
            screen = house.screen_text()
        assert server.chats[0]["messages"] == [
            {"role": "user", "content": "What is the capital of Brazil?"}
        ]
    assert "The capital is Brasília." in screen
    assert "· complete" in screen
    (conversation,) = await stored(tmp_path)
    assert conversation.title == "What is the capital of Brazil?"
    assert [message.status for message in conversation.thread()] == ["complete", "complete"]


async def test_what_is_not_set_is_not_sent(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
        own = {"model", "messages", "stream", "stream_options"}
        probabilities = {"logprobs", "top_logprobs"}  # They are free on this machine.
        assert set(server.chats[0]) == own | probabilities


async def test_each_knob_is_in_the_next_request(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            house.chat.sidebar.cursor = "temperature"
            await house.press("f2", "right", "right", "down", "0", ".", "5", "down", "4", "2")
            await house.press("down", "1", "1", "escape", "down", "left", "escape", "escape")
            await house.send("hi")
        sent = server.chats[0]
    assert sent["temperature"] == 1.1
    assert sent["top_p"] == 0.5
    assert sent["max_tokens"] == 42
    assert sent["stop"] == ["11"]
    assert sent["frequency_penalty"] == -0.1
    assert "presence_penalty" not in sent


async def test_delete_makes_a_parameter_not_set_again(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            house.chat.sidebar.cursor = "temperature"
            await house.press("f2", "delete", "escape")
            await house.send("hi")
        assert "temperature" not in server.chats[0]


async def test_escape_stops_a_reply_and_keeps_its_text(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.02)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("talk")
            await house.press("enter")
            await wait_until(lambda: len(server.sent) > 5)
            await house.press("escape")
            await house.answered()
            reply = house.thread[-1]
            await wait_until(lambda: server.disconnects)
            assert reply.status == "stopped"
            assert reply.content.startswith("word word")
            assert (await house.saved()).thread()[-1].content == reply.content
            assert "stopped" in house.screen_text()


async def test_sending_while_a_reply_arrives_keeps_the_draft(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.02)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("one")
            await house.press("enter")
            await wait_until(lambda: server.sent)
            await house.write("two")
            await house.press("enter")
            await house.pilot.pause()
            assert house.chat.prompt.text_to_send == "two"
            assert "still arriving" in house.notices()
            await house.press("escape")
            await house.answered()
        assert len(server.chats) == 1


async def test_regenerating_makes_a_sibling_and_brackets_turn(tmp_path: Path) -> None:
    with FakeServer() as server:
        replies = iter(["first answer", "second answer"])
        server.answers = lambda body: Answer(words(next(replies)))
        async with open_house(tmp_path, server) as house:
            await house.send("again?")
            await house.press("f5")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            assert house.thread[-1].content == "second answer"
            assert "‹ 2/2 ›" in house.screen_text()
            house.chat.set_focus(house.chat.transcript)
            await house.press("G", "left_square_bracket")
            await wait_until(lambda: house.thread[-1].content == "first answer")
            await house.pilot.pause()
            assert "‹ 1/2 ›" in house.screen_text()
        assert server.chats[0]["messages"] == server.chats[1]["messages"]
    (conversation,) = await stored(tmp_path)
    assert len(conversation) == 3
    assert conversation.thread()[-1].content == "first answer"


async def test_editing_a_message_makes_a_branch_and_keeps_the_old_one(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("old words")
            house.chat.set_focus(house.chat.transcript)
            await house.press("g", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "old words")
            await house.write(" and new")
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            assert house.thread[0].content == "old words and new"
        assert server.chats[1]["messages"] == [{"role": "user", "content": "old words and new"}]
    (conversation,) = await stored(tmp_path)
    assert len(conversation) == 4
    assert len(conversation.siblings(conversation.thread()[0].id)) == 2


async def test_use_these_parameters_takes_the_setup_of_a_reply(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3, "seed": 7}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            await house.command("/temperature 1.5")
            assert house.chat.setup.params["temperature"] == 1.5
            house.chat.set_focus(house.chat.transcript)
            await house.press("G", "p")
            await wait_until(lambda: house.chat.setup.params["temperature"] == 0.3)
            assert house.chat.setup.params["seed"] == 7


async def test_everything_is_back_at_the_next_start(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("remember me")
            await house.command("/temperature 0.4")
            await house.command("/system Be brief.")
            await house.command("/preset chaos")
            await house.write("half a dra")
        async with open_house(tmp_path, server) as house:
            assert [message.content for message in house.thread] == ["remember me", "Hello, world."]
            assert house.chat.setup.params["temperature"] == 2
            assert house.chat.setup.system == "Be brief."
            assert house.chat.preset is not None
            assert house.chat.preset.name == "Chaos"
            assert house.chat.prompt.text_to_send == "half a dra"
        assert len(server.chats) == 1


async def test_a_failed_reply_says_why_and_keeps_the_question(tmp_path: Path) -> None:
    error = {"error": {"message": "overloaded [/] [b]now", "type": "server_error"}}
    with FakeServer(Answer(status=503, error=error)) as server:
        async with open_house(tmp_path, server) as house:
            reply = await house.send("hi")
            assert reply.status == "failed"
            assert "[/]" in house.screen_text()
            assert "F5 tries again" in house.screen_text()
            server.answer = Answer(words("better now"))
            await house.press("f5")
            await wait_until(lambda: house.thread[-1].content == "better now")
            await house.answered()
        assert server.chats[1]["messages"] == [{"role": "user", "content": "hi"}]


async def test_a_refused_parameter_is_left_out_with_a_notice(tmp_path: Path) -> None:
    refusal = {
        "error": {
            "message": "Unsupported value: 'temperature' does not support 0.3 with this model.",
            "param": "temperature",
            "code": "unsupported_value",
        }
    }
    with FakeServer() as server:
        server.answers = lambda body: (
            Answer(status=400, error=refusal) if "temperature" in body else Answer()
        )
        opening = Opening(params=Params({"temperature": 0.3, "top_p": 0.9}))
        async with open_house(tmp_path, server, opening=opening) as house:
            reply = await house.send("hi")
            assert reply.status == "complete"
            assert [refused.name for refused in reply.refused] == ["temperature"]
            assert "Temperature was refused" in house.notices()
            assert "Temperature was refused" in house.screen_text()
        assert server.chats[1]["top_p"] == 0.9


async def test_a_thinking_model_shows_its_reasoning_folded_and_is_not_sent_it(
    tmp_path: Path,
) -> None:
    with FakeServer(Answer(words("the answer"), reasoning=words("let me think"))) as server:
        async with open_house(tmp_path, server) as house:
            reply = await house.send("hi")
            assert reply.reasoning == "let me think"
            assert "Reasoning" in house.screen_text()
            assert "let me think" not in house.screen_text()
            await house.send("and?")
        assert [message["content"] for message in server.chats[1]["messages"]] == [
            "hi",
            "the answer",
            "and?",
        ]


async def test_a_new_conversation_leaves_the_old_one_saved(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("first")
            await house.press("ctrl+n")
            await wait_until(lambda: not house.thread)
            await house.send("second")
        assert server.chats[1]["messages"] == [{"role": "user", "content": "second"}]
    assert [conversation.title for conversation in await stored(tmp_path)] == ["first", "second"]


async def test_drafts_stay_with_their_conversations(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("first")
            await house.write("for the first")
            await house.press("ctrl+n")
            await wait_until(lambda: not house.thread)
            assert house.chat.prompt.text_to_send == ""
            await house.write("for the new")
            await house.press("f3")
            await wait_until(lambda: "first" in house.screen_text())
            await house.pilot.pause()
            await house.press("enter")
            await wait_until(lambda: house.thread)
            await wait_until(lambda: house.chat.prompt.text_to_send == "for the first")
            await house.press("ctrl+n")
            await wait_until(lambda: house.chat.prompt.text_to_send == "for the new")


async def test_a_question_that_was_never_answered_can_be(tmp_path: Path) -> None:
    conversation = Conversation("c", "Left alone")
    store = await Store.open(tmp_path / "config" / "conversations.db")
    await store.create(conversation, said("user", "anyone?"))
    await store.set_state("chat", '{"conversation":"c","endpoint":"environment","model":"fake-1"}')
    await store.close()
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("f5")
            await wait_until(lambda: len(house.thread) == 2)
            await house.answered()
            assert house.thread[-1].content == "Hello, world."
        assert server.chats[0]["messages"] == [{"role": "user", "content": "anyone?"}]


async def test_escape_stops_the_wait_for_a_list_of_models(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.listed = Answer(silent=True)
        async with open_house(tmp_path, server) as house:
            await house.write("hi")
            await house.press("enter")
            await wait_until(lambda: server.count("/models"))
            await house.press("escape")
            await wait_until(lambda: not house.chat.answering)
            assert house.chat.prompt.text_to_send == "hi"
            assert not house.thread


async def test_a_clicked_link_is_shown_before_anything_is_opened(tmp_path: Path) -> None:
    with FakeServer(Answer(words("See [this](https://example.org/true) page."))) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("where?")
            rows = house.screen_text().splitlines()
            y = next(number for number, row in enumerate(rows) if "See this page" in row)
            await house.pilot.click(offset=(rows[y].index("this") + 1, y))
            await wait_until(lambda: "https://example.org/true" in house.screen_text())
            assert "Open this link?" in house.screen_text()
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_ten_thousand_saved_messages_open_at_the_end_and_take_keys(tmp_path: Path) -> None:
    conversation = Conversation("long", "Long")
    store = await Store.open(tmp_path / "config" / "conversations.db")
    message = said("user", "message 0")
    await store.create(conversation, message)
    with sqlite3.connect(tmp_path / "config" / "conversations.db") as database:
        for number in range(1, 10_000):
            message = said(
                "user" if number % 2 == 0 else "assistant", f"message {number}", message.id
            )
            queries.add(database, conversation.id, message, "")
    await store.set_state(
        "chat", '{"conversation":"long","endpoint":"environment","model":"fake-1"}'
    )
    await store.close()
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            assert len(house.thread) == 10_000
            assert "message 9999" in house.screen_text()
            await house.press("pageup", "pageup")
            assert "message 9999" not in house.screen_text()
            await house.send("one more")
            assert "Hello, world." in house.screen_text()
        assert len(server.chats[0]["messages"]) == 10_001
