"""A repair puts a sound database in the place of a damaged one, keeps that, and can be broken off anywhere."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.core.broken import broken_off, contents, filled, killed_in, pages_of, places_in, spoil
from tests.core.stored import by_hand, saved
from tui_chat.core.backups import back_up
from tui_chat.core.diagnosis import diagnosed
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.repairing import WAYS, Way, repair, ways_out
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store


@pytest.fixture
async def places(tmp_path: Path) -> Places:
    """A database with a backup, that was damaged since."""
    places = places_in(tmp_path)
    filled(places, conversations=6)
    assert back_up(places) is not None
    spoil(places.database, pages_of(places.database, "message")[1])
    return places


def _ways(places: Places) -> list[Way]:
    fault = diagnosed(places.database).fault
    assert fault is not None
    return [one.way for one in ways_out(places, fault)]


@pytest.mark.parametrize(
    ("way", "least", "most"), [("salvage", 40, 59), ("backup", 60, 60), ("empty", 0, 0)]
)
async def test_each_way_leaves_a_sound_database_and_the_damaged_one(
    places: Places, way: Way, least: int, most: int
) -> None:
    raw = places.database.read_bytes()
    assert _ways(places) == list(WAYS)

    done = repair(places, way)

    assert least <= len(contents(places.database)) <= most
    assert done.aside is not None
    assert done.aside.name.startswith("conversations.damaged-")
    assert done.aside.read_bytes() == raw
    assert str(done.aside) in done.words
    assert sorted(one.name for one in places.config.iterdir()) == sorted(
        ["backups", "conversations.db", done.aside.name, "run"]
    )
    assert list((places.config / "run").iterdir()) == []
    assert places.database.stat().st_mode & 0o777 == 0o600
    store = await Store.open(places.database)
    await saved(store, "goes on")
    await store.close()


@pytest.mark.parametrize("way", WAYS)
async def test_a_kill_at_any_step_leaves_the_old_one_or_the_new_one(
    places: Places, way: Way
) -> None:
    raw, journal = places.database.read_bytes(), bytes(4096)
    Path(f"{places.database}-journal").write_bytes(journal)
    steps: list[str] = []
    for number in range(20):

        def step(name: str, number: int = number) -> None:
            steps.append(name)
            if len(steps) > number:
                os._exit(9)

        def attempt(step: object = step) -> None:
            repair(places, way, step=step)  # type: ignore[arg-type]

        code = killed_in(attempt)
        asides = list(places.config.glob("*.damaged-*.db"))
        if places.database.read_bytes() == raw:
            assert code == 9
        else:
            assert diagnosed(places.database).fault is None
            assert not Path(f"{places.database}-journal").exists()
            assert any(one.read_bytes() == raw for one in asides)
            assert any(one.read_bytes() == journal for one in places.config.glob("*-journal"))
        if code == 0:
            break
        # From the start, with whatever is left behind.
        for one in asides:
            for each in places.config.glob(f"{one.name}*"):
                each.unlink()
        places.database.write_bytes(raw)
        Path(f"{places.database}-journal").write_bytes(journal)
    assert number == 5
    left = [one.name for one in places.config.iterdir() if ".part" in one.name]
    assert left == []


async def test_a_change_that_was_broken_off_is_taken_back_before_what_is_left_is_read(
    places: Places,
) -> None:
    repair(places, "backup")
    before = contents(places.database)
    page = pages_of(places.database, "conversation")[0]
    broken_off(places.database)
    spoil(places.database, page)
    repair(places, "salvage")
    assert contents(places.database) == before


async def test_while_another_window_has_it_open_nothing_is_repaired(places: Places) -> None:
    raw = places.database.read_bytes()
    store = await Store.open(places.database)
    with pytest.raises(ChatError, match="Another window has the saved conversations open"):
        repair(places, "empty")
    await store.close()
    assert places.database.read_bytes() == raw
    repair(places, "empty")


async def test_while_it_is_repaired_nobody_opens_it_or_repairs_it_too(places: Places) -> None:
    said: list[str] = []

    def meanwhile(step: str) -> None:
        if step == "made":
            said.append(killed_in(lambda: repair(places, "empty")).__str__())
            said.append(
                killed_in(lambda: __import__("asyncio").run(Store.open(places.database))).__str__()
            )

    repair(places, "salvage", step=meanwhile)

    assert said == ["1", "1"]
    store = await Store.open(places.database)
    assert await store.count() == 6
    await store.close()


async def test_a_repairer_that_was_killed_bars_nobody(places: Places) -> None:
    assert killed_in(lambda: repair(places, "backup", step=lambda _: os._exit(9))) == 9
    assert (places.config / "run" / "repairing").exists()
    begun = time.monotonic()
    store = await Store.open(places.database)
    assert time.monotonic() - begun < 0.4
    await store.close()
    repair(places, "backup")


async def test_a_backup_that_is_damaged_itself_is_passed_over(places: Places) -> None:
    (good,) = places.backups.iterdir()
    bad = good.with_name("conversations-20990101-000000.db")
    bad.write_bytes(places.database.read_bytes())
    fault = diagnosed(places.database).fault
    assert fault is not None
    found = ways_out(places, fault)[0]
    assert found.backup == good
    assert found.words.endswith(": 6 conversations, 60 messages")
    bad.unlink()
    good.unlink()
    assert _ways(places) == ["salvage", "empty"]
    with pytest.raises(ChatError, match="There is no sound backup"):
        repair(places, "backup")


@pytest.mark.parametrize(
    "change", [f"PRAGMA user_version={len(MIGRATIONS) + 1}", "PRAGMA application_id=7"]
)
async def test_what_is_newer_or_another_programs_is_never_repaired(
    tmp_path: Path, change: str
) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    by_hand(places.database, change)
    raw = places.database.read_bytes()
    assert _ways(places) == []
    for way in WAYS:
        with pytest.raises(ChatError):
            repair(places, way)
    assert places.database.read_bytes() == raw


@pytest.mark.parametrize("way", ["salvage", "empty"])
async def test_what_is_sound_is_never_repaired(tmp_path: Path, way: Way) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    with pytest.raises(ChatError, match="Nothing is wrong"):
        repair(places, way)
    assert len(contents(places.database)) == 10


async def test_any_backup_takes_the_place_of_a_sound_one_which_gets_another_name(
    places: Places,
) -> None:
    (newer,) = places.backups.glob("*.db")
    older = places.backups / "conversations-20250102-030405.db"
    shutil.copy(newer, older)
    by_hand(older, "DELETE FROM message WHERE seq>40")
    repair(places, "empty")
    raw = places.database.read_bytes()

    assert [one.backup for one in ways_out(places, None)] == [newer, older]
    assert [one.words.partition(": ")[2] for one in ways_out(places, None)] == [
        "6 conversations, 60 messages",
        "6 conversations, 40 messages",
    ]
    done = repair(places, "backup", older)

    assert len(contents(places.database)) == 40
    assert done.aside is not None
    assert done.aside.name.startswith("conversations.replaced-")
    assert done.aside.read_bytes() == raw
    spoil(newer, pages_of(newer, "message")[1])
    with pytest.raises(ChatError, match="There is no sound backup conversations-2"):
        repair(places, "backup", newer)
    assert len(contents(places.database)) == 40


@pytest.mark.parametrize("kind", ["directory", "pipe", "link to a device"])
async def test_what_is_no_file_is_set_aside(places: Places, kind: str) -> None:
    places.database.unlink()
    if kind == "directory":
        (places.database / "in it").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(places.database)
    else:
        places.database.symlink_to("/dev/zero")
    assert _ways(places) == ["backup", "empty"]
    done = repair(places, "backup")
    assert len(contents(places.database)) == 60
    assert done.aside is not None
    assert os.path.lexists(done.aside)
    assert kind != "directory" or (done.aside / "in it").is_dir()
    assert Path("/dev/zero").is_char_device()


async def test_what_a_link_leads_to_is_repaired_where_it_is(places: Places, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = places.database.rename(elsewhere / "mine.db")
    places.database.symlink_to(target)
    done = repair(places, "salvage")
    assert places.database.is_symlink()
    assert len(contents(target)) > 40
    assert done.aside is not None
    assert done.aside.parent == elsewhere


async def test_where_no_file_has_two_names_it_is_copied(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = places.database.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    done = repair(places, "salvage")
    assert done.aside is not None
    assert done.aside.read_bytes() == raw
    assert done.aside.stat().st_mode & 0o777 == 0o600
