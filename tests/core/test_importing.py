"""Importing a file: all of it or nothing, once, and without holding more than a conversation in memory."""

from __future__ import annotations

import asyncio
import json
import stat
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.formats.foreign_files import (
    SECOND,
    branched,
    chat,
    node,
    response,
    write_database,
    write_json,
    write_lines,
    write_zip,
)
from tests.core.formats.test_jsonl_reading import trees
from tests.core.stored import NASTY, Other, loaded, saved
from tests.core.test_store_faults import LOCKING
from tests.nightly import times
from tui_chat.core import staging
from tui_chat.core.conversation import Conversation, Shelf
from tui_chat.core.errors import ChatError
from tui_chat.core.exporting import write as export
from tui_chat.core.formats import cutting, jsonl
from tui_chat.core.importing import Progress, Report, import_file
from tui_chat.core.locks import FileLock
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.store import Store
from tui_chat.core.text import clean


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "importing"


async def imported(store: Store, path: Path, *, skip: bool = False) -> Report:
    """Imported, with nothing left behind."""
    scratch = path.parent / "cache" / "importing"
    report = await import_file(store, path, scratch, progress=lambda _: None, skip_unreadable=skip)
    assert list(scratch.iterdir()) == []
    return report


async def exported(store: Store) -> str:
    return "".join([jsonl.line(one) + "\n" async for one in store.conversations()])


async def test_a_chatgpt_export_is_added_once_and_old_chats_stay_old(
    store: Store, tmp_path: Path
) -> None:
    new = await saved(store, "here", "there")
    path = write_zip(
        tmp_path / "chatgpt.zip", {"conversations.json": [branched("c1"), branched("c2")]}
    )
    report = await imported(store, path)
    assert report.words == "chatgpt.zip: 2 conversations, 8 messages added"
    first = (await store.headlines())[0]
    assert first.id == new.id
    everything = await exported(store)

    again = await imported(store, path)
    assert again.words == "chatgpt.zip: 0 conversations, 0 messages added; 2 were there already"
    assert await exported(store) == everything
    assert [one.title for one in await store.headlines()] == [new.title, "Chat c2", "Chat c1"]


async def test_a_newer_export_adds_only_what_was_said_since(store: Store, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [branched()])
    await imported(store, path)
    (line,) = await store.headlines()
    await store.rename(line.id, "My name for it")
    newer = branched() | {"update_time": 1_800_000_000, "current_node": "n2"}
    newer["mapping"]["q2"]["children"] = ["n2"]
    newer["mapping"]["n2"] = node("n2", "q2", "assistant", "You are welcome.")
    report = await imported(
        store, write_json(path, [newer, chat("new", node("x", None, "user", "y"))])
    )
    assert report.words == "a.json: 1 conversation, 2 messages added; 1 went on"
    talk = await loaded(store, line.id)
    assert (talk.title, len(talk), talk.updated) == ("My name for it", 5, 1_800_000_000_000)
    assert talk.messages[-1].content == "You are welcome."
    thanks = next(one for one in talk.messages if one.content == "Thanks.")
    assert talk.messages[-1].parent == thanks.id
    # What a person was reading is what they read on.
    assert talk.message(talk.leaf or "").content == "The sky."


async def test_what_is_in_the_trash_stays_there(store: Store, tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", [branched("c1"), branched("c2")])
    await imported(store, path)
    gone, kept = await store.headlines()
    await store.delete([gone.id])
    talk = await loaded(store, kept.id)
    answer = next(one.id for one in talk.messages if one.content == "A direction.")
    await store.delete_messages(talk.branch(answer))
    items = [branched("c1"), branched("c2")]
    for item in items:
        item["mapping"]["n"] = node("n", "q2", "assistant", "New.")
        item["mapping"]["n2"] = node("n2", "n", "user", "Newer.")
    report = await imported(store, write_json(path, items))
    assert report.words == "a.json: 0 conversations, 2 messages added; 1 went on; 1 is in the trash"
    assert await store.headlines(Shelf(("deleted",))) != ()
    talk = await loaded(store, kept.id)
    assert [one.content for one in talk.messages] == ["What is “up”?", "The sky."]
    assert len(talk.thread()) == 2


@pytest.mark.parametrize("skip", [False, True])
async def test_a_place_that_cannot_be_read_keeps_out_the_file_or_only_itself(
    store: Store, tmp_path: Path, skip: bool
) -> None:
    path = write_lines(tmp_path / "talk.jsonl", {"messages": [{"role": "user", "content": "a"}]})
    with path.open("a", encoding="utf-8") as file:
        file.write(
            '{"messages": []}\n{"mess\n' + '{"messages": [{"role": "user", "content": "b"}]}\n'
        )
    report = await imported(store, path, skip=skip)
    assert [one.place for one in report.unreadable] == ["line 2", "line 3"]
    assert report.unreadable_total == 2
    assert await store.count() == (2 if skip else 0)
    if skip:
        assert (
            report.words
            == "talk.jsonl: 2 conversations, 2 messages added; 2 places could not be read"
        )
    else:
        assert (
            report.words == "talk.jsonl: nothing was imported, because 2 places could not be read"
        )


async def test_an_export_into_an_empty_store_is_the_same_to_the_byte(
    store: Store, tmp_path: Path
) -> None:
    talk = await saved(store, "q", NASTY, "more", title="../../a title\nof lines")
    await store.star([talk.id])
    await store.tag([talk.id], "Work")
    await store.tag([talk.id], "éa")
    await store.set_leaf(talk.id, talk.messages[1].id)
    other = await saved(store, "archived")
    await store.archive([other.id])
    text = await exported(store)
    path = tmp_path / "ours.jsonl"
    path.write_text(text, "utf-8")
    fresh = await Store.open(tmp_path / "fresh" / "conversations.db")
    try:
        report = await imported(fresh, path)
        assert report.words == "ours.jsonl: 2 conversations, 4 messages added"
        assert await exported(fresh) == text
        assert (await loaded(fresh, talk.id)).messages[1].content == clean(NASTY)
        await imported(fresh, path)
        assert await exported(fresh) == text
    finally:
        await fresh.close()


async def test_a_conversation_of_which_all_was_deleted_keeps_no_file_out(
    store: Store, tmp_path: Path
) -> None:
    await saved(store, "kept")
    empty = await saved(store, "gone")
    await store.delete_messages(empty.branch(empty.messages[0].id))
    path = tmp_path / "a.jsonl"
    written = await export(store, None, "jsonl", path)
    assert (written.written, written.left_out) == (1, 1)
    with path.open("a", encoding="utf-8") as file:
        file.write(jsonl.line(await loaded(store, empty.id)) + "\n")
    fresh = await Store.open(tmp_path / "fresh" / "conversations.db")
    try:
        assert (await imported(fresh, path)).words == "a.jsonl: 1 conversation, 1 message added"
    finally:
        await fresh.close()


@settings(max_examples=15, deadline=None)
@given(st.lists(trees(), min_size=1, max_size=3))
def test_random_trees_come_back_the_same_to_the_byte(talks: list[Conversation]) -> None:
    async def there_and_back(place: Path) -> None:
        path = place / "a.jsonl"
        path.write_text("".join(jsonl.line(talk) + "\n" for talk in talks), "utf-8")
        store = await Store.open(place / "conversations.db")
        try:
            await imported(store, path)
            archive = Shelf(("kept", "archived"))
            assert await store.ids(archive) == [talk.id for talk in talks]
            assert await exported(store) == path.read_text("utf-8")
        finally:
            await store.close()

    with TemporaryDirectory() as place:
        asyncio.run(there_and_back(Path(place)))


async def test_logs_of_llm_are_imported_and_left_as_they_were(store: Store, tmp_path: Path) -> None:
    path = write_database(
        tmp_path / "logs.db", SECOND, {"responses": [response("r", "c", "a", "b")]}
    )
    before = path.read_bytes()
    report = await imported(store, path)
    assert (report.format, report.words) == (
        "llm logs",
        "logs.db: 1 conversation, 2 messages added",
    )
    assert path.read_bytes() == before


async def test_a_large_file_is_read_in_little_memory_with_progress(
    store: Store, tmp_path: Path, scratch: Path
) -> None:
    item = chat(
        "x", *(node(f"{n}", str(n - 1) if n else None, "user", "words " * 2000) for n in range(20))
    )
    path = tmp_path / "large.json"
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for number in range(130):
            file.write(
                ("," if number else "") + json.dumps(item | {"conversation_id": f"c{number}"})
            )
        file.write("]")
    size = path.stat().st_size
    assert size > 30_000_000
    seen: list[Progress] = []
    tracemalloc.start()
    report = await import_file(store, path, scratch, progress=seen.append)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.added is not None
    assert report.added.messages == 130 * 20
    assert peak < size / 5
    assert [one.step for one in seen][-1] == "saving"
    assert seen[0].total == size
    assert [one.done for one in seen] == sorted(one.done for one in seen)


async def test_a_message_of_many_megabytes_is_a_message(store: Store, tmp_path: Path) -> None:
    length = times(5, 50) * 1_000_000
    path = write_lines(
        tmp_path / "a",
        {
            "messages": [
                {"role": "user", "content": "x" * length},
                {"role": "user", "content": "b"},
            ]
        },
    )
    report = await imported(store, path)
    assert report.added is not None
    (line,) = await store.headlines()
    assert [len(one.content) for one in (await loaded(store, line.id)).messages] == [length, 1]
    assert len(line.title) <= 60


async def test_cancelling_while_reading_leaves_nothing_behind(
    store: Store, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "CHUNK", 1000)
    path = write_json(tmp_path / "a.json", [branched(f"c{number}") for number in range(3000)])
    begun = asyncio.Event()
    task = asyncio.ensure_future(import_file(store, path, scratch, progress=lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 30)
    assert any(one.is_dir() for one in scratch.iterdir())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(scratch.iterdir()) == []
    assert await store.count() == 0


async def test_cancelling_while_saving_takes_back_what_was_saved(
    store: Store, tmp_path: Path, scratch: Path
) -> None:
    path = write_json(tmp_path / "a.json", [branched(f"c{number}") for number in range(300)])

    def cancel_at_saving(progress: Progress) -> None:
        if progress.step == "saving":
            task.cancel()

    task = asyncio.ensure_future(import_file(store, path, scratch, progress=cancel_at_saving))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(scratch.iterdir()) == []
    assert await store.count() == 0
    assert (await imported(store, path)).added is not None
    assert await store.count() == 300


async def test_a_store_that_another_window_writes_to_is_said_and_nothing_is_added(
    store: Store, path: Path, tmp_path: Path
) -> None:
    file = write_json(tmp_path / "a.json", [branched()])
    other = await Other.running(LOCKING, str(path))
    with pytest.raises(ChatError, match="Another window is writing"):
        await imported(store, file)
    await other.tell()
    assert await other.line() == "released"
    assert (await imported(store, file)).added is not None
    await other.kill()


async def test_a_full_disk_is_said_and_nothing_is_added(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "small.db", (*MIGRATIONS, "PRAGMA max_page_count=60"))
    try:
        await saved(store, "before")
        many = [branched(f"c{number}") for number in range(400)]
        with pytest.raises(ChatError, match="The disk is full"):
            await imported(store, write_json(tmp_path / "a.json", many))
        assert await store.count() == 1
        assert (await imported(store, write_json(tmp_path / "a.json", many[:2]))).added is not None
    finally:
        await store.close()


async def test_a_cache_without_room_is_said_and_nothing_is_added(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "MIGRATIONS", (*MIGRATIONS, "PRAGMA max_page_count=60"))
    many = [branched(f"c{number}") for number in range(400)]
    with pytest.raises(ChatError, match="The disk is full"):
        await imported(store, write_json(tmp_path / "a.json", many))
    assert await store.count() == 0


async def test_what_a_crash_left_is_removed_and_what_another_window_gathers_is_not(
    store: Store, tmp_path: Path, scratch: Path
) -> None:
    for name in ("crashed", "living"):
        (scratch / name).mkdir(parents=True)
        (scratch / name / "staged.db").write_bytes(b"x")
    (scratch / "older.lock").touch()
    lock = FileLock(scratch / "living.lock")
    assert lock.acquire()
    path = write_json(tmp_path / "a.json", [branched()])
    await import_file(store, path, scratch, progress=lambda _: None)
    assert sorted(one.name for one in scratch.iterdir()) == ["living", "living.lock"]
    lock.release()


async def test_the_gathered_texts_are_for_this_user_alone(
    store: Store, tmp_path: Path, scratch: Path
) -> None:
    path = write_json(tmp_path / "a.json", [branched()])
    modes: list[int] = []

    def look(progress: Progress) -> None:
        if progress.step == "saving":
            modes.extend(
                stat.S_IMODE(one.stat().st_mode) for one in scratch.iterdir() if one.is_dir()
            )

    await import_file(store, path, scratch, progress=look)
    assert modes == [0o700]


async def test_a_file_that_is_none_changes_nothing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello", "utf-8")
    with pytest.raises(ChatError, match=r"notes\.txt is not JSON\."):
        await imported(store, path)
    assert await store.count() == 0
