"""What is written and not sent is never lost: on disk in time, and with its conversation."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fake_server import FakeServer
from tests.rooms.house import House, open_house, wait_until
from tui_chat.rooms.chat.drafting import SAVE_DRAFT_AFTER

ENTER = ("enter", "\r")
CTRL_N = ("ctrl+n", "\x0e")


def characters(text: str) -> list[tuple[str, str]]:
    return [("space" if one == " " else one, one) for one in text]


async def kept(house: House, conversation: str) -> str:
    """The draft of a conversation as it is on disk."""
    return await (await house.app._world.store()).draft(conversation)


async def test_a_draft_is_on_disk_while_one_is_still_typing(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            keys = 0
            while not await kept(house, ""):
                await house.write("x")
                await asyncio.sleep(0.05)  # The pace of a person who does not pause.
                keys += 1
                assert keys < 30, "it waits for a pause"


async def test_what_is_typed_while_the_start_is_at_it_is_kept_without_another_key(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            house.chat.keeping = (
                False  # As long as the conversation of the last start is being read.
            )
            await house.write("a thought")
            await house.pilot.pause(4 * SAVE_DRAFT_AFTER)
            assert await kept(house, "") == ""
            house.chat.keeping = True
            async with asyncio.timeout(8):
                while await kept(house, "") != "a thought":
                    await asyncio.sleep(0.01)


async def test_keys_right_behind_ctrl_n_belong_to_the_new_conversation(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("first")
            first = house.chat.talk.conversation.id
            await house.write("for later")
            await house.burst(CTRL_N, *characters("hello world"), ENTER)
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            assert server.chats[1]["messages"] == [{"role": "user", "content": "hello world"}]
            assert await kept(house, first) == "for later"


async def test_a_first_message_does_not_come_back_as_a_draft(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("slowly written")
            while not await kept(house, ""):
                await house.pilot.pause(0.05)
            await house.send("")
            await house.press("ctrl+n")
            await house.pilot.pause(0.1)
            assert house.chat.prompt.text_to_send == ""
            assert await kept(house, "") == ""


async def test_an_edit_sets_the_draft_aside_and_gives_it_back(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("question")
            await house.write("half a thought")
            for leave in ("escape", "enter"):
                await house.press("tab", "g", "e")
                await wait_until(lambda: house.chat.prompt.text_to_send == "question")
                assert house.chat.kept_draft == "half a thought"
                await house.write(" again")
                assert house.chat.kept_draft == "half a thought\n\nquestion again"
                await house.press(leave)
                await wait_until(lambda: house.chat.prompt.text_to_send == "half a thought")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()


async def test_keys_typed_while_a_conversation_opens_belong_to_it(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("first")
            first = house.chat.talk.conversation.id
            await house.press("ctrl+n")
            await house.send("second")
            house.chat.open(first)
            await house.burst(*characters("more"), ENTER)
            await wait_until(lambda: len(server.chats) == 3)
            await house.answered()
            assert [message["content"] for message in server.chats[2]["messages"]] == [
                "first",
                "Hello, world.",
                "more",
            ]


async def test_an_edit_says_that_it_is_one_and_counts_only_what_it_follows(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("the first question")
            await house.send("the second question")
            assert "editing a message" not in house.screen_text()
            await house.press("tab", "g", "e")
            await wait_until(lambda: "editing a message" in house.screen_text())
            assert "esc Back" in house.screen_text()
            assert house.chat.next_thread == ()
            await house.press("escape")
            await wait_until(lambda: "editing a message" not in house.screen_text())
            assert len(house.chat.next_thread) == 4


async def test_a_long_message_is_edited_as_text(tmp_path: Path) -> None:
    text = "\n".join(f"line {number} of many" for number in range(1000))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            house.chat.prompt.set_draft(text)
            await house.send("")
            await house.press("tab", "g", "e")
            await wait_until(lambda: "line 999 of many" in house.screen_text())
            assert house.chat.prompt.text_to_send == text


async def test_a_typed_command_is_no_draft_of_a_message(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("words")
            await wait_until(lambda: "draft ≈1" in house.screen_text())
            house.chat.prompt.set_draft("/temperature 0.5")
            await wait_until(lambda: "draft 0" in house.screen_text())


async def test_commands_complete_with_names_and_are_recalled(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("/preset cha")
            await wait_until(lambda: "/preset Chaos" in house.screen_text())
            await house.press("tab", "enter")
            await wait_until(lambda: house.chat.setup.params.get("temperature") == 2)
            await wait_until(lambda: not house.chat.draft)
            await house.press("up")
            assert house.chat.draft == "/preset Chaos"


async def test_while_a_question_is_edited_it_is_not_answered_as_it_was(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("one")
            assert "F5 Regenerate" in house.screen_text()
            house.chat.set_focus(house.chat.transcript)
            await house.press("G", "k", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "one")
            await wait_until(lambda: "Regenerate" not in house.screen_text())
            await house.press("f5")
            await house.write(" more")
            await house.press("enter")
            await house.answered()
            assert len(server.chats) == 2
            assert house.thread[0].content == "one more"
