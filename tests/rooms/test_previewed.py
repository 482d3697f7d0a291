"""The keys on messages in the review room's preview: the tree, info, comparing, going on in the chat."""

from __future__ import annotations

import json
from pathlib import Path

from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import House, open_house, stored, wait_until
from tests.rooms.library import branched, keep, look_for, open_review, reply, talk
from tui_chat.core.conversation import Conversation, said
from tui_chat.widgets.compare import Comparison
from tui_chat.widgets.info import InfoDialog
from tui_chat.widgets.tree import TreeDialog


async def to_preview(house: House, query: str) -> None:
    """Find the one hit, and go to the messages beside it."""
    await open_review(house)
    await look_for(house, query, "1 hit")
    await house.press("tab", "tab")


async def test_the_tree_reads_a_branch_there_without_changing_what_is_saved(
    tmp_path: Path,
) -> None:
    fruit = branched()
    await keep(tmp_path, fruit)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await to_preview(house, "apple")
            room = house.app.screen
            await house.press("t")
            await wait_until(lambda: isinstance(house.app.screen, TreeDialog))
            assert "├─ A pear." in house.screen_text()
            await house.press("g", "j", "enter")
            await wait_until(lambda: house.app.screen is room)
            await wait_until(lambda: "‹ 2/2 ›" in house.screen_text())
    (found,) = await stored(tmp_path)
    assert found.leaf == fruit.leaf
    assert len(found) == len(fruit)


async def test_info_compares_with_the_chats_setup_and_p_gives_it_that_of_the_reply(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, branched())
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await to_preview(house, "pear")
            await house.press("i")
            await wait_until(lambda: isinstance(house.app.screen, InfoDialog))
            await wait_until(lambda: "Differs from the present setup" in house.screen_text())
            await house.press("p")
            await wait_until(lambda: house.chat.setup.params.get("temperature") == 1.5)
            assert house.chat.setup.system == "Be brief."


async def test_a_reply_marked_in_the_chat_is_compared_with_one_of_the_preview(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, branched())
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await house.press("tab", "G", "m")
            await wait_until(lambda: "◆ marked" in house.screen_text())
            await to_preview(house, "pear")
            await house.press("m")
            await wait_until(lambda: isinstance(house.app.screen, Comparison))
            await wait_until(lambda: "Hello, world." in house.screen_text())
            assert "A pear." in house.screen_text()
            assert "Temperature: not set → 1.50" in house.screen_text()


async def test_c_in_the_preview_goes_on_with_the_reply_in_the_chat(tmp_path: Path) -> None:
    question = said("user", "Tell me a story.")
    cut = reply("Once upon", question, status="stopped")
    await keep(tmp_path, Conversation(title="Story", messages=[question, cut]))
    with FakeServer(Answer(words(" a time."))) as server:
        body = {"data": [{"id": "fake-1", "owned_by": "llamacpp"}]}
        server.listed = Answer(raw=json.dumps(body).encode(), content_type="application/json")
        async with open_house(tmp_path, server) as house:
            await to_preview(house, "once")
            await house.press("c")
            await wait_until(lambda: server.chats)
            await house.answered()
            assert house.thread[-1].content == "Once upon a time."
        assert server.chats[0]["messages"][-1] == {"role": "assistant", "content": "Once upon"}


async def test_d_in_the_preview_asks_in_the_chat(tmp_path: Path) -> None:
    await keep(tmp_path, branched())
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await to_preview(house, "pear")
            await house.press("d")
            await wait_until(lambda: "Delete this message?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: house.app.screen is house.chat)
            await wait_until(lambda: len(house.chat.talk.conversation) == 3)
    (found,) = await stored(tmp_path)
    assert [one.content for one in found.messages] == ["Which fruit?", "An apple.", "And then?"]


async def test_a_slash_in_the_preview_leads_to_the_search(tmp_path: Path) -> None:
    await keep(tmp_path, talk("apple"), talk("pear"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "tab", "slash")
            await look_for(house, "apple", "1 hit")


async def test_enter_on_a_message_opens_it_in_the_chat_and_unfolds_what_is_folded(
    tmp_path: Path,
) -> None:
    fruit = branched()
    first = fruit.messages[0].id
    await keep(tmp_path, fruit, talk("newer"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await to_preview(house, "pear")
            await house.press("g")
            await wait_until(lambda: "enter Open" in house.screen_text().splitlines()[-1])
            await house.press("enter")
            await wait_until(lambda: house.app.screen is house.chat)
            await wait_until(lambda: house.chat.transcript.cursor == first)
            # The branch that is read is the one that was read last.
            assert house.thread[0].id == first
            assert not server.chats


async def test_enter_on_a_message_of_the_trash_says_how_to_bring_it_back(tmp_path: Path) -> None:
    await keep(tmp_path, talk("A pear?", "Yes."))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "delete")
            await wait_until(lambda: "A pear?" not in house.screen_text())
            await house.press("slash")
            await look_for(house, "pear is:deleted", "1 hit")
            await house.press("tab", "tab", "enter")
            await wait_until(lambda: "It is in the trash" in house.notices())
            assert house.app.screen.id == "review"


async def test_the_bottom_line_of_the_list_shows_what_is_done_with_conversations(
    tmp_path: Path,
) -> None:
    await keep(tmp_path, talk("A pear?", "Yes."))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab")
            await wait_until(lambda: "s Star" in house.screen_text())
            line = house.screen_text().splitlines()[-1]
            for words in ("space Mark", "enter Open", "# Tag", "x Export", "b Import"):
                assert words in line
            assert line.rstrip().endswith("del Delete  F2 Rename  F1 Help")
