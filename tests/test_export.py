"""`tui-chat export`: what is asked for, where it goes, and what is said of what was left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.core.stored import saved
from tests.forked import LoadedTerminal
from tests.terminal import home_environment
from tests.test_command_line import run
from tui_chat.core.conversation import Conversation
from tui_chat.core.store import Store


async def _three(home: Path) -> list[Conversation]:
    """Three conversations: one with a reply, one without, one in the trash."""
    store = await Store.open(home / "config" / "conversations.db")
    try:
        kept = await saved(store, "A question of fish", "Ação")
        asked = await saved(store, "Nobody answers")
        gone = await saved(store, "Deleted fish", "Gone")
        await store.delete([gone.id])
    finally:
        await store.close()
    return [kept, asked, gone]


def _ids(text: str) -> list[str]:
    return [json.loads(line)["id"] for line in text.splitlines()]


async def test_what_is_asked_for_is_written_to_standard_output(tmp_path: Path) -> None:
    kept, asked, _ = (one.id for one in await _three(tmp_path))
    table: dict[tuple[str, ...], list[str]] = {
        ("--all",): [kept, asked],
        (): [kept, asked],
        ("--id", asked, "--id", kept): [asked, kept],
        ("--search", "acao role:assistant"): [kept],
        ("--search", "fish"): [kept],
        ("--search", "title:nobody"): [asked],
    }
    for arguments, wanted in table.items():
        done = run(tmp_path, "export", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert _ids(done.stdout) == wanted


async def test_each_format_goes_to_standard_output_and_what_is_left_out_is_said(
    tmp_path: Path,
) -> None:
    await _three(tmp_path)
    markdown, html, training = (
        run(tmp_path, "export", "--format", name) for name in ("markdown", "html", "finetuning")
    )

    assert [done.returncode for done in (markdown, html, training)] == [0, 0, 0]
    assert "# A question of fish" in markdown.stdout
    assert html.stdout.startswith("<!DOCTYPE html>")
    assert html.stdout.endswith("</html>\n")
    assert (markdown.stderr, html.stderr) == ("", "")
    assert json.loads(training.stdout)["messages"] == [
        {"role": "user", "content": "A question of fish"},
        {"role": "assistant", "content": "Ação"},
    ]
    assert (
        training.stderr
        == "tui-chat: Of the conversations, 1 has no finished reply and was left out.\n"
    )


async def test_a_file_is_written_once_in_the_format_that_its_name_says(tmp_path: Path) -> None:
    await _three(tmp_path)
    path = tmp_path / "training.finetuning.jsonl"
    done = run(tmp_path, "export", "--to", str(path))
    again = run(tmp_path, "export", "--to", str(path), "--format", "html")
    kept = path.read_text("utf-8")
    over = run(tmp_path, "export", "--to", str(path), "--format", "html", "--overwrite")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        f"tui-chat: Written: {path} (1 conversation; 1 has no finished reply and was left out).\n"
    )
    assert list(json.loads(kept)) == ["messages"]
    assert again.returncode == 1
    assert again.stderr == (
        f"tui-chat: {path} is there already. Nothing was overwritten; name another.\n"
    )
    assert over.returncode == 0
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


async def test_an_id_that_is_not_there_is_said_before_anything_is_written(tmp_path: Path) -> None:
    kept, _, gone = (one.id for one in await _three(tmp_path))
    path = tmp_path / "a.jsonl"
    for to in ((), ("--to", str(path))):
        unknown = run(
            tmp_path, "export", "--id", kept, "--id", "no\x1bone", "--id", "nor this", *to
        )
        trash = run(tmp_path, "export", "--id", kept, "--id", gone, *to)
        none = run(tmp_path, "export", "--search", "submarine", *to)
        for done in (unknown, trash, none):
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.count("\n") == 1
        assert "There are no conversations “no␛one”, “nor this”." in unknown.stderr
        assert f"In the trash: “{gone}”." in trash.stderr
        assert "Nothing was found for “submarine”." in none.stderr
    assert not path.exists()


async def test_a_person_sees_how_far_an_export_to_a_file_is(tmp_path: Path) -> None:
    await _three(tmp_path)
    path = tmp_path / "all.jsonl"
    places = {name: str(tmp_path / name) for name in ("config", "cache")}
    environ = home_environment(
        tmp_path, TUI_CHAT_CONFIG_DIR=places["config"], TUI_CHAT_CACHE_DIR=places["cache"]
    )
    with LoadedTerminal(environ, "export", "--to", str(path)) as terminal:
        assert terminal.wait_end() == 0
        assert "50 % of 2 conversations" in terminal.text
        assert "Written: " in terminal.text.rpartition("\r ")[2]
    assert len(_ids(path.read_text("utf-8"))) == 2


async def test_a_suffix_that_says_no_format_needs_one_to_be_named(tmp_path: Path) -> None:
    await _three(tmp_path)
    path = tmp_path / "all.pdf"
    refused = run(tmp_path, "export", "--to", str(path))
    assert refused.returncode == 1
    assert "ends in .pdf" in refused.stderr
    assert not path.exists()
    assert run(tmp_path, "export", "--to", str(path), "--format", "html").returncode == 0
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--search", "x", "--id", "y"], "not allowed with argument"),
        (["--search", " "], "--search: this is empty."),
        (["--to", ""], "--to: this is empty."),
        (["--format", "pdf"], "invalid choice: 'pdf'"),
    ],
)
def test_flags_that_make_no_sense_are_refused(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    done = run(tmp_path, "export", *arguments)

    assert done.returncode == 2
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []
