"""Kills, full disks, locks, other windows and edited rows cost no more than was never acknowledged."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.stored import Other, by_hand, loaded, saved
from tui_chat.core.conversation import Message, Usage, said
from tui_chat.core.errors import ChatError
from tui_chat.core.params import Params
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store

STREAMING = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from tui_chat.core.conversation import Conversation, said
from tui_chat.core.store import Store

async def main():
    store = await Store.open(Path(sys.argv[1]))
    conversation = Conversation("streamed", "streamed")
    await store.create(conversation, said("user", "hello"))
    reply = replace(said("assistant", "", conversation.leaf), status="streaming")
    await store.add(conversation.id, reply)
    print("ready", flush=True)
    for number in range(int(sys.argv[2])):
        await store.append(reply.id, f"{number} ", f"({number})")
        print(number, flush=True)
    await asyncio.to_thread(input)
    await store.finish(replace(reply, status="complete", content="whole"))
    print("finished", flush=True)
    await store.close()

asyncio.run(main())
"""

IDLE = """
import asyncio, sys
from pathlib import Path
from tui_chat.core.store import Store

async def main():
    await Store.open(Path(sys.argv[1]))
    print("ready", flush=True)
    await asyncio.to_thread(input)

asyncio.run(main())
"""

LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
input()
connection.execute("ROLLBACK")
print("released", flush=True)
"""

OPENING = """
import asyncio, sys
from pathlib import Path
from tui_chat.core.conversation import Conversation, said
from tui_chat.core.store import Store

async def main():
    print("ready", flush=True)
    await asyncio.to_thread(input)
    store = await Store.open(Path(sys.argv[1]))
    await store.create(Conversation(title="x"), said("user", "x"))
    await store.close()
    print("done", flush=True)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(path)
    yield opened
    await opened.close()


async def streaming(store: Store, conversation_id: str) -> Message:
    """A reply in the store that has begun and not ended."""
    reply = replace(said("assistant", ""), status="streaming")
    await store.add(conversation_id, reply)
    return reply


# Kills and other windows


async def test_a_kill_keeps_the_reply_up_to_the_last_checkpoint(path: Path) -> None:
    other = await Other.running(STREAMING, str(path), "500")
    said_last = 0
    while said_last < 20:
        said_last = int(await other.line())
    await other.kill()

    store = await Store.open(path)
    reply = (await loaded(store, "streamed")).messages[-1]
    await store.close()

    numbers = [int(word) for word in reply.content.split()]
    assert reply.status == "interrupted"
    assert numbers == list(range(len(numbers)))
    assert numbers[-1] >= said_last
    assert reply.reasoning == "".join(f"({number})" for number in numbers)
    assert by_hand(path, "SELECT count(*) FROM piece") == [(0,)]
    assert by_hand(path, "PRAGMA integrity_check") == [("ok",)]


async def test_a_reply_that_another_live_process_streams_is_left_alone(path: Path) -> None:
    other = await Other.running(STREAMING, str(path), "1")
    assert await other.line() == "0"

    store = await Store.open(path)
    assert await store.interrupt_abandoned() == 0
    assert (await loaded(store, "streamed")).messages[-1].status == "streaming"
    await other.tell()
    assert await other.line() == "finished"
    reply = (await loaded(store, "streamed")).messages[-1]
    await store.close()
    await other.kill()

    assert (reply.status, reply.content) == ("complete", "whole")


async def test_two_stores_of_one_process_leave_each_others_replies_alone(
    store: Store, path: Path
) -> None:
    second = await Store.open(path)
    conversation = await saved(store, "hello")
    mine = await streaming(store, conversation.id)
    theirs = await streaming(second, conversation.id)

    assert await store.interrupt_abandoned() == 0
    assert await second.interrupt_abandoned() == 0
    await second.close()
    assert await store.interrupt_abandoned() == 1

    found = await loaded(store, conversation.id)
    assert found.message(mine.id).status == "streaming"
    assert found.message(theirs.id).status == "interrupted"


async def test_what_killed_programs_leave_is_cleared_away_at_the_next_start(path: Path) -> None:
    others = [await Other.running(IDLE, str(path)) for _ in range(3)]
    for other in others[:2]:
        await other.kill()

    store = await Store.open(path)

    assert len(list((path.parent / "run").glob("*.lock"))) == 2
    await store.close()
    await others[2].kill()


