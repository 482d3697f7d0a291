"""What is newer, damaged or another program's is named in words, and keeps every byte."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.core.stored import Other, by_hand, loaded, saved
from tui_chat.core.errors import ChatError
from tui_chat.core.schema import APPLICATION_ID, MIGRATIONS
from tui_chat.core.store import Store

NOW = len(MIGRATIONS)
NEXT = "CREATE TABLE note(x TEXT); INSERT INTO note VALUES('made by the second step')"

MIGRATING = """
import asyncio, sys
from pathlib import Path
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store

step = "CREATE TABLE note(x); " + "".join(
    f"CREATE TABLE filler{n} AS SELECT hex(randomblob(100000)) AS x; " for n in range(300)
)

async def main():
    print("ready", flush=True)
    await Store.open(Path(sys.argv[1]), (*MIGRATIONS, step))

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


async def refused(path: Path, *words: str) -> None:
    """Opening is refused in these words, and the file keeps every byte."""
    before = path.read_bytes()
    with pytest.raises(ChatError) as caught:
        await Store.open(path)
    for word in words:
        assert word in str(caught.value)
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} == {path.name, "run"}
    assert list((path.parent / "run").iterdir()) == []


async def valid(path: Path) -> str:
    """A database with one conversation of some size; its id."""
    store = await Store.open(path)
    conversation = await saved(store, "hello", "x" * 50_000)
    await store.close()
    return conversation.id


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
async def test_a_newer_version_is_refused_and_untouched(path: Path, mode: str) -> None:
    await valid(path)
    by_hand(path, f"PRAGMA user_version={len(MIGRATIONS) + 1}", f"PRAGMA journal_mode={mode}")

    await refused(path, "newer", f"version {len(MIGRATIONS) + 1}", "nothing was changed")


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE theirs(x)", "PRAGMA application_id=7", "PRAGMA user_version=1"],
)
async def test_another_programs_database_is_refused_and_untouched(
    path: Path, mode: str, statement: str
) -> None:
    by_hand(path, f"PRAGMA journal_mode={mode}", statement)

    await refused(path, "another program")


@pytest.mark.parametrize(
    "raw",
    [os.urandom(10_000), b"\0" * 8192, b"SQLite format 3\0", b"xy", b"[general]\nname = 1\n"],
    ids=["random", "zeros", "magic alone", "two bytes", "text"],
)
async def test_what_is_no_database_is_refused_and_untouched(path: Path, raw: bytes) -> None:
    path.write_bytes(raw)

    await refused(path, str(path), "is no database, or its beginning is damaged", "not changed")


@pytest.mark.parametrize("kept", [50, 100, 1000, 4096, 20_000])
async def test_a_truncated_database_is_refused_and_untouched(path: Path, kept: int) -> None:
    await valid(path)
    path.write_bytes(path.read_bytes()[:kept])

    await refused(path, "damaged")


async def test_a_damaged_page_is_said_when_it_is_read(path: Path) -> None:
    conversation_id = await valid(path)
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * len(raw[4096:])
    path.write_bytes(raw)

    async def opened_and_loaded() -> None:
        store = await Store.open(path)
        try:
            await store.load(conversation_id)
        finally:
            await store.close()

    with pytest.raises(ChatError, match="damaged"):
        await opened_and_loaded()


async def test_a_database_that_may_only_be_read_is_refused_and_untouched(path: Path) -> None:
    await valid(path)
    raw = bytearray(path.read_bytes())
    # A later file format for writing: SQLite then only reads, whoever the user is.
    raw[18] = 3
    path.write_bytes(raw)

    await refused(path, str(path), "cannot be written to", "permissions")


async def test_an_empty_file_becomes_a_new_database_and_that_is_told(path: Path) -> None:
    fresh = await Store.open(path)
    await fresh.close()
    os.truncate(path, 0)

    store = await Store.open(path)
    assert fresh.notice == ""
    assert store.notice.startswith(f"{path} had no bytes in it, and there is no backup: ")
    conversation = await saved(store, "hello")

    assert len(await loaded(store, conversation.id)) == 1
    await store.close()
    assert by_hand(path, "PRAGMA application_id") == [(APPLICATION_ID,)]


async def test_what_is_not_a_file_is_refused_at_once(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ChatError, match="directory"):
        await Store.open(path)
    path.rmdir()

    os.mkfifo(path)
    with pytest.raises(ChatError, match="not a file"):
        await Store.open(path)

    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ChatError, match="not a file"):
        await Store.open(path)


async def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ChatError, match="director"):
        await Store.open(tmp_path / "file" / "conversations.db")

    (tmp_path / "run").touch()
    with pytest.raises(ChatError, match="not a directory"):
        await Store.open(tmp_path / "conversations.db")


async def test_a_name_with_words_of_other_faults_in_it_does_not_confuse(tmp_path: Path) -> None:
    path = tmp_path / "full locked busy readonly" / "conversations.db"
    path.parent.mkdir()
    path.symlink_to(path)

    with pytest.raises(ChatError) as caught:
        await Store.open(path)

    assert "disk is full" not in str(caught.value)
    assert "Another window" not in str(caught.value)


