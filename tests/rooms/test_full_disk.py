"""On a full disk a reply stays on the screen, and is written once there is room; broken settings are let be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.broken import contents, places_in
from tests.fake_server import Answer, FakeServer
from tests.rooms.asked import asked, choose
from tests.rooms.house import House, open_house, wait_until
from tui_chat.core import answering


async def _pages(house: House, more: int) -> None:
    """Let the database grow by so many pages from now on."""
    store = house.app._world.opened
    assert store is not None

    def limit(connection: object) -> None:
        execute = connection.execute  # type: ignore[attr-defined]
        (count,) = execute("PRAGMA page_count").fetchone()
        execute(f"PRAGMA max_page_count={count + more}")

    await store._read(limit)


async def test_a_reply_on_a_full_disk_stays_and_is_written_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "RETRY_SECONDS", 0.1)
    words = ["begun ", *("w" * 3000 + " " for _ in range(20)), "ended"]
    with FakeServer(Answer(words, delay=0.02)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("a question")
            await house.press("enter")
            await wait_until(
                lambda: any("begun" in one.content for one in house.chat.transcript.messages),
                "it streams",
            )
            await _pages(house, 0)
            await house.answered()
            await wait_until(lambda: "The disk is full" in house.notices(), "it is said")
            assert "ended" in house.screen_text()
            assert house.thread[-1].content == "".join(words)
            await house.write("typed meanwhile")
            assert house.chat.prompt.text_to_send == "typed meanwhile"
            path = places_in(tmp_path).database
            assert "".join(words) not in contents(path)
            await _pages(house, 1000)
            await wait_until(lambda: "".join(words) in contents(path), "it is written")
    assert len(server.chats) == 1


async def test_broken_settings_are_said_and_not_rewritten_by_a_new_theme(tmp_path: Path) -> None:
    path = tmp_path / "config" / "settings.toml"
    path.parent.mkdir()
    path.write_text('theme = "nord\n')
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            assert "settings.toml:1:14: " in house.notices()
            await house.command("/theme gruvbox")
            await wait_until(lambda: "not remembered" in house.notices(), "it is said")
            assert house.app.theme == "gruvbox"
            await house.write("goes on")
            await house.press("enter")
            await wait_until(
                lambda: "Send it to" in house.screen_text(), "whom it goes to is asked"
            )
            await wait_until(lambda: asked(house))
            await choose(house, "Send it")
            await wait_until(lambda: len(house.thread) == 2, "it is sent")
            await house.answered()
            assert house.thread[-1].content == "Hello, world."
    assert path.read_text() == 'theme = "nord\n'