async def test_many_first_starts_at_once_share_one_database(path: Path) -> None:
    others = [await Other.running(OPENING, str(path)) for _ in range(4)]

    for other in others:
        await other.tell()
    said_at_the_end = [await other.line() for other in others]
    for other in others:
        await other.kill()

    assert said_at_the_end == ["done"] * 4
    assert by_hand(path, "SELECT count(*) FROM conversation") == [(4,)]


async def test_a_lock_held_elsewhere_is_said_and_passes(path: Path) -> None:
    store = await Store.open(path, busy_seconds=0.05)
    conversation = await saved(store, "hello")
    other = await Other.running(LOCKING, str(path))

    with pytest.raises(ChatError, match="Another window"):
        await store.add(conversation.id, said("user", "again"))
    with pytest.raises(ChatError, match="Another window"):
        await Store.open(path, busy_seconds=0.05)
    await other.tell()
    assert await other.line() == "released"
    await store.add(conversation.id, said("user", "again"))

    assert len(await loaded(store, conversation.id)) == 2
    await store.close()
    await other.kill()


# Full disks


async def test_a_full_disk_is_said_and_loses_nothing_that_was_saved(path: Path) -> None:
    store = await Store.open(path, (*MIGRATIONS, "PRAGMA max_page_count=60"))
    conversation = await saved(store, "hello")
    reply = await streaming(store, conversation.id)
    await store.append(reply.id, "begun")

    with pytest.raises(ChatError, match="disk is full"):
        await store.add(conversation.id, said("user", "x" * 500_000))
    with pytest.raises(ChatError, match="disk is full"):
        await store.append(reply.id, "x" * 500_000)
    with pytest.raises(ChatError, match="disk is full"):
        await store.finish(replace(reply, status="complete", content="x" * 500_000))
    await store.finish(replace(reply, status="complete", content="short"))
    await store.add(conversation.id, said("user", "still works"))

    found = await loaded(store, conversation.id)
    await store.close()
    assert [message.content for message in found.messages] == ["hello", "short", "still works"]
    assert by_hand(path, "PRAGMA integrity_check") == [("ok",)]


# Who may read


async def test_files_are_the_users_own_under_any_umask(tmp_path: Path) -> None:
    modes: dict[str, int] = {}

    def look() -> None:
        for place in (tmp_path / "home").rglob("*"):
            # A journal that was just there may be gone.
            with suppress(FileNotFoundError):
                modes[place.name] = stat.S_IMODE(place.stat().st_mode)

    before = os.umask(0)
    try:
        path = tmp_path / "home" / "tui-chat" / "conversations.db"
        store = await Store.open(path)
        conversation = await saved(store, "hello")
        attempts = 0
        while "conversations.db-journal" not in modes and (attempts := attempts + 1) < 100:
            writing = asyncio.create_task(store.add(conversation.id, said("user", "x" * 2_000_000)))
            while not writing.done():
                await asyncio.to_thread(look)
            await writing
        await store.close()
        await (await Store.open(path, (*MIGRATIONS, "CREATE TABLE more(x)"))).close()
        look()
    finally:
        os.umask(before)

    directories = {"tui-chat", "run", "backups"}
    assert {name: oct(modes.pop(name)) for name in directories} == dict.fromkeys(
        directories, oct(0o700)
    )
    assert {
        "conversations.db",
        "conversations.db-journal",
        f"pre-v{len(MIGRATIONS) + 1}.db",
    } < modes.keys()
    assert {name: oct(mode) for name, mode in modes.items()} == dict.fromkeys(modes, oct(0o600))


