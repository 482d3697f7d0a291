"""Branches: any message edited, the tree, deleting and undoing."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import House, open_house, stored, wait_until
from tests.rooms.library import keep
from tui_chat.core.conversation import EDITED, Conversation, Message, said
from tui_chat.core.talk import Talk
from tui_chat.widgets.tree import TreeDialog


async def on_messages(house: House, *keys: str) -> None:
    """Press keys on the transcript."""
    house.chat.set_focus(house.chat.transcript)
    await house.press(*keys)


def screen_has(house: House, *texts: str) -> bool:
    shown = house.screen_text()
    return all(text in shown for text in texts)


async def again(house: House, server: FakeServer) -> None:
    """Answer the last question once more."""
    before = len(server.chats)
    await house.press("f5")
    await wait_until(lambda: len(server.chats) > before)
    await house.answered()


# Editing


async def test_an_edited_reply_is_a_sibling_that_is_saved_and_not_sent(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await house.write("a draft")
            await on_messages(house, "G", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "Hello, world.")
            assert screen_has(house, "editing a reply: Enter keeps it as a new branch")
            await wait_until(lambda: screen_has(house, "enter Save as a branch"))
            assert not screen_has(house, "enter Send")
            await house.write(" And more.")
            await house.press("enter")
            await wait_until(lambda: house.thread[-1].content == "Hello, world. And more.")
            await wait_until(lambda: house.chat.prompt.text_to_send == "a draft")
            assert screen_has(house, "Assistant · edited", "‹ 2/2 ›")
            assert not screen_has(house, "editing a reply")
            await wait_until(lambda: screen_has(house, "enter Send"))
            assert len(server.chats) == 1
            assert (await house.saved()).thread()[-1].content == "Hello, world. And more."
        async with open_house(tmp_path, server) as house:
            assert screen_has(house, "Assistant · edited")
            house.chat.prompt.set_draft("")
            await house.send("go on")
        assert [one["content"] for one in server.chats[-1]["messages"]] == [
            "hi",
            "Hello, world. And more.",
            "go on",
        ]
    (conversation,) = await stored(tmp_path)
    edited = conversation.thread()[1]
    assert (edited.role, edited.setup, edited.finish_reason) == ("assistant", None, EDITED)
    assert len(conversation.siblings(edited.id)) == 2


async def test_an_edit_that_changes_nothing_adds_nothing(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send)
            await house.press("enter")
            await wait_until(lambda: "Nothing was changed." in house.notices())
            assert house.chat.editing is None
            assert not house.chat.prompt.text_to_send
    (conversation,) = await stored(tmp_path)
    assert len(conversation) == 2


async def test_a_reply_that_is_edited_may_begin_with_a_slash(tmp_path: Path) -> None:
    with FakeServer(Answer(["/quit"])) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "//quit")
            await house.write(" now")
            await house.press("enter")
            await wait_until(lambda: house.thread[-1].content == "/quit now")


async def test_two_enters_keep_one_edit(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send)
            await house.burst(("x", "x"), ("enter", "\r"), ("enter", "\r"), ("enter", "\r"))
            await wait_until(lambda: house.chat.editing is None)
            await house.pilot.pause()
    (conversation,) = await stored(tmp_path)
    assert len(conversation) == 3


async def test_an_imported_system_message_is_edited_beside_it(tmp_path: Path) -> None:
    rules = said("system", "Be brief.")
    question = said("user", "hi", rules.id)
    await keep(tmp_path, Conversation(title="Imported", messages=[rules, question]))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            (saved,) = [one async for one in (await house.app._world.store()).conversations()]
            house.chat.open(saved.id)
            await wait_until(lambda: len(house.thread) == 2)
            await on_messages(house, "g", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "Be brief.")
            assert screen_has(house, "editing a message: Enter keeps it as a new branch")
            await house.write(" And kind.")
            await house.press("enter")
            await wait_until(lambda: house.chat.editing is None)
            assert not server.chats
            await house.write("hello")
            await house.press("enter")
            await wait_until(lambda: server.chats)
            await house.answered()
        assert server.chats[0]["messages"] == [
            {"role": "system", "content": "Be brief. And kind."},
            {"role": "user", "content": "hello"},
        ]


async def test_regenerating_an_edited_reply_answers_the_question_again(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "e")
            await house.write("!")
            await house.press("enter")
            await wait_until(lambda: house.chat.editing is None)
            await on_messages(house, "G", "r")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            assert screen_has(house, "‹ 3/3 ›")
        assert server.chats[1]["messages"] == server.chats[0]["messages"]


# The tree


async def test_the_tree_reads_another_branch(tmp_path: Path) -> None:
    with FakeServer() as server:
        replies = iter(["first answer", "second answer", "below the second"])
        server.answers = lambda body: Answer(words(next(replies)))
        async with open_house(tmp_path, server) as house:
            await house.send("question")
            await house.press("f5")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            await house.send("more")
            await on_messages(house, "G", "t")
            await wait_until(lambda: isinstance(house.app.screen, TreeDialog))
            assert screen_has(house, "├─ first answer", "● You: question", "● below the second")
            await house.press("k", "k", "k", "enter")
            await wait_until(lambda: house.thread[-1].content == "first answer")
            cursor = house.chat.transcript.message_at_cursor()
            assert cursor is not None
            assert cursor.content == "first answer"
            # From above the fork, the branch that is read stays.
            await house.press("t")
            await wait_until(lambda: isinstance(house.app.screen, TreeDialog))
            await house.press("g", "enter")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.thread[-1].content == "first answer"
            await house.press("t")
            await wait_until(lambda: isinstance(house.app.screen, TreeDialog))
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
    (conversation,) = await stored(tmp_path)
    assert conversation.thread()[-1].content == "first answer"


async def test_the_tree_of_ten_thousand_messages_opens_at_the_present_one(tmp_path: Path) -> None:
    messages = [
        Message(f"m{place}", f"m{place - 1}" if place else None, "user", f"word {place}")
        for place in range(10_000)
    ]
    conversation = Conversation("c", "", messages, "m9999")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            started = time.monotonic()
            await house.app.push_screen(TreeDialog(conversation, "m5000"))
            await wait_until(lambda: "You: word 5000" in house.screen_text())
            assert time.monotonic() - started < 2
            await house.press("G")
            await wait_until(lambda: "You: word 9999" in house.screen_text())
            await house.press("escape")


async def test_turning_several_times_at_once_arrives(tmp_path: Path) -> None:
    with FakeServer() as server:
        replies = iter(["one", "two", "three"])
        server.answers = lambda body: Answer([next(replies)])
        async with open_house(tmp_path, server) as house:
            await house.send("question")
            await again(house, server)
            await again(house, server)
            await on_messages(house, "G")
            await house.burst(("left_square_bracket", "["), ("left_square_bracket", "["))
            await wait_until(lambda: house.thread[-1].content == "one")
    (conversation,) = await stored(tmp_path)
    assert conversation.thread()[-1].content == "one"


# Deleting


async def delete(house: House) -> None:
    await house.press("d")
    await wait_until(lambda: "Delete this message" in house.screen_text())
    await house.press("enter")
    await wait_until(lambda: house.app.screen is house.chat)
    await house.pilot.pause()


async def test_a_branch_is_deleted_after_a_question_and_brought_back(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("one")
            await house.send("two")
            before = await house.saved()
            await on_messages(house, "G", "k", "d")
            await wait_until(
                lambda: "Delete this message and the one below it?" in house.screen_text()
            )
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)
            assert len(house.thread) == 4
            await delete(house)
            await wait_until(lambda: len(house.thread) == 2)
            assert not screen_has(house, "two")
            saved = await house.saved()
            assert [one.content for one in saved.messages] == ["one", "Hello, world."]
            assert saved.leaf == house.thread[-1].id
            await house.press("ctrl+z")
            await wait_until(lambda: len(house.thread) == 4)
            await wait_until(lambda: screen_has(house, "two"))
            after = await house.saved()
            assert (after.messages, after.leaf) == (before.messages, before.leaf)
            assert house.chat.talk.conversation.messages == before.messages


async def test_several_deletions_come_back_in_turn_with_their_order(tmp_path: Path) -> None:
    with FakeServer() as server:
        replies = iter(["one", "two", "three"])
        server.answers = lambda body: Answer([next(replies)])
        async with open_house(tmp_path, server) as house:
            await house.send("question")
            await again(house, server)
            await again(house, server)
            await on_messages(house, "G", "left_square_bracket", "left_square_bracket")
            await wait_until(lambda: house.thread[-1].content == "one")
            await delete(house)
            await wait_until(lambda: house.thread[-1].content == "three")
            assert screen_has(house, "‹ 2/2 ›")
            await delete(house)
            await wait_until(lambda: house.thread[-1].content == "two")
            await house.press("ctrl+z")
            await wait_until(lambda: house.thread[-1].content == "three")
            await house.press("ctrl+z")
            await wait_until(lambda: house.thread[-1].content == "one")
            await wait_until(lambda: screen_has(house, "‹ 1/3 ›"))
            assert "undo_delete" not in [
                found.binding.action.removeprefix("screen.")
                for found in house.chat.active_bindings.values()
                if found.enabled
            ]
    (conversation,) = await stored(tmp_path)
    assert [one.content for one in conversation.messages] == ["question", "one", "two", "three"]
    assert conversation.thread()[-1].content == "one"


async def test_what_was_deleted_comes_back_after_another_conversation(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("one")
            first = house.chat.talk.conversation.id
            await on_messages(house, "G")
            await delete(house)
            await wait_until(lambda: len(house.thread) == 1)
            await house.press("ctrl+n")
            await wait_until(lambda: not house.thread)
            await house.write("/undo")
            await house.press("escape", "enter")
            await wait_until(lambda: "Nothing of this conversation was deleted." in house.notices())
            house.chat.prompt.set_draft("")
            house.chat.open(first)
            await wait_until(lambda: len(house.thread) == 1)
            await house.pilot.pause()
            house.chat.prompt.set_draft("")
            await house.command("/undo")
            await wait_until(lambda: len(house.thread) == 2)
    (conversation,) = await stored(tmp_path)
    assert len(conversation) == 2


async def test_the_whole_conversation_is_not_deleted_here(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("one")
            await on_messages(house, "g", "d")
            await wait_until(lambda: "F3 deletes it" in house.notices())
            assert house.app.screen is house.chat
            assert len(house.thread) == 2


async def test_nothing_is_deleted_while_a_reply_arrives(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.02)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("talk")
            await house.press("enter")
            await wait_until(lambda: len(server.sent) > 2)
            await on_messages(house, "G", "d")
            await wait_until(lambda: "still arriving" in house.notices())
            assert house.app.screen is house.chat
            await house.press("escape")
            await house.answered()
            assert len(house.thread) == 2


async def test_an_edit_of_what_is_deleted_is_given_up(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("one")
            await house.send("two")
            await on_messages(house, "G", "k", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "two")
            await on_messages(house)
            await delete(house)
            await wait_until(lambda: house.chat.editing is None)
            assert not house.chat.prompt.text_to_send


async def test_nothing_means_what_is_deleted_while_the_disk_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, keep_leaf = asyncio.Event(), Talk.keep_leaf

    async def slow(self: Talk) -> None:
        await held.wait()
        await keep_leaf(self)

    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("one")
            await house.send("two")
            await on_messages(house, "G", "k", "e")
            await wait_until(lambda: house.chat.prompt.text_to_send == "two")
            await on_messages(house)
            monkeypatch.setattr(Talk, "keep_leaf", slow)
            await delete(house)
            await wait_until(lambda: len(house.thread) == 2)
            assert house.chat.editing is None
            assert house.chat.kept_draft == ""
            held.set()
            await wait_until(lambda: "Deleted" in house.notices())


async def stopped(house: House, server: FakeServer) -> str:
    """A reply that was stopped; its text."""
    await house.write("talk")
    await house.press("enter")
    await wait_until(lambda: len(server.sent) > 5)
    await house.press("escape")
    await house.answered()
    return house.thread[-1].content


@pytest.mark.parametrize(
    "title",
    [
        "Continue this reply",
        "Tree of the conversation",
        "Info on the message",
        "Delete the message",
    ],
)
async def test_the_palette_offers_what_the_keys_do(tmp_path: Path, title: str) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.01)) as server:
        async with open_house(tmp_path, server) as house:
            await stopped(house, server)
            await on_messages(house, "G")
            offered = [command.title for command in house.app.get_system_commands(house.app.screen)]
            assert title in offered
