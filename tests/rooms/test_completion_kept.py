"""Texts are kept, found again and opened in their room; both rooms have one setup."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fake_server import Answer, FakeServer
from tests.local_model import put_model
from tests.rooms.house import House, open_house, stored, wait_until
from tests.rooms.library import open_review
from tests.rooms.texts import go, marked, open_room, prompts, room
from tui_chat.rooms.completion.session import KEY, UNSAVED, Session


def time_server() -> FakeServer:
    return FakeServer(Answer((" a", " time")))


async def unsaved(house: House) -> str:
    return await (await house.app._world.store()).state(UNSAVED) or ""


async def choose(house: House, key: str, title: str) -> None:
    """Open the saved conversation of this title, which is a key away in the list."""
    await house.press("tab", key)
    await wait_until(lambda: any("▌" in row and title in row for row in rows(house)), title)
    await house.press("enter")


def rows(house: House) -> list[str]:
    return house.screen_text().splitlines()


async def test_a_text_is_on_disk_within_a_second_of_its_first_key(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house)
            keys = 0
            while not await unsaved(house):
                await house.write("x")
                await asyncio.sleep(0.05)  # The pace of a person who does not pause.
                keys += 1
                assert keys < 30, "it waits for a pause"


async def test_what_is_written_is_back_at_the_next_start(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await house.press("enter")
            await house.write("upon")
            await house.press("up")
            cursor = room(house).editor.cursor
        async with open_house(tmp_path, server) as house:
            await open_room(house)
            assert (room(house).editor.text, room(house).editor.cursor) == ("Once\nupon", cursor)
            await go(house)
            await house.write(" ago")
            assert await unsaved(house) == ""
        async with open_house(tmp_path, server) as house:
            await open_room(house)
            assert room(house).editor.text == "Once\nupon a time ago"
            assert marked(house) == [" a time"]
            assert len(prompts(server)) == 1


async def test_keys_right_behind_f8_are_of_the_text(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await house.burst(("f8", "\x1b"), *((one, one) for one in "Once"), ("f5", "\x1b"))
            await wait_until(lambda: house.app.screen is not house.chat)
            await wait_until(lambda: room(house).editor.text == "Once a time")
            assert prompts(server)[0]["prompt"] == "Once"
            assert house.chat.prompt.text_to_send == ""


async def test_f8_carries_the_setup_over_and_back(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/temperature 0.3")
            await open_room(house, "Once")
            assert room(house).setup.params == {"temperature": 0.3}
            await house.press("f2", "right")
            await go(house)
            assert prompts(server)[0]["temperature"] == 0.35
            await house.press("f8")
            await house.pilot.pause()
            assert house.app.screen is house.chat
            assert house.chat.setup.params == {"temperature": 0.35}
            assert house.chat.focused is house.chat.sidebar


async def test_what_is_set_for_a_text_is_set_at_the_next_start(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await house.press("f2", *"0.3", "enter")
            assert house.chat.setup.params == {"temperature": 0.3}
        async with open_house(tmp_path, server) as house:
            assert house.chat.setup.params == {"temperature": 0.3}


async def test_the_mode_row_turns_with_arrows_and_enter(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/system Be brief.")
            await house.press("f2")
            house.chat.sidebar.cursor = "mode"
            await wait_until(lambda: "● Chat  ○ Complete" in house.screen_text())
            await house.press("right")
            await wait_until(lambda: "○ Chat  ● Complete" in house.screen_text())
            assert room(house).focused is room(house).sidebar
            await house.press("down")
            await wait_until(lambda: "a text has no system prompt" in house.screen_text())
            await house.press("up", "left")
            await wait_until(lambda: house.app.screen is house.chat)
            await house.press("enter")
            await wait_until(lambda: house.app.screen is not house.chat)


async def test_a_saved_text_opens_in_its_room_and_a_chat_in_the_chat(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("question")
            await open_room(house, "Once upon")
            await go(house)
            await house.press("ctrl+n")
            await wait_until(lambda: room(house).editor.text == "")
            await house.write("Unfinished")
            await open_review(house)
            assert "Once upon" in house.screen_text()
            await choose(house, "down", "question")
            await wait_until(lambda: house.app.screen is house.chat, "the chat")
            await wait_until(lambda: house.chat.topline.title == "question")
            await open_review(house)
            await choose(house, "up", "Once upon")
            await wait_until(lambda: house.app.screen is house.app.room, "the room for texts")
            await wait_until(lambda: room(house).editor.text == "Once upon a time")
            await house.press("ctrl+n")
            await wait_until(lambda: room(house).editor.text == "Unfinished")
            await house.press("ctrl+n")
            await wait_until(lambda: room(house).editor.text == "")
            await house.press("ctrl+z")
            await house.pilot.pause()
            assert room(house).editor.text == "Unfinished"
    kept = await stored(tmp_path)
    assert [(one.title, one.is_text) for one in kept] == [("question", False), ("Once upon", True)]


async def test_a_text_that_is_deleted_while_it_is_open_is_left(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            await go(house)
            await open_review(house)
            await house.press("tab", "delete")
            await wait_until(lambda: "Deleted" in house.notices())
            await house.press("f3")
            await wait_until(lambda: house.app.screen is room(house))
            await wait_until(lambda: room(house).editor.text == "")
            assert not room(house).talk.saved_id


async def test_leaving_while_a_text_grows_keeps_what_came(tmp_path: Path) -> None:
    with FakeServer(Answer((" a", " time"), stall_after=1)) as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await house.press("f5")
            await wait_until(lambda: room(house).editor.text == "Once a")
    (kept,) = await stored(tmp_path)
    assert [(one.content, one.status) for one in kept.thread()] == [
        ("Once", "complete"),
        (" a", "stopped"),
    ]


async def test_a_text_that_is_continued_for_the_first_time_is_never_in_no_place(
    tmp_path: Path,
) -> None:
    with FakeServer(Answer(silent=True)) as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            while await unsaved(house) != "Once":
                await asyncio.sleep(0.01)
            await house.press("f5")
            while await unsaved(house):
                await asyncio.sleep(0)
            # A kill now costs the next start nothing: it opens what the text has become.
            store = await house.app._world.store()
            session = Session.read(await store.state(KEY))
            assert session.conversation == room(house).talk.saved_id != ""


async def test_the_examples_are_one_key_away(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house)
            await wait_until(lambda: "F9 has examples" in house.screen_text())
            await house.press("f9")
            await wait_until(lambda: "A list cut at ten" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: room(house).editor.text.endswith("unicórnio a time"))
            await wait_until(lambda: not room(house).answering)
            await house.press("f9")
            await wait_until(lambda: "A list cut at ten" in house.screen_text())
            await house.press("down", "down", "enter")
            await wait_until(lambda: len(prompts(server)) == 2)
            assert prompts(server)[1]["stop"] == ["11"]
            assert "unicórnio" not in prompts(server)[1]["prompt"]


async def test_both_modes_answer_side_by_side_and_are_kept(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.answers = lambda body: Answer(
            ("It is Brasília.",) if "messages" in body else (" E a do Chile?",)
        )
        async with open_house(tmp_path, server) as house:
            await open_room(house, "mine")
            await house.press("f9")
            await wait_until(lambda: "A list cut at ten" in house.screen_text())
            await house.press("down", "enter")
            await wait_until(lambda: "It is Brasília." in house.screen_text())
            await wait_until(lambda: "E a do Chile?" in house.screen_text())
            await wait_until(lambda: house.screen_text().count("complete") == 2)
            await house.press("escape")
            await wait_until(lambda: house.app.screen is room(house))
            assert room(house).editor.text == "mine"
    kept = await stored(tmp_path)
    assert sorted(one.is_text for one in kept) == [False, True]
    assert {one.title for one in kept} == {"Qual é a capital do Brasil?"}


async def test_the_palette_offers_what_can_be_done_to_a_text(tmp_path: Path) -> None:
    with time_server() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await house.press("ctrl+p")
            await house.write("continue the text")
            await house.press("enter")
            await wait_until(lambda: room(house).editor.text == "Once a time")


async def test_the_built_in_model_continues_a_text_and_a_list_ends_at_ten(tmp_path: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    async with open_house(tmp_path) as house:
        await house.command("/temperature 0")
        await house.command("/max-tokens 200")
        await open_room(house)
        await house.press("f9")
        await wait_until(lambda: "A list cut at ten" in house.screen_text())
        await house.press("down", "down", "enter")
        await wait_until(lambda: room(house).answering, "it begins")
        await wait_until(lambda: not room(house).answering, "it ends")
        lines = room(house).editor.text.rstrip().splitlines()
        assert lines[-1].startswith("10."), room(house).editor.text
        assert "11" not in room(house).editor.text
        assert "complete" in house.screen_text()