# Rows that someone edited


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE message SET usage='{', refused='[1'",
        "UPDATE message SET usage='[1,2]', refused='\"x\"'",
        'UPDATE message SET usage=\'{"prompt_tokens":"many","seconds":{}}\', refused=\'{"a":{}}\'',
        "UPDATE message SET usage=printf('%.*c', 100000, '['), refused=printf('%.*c', 100000, '[')",
        'UPDATE message SET usage=\'{"seconds":NaN,"prompt_tokens":1e999}\'',
        "UPDATE message SET usage=x'80', refused=x'00', error=x'c328', finish_reason=7",
        "UPDATE message SET request_id=1.5, reasoning=x'', created_at='yesterday'",
        "UPDATE message SET content=CAST(x'68ff' AS TEXT)",
        "UPDATE message SET content=x'6869'",
        "UPDATE message SET status='dreaming', role='oracle'",
        "UPDATE message SET setup=999, parent=999",
        "UPDATE message SET parent=x'00', setup='none'",
        "UPDATE message SET begun='many', deleted_at=NULL",
        "UPDATE message SET begun=1000000",
        "UPDATE message SET begun=-1",
        "UPDATE message SET begun=1, way='by magic'",
        "UPDATE message SET way=x'ff'",
        "UPDATE message SET id=x'6964' WHERE seq=1",
        "UPDATE setup SET params='{'",
        'UPDATE setup SET params=\'{"temperature":1e400,"seed":'
        + "9" * 400
        + ',"stop":[{}],"x":1}\'',
        "UPDATE setup SET params=x'ff', endpoint=x'ff', model=x'ff', system=x'ff'",
        "UPDATE conversation SET title=x'ff', folded=x'ff', leaf=NULL, created_at='then'",
        "UPDATE conversation SET title=CAST(x'ff' AS TEXT), leaf=12345, updated_at='now'",
        "UPDATE draft SET content=x'ff'",
        "UPDATE state SET value=x'ff'",
    ],
)
async def test_edited_rows_are_read_as_far_as_they_go(path: Path, change: str) -> None:
    store = await Store.open(path)
    conversation = await saved(store, "hello", "hi", "again", "yes")
    await store.save_draft("d", "draft")
    await store.set_state("s", "state")
    await store.close()
    by_hand(path, change)

    store = await Store.open(path)
    found = await loaded(store, conversation.id)
    headlines = await store.headlines()
    others = await store.prompts(), await store.draft("d"), await store.state("s")
    exported = [each async for each in store.conversations()]
    await store.close()

    assert len(found) == 4
    for message in found.messages:
        texts = (message.id, message.content, message.reasoning, message.error)
        assert all(isinstance(text, str) for text in (*texts, message.finish_reason))
        assert isinstance(message.created, int)
        assert message.usage == Usage() or message.usage.seconds is None
        assert message.setup is None or message.setup.params == Params()
        assert message.id in found.siblings(message.id)
    assert isinstance(found.title, str)
    assert isinstance(found.created, int)
    assert [(type(each.title), type(each.model), type(each.updated)) for each in headlines] == [
        (str, str, int)
    ]
    assert all(isinstance(text, str) for text in (*others[0], others[1]))
    assert len(exported) == 1


async def test_parents_in_a_circle_end_no_walk(path: Path) -> None:
    store = await Store.open(path)
    conversation = await saved(store, "one", "two", "three", "four")
    await store.close()
    by_hand(path, "UPDATE message SET parent=(seq % 4) + 1")

    store = await Store.open(path)
    found = await loaded(store, conversation.id)
    await store.close()

    assert [message.content for message in found.messages] == ["one", "two", "three", "four"]
    for message in found.messages:
        assert message.id in found.siblings(message.id)
        assert found.thread(message.id)[-1] == message
        assert found.deepest(message.id)


@pytest.mark.parametrize("owner", ["", "../../outside", "a\0b", "x" * 5000, "/", ".", "é"])
async def test_an_odd_owner_of_a_streaming_reply_counts_as_gone(tmp_path: Path, owner: str) -> None:
    path = tmp_path / "a" / "b" / "conversations.db"
    outside = tmp_path / "a" / "outside.lock"
    store = await Store.open(path)
    outside.touch()
    conversation = await saved(store, "hello")
    reply = await streaming(store, conversation.id)
    by_hand(path, "UPDATE message SET owner=? WHERE status='streaming'", given=(owner,))

    assert await store.interrupt_abandoned() == 1

    assert (await loaded(store, conversation.id)).message(reply.id).status == "interrupted"
    await store.close()
    assert outside.exists()
    assert list((path.parent / "run").iterdir()) == []
