"""The completion room: a text is written, continued, continued otherwise, and taken back."""

from __future__ import annotations

from pathlib import Path

from tests.fake_server import Answer, FakeServer
from tests.rooms.house import open_house, wait_until
from tests.rooms.texts import done, go, marked, open_room, prompts, room, saved
from tui_chat.core.conversation import COMPLETION


def numbered(*endings: str) -> FakeServer:
    """A server that continues each time with the next of these."""
    server = FakeServer()
    left = list(endings)
    server.answers = lambda body: Answer((left.pop(0) if body.get("stream") else "x",))
    return server


async def test_f5_continues_what_is_written_and_ctrl_enter_goes_on(tmp_path: Path) -> None:
    with numbered(" a time", " there was") as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            assert await go(house) == "Once upon a time"
            assert await go(house, "ctrl+enter") == "Once upon a time there was"
            assert [one["prompt"] for one in prompts(server)] == ["Once upon", "Once upon a time"]
            assert not server.chats
            assert marked(house) == [" a time there was"]
            kept = (await saved(house)).thread()
            assert [(one.role, one.content) for one in kept] == [
                ("user", "Once upon"),
                ("assistant", " a time"),
                ("assistant", " there was"),
            ]
            assert {one.way for one in kept if one.setup} == {COMPLETION}
            assert room(house).topline.title == "Once upon"


async def test_ctrl_j_continues_where_a_terminal_cannot_tell_ctrl_enter(tmp_path: Path) -> None:
    with numbered(" a time") as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            assert await go(house, "ctrl+j") == "Once upon a time"


async def test_f5_on_an_untouched_continuation_makes_another_beside_it(tmp_path: Path) -> None:
    with numbered(" a time", " a hill", " further") as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            await go(house)
            assert await go(house) == "Once upon a hill"
            assert [one["prompt"] for one in prompts(server)] == ["Once upon"] * 2
            assert "‹ 2/2 ›" in house.screen_text()
            await house.press("ctrl+up")
            assert room(house).editor.text == "Once upon a time"
            assert "‹ 1/2 ›" in house.screen_text()
            await wait_until(lambda: marked(house) == [" a time"])
            store = await house.app._world.store()
            while (await saved(house)).thread()[-1].content != " a time":
                await house.pilot.pause(0.01)
            await house.press("ctrl+down", "ctrl+down")
            assert room(house).editor.text == "Once upon a hill"
            assert await store.latest() == room(house).talk.saved_id


async def test_ctrl_z_takes_a_continuation_back_whole_and_the_tree_keeps_it(tmp_path: Path) -> None:
    with numbered(" a time", " a hill") as server:
        server.answers = None
        server.answer = Answer((" a", " long", " time"))
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            await go(house)
            await house.press("ctrl+z")
            await house.pilot.pause()
            assert room(house).editor.text == "Once upon"
            assert marked(house) == []
            while (await saved(house)).leaf != (await saved(house)).messages[0].id:
                await house.pilot.pause(0.01)
            assert len(await saved(house)) == 2
            await house.press("ctrl+y")
            await house.pilot.pause()
            assert room(house).editor.text == "Once upon a long time"
            assert marked(house) == [" a long time"]
            await house.press("ctrl+z")
            await house.pilot.pause()
            assert await go(house) == "Once upon a long time"
            assert (
                len(
                    room(house).talk.conversation.siblings(room(house).talk.conversation.leaf or "")
                )
                == 2
            )
            await house.press("ctrl+z", "ctrl+z")
            await house.pilot.pause()
            assert room(house).editor.text == ""


async def test_what_is_typed_into_the_models_part_splits_it(tmp_path: Path) -> None:
    with numbered(" a time", " more") as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            await go(house)
            await house.press("left", "left", "left", "left")
            await house.write("big ")
            assert room(house).editor.text == "Once upon a big time"
            assert marked(house) == [" a ", "time"]
            await house.press("ctrl+z")
            await house.pilot.pause()
            assert marked(house) == [" a time"]
            await house.press("ctrl+y")
            await house.press("f5")
            await done(house)
            assert room(house).editor.text == "Once upon a big time more"
            assert marked(house) == [" a ", "time more"]
            assert prompts(server)[-1]["prompt"] == "Once upon a big time"


