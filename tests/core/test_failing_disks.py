"""A disk that fails to read, or to keep what was written, costs nothing: it is said, nothing is put in another's place,
and once the disk is well all is there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.core.broken import PAGE, contents, filled, pages_of, places_in
from tests.core.stored import by_hand
from tests.failing_disk import FailingDisk, apart, skip_where_none_can_fail
from tui_chat.core import backups
from tui_chat.core.backups import back_up
from tui_chat.core.conversation import Conversation, Setup, said
from tui_chat.core.database import connected_to_read
from tui_chat.core.diagnosis import diagnosed
from tui_chat.core.doubts import doubt, settle_doubts
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places, private_directory
from tui_chat.core.key_store import KeyStore
from tui_chat.core.learned import Lessons
from tui_chat.core.local.model import LocalModel, verify
from tui_chat.core.local.server import LocalServer
from tui_chat.core.presets import Presets
from tui_chat.core.query import parse
from tui_chat.core.repairing import WAYS, repair, ways_out
from tui_chat.core.search import Search
from tui_chat.core.secrets import Secret
from tui_chat.core.settings import load_settings, remember_setting
from tui_chat.core.store import Store
from tui_chat.core.store_faults import StoreFault

READ = "The disk failed to read"
KEPT = "The disk did not do what was asked of it"


@pytest.fixture
def disk(tmp_path: Path) -> FailingDisk:
    skip_where_none_can_fail()
    return FailingDisk(tmp_path)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


async def _refused(deed: Awaitable[object], words: str = READ) -> None:
    """AssertionError unless it is refused in these words, as no damage."""
    with pytest.raises(StoreFault) as raised:
        await deed
    fault = raised.value
    assert (fault.kind, fault.can_be_repaired) == ("io", False), fault
    assert words in fault.message
    assert fault.hint


def _raised(deed: Callable[[], object]) -> str:
    with pytest.raises(ChatError) as raised:
        deed()
    return str(raised.value)


def _files(directory: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in directory.rglob("*") if one.is_file()}


# The saved conversations


def test_conversations_that_cannot_be_read_are_not_taken_for_damaged(
    disk: FailingDisk, places: Places
) -> None:
    filled(places, conversations=3)
    before = _files(places.config)

    def deed() -> None:
        asyncio.run(_refused(Store.open(places.database)))
        fault = diagnosed(places.database).fault
        assert fault is not None
        assert fault.kind == "io"
        assert ways_out(places, fault) == ()
        for way in WAYS:
            assert READ in _raised(lambda way=way: repair(places, way))  # type: ignore[misc]

    disk.fails("read conversations.db*")
    apart(disk, deed)
    assert _files(places.config) == before
    assert disk.failed == {"read conversations.db*"}


def test_a_disk_that_fails_in_the_middle_of_a_run_costs_nothing(
    disk: FailingDisk, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "no_space_for", lambda database: "")
    filled(places, conversations=3)
    known = contents(places.database)
    asked = said("user", "asked " + "x" * 9000)
    # Their modification tells whether a backup is due.
    os.utime(places.database, (1e9, 1e9))

    async def run() -> None:
        store = await Store.open(places.database)
        search = Search(places.database, places.index)
        (headline, *_) = await store.headlines()
        disk.fails("read conversations.db")
        await _refused(store.load(headline.id))
        await _refused(search.hits(parse("word"), within=None))
        await _refused(asyncio.to_thread(back_up, places))
        await _refused(store.create(Conversation(title="new"), asked))
        assert not list(places.backups.glob("*.db"))
        disk.fails()
        assert len((await search.hits(parse("word"), within=None)).hits) > 0
        assert await store.load(headline.id)
        await store.create(Conversation(title="new"), asked)
        await search.close()
        await store.close()

    apart(disk, lambda: asyncio.run(run()))
    assert contents(places.database) == [*known, asked.content]


def test_one_bad_place_on_the_disk_is_not_taken_for_damage_and_the_rest_is_read(
    disk: FailingDisk, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "no_space_for", lambda database: "")
    filled(places, conversations=3)
    before = _files(places.config)
    os.utime(places.database, (1e9, 1e9))
    bad = pages_of(places.database, "message")[3]
    doubt(private_directory(places.config / "run"))

    def deed() -> None:
        for found in (diagnosed(places.database).fault, settle_doubts(places, lambda: False)):
            assert found is not None
            assert (found.kind, found.can_be_repaired) == ("io", False)
        assert READ in _raised(lambda: back_up(places))
        with closing(connected_to_read(places.database)) as connection:
            newest = connection.execute("SELECT content FROM message ORDER BY seq DESC LIMIT 1")
            assert newest.fetchone()[0].startswith("2 9 word")
        disk.fails()
        assert settle_doubts(places, lambda: False) is None

    disk.fails(f"read conversations.db@{(bad - 1) * PAGE + 100}")
    apart(disk, deed)
    assert _files(places.config) == before
    assert disk.failed


def test_what_the_disk_does_not_keep_is_not_called_saved_and_can_be_written_again(
    disk: FailingDisk, places: Places
) -> None:
    filled(places, conversations=1)
    known = contents(places.database)
    asked = said("user", "asked")
    reply = replace(said("assistant", "", asked.id), status="streaming")
    whole = replace(reply, status="complete", content="one two")

    async def run(kind: str) -> None:
        store = await Store.open(places.database)
        conversation = Conversation(title="new")
        deeds: tuple[Callable[[], Awaitable[object]], ...] = (
            lambda: store.create(conversation, asked),
            lambda: store.add(conversation.id, reply),
            lambda: store.append(reply.id, "one "),
            lambda: store.finish(whole),
            lambda: store.save_draft(conversation.id, "a draft"),
        )
        for deed in deeds:
            disk.fails(f"{kind} conversations.db*")
            await _refused(deed(), KEPT)
            await _refused(deed(), KEPT)
            disk.fails()
            await deed()
        found = await store.load(conversation.id)
        assert found is not None
        assert [one.content for one in found.thread()] == ["asked", "one two"]
        assert await store.draft(conversation.id) == "a draft"
        await store.close()

    for kind in ("sync", "write"):
        apart(disk, lambda kind=kind: asyncio.run(run(kind)))  # type: ignore[misc]
        assert contents(places.database) == [*known, "asked", "one two"]
        assert f"{kind} conversations.db*" in disk.failed
        filled(places, conversations=1)


def test_a_backup_that_cannot_be_read_is_passed_over_and_stays(
    disk: FailingDisk, places: Places
) -> None:
    filled(places, conversations=2)
    private_directory(places.backups)
    names = []
    for days in (1, 2):
        made = datetime.now(UTC) - timedelta(days=days)
        names.append(f"conversations-{made:%Y%m%d-%H%M%S}.db")
        (places.backups / names[-1]).write_bytes(places.database.read_bytes())
    before = _files(places.backups)
    places.database.write_bytes(b"no database")

    def deed() -> None:
        fault = diagnosed(places.database).fault
        assert [one.name for one in ways_out(places, fault)] == [names[1], "salvage", "empty"]
        newest = places.backups / names[0]
        found = diagnosed(newest).fault
        assert found is not None
        assert READ in found.message
        assert newest.name in found.message
        assert "no sound backup" in _raised(lambda: repair(places, "backup", newest))

    disk.fails(f"read {names[0]}")
    apart(disk, deed)
    assert _files(places.backups) == before
    assert places.database.read_bytes() == b"no database"


def test_a_backup_that_the_disk_does_not_give_back_is_none_and_nothing_is_called_damaged(
    disk: FailingDisk, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "no_space_for", lambda database: "")
    filled(places, conversations=1)
    # More than SQLite keeps of it in memory.
    by_hand(places.database, "UPDATE message SET content=hex(zeroblob(2000000)) WHERE seq=1")
    os.utime(places.database, (1e9, 1e9))
    disk.fails("read *.part@1000000")
    apart(disk, lambda: asyncio.run(_refused(asyncio.to_thread(back_up, places), KEPT)))
    assert disk.failed
    assert not list(places.backups.glob("*.db"))


# Files beside them


def test_settings_presets_and_keys_that_cannot_be_read_are_named_and_left_alone(
    disk: FailingDisk, places: Places
) -> None:
    presets, keys = Presets(places.presets), KeyStore(places.keys)
    remember_setting(places.settings, "theme", "nord")
    for name in ("Mine", "Other"):
        presets.save(name, Setup("home", "m", "a system prompt"))
    keys.keep("https://one.example", Secret("a-key"), "file")
    before = _files(places.config)
    why = "cannot be read: Input/output error. Look at the disk; nothing was changed."

    def deed() -> None:
        settings = load_settings(places.settings)
        assert settings.unreadable
        assert "settings.toml cannot be read: Input/output error." in settings.problems[0]
        assert "not remembered" in _raised(
            lambda: remember_setting(places.settings, "theme", "dracula")
        )
        mine = presets.named("Mine")
        assert mine.broken
        assert "Mine.toml cannot be read: Input/output error." in mine.problem
        assert not presets.named("Other").broken
        for change in (
            lambda: presets.save("Mine", Setup("home", "m", "another")),
            lambda: presets.delete("Mine"),
            lambda: KeyStore(places.keys).find("https://one.example"),
            lambda: KeyStore(places.keys).keep("https://one.example", Secret("b"), "file"),
        ):
            assert why in _raised(change)

    disk.fails("read settings.toml", "read Mine.toml", "read keys.toml")
    apart(disk, deed)
    assert _files(places.config) == before
    assert len(disk.failed) == 3


def test_an_index_and_lessons_that_cannot_be_read_are_done_without(
    disk: FailingDisk, places: Places
) -> None:
    filled(places, conversations=2)

    async def found(search: Search) -> int:
        return len((await search.hits(parse("word"), within=None)).hits)

    async def run() -> None:
        lessons = Lessons(places.lessons)
        lessons.of("https://one", "m", False).forget("seed", "seed", "unsupported")
        lessons.save()
        known = places.lessons.read_bytes()
        search = Search(places.database, places.index)
        await search.build()
        disk.fails("read search.db*", "read learned.json")
        other = Search(places.database, places.index)
        assert await found(search) == await found(other) == 18
        await other.build()
        assert await found(other) == 18
        unread = Lessons(places.lessons)
        unread.load()
        unread.of("https://two", "m", False).forget("seed", "seed", "unsupported")
        unread.save()
        disk.fails()
        assert places.lessons.read_bytes() == known
        await search.build()
        assert await found(search) == 18
        assert search.complete
        await search.close()
        await other.close()

    apart(disk, lambda: asyncio.run(run()))
    assert disk.failed == {"read search.db*", "read learned.json"}


def test_a_model_that_cannot_be_read_is_named_and_stays(disk: FailingDisk, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + bytes(96))
    model = LocalModel("m", "M", "p", "1", "m.gguf", 100, 100, "0" * 64)

    def deed() -> None:
        why = "m.gguf cannot be read: Input/output error."
        assert why in _raised(lambda: verify(path, model))
        start = LocalServer.start(path, model_id="m", log=tmp_path / "log")
        assert why in _raised(lambda: asyncio.run(_ended(start)))

    disk.fails("read m.gguf")
    apart(disk, deed)
    assert path.stat().st_size == 100
    assert disk.failed


async def _ended(start: Awaitable[LocalServer]) -> None:
    with suppress(OSError):
        await (await start).stop()
