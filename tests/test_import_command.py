"""`tui-chat import` as it is installed: reports, places, exit codes."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path

import pytest

from tests.core.formats.foreign_files import branched, write_json, write_lines
from tests.test_command_line import run
from tui_chat.core.conversation import Headline
from tui_chat.core.diagnosis import diagnosed
from tui_chat.core.import_command import import_files
from tui_chat.core.store import Store
from tui_chat.core.world import World


def _kept(home: Path) -> tuple[Headline, ...]:
    async def asked() -> tuple[Headline, ...]:
        store = await Store.open(home / "config" / "conversations.db")
        try:
            return await store.headlines()
        finally:
            await store.close()

    return asyncio.run(asked())


def test_files_are_imported_one_by_one_and_one_that_cannot_be_keeps_out_no_other(
    tmp_path: Path,
) -> None:
    good = write_json(tmp_path / "conversations.json", [branched()])
    partly = write_lines(
        tmp_path / "t\x1b.jsonl", {"messages": [{"role": "user", "content": "a"}]}, 5
    )
    done = run(tmp_path, "import", str(tmp_path / "gone"), str(partly), str(good))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "t␛.jsonl: nothing was imported, because 1 place could not be read",
        "conversations.json: 1 conversation, 4 messages added",
    ]
    said = done.stderr.splitlines()
    assert said[0] == f"tui-chat: There is no file {tmp_path / 'gone'}."
    assert said[1].startswith("t␛.jsonl, line 2: There is no “messages”")
    assert "--skip-unreadable" in said[2]
    assert [one.title for one in _kept(tmp_path)] == ["Chat c1"]

    again = run(tmp_path, "import", "--skip-unreadable", str(partly), str(good))
    assert again.returncode == 0
    assert again.stdout.splitlines() == [
        "t␛.jsonl: 1 conversation, 1 message added; 1 place could not be read",
        "conversations.json: 0 conversations, 0 messages added; 1 was there already",
    ]
    assert len(_kept(tmp_path)) == 2
    # One a day, of what was there at its end.
    (backup,) = (tmp_path / "config" / "backups").glob("*.db")
    assert diagnosed(backup).words == "1 conversation, 4 messages"
    assert list((tmp_path / "cache" / "importing").iterdir()) == []


def test_what_export_wrote_comes_back_the_same(tmp_path: Path) -> None:
    run(tmp_path, "import", str(write_json(tmp_path / "a.json", [branched("c1"), branched("c2")])))
    written = run(tmp_path, "export").stdout
    assert len([json.loads(line) for line in written.splitlines()]) == 2
    (tmp_path / "out.jsonl").write_text(written, "utf-8")
    other = tmp_path / "other"
    other.mkdir()
    done = run(other, "import", str(tmp_path / "out.jsonl"))
    assert (done.returncode, done.stderr) == (0, "")
    assert run(other, "export").stdout == written


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_progress_is_one_line_on_a_terminal_that_is_gone_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, written = _Screen(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(sys, "stdout", written)
    world = World.standard(
        {"TUI_CHAT_CONFIG_DIR": str(tmp_path), "TUI_CHAT_CACHE_DIR": str(tmp_path)}
    )
    path = write_json(tmp_path / "a\x1b.json", [branched()])
    assert await import_files(world, [path], skip_unreadable=False) == 0
    lines = shown.getvalue().split("\r")
    assert "a␛.json: saving 0 of 0 MB" in [line.rstrip() for line in lines]
    assert lines[-1] == ""
    assert lines[-2].strip() == ""
    assert "\n" not in shown.getvalue()
    assert written.getvalue() == "a␛.json: 1 conversation, 4 messages added\n"


def test_the_help_names_what_can_be_read(tmp_path: Path) -> None:
    text = " ".join(run(tmp_path, "import", "--help").stdout.split())
    for words in ("ChatGPT", "logs.db", "fine-tuning JSONL", "ShareGPT", "--skip-unreadable"):
        assert words in text
    assert run(tmp_path, "import").returncode == 2
    assert run(tmp_path, "import", "").returncode == 2
