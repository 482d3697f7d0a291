"""Ids that two files, or a file and the store, use for different things: nothing is mixed up or lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.core.formats.foreign_files import write_lines
from tests.core.stored import by_hand, loaded, saved
from tui_chat.core.importing import Report, import_file
from tui_chat.core.store import Store


def line(id: str, *messages: tuple[str, str], **more: object) -> dict[str, Any]:
    """One of our own lines, of messages as (id, text), one below the other."""
    rows = []
    parent = None
    for own, text in messages:
        rows.append({"id": own, "parent": parent, "role": "user", "content": text})
        parent = own
    return {"id": id, "title": id, "leaf": parent, "messages": rows, **more}


async def imported(store: Store, path: Path, *lines: object) -> Report:
    return await import_file(
        store, write_lines(path / "a.jsonl", *lines), path / "scratch", progress=lambda _: None
    )


async def texts(store: Store) -> list[Sequence[str]]:
    return [[one.content for one in talk.messages] async for talk in store.conversations()]


async def test_a_copy_of_a_line_under_another_id_is_a_conversation_of_its_own(
    store: Store, tmp_path: Path
) -> None:
    one, copy = line("one", ("a", "x"), ("b", "y")), line("copy", ("a", "x"), ("b", "z"))
    for _ in range(2):
        await imported(store, tmp_path, one, copy)
        assert await texts(store) == [["x", "y"], ["x", "z"]]
    # The same in a file of its own.
    for _ in range(2):
        await imported(store, tmp_path, line("third", ("a", "x"), ("b", "w")))
        assert await texts(store) == [["x", "y"], ["x", "z"], ["x", "w"]]
    third = await loaded(store, "third")
    assert [one.parent for one in third.messages] == [None, third.messages[0].id]
    assert third.leaf == third.messages[1].id
    assert (await loaded(store, "one")).messages[0].id == "a"


async def test_another_conversation_under_the_same_id_is_not_mixed_with_it(
    store: Store, tmp_path: Path
) -> None:
    for _ in range(2):
        await imported(store, tmp_path, line("1", ("a", "x")))
        await imported(store, tmp_path, line("1", ("b", "y"), ("c", "z")))
        assert await texts(store) == [["x"], ["y", "z"]]
    for _ in range(2):
        await imported(
            store, tmp_path, line("1", ("d", "p")), line("1", ("e", "q")), line("1", ("d", "p"))
        )
        assert await texts(store) == [["x"], ["y", "z"], ["p"], ["q"]]


async def test_a_line_that_comes_twice_in_a_file_is_added_once_with_all_that_it_says(
    store: Store, tmp_path: Path
) -> None:
    report = await imported(
        store, tmp_path, line("1", ("a", "x")), line("1", ("a", "x"), ("b", "y"))
    )
    assert report.words == "a.jsonl: 1 conversation, 2 messages added"
    talk = await loaded(store, "1")
    assert [one.content for one in talk.messages] == ["x", "y"]
    assert talk.leaf == "b"


async def test_setups_are_kept_once_and_only_where_a_new_message_has_one(
    store: Store, path: Path, tmp_path: Path
) -> None:
    await saved(store, "q", "a")
    item = line("1", ("a", "x"))
    reply = {"id": "r", "parent": "a", "role": "assistant", "content": "y", "model": "qwen3"}
    item["messages"] += [
        reply | {"endpoint": "home", "system": "", "params": {}},
        reply | {"id": "s", "endpoint": "far", "system": "secret", "params": {"seed": 1}},
    ]
    await imported(store, tmp_path, item)
    assert by_hand(path, "SELECT endpoint FROM setup ORDER BY seq") == [("home",), ("far",)]
    await store.delete(["1"])
    await store.purge(["1"])
    assert by_hand(path, "SELECT endpoint FROM setup") == [("home",)]


async def test_the_database_is_sound_after_an_import(
    store: Store, path: Path, tmp_path: Path
) -> None:
    await imported(
        store, tmp_path, line("1", ("a", "x"), ("b", "y"), tags=["t"], starred=True, archived=True)
    )
    await saved(store, "after")
    assert by_hand(path, "PRAGMA integrity_check") == [("ok",)]
    assert by_hand(path, "PRAGMA foreign_key_check") == []
    assert by_hand(path, "SELECT title, folded, starred, archived FROM conversation")[0] == (
        "1",
        "1",
        1,
        1,
    )
    assert by_hand(path, "SELECT name FROM tag") == [("t",)]
