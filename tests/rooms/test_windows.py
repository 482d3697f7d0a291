"""Two windows at once: what another one does to the open conversation, the list and the preset is shown here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import House, open_house, stored, wait_until
from tests.rooms.library import open_review, reply, talk
from tui_chat.core.conversation import said
from tui_chat.core.store import Store


@pytest.fixture(autouse=True)
def _looked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("widgets.windows", "rooms.review.refreshing"):
        monkeypatch.setattr(f"tui_chat.{module}.EVERY", 0.03)


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The program with a conversation of one turn."""
    with FakeServer(Answer(words("an answer"))) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("a question")
            yield house


@pytest_asyncio.fixture
async def other(tmp_path: Path, house: House) -> AsyncIterator[Store]:
    """The store of another window."""
    store = await Store.open(tmp_path / "config" / "conversations.db")
    yield store
    await store.close()


async def test_what_another_window_adds_shows_and_what_is_read_stays(
    house: House, other: Store
) -> None:
    here, question = house.thread, house.thread[0]
    again = replace(reply("partly", question), status="streaming")
    await other.add(house.chat.talk.saved_id, again)
    await wait_until(lambda: "‹ 1/2 ›" in house.screen_text())
    assert house.notices().count("Another window added to this conversation.") == 1
    assert "On a message, [ and ] lead to it, and t shows all branches." in house.notices()
    assert house.thread == here

    await other.finish(replace(again, status="complete", content="another answer"))
    await wait_until(lambda: house.chat.conversation.message(again.id).content == "another answer")
    await house.press("tab", "right_square_bracket")
    await wait_until(lambda: "another answer" in house.screen_text())
    assert house.notices().count("Another window added to this conversation.") == 1


async def test_both_turns_of_two_windows_are_kept_as_branches(house: House, other: Store) -> None:
    last, saved = house.thread[-1], house.chat.talk.saved_id
    there = said("user", "from there", last.id)
    await other.add(saved, there)
    await other.add(saved, reply("to there", there))
    await house.send("from here")
    await wait_until(lambda: house.chat.conversation.has(there.id))
    kept = await house.saved()
    assert {kept.message(one).content for one in kept.children(last.id)} == {
        "from there",
        "from here",
    }
    assert [one.content for one in house.thread][-2:] == ["from here", "an answer"]


async def test_a_new_title_shows(house: House, other: Store) -> None:
    await other.rename(house.chat.talk.saved_id, "Named elsewhere")
    await wait_until(lambda: "Named elsewhere" in house.screen_text())


async def test_a_conversation_that_another_window_deletes_comes_back_with_what_is_sent(
    house: House, other: Store
) -> None:
    await other.delete([house.chat.talk.saved_id])
    await wait_until(lambda: "sending here brings it back" in house.notices())
    assert "an answer" in house.screen_text()
    await house.send("still here")
    assert len((await house.saved()).thread()) == 4


async def test_a_branch_that_another_window_deletes_comes_back_with_what_is_sent_below_it(
    house: House, other: Store
) -> None:
    await other.delete_messages([house.thread[-1].id])
    await wait_until(lambda: "stay here until it is opened anew" in house.notices())
    await house.send("below it")
    assert [one.content for one in (await house.saved()).thread()] == [
        "a question",
        "an answer",
        "below it",
        "an answer",
    ]


async def test_to_a_conversation_that_another_window_purges_nothing_is_added(
    house: House, other: Store, tmp_path: Path
) -> None:
    saved = house.chat.talk.saved_id
    await other.delete([saved])
    await other.purge([saved])
    await wait_until(lambda: "deleted this conversation for good" in house.notices())
    await wait_until(lambda: "not saved: deleted elsewhere" in house.screen_text())
    await house.write("still here?")
    await house.press("enter")
    await wait_until(lambda: "no longer there" in house.notices())
    assert house.chat.draft == "still here?"

    await house.press("ctrl+u")
    await house.command(f"/export {tmp_path / 'rescued.md'}")
    assert "an answer" in (tmp_path / "rescued.md").read_text()
    await house.press("ctrl+n")
    await wait_until(lambda: "not saved" not in house.screen_text())


async def test_a_reply_whose_conversation_is_purged_meanwhile_is_given_up(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 30), delay=0.02)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("go on")
            await house.press("enter")
            await wait_until(lambda: len(server.sent) > 3)
            other = await Store.open(tmp_path / "config" / "conversations.db")
            await other.delete([house.chat.talk.saved_id])
            await other.purge([house.chat.talk.saved_id])
            await other.close()
            await house.answered()
            assert "no longer there" in house.notices()
            assert "word word" in house.screen_text()
    assert not await stored(tmp_path)


async def test_the_list_shows_what_another_window_saves_and_deletes(
    house: House, other: Store
) -> None:
    await open_review(house)
    conversation = talk("said elsewhere", "an answer")
    await other.create(conversation, conversation.messages[0])
    await wait_until(lambda: "said elsewhere" in house.screen_text())
    await other.delete([conversation.id])
    await wait_until(lambda: "said elsewhere" not in house.screen_text())
    await house.press("escape")


async def test_a_chosen_preset_that_changes_on_the_disk_is_told_as_it_is(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "config" / "presets" / "Mine.toml"

    def title() -> str:
        return str(house.chat.query_one("#side").border_title)

    await house.command("/save Mine")
    await wait_until(lambda: "Mine" in title() and "*" not in title())
    before = file.read_text()

    file.write_text("[parameters]\nseed = 7\n")
    await wait_until(lambda: "Mine *" in title())
    await wait_until(lambda: "was changed on the disk" in house.notices())
    assert house.chat.setup.params.get("seed") is None

    file.write_text(before)
    await wait_until(lambda: "*" not in title())
    file.write_text("[[[")
    await wait_until(lambda: "Mine *" in title())

    (tmp_path / "elsewhere.toml").write_text(before)
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere.toml")
    await wait_until(lambda: "*" not in title())
    await house.write("/save Mine")
    await house.press("enter")
    await wait_until(lambda: "Its file is a link" in house.screen_text())
    await house.press("escape")

    file.unlink()
    await wait_until(lambda: "Mine" not in title())
    await wait_until(lambda: "is gone from the disk" in house.notices())


async def test_a_preset_that_changes_while_one_is_asked_is_not_replaced(
    house: House, tmp_path: Path
) -> None:
    file = tmp_path / "config" / "presets" / "Mine.toml"
    await house.command("/save Mine")
    await house.press("ctrl+u")
    await house.write("/save Mine")
    await house.press("enter")
    await wait_until(lambda: "Replace the preset" in house.screen_text())
    file.write_text("[parameters]\nseed = 7\n")
    await house.press("enter")
    await wait_until(lambda: "changed by another program in the meantime" in house.notices())
    assert file.read_text() == "[parameters]\nseed = 7\n"
