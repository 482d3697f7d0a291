"""A conversation that is too long: what helps is offered, after it was refused and before it is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.core.failing import error, openai
from tests.fake_server import Answer, Body, FakeServer, words
from tests.rooms.house import House, open_house, stored, wait_until
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params

LONG = "word " * 60
ASIDE = "Too long for the model"


def size(body: Body) -> int:
    """What the fake model takes a request to have: a token for each word."""
    return sum(len(message["content"].split()) for message in body["messages"])


def refusing(room: int) -> object:
    """Answers like OpenAI's API of a model that takes so many tokens."""

    def answer(body: Body) -> Answer:
        used, wanted = size(body), body.get("max_tokens", 0)
        if used + wanted <= room:
            return Answer(words(f"It had {used}."))
        said = (
            f"This model's maximum context length is {room} tokens. However, you requested"
            f" {used + wanted} tokens ({used} in the messages, {wanted} in the completion)."
        )
        return error(400, openai(said, code="context_length_exceeded", param="messages"))

    return answer


def too_long(server: FakeServer, room: int) -> None:
    server.answers = refusing(room)  # type: ignore[assignment]  # it is a function of the body


async def offered(house: House) -> None:
    await wait_until(lambda: ASIDE in house.screen_text(), "it is offered")
    await house.pilot.pause()


async def test_forgetting_the_oldest_makes_a_branch_and_the_whole_is_a_key_away(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            for question in ("one ", "two ", "three "):
                await house.send(question + LONG)
            whole = [message.id for message in house.thread]
            too_long(server, 150)
            await house.send("four")
            await offered(house)
            screen = house.screen_text()
            assert "The conversation is 40 tokens too long: it has 190" in screen
            assert "Forget the oldest messages" in screen
            assert "Shorter max length" not in screen
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 5, "it is asked again")
            await house.answered()
            assert "oldest messages are left out of this branch" in house.notices()
            assert "[ on its first message goes back to all of them." in house.notices()
            kept = house.thread
            assert kept[-1].status == "complete"
            assert [one.content for one in kept[-2:]] == ["four", kept[-1].content]
            assert kept[0].role == "user"
            assert not {message.id for message in kept} & set(whole)
            assert [message["content"] for message in server.chats[-1]["messages"]] == [
                message.content for message in kept[:-1]
            ]
            first = house.chat.conversation.message(whole[0])
            assert house.chat.conversation.siblings(first.id) == (first.id, kept[0].id)
            house.chat.set_focus(house.chat.transcript)
            await house.press("g")
            await wait_until(lambda: "‹ 2/2 ›" in house.screen_text())
            await house.press("left_square_bracket")
            await wait_until(lambda: [one.id for one in house.thread[:6]] == whole)
    (conversation,) = await stored(tmp_path)
    assert [message.id for message in conversation.thread()[:6]] == whole
    copies = [message for message in kept if message.content[:3] in ("one", "two", "thr", "Hel")]
    assert copies
    for one, copy in zip(whole[-len(copies) :], copies, strict=True):
        original = conversation.message(one)
        assert replace(copy, id="", parent="", created=0) == replace(
            original, id="", parent="", created=0
        )


async def test_a_max_length_that_is_too_much_is_made_shorter_and_it_is_asked_again(
    tmp_path: Path,
) -> None:
    opening = Opening(params=Params({"max_tokens": 900}))
    with FakeServer() as server:
        too_long(server, 500)
        async with open_house(tmp_path, server, opening=opening) as house:
            reply = await house.send(LONG)
            await offered(house)
            assert reply.error.startswith("With the max length the conversation is 460 tokens")
            assert "Shorter max length (900 → 440)" in house.screen_text()
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            assert house.thread[-1].content == "It had 60."
            assert house.chat.setup.params["max_tokens"] == 440
        assert server.chats[1]["max_tokens"] == 440


async def test_back_leaves_all_as_it_is_and_a_key_offers_it_again(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send(LONG)
            too_long(server, 30)
            await house.send("two")
            await offered(house)
            await house.press("escape")
            await wait_until(lambda: ASIDE not in house.screen_text())
            assert "failed: F5 tries again, F9 makes room" in house.screen_text()
            assert "F9 Make room" in house.screen_text()
            await house.press("f9")
            await offered(house)
            await house.press("down", "enter")
            await wait_until(lambda: ASIDE not in house.screen_text())
            assert len(house.chat.conversation) == 4
        assert len(server.chats) == 2
        async with open_house(tmp_path, server) as house:
            await house.press("f9")
            await offered(house)
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 3)
            await house.answered()
            assert house.thread[0].content == "two"
            assert house.thread[-1].content == "It had 1."