async def test_an_opening_that_is_cancelled_holds_nothing_afterwards(path: Path) -> None:
    conversation_id = await valid(path)
    for turns in range(20):
        opening = asyncio.create_task(Store.open(path))
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        with suppress(asyncio.CancelledError):
            await (await opening).close()

    store = await Store.open(path)

    assert len(await loaded(store, conversation_id)) == 2
    await store.close()
    assert list((path.parent / "run").iterdir()) == []


# From one version to the next


async def test_an_older_database_is_backed_up_and_migrated(path: Path) -> None:
    conversation_id = await valid(path)
    stale = path.parent / "backups" / f"pre-v{NOW + 1}.db"
    stale.parent.mkdir()
    stale.write_text("of an earlier attempt")

    store = await Store.open(path, (*MIGRATIONS, NEXT))
    assert len(await loaded(store, conversation_id)) == 2
    await store.close()

    assert by_hand(path, "SELECT x FROM note") == [("made by the second step",)]
    assert by_hand(path, "PRAGMA user_version") == [(NOW + 1,)]
    assert [each.name for each in stale.parent.iterdir()] == [f"pre-v{NOW + 1}.db"]
    old = await Store.open(stale)
    assert len(await loaded(old, conversation_id)) == 2
    await old.close()


async def test_a_new_database_makes_no_backup(path: Path) -> None:
    await (await Store.open(path, (*MIGRATIONS, NEXT))).close()
    await (await Store.open(path, (*MIGRATIONS, NEXT))).close()

    assert by_hand(path, "PRAGMA user_version") == [(NOW + 1,)]
    assert not (path.parent / "backups").exists()


async def test_a_step_that_fails_leaves_the_old_version(path: Path) -> None:
    conversation_id = await valid(path)

    with pytest.raises(ChatError, match="cannot be used"):
        await Store.open(path, (*MIGRATIONS, NEXT + "; CREATE TABLE conversation(x)"))

    assert by_hand(path, "PRAGMA user_version") == [(NOW,)]
    assert by_hand(path, "SELECT count(*) FROM sqlite_master WHERE name='note'") == [(0,)]
    store = await Store.open(path)
    assert len(await loaded(store, conversation_id)) == 2
    await store.close()


async def test_a_kill_in_mid_migration_leaves_the_old_version_and_its_backup(path: Path) -> None:
    conversation_id = await valid(path)
    journal = Path(f"{path}-journal")
    other = await Other.running(MIGRATING, str(path))
    while not (journal.exists() and path.stat().st_size > 1_000_000):
        assert other.alive
        await asyncio.sleep(0.001)
    await other.kill()

    store = await Store.open(path)

    assert len(await loaded(store, conversation_id)) == 2
    await store.close()
    assert by_hand(path, "PRAGMA user_version") == [(NOW,)]
    assert by_hand(path, "SELECT count(*) FROM sqlite_master WHERE name='note'") == [(0,)]
    assert list((path.parent / "backups").glob(f"pre-v{NOW + 1}.db"))
    assert by_hand(path, "PRAGMA integrity_check") == [("ok",)]


async def test_a_backup_is_of_the_old_version_though_another_window_migrates(path: Path) -> None:
    await valid(path)

    stores = await asyncio.gather(*(Store.open(path, (*MIGRATIONS, NEXT)) for _ in range(6)))
    for store in stores:
        await store.close()

    backups = path.parent / "backups"
    assert [each.name for each in backups.iterdir()] == [f"pre-v{NOW + 1}.db"]
    assert by_hand(backups / f"pre-v{NOW + 1}.db", "PRAGMA user_version") == [(NOW,)]
    assert by_hand(path, "SELECT count(*) FROM note") == [(1,)]


async def test_a_database_of_the_first_version_is_brought_up_and_backed_up(path: Path) -> None:
    old = await Store.open(path, MIGRATIONS[:1])
    await old.close()
    by_hand(
        path,
        "INSERT INTO conversation(id,title,created_at,updated_at) VALUES('c','Old',1,2)",
        "INSERT INTO message(id,conversation,role,content,status,created_at)"
        " VALUES('m',1,'user','hello','complete',1)",
        "INSERT INTO change(message,op) VALUES(1,'put')",
    )

    store = await Store.open(path)
    (line,) = await store.headlines()
    conversation = await loaded(store, "c")
    await store.close()

    assert (line.title, line.messages, line.state, line.starred) == ("Old", 1, "kept", False)
    assert [each.content for each in conversation.messages] == ["hello"]
    assert by_hand(path.parent / "backups" / "pre-v2.db", "PRAGMA user_version") == [(1,)]


async def test_a_reply_of_the_third_version_that_went_on_does_not_say_how(path: Path) -> None:
    await (await Store.open(path, MIGRATIONS[:3])).close()
    by_hand(
        path,
        "INSERT INTO conversation(id,title,created_at,updated_at) VALUES('c','Old',1,2)",
        "INSERT INTO message(id,conversation,role,content,status,created_at,begun)"
        " VALUES('m',1,'assistant','hello','complete',1,4)",
    )

    store = await Store.open(path)
    (message,) = (await loaded(store, "c")).messages
    await store.close()

    assert (message.content, message.begun, message.way) == ("hello", 4, "")
