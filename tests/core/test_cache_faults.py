"""Whatever stands in the place of a file of the cache: nothing fails, and nothing that is not ours is removed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.broken import filled, places_in
from tests.core.stored import by_hand
from tui_chat.core.learned import Lessons
from tui_chat.core.query import parse
from tui_chat.core.search import Search
from tui_chat.rooms.chat.session import Session
from tui_chat.rooms.completion.session import Session as TextSession


def _directory(path: Path) -> None:
    (path / "in it").mkdir(parents=True)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.fixture(autouse=True)
def _nothing_waits_for_ever() -> Iterator[None]:
    """Who opens a pipe waits for its other end."""

    def give_up(*_: object) -> None:
        raise AssertionError("it waits for ever")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(10)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


IN_THE_WAY = [_directory, _pipe, _device, _loop]


@pytest.mark.parametrize("puts", IN_THE_WAY)
async def test_without_a_place_for_the_index_messages_are_read(
    tmp_path: Path, puts: Callable[[Path], None]
) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=2)
    places.cache.mkdir()
    puts(places.index)
    search = Search(places.database, places.index)

    await search.build()
    hits = (await search.hits(parse("word"), within=None)).hits
    await search.forget()
    await search.close()

    assert len(hits) == 18
    assert puts is not _directory or (places.index / "in it").is_dir()
    assert Path("/dev/zero").is_char_device()


@pytest.mark.parametrize("change", ["PRAGMA user_version=999", "PRAGMA user_version=201"])
async def test_an_index_of_another_version_is_made_anew(tmp_path: Path, change: str) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=2)
    for _ in range(2):
        search = Search(places.database, places.index)
        await search.build()
        found = await search.hits(parse("word"), within=None)
        await search.close()
        assert (len(found.hits), found.indexed) == (18, True)
        by_hand(places.index, change)


@pytest.mark.parametrize("puts", IN_THE_WAY)
def test_without_a_place_for_lessons_there_are_none(
    tmp_path: Path, puts: Callable[[Path], None]
) -> None:
    path = tmp_path / "learned.json"
    puts(path)
    lessons = Lessons(path)
    lessons.load()
    lessons.of("http://x", "m", False).forget("seed", "seed", "unknown field seed")
    lessons.save()
    assert os.path.lexists(path)
    assert puts is not _directory or (path / "in it").is_dir()


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "null", "NaN", '{"setup":7}', '{"conversation":[1]}', "[" * 5000, "\x00"],
)
def test_a_broken_session_is_a_new_one(text: str | None) -> None:
    assert Session.read(text) == Session()
    assert TextSession.read(text) == TextSession()