async def test_a_single_question_that_is_too_long_can_be_edited_or_given_to_another_model(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        too_long(server, 30)
        async with open_house(tmp_path, server) as house:
            reply = await house.send(LONG)
            await offered(house)
            assert "lower the max length" not in reply.error
            assert "Shorten the conversation, or choose a model that takes more." in reply.error
            assert "Edit the question" in house.screen_text()
            await house.press("down", "enter")
            await wait_until(lambda: "fake-2" in house.screen_text(), "the models are listed")
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
            await house.press("f9")
            await offered(house)
            await house.press("enter")
            await wait_until(lambda: "editing a message" in house.screen_text())
            assert house.chat.draft == LONG.strip()
            house.chat.prompt.text_area.select_all()
            await house.press("delete")
            await house.write("short")
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 2, "it is sent")
            await house.answered()
            assert [one.content for one in house.thread] == ["short", "It had 1."]


async def warned(house: House, text: str) -> None:
    """Write a text that is too long, and press Enter."""
    await house.write(text)
    await wait_until(lambda: "too long" in house.screen_text(), "it is counted")
    await house.press("enter")
    await offered(house)


async def test_nothing_opens_over_a_draft_that_is_being_written(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            server.answer = Answer(silent=True)
            await house.write(LONG)
            await house.press("enter")
            await wait_until(lambda: len(house.thread) == 2)
            await house.press("escape")
            await house.answered()
            too_long(server, 30)
            await house.write("next")
            await house.press("f5")
            await wait_until(lambda: "F9 makes room" in house.screen_text())
            await house.answered()
            assert ASIDE not in house.screen_text()
            assert house.chat.draft == "next"


def known(window: int) -> FakeServer:
    """A server whose list tells its window."""
    return FakeServer(Answer(usage=False), context=window)


async def test_a_draft_that_would_overflow_the_window_is_warned_of_and_can_be_sent_anyway(
    tmp_path: Path,
) -> None:
    with known(100) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await wait_until(lambda: "/ 100" in house.screen_text(), "the window is known")
            await warned(house, "word " * 120)
            assert "tokens too long: it has ≈1" in house.screen_text()
            assert "Send anyway" in house.screen_text()
            await house.press("escape")
            await wait_until(lambda: ASIDE not in house.screen_text())
            assert house.chat.draft.startswith("word word")
            assert len(server.chats) == 1
            await house.press("enter")
            await offered(house)
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 2, "it is sent")
            await house.answered()
            assert house.chat.draft == ""
            await house.send("word " * 120)
        assert len(server.chats) == 3, "who sends it anyway is not asked again"


async def test_forgetting_before_it_is_sent_leaves_out_the_oldest(tmp_path: Path) -> None:
    with known(300) as server:
        async with open_house(tmp_path, server) as house:
            for question in ("one ", "two "):
                await house.send(question + LONG)
            await wait_until(lambda: "/ 300" in house.screen_text(), "the window is known")
            await warned(house, "three " + "word " * 170)
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 3, "it is sent")
            await house.answered()
            assert house.thread[-2].content.startswith("three")
            assert house.thread[0].content != "one " + LONG.strip()
            assert house.chat.draft == ""
            assert len(house.chat.conversation.children(None)) == 2
        assert len(server.chats[2]["messages"]) < 5


async def test_a_max_length_counts_with_the_draft_where_the_server_refuses_that(
    tmp_path: Path,
) -> None:
    opening = Opening(params=Params({"max_tokens": 4000}))
    with known(4096) as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            await wait_until(lambda: "/ 4" in house.screen_text(), "the window is known")
            await house.write("word " * 120)
            await wait_until(lambda: "draft ≈12" in house.screen_text(), "it is counted")
            await house.press("enter")
            await offered(house)
            assert "Shorter max length (4 000 → 3 " in house.screen_text().replace("\u202f", " ")
            await house.press("enter")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
        assert 3000 < server.chats[1]["max_tokens"] < 4000