async def test_the_text_is_only_read_while_it_grows_and_esc_keeps_what_came(tmp_path: Path) -> None:
    answer = Answer((" a", " b", " c"), stall_after=2)
    with FakeServer(answer) as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await house.press("f5")
            await wait_until(lambda: room(house).editor.text == "Once a b")
            await house.write("typed")
            await house.press("backspace", "ctrl+z")
            await house.press("escape")
            await done(house)
            assert room(house).editor.text == "Once a b"
            assert marked(house) == [" a b"]
            assert "stopped" in house.screen_text()
            assert (await saved(house)).thread()[-1].status == "stopped"
            await house.write("!")
            assert room(house).editor.text == "Once a b!"


async def test_in_the_middle_it_continues_at_the_end_and_says_so(tmp_path: Path) -> None:
    with numbered(" a time") as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            await house.press("home")
            await wait_until(lambda: "continues at the end" in house.screen_text())
            assert await go(house) == "Once upon a time"
            assert "suffix" not in prompts(server)[0]


async def test_where_the_server_takes_a_suffix_it_continues_at_the_cursor(tmp_path: Path) -> None:
    with numbered(" a time", " a hill", " and") as server:
        settings = tmp_path / "config" / "settings.toml"
        settings.parent.mkdir()
        settings.write_text(
            f'endpoint = "o"\n[endpoints.o]\nbase_url = "{server.base_url}"\nengine = "ollama"\n'
            'model = "fake-1"\n'
        )
        async with open_house(tmp_path) as house:
            await open_room(house, "Once upon! The end.")
            await house.press(*["left"] * 10)
            await wait_until(lambda: "continues at the cursor" in house.screen_text())
            assert await go(house) == "Once upon a time! The end."
            assert marked(house) == [" a time"]
            assert await go(house) == "Once upon a hill! The end."
            assert await go(house, "ctrl+enter") == "Once upon a hill and! The end."
            asked = [(one["prompt"], one["suffix"]) for one in prompts(server)]
            assert asked == [
                ("Once upon", "! The end."),
                ("Once upon", "! The end."),
                ("Once upon a hill", "! The end."),
            ]
        async with open_house(tmp_path) as house:
            await open_room(house)
            assert room(house).editor.text == "Once upon a hill and! The end."
            assert marked(house) == [" a hill and"]


async def test_a_length_that_ran_out_is_said(tmp_path: Path) -> None:
    with FakeServer(Answer((" a",), finish="length")) as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await go(house)
            assert "length: cut off" in house.screen_text()


async def test_a_failure_is_said_under_the_text_and_f5_tries_again(tmp_path: Path) -> None:
    with FakeServer(Answer(status=500, error={"error": {"message": "overheated"}})) as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once")
            await house.press("f5")
            await wait_until(lambda: "overheated" in house.screen_text())
            assert room(house).editor.text == "Once"
            server.answer = Answer((" more",))
            assert await go(house) == "Once more"


async def test_who_only_chats_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    with FakeServer() as server:
        settings = tmp_path / "config" / "settings.toml"
        settings.parent.mkdir()
        settings.write_text(
            f'endpoint = "o"\n[endpoints.o]\nbase_url = "{server.base_url}"\nengine = "openai"\n'
            'model = "fake-1"\n'
        )
        async with open_house(tmp_path) as house:
            await open_room(house, "Once")
            await wait_until(lambda: "o continues no texts" in house.screen_text())
            await house.press("f5")
            await wait_until(lambda: "llama.cpp" in house.notices())
            await done(house)
            assert not prompts(server)
            assert room(house).editor.text == "Once"
            assert not room(house).talk.saved_id


async def test_looks_at_the_next_token_are_of_the_text_up_to_the_cursor(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_room(house, "Once upon")
            await go(house)
            await house.press("home", *["right"] * 4)
            looks = server.requests
            await wait_until(
                lambda: any(one.body and one.body.get("prompt") == "Once" for one in looks)
            )
