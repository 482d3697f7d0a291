"""Backups are whole and sound, made once a day where something changed, and go when newer ones are there."""

from __future__ import annotations

import os
import shutil
import stat
import threading
import time
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.broken import broken_off, contents, filled, pages_of, places_in, spoil
from tests.core.stored import by_hand
from tui_chat.core import backups as module
from tui_chat.core.backups import (
    DAYS,
    WEEKS,
    back_up,
    back_up_at_the_end,
    backups,
    kept,
    no_space_for,
    still_kept,
)
from tui_chat.core.database import unfinished
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.locks import FileLock
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store

Usage = namedtuple("Usage", "total used free")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


def _aged(places: Places, days: float) -> Path:
    """Make the newest backup so many days older."""
    newest = backups(places.backups)[0]
    made = newest.made - timedelta(days=days)
    return newest.path.rename(newest.path.with_name(f"conversations-{made:%Y%m%d-%H%M%S}.db"))


async def test_a_backup_is_whole_private_and_a_database_of_its_own(places: Places) -> None:
    filled(places)
    before = os.umask(0)
    try:
        path = back_up(places)
    finally:
        os.umask(before)

    assert path is not None
    assert contents(path) == contents(places.database)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(places.backups.stat().st_mode) == 0o700
    assert [one.name for one in places.backups.iterdir()] == [path.name]
    store = await Store.open(path)
    assert await store.count() == 12
    await store.close()


async def test_one_is_due_once_a_day_and_only_where_something_changed(places: Places) -> None:
    assert back_up(places) is None
    assert not places.backups.exists()
    filled(places, conversations=1)
    assert back_up(places) is not None
    assert back_up(places) is None
    old = _aged(places, 1.5)
    os.utime(places.database, (0, time.time() - 2 * 86_400))
    assert back_up(places) is None
    by_hand(places.database, "INSERT INTO state VALUES('a','b')")
    assert back_up(places) is not None
    assert [one.path for one in backups(places.backups)][1] == old


async def test_a_clock_that_was_wrong_once_stops_no_backup(places: Places) -> None:
    filled(places, conversations=1)
    back_up(places)
    _aged(places, -1000)
    assert back_up(places) is not None


async def test_what_is_being_written_is_backed_up_as_it_was_at_one_moment(places: Places) -> None:
    filled(places)
    ended = threading.Event()

    def write() -> None:
        while not ended.wait(0.002):
            by_hand(
                places.database, "UPDATE state SET value=value||'x'", "UPDATE setup SET seq=seq"
            )

    by_hand(places.database, "INSERT INTO state VALUES('a','b')")
    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(3):
            path = back_up(places)
            assert path is not None
            assert contents(path) == contents(places.database)
            path.unlink()
    finally:
        ended.set()
        writing.join()


async def test_a_damaged_database_makes_no_backup_and_costs_none(places: Places) -> None:
    filled(places)
    back_up(places)
    old = _aged(places, 2)
    spoil(places.database, pages_of(places.database, "message")[2])

    with pytest.raises(ChatError, match="damaged"):
        back_up(places)

    assert [one.name for one in places.backups.iterdir()] == [old.name]


async def test_two_windows_make_one(places: Places) -> None:
    filled(places)
    made: list[Path | None] = []
    windows = [threading.Thread(target=lambda: made.append(back_up(places))) for _ in range(4)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()

    assert len(list(filter(None, made))) == len(list(places.backups.iterdir())) == 1
    _aged(places, 2)
    lock = FileLock(places.backups / ".lock")
    assert lock.acquire()
    assert back_up(places) is None
    lock.release()


async def test_one_that_is_stopped_leaves_nothing(places: Places) -> None:
    filled(places)
    assert back_up(places, lambda: True) is None
    assert list(places.backups.iterdir()) == []


async def test_what_was_killed_at_it_is_cleared_away_and_what_another_makes_is_not(
    places: Places,
) -> None:
    filled(places, conversations=1)
    places.backups.mkdir()
    killed = places.backups / "a.part"
    killed.touch()
    with unfinished(places.backups) as being_made:
        being_made.touch()
        back_up(places)
        assert (killed.exists(), being_made.exists()) == (False, True)


async def test_where_a_change_was_broken_off_another_time_does_it(places: Places) -> None:
    filled(places)
    broken_off(places.database)
    assert back_up(places) is None
    assert list(places.backups.iterdir()) == []


async def test_where_there_is_little_space_none_is_made_and_that_is_said(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(places)
    size = places.database.stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, size * 9))
    assert back_up(places) is None
    assert "more than a tenth of the" in no_space_for(places.database)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, size * 11))
    assert no_space_for(places.database) == ""
    assert back_up(places) is not None


async def test_at_the_end_of_a_command_it_is_made_where_that_takes_but_a_moment(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert back_up_at_the_end(places) == ""
    filled(places)
    size = places.database.stat().st_size
    monkeypatch.setattr(module, "MOST_AT_AN_END", size - 1)
    assert (back_up_at_the_end(places), backups(places.backups)) == ("", ())
    monkeypatch.setattr(module, "MOST_AT_AN_END", size)
    whole = places.database.read_bytes()
    spoil(places.database, pages_of(places.database, "message")[2])
    assert back_up_at_the_end(places).startswith("No backup could be made. ")
    places.database.write_bytes(whole)
    assert back_up_at_the_end(places) == ""
    assert len(backups(places.backups)) == 1


def _days(*ago: float) -> list[datetime]:
    return [NOW - timedelta(days=one) for one in ago]


def test_three_days_and_four_weeks_are_kept() -> None:
    daily = _days(*range(60))
    stay = sorted((NOW - one).days for one in kept(daily))
    # Friday: the last three days, then the Sundays of the weeks before.
    assert stay == [0, 1, 2, 5, 12, 19]
    assert len(kept(_days(0, 0.01, 0.02))) == 1


@given(st.lists(st.integers(0, 400 * 86_400), unique=True))
def test_no_more_are_kept_and_the_newest_always(ago: list[int]) -> None:
    made = [NOW - timedelta(seconds=one) for one in ago]
    stay = kept(made)
    assert len(stay) <= DAYS + WEEKS
    assert not made or max(made) in stay
    assert kept(stay) == stay


async def test_used_each_day_no_more_than_seven_are_there_and_those_of_upgrades_stay(
    places: Places,
) -> None:
    filled(places, conversations=1)
    places.backups.mkdir()
    (places.backups / "pre-v3.db").touch()
    os.utime(places.backups / "pre-v3.db", (0, 0))
    for days in range(40, 0, -1):
        made = datetime.now(UTC) - timedelta(days=days)
        (places.backups / f"conversations-{made:%Y%m%d-%H%M%S}.db").touch()
    assert back_up(places) is not None
    names = [one.path.name for one in backups(places.backups)]
    assert "pre-v3.db" in names
    assert len(names) <= DAYS + WEEKS + 1
    words = still_kept(places.backups)
    assert f"{len(names) - 1} backups in {places.backups}" in words
    assert "after 4 weeks in which tui-chat is used" in words
    assert "pre-v3.db there, from before an upgrade, stays until you delete it." in words


async def test_a_damaged_database_is_not_migrated_on_a_bad_backup(places: Places) -> None:
    filled(places)
    spoil(places.database, pages_of(places.database, "message")[2])
    before = places.database.read_bytes()

    with pytest.raises(ChatError, match="damaged"):
        await Store.open(places.database, (*MIGRATIONS, "CREATE TABLE more(x)"))

    assert places.database.read_bytes() == before
    assert list(places.backups.iterdir()) == []
