"""What is nested a hundred thousand deep is said in words, or read as nothing; never an exception of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_chat.core.conversation import Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.importing import import_file
from tui_chat.core.presets import Presets
from tui_chat.core.settings import load_settings
from tui_chat.core.store import Store
from tui_chat.rooms.chat.session import Session as ChatSession
from tui_chat.rooms.completion.session import Session as TextSession

DEPTH = 100_000
ARRAYS = "[" * DEPTH + "]" * DEPTH
OBJECTS = '{"a":' * DEPTH + "1" + "}" * DEPTH
FILES = {
    "arrays": ARRAYS,
    "objects": OBJECTS,
    "in a message": f'{{"messages": [{{"role": "user", "content": {ARRAYS}}}]}}',
    "in a list": f'[{{"mapping": {OBJECTS}}}]',
    "never closed": "[" * DEPTH,
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
async def test_of_a_deep_file_nothing_is_imported_and_it_is_said_why(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "deep.json"
    path.write_text(text)
    store = await Store.open(tmp_path / "conversations.db")
    try:
        report = await import_file(
            store, path, tmp_path / "scratch", skip_unreadable=True, progress=lambda progress: None
        )
        words = " ".join((report.words, *(one.words for one in report.unreadable)))
    except ChatError as error:
        words = str(error)
    finally:
        found = [one async for one in store.conversations()]
        await store.close()
    assert words
    assert not found


def test_deep_settings_and_presets_are_a_sentence(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f"theme = {ARRAYS}\n")
    (problem,) = load_settings(settings).problems
    assert "too large to be meant" in problem
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "p.toml").write_text(f"system = {ARRAYS}\n")
    (preset,) = [one for one in Presets(tmp_path / "presets").all() if one.name == "p"]
    assert "too large to be meant" in preset.problem
    assert preset.applied_to(Setup("e", "m")) == Setup("e", "m")


def test_what_a_session_kept_is_as_at_a_first_start_where_it_is_too_deep() -> None:
    for text in (ARRAYS, OBJECTS):
        assert ChatSession.read(text) == ChatSession()
        assert TextSession.read(text) == TextSession()
