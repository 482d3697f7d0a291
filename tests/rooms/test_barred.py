"""Where the disk may not be written to, or another program locks it for long, one goes on, and it is written later."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.core.broken import contents, filled, places_in
from tests.core.stored import by_hand
from tests.fake_server import Answer, FakeServer, words
from tests.modes import may_not_be_written, modes_count, only_where_modes_count
from tests.rooms.asked import asked, choose
from tests.rooms.house import House, open_house, wait_until
from tui_chat.core.files import Places
from tui_chat.widgets import unasked


@pytest.fixture(autouse=True)
def _retried_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("core.answering", "rooms.chat.drafting"):
        monkeypatch.setattr(f"tui_chat.{module}.RETRY_SECONDS", 0.05)
    monkeypatch.setattr(unasked, "HEARS_AFTER", 0.05)


def _top(house: House) -> str:
    return house.screen_text().splitlines()[0]


@asynccontextmanager
async def _went_on(tmp_path: Path, server: FakeServer) -> AsyncIterator[House]:
    """A start where nothing can be saved, which a person goes on from all the same."""
    async with open_house(tmp_path, server, ready=asked) as house:
        assert "Go on without saving" in house.screen_text()
        await house.press("escape")
        await wait_until(lambda: house.chat.keeping, "it goes on")
        await wait_until(lambda: "not saved: read-only" in _top(house), "it is marked")
        yield house


def _barred(places: Places, what: str) -> Sequence[Path]:
    return [places.config, places.config / "run"] if what == "directory" else [places.database]


def _drafts(places: Places) -> set[str]:
    return {str(text) for (text,) in by_hand(places.database, "SELECT content FROM draft")}


@only_where_modes_count
@pytest.mark.parametrize("what", ["directory", "file"])
async def test_where_nothing_may_be_written_it_starts_and_writes_once_it_may(
    tmp_path: Path, what: str
) -> None:
    places = places_in(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("a draft from before")
    with modes_count(), FakeServer() as server, may_not_be_written(*_barred(places, what)):
        before = places.database.read_bytes()
        async with _went_on(tmp_path, server) as house:
            await house.write("typed all the same")
            await house.press("enter")
            await wait_until(lambda: asked(house), "it is asked again")
            await house.press("escape")
            assert house.chat.draft == "typed all the same"
            assert server.chats == []
            assert places.database.read_bytes() == before
            for path in _barred(places, what):
                path.chmod(0o700 if path.is_dir() else 0o600)
            await wait_until(lambda: "not saved" not in _top(house), "it is written")
            await wait_until(lambda: "a draft from before\n\ntyped" in "".join(_drafts(places)))
            await house.press("enter")
            await wait_until(lambda: server.chats, "it is sent")
            await house.answered()
    assert contents(places.database)[-1] == "Hello, world."


@only_where_modes_count
async def test_where_nothing_may_be_written_one_can_go_on_without_saving(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    before = places.database.read_bytes()
    with modes_count(), FakeServer() as server, may_not_be_written(places.config):
        async with open_house(tmp_path, server, ready=asked) as house:
            await choose(house, "Go on without")
            await wait_until(lambda: house.chat.topline.state == "ready", "it begins")
            assert "not saved" in _top(house)
            await house.send("all the same")
            await house.command(f"/export {tmp_path / 'elsewhere.md'}")
            assert "Hello, world." in (tmp_path / "elsewhere.md").read_text()
    assert places.database.read_bytes() == before


async def test_while_another_program_locks_them_for_long_one_goes_on_and_all_is_saved_then(
    tmp_path: Path,
) -> None:
    places = places_in(tmp_path)
    slow = Answer(words("one two three four five six seven"), delay=0.05)
    with FakeServer(slow) as server:
        async with open_house(tmp_path, server) as house:
            # As after the 5 s for which each attempt waits.
            store = await house.app._world.store()
            await store._read(lambda connection: connection.execute("PRAGMA busy_timeout=20"))
            await house.write("a question")
            await house.press("enter")
            await wait_until(lambda: len(server.sent) > 2, "it streams")
            other = sqlite3.connect(places.database, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            await house.answered()
            await wait_until(lambda: "not saved: locked" in _top(house), "it is marked")
            assert "Another window is writing" in house.notices()
            assert house.thread[-1].content == "one two three four five six seven"
            await house.write("and typed on")
            assert house.chat.draft == "and typed on"
            other.execute("ROLLBACK")
            other.close()
            await wait_until(lambda: "not saved" not in _top(house), "it is written")
            await wait_until(lambda: "and typed on" in _drafts(places), "the draft, too")
    assert contents(places.database) == ["a question", "one two three four five six seven"]
    assert len(server.chats) == 1
