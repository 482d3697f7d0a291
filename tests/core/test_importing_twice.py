"""Importing the same file a second time adds nothing, whatever its format, and under another name too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.formats.foreign_files import (
    FIRST,
    SECOND,
    THIRD,
    branched,
    response,
    shared_store,
    write_database,
    write_json,
    write_lines,
    write_zip,
)
from tests.core.test_importing import exported, imported
from tests.rooms.library import branched as ours
from tests.rooms.library import talk
from tui_chat.core.formats import jsonl
from tui_chat.core.store import Store

TURNS = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
SAID = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]
OLD: dict[str, list[list[object]]] = {
    "log": [
        [1, "gpt-3.5-turbo", "2023-06-14 10:00:00.5", "One?", "Be brief.", "1.", None],
        [2, "gpt-3.5-turbo", "2023-06-14 11:00:00", "Else?", None, "E.", None],
    ]
}
NEW: dict[str, list[list[object]]] = {
    "conversations": [["c1", "Sums", "gpt-4o-mini"]],
    "responses": [response("r1", "c1", "2+2?", "4"), response("r3", None, "Alone?", "Yes.")],
}
FILES: dict[str, tuple[Callable[[Path], Path], int]] = {
    "ChatGPT's zip": (
        lambda path: write_zip(path, {"conversations.json": [branched("c1"), branched("c2")]}),
        2,
    ),
    "ChatGPT's zip in parts": (
        lambda path: write_zip(
            path,
            {
                "conversations-000.json": [branched("c1")],
                "conversations-001.json": [branched("c2")],
            },
        ),
        2,
    ),
    "ChatGPT's conversations.json": (
        lambda path: write_json(path, [branched("c1"), branched("c2")]),
        2,
    ),
    "llm's first logs.db": (lambda path: write_database(path, FIRST, OLD), 2),
    "llm's second logs.db": (lambda path: write_database(path, SECOND, NEW), 2),
    "llm's logs.db with threads": (
        lambda path: write_database(path, SECOND + THIRD, shared_store() | NEW),
        4,
    ),
    "fine-tuning data": (
        # The same twice is two examples, and stays two.
        lambda path: write_lines(path, *[{"messages": TURNS}] * 2, {"messages": TURNS * 2}),
        3,
    ),
    "ShareGPT": (
        lambda path: write_json(
            path, [{"id": "s1", "conversations": SAID}, {"conversations": SAID}]
        ),
        2,
    ),
    "ShareGPT by lines": (
        lambda path: write_lines(path, {"conversations": SAID}, {"conversations": SAID * 2}),
        2,
    ),
    "our own": (
        lambda path: write_lines(
            path, *(json.loads(jsonl.line(one)) for one in (ours(), talk("hi", "hello")))
        ),
        2,
    ),
}


@pytest.mark.parametrize("name", FILES)
async def test_a_second_import_adds_nothing_twice(store: Store, tmp_path: Path, name: str) -> None:
    write, number = FILES[name]
    path = write(tmp_path / "first")
    report = await imported(store, path)
    assert f"first: {number} conversations, " in report.words
    everything = await exported(store)
    assert everything.count("\n") == number

    copy = tmp_path / "a copy"
    shutil.copy(path, copy)
    for file in (path, copy):
        report = await imported(store, file)
        added = f"{file.name}: 0 conversations, 0 messages added; {number} were there already"
        assert report.words.startswith(added)
        assert await exported(store) == everything
