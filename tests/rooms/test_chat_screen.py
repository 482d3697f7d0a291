"""What stands around the talk: the lines at top and bottom, the meter, the cursor, small windows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import open_house, wait_until


async def test_small_windows_hide_the_sidebar_until_it_is_called(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(60, 16)) as house:
            assert "Temperature" not in house.screen_text()
            await house.press("f2")
            await wait_until(lambda: "Temperature" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "Temperature" not in house.screen_text())
            await house.send("hi")
            assert "Hello, world." in house.screen_text()


async def test_a_window_that_is_too_small_says_so(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(40, 10)) as house:
            assert "too small" in house.screen_text()


async def test_the_bottom_line_shows_stop_only_while_a_reply_arrives(tmp_path: Path) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.02)) as server:
        async with open_house(tmp_path, server) as house:
            assert "esc Stop" not in house.screen_text()
            await house.write("hi")
            await house.press("enter")
            await wait_until(lambda: "esc Stop" in house.screen_text())
            await house.press("escape")
            await house.answered()
            assert "esc Stop" not in house.screen_text()


async def test_the_bottom_line_follows_the_message_under_the_cursor(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            house.chat.set_focus(house.chat.transcript)
            await house.press("G")
            await wait_until(lambda: "r Regenerate" in house.screen_text())
            assert "e Edit" in house.screen_text()
            await house.press("k")
            await wait_until(lambda: "r Regenerate" not in house.screen_text())
            assert "e Edit" in house.screen_text()


async def test_a_reply_that_is_regenerated_hands_the_cursor_on(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await house.press("tab", "G", "r")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            await house.press("r")
            await wait_until(lambda: len(server.chats) == 3)
            await house.answered()
            assert house.chat.transcript.cursor == house.thread[-1].id
            assert "‹ 3/3 ›" in house.screen_text()


async def test_a_cursor_that_is_off_the_screen_comes_back_to_it(tmp_path: Path) -> None:
    with FakeServer(Answer(words("line\n\n" * 40))) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("first")
            await house.press("tab", "g", "escape")
            await house.send("second")
            await house.press("tab")
            assert house.chat.transcript.cursor == house.thread[-1].id


async def test_the_line_at_the_top_says_that_the_last_reply_failed(tmp_path: Path) -> None:
    with FakeServer(Answer(status=503, error={"error": {"message": "no"}})) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            assert "○ failed" in house.screen_text()
            server.answer = Answer()
            await house.press("f5")
            await wait_until(lambda: "● ready" in house.screen_text())


async def test_tab_leads_to_the_messages_and_back(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(140, 40)) as house:
            assert "tab Messages" not in house.screen_text()
            await house.send("hi")
            assert "tab Messages" in house.screen_text()
            await house.press("tab")
            assert house.chat.transcript.has_focus
            await wait_until(lambda: "tab Messages" not in house.screen_text())
            await house.press("tab")
            assert house.chat.prompt.text_area.has_focus


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
async def test_the_bottom_line_always_leads_to_the_help_and_the_parameters(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=size) as house:
            await house.send("hi")
            line = house.screen_text().splitlines()[-1]
            assert "enter Send" in line
            assert "F2 Parameters" in line
            assert line.rstrip().endswith("F1 Help")
            assert ("F5 Regenerate" in line) == (size[0] == 120)


async def test_an_empty_conversation_says_how_to_begin(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            assert "Then turn a knob (F2)" in house.screen_text()
            await house.send("hi")
            assert "Then turn a knob (F2)" not in house.screen_text()


async def test_the_meter_counts_the_reply_while_it_arrives_and_takes_the_servers_count(
    tmp_path: Path,
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 555}
    with FakeServer(Answer(words("word " * 300), delay=0.01, usage=usage)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("talk")
            await house.press("enter")

            def arrived() -> int:
                found = re.search(r"reply ≈(\d+)", house.screen_text())
                return int(found[1]) if found else 0

            await wait_until(lambda: arrived() > 20)
            # A blank at the end is a token by itself until a word follows.
            assert arrived() <= len(server.sent) + 1
            await wait_until(lambda: arrived() > 100)
            await house.answered()
            await wait_until(lambda: "reply 555" in house.screen_text())


async def test_a_slash_on_the_messages_begins_a_typed_command(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("question")
            await house.press("tab")
            await house.write("/temperature 0.3")
            await house.press("escape", "enter")
            await wait_until(lambda: house.chat.setup.params.get("temperature") == 0.3)
            await house.write("draft")
            await house.press("f2")
            await house.write("/!")
            await wait_until(lambda: house.chat.draft == "draft!")


async def test_what_follows_a_key_on_a_message_at_once_goes_where_the_key_leads(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("question")
            await house.press("tab")
            await house.write("ke, the d is not a key")
            await wait_until(lambda: house.chat.draft == "question, the d is not a key")
