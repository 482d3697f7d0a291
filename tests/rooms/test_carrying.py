"""Taking conversations elsewhere and bringing others along, by the keys of the rooms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Input, TextArea

from tests.fake_server import FakeServer
from tests.rooms.house import House, open_house, stored, wait_until
from tests.rooms.library import branched, keep, look_for, open_review, talk, titles
from tui_chat.core.exporting import FORMATS
from tui_chat.rooms.chat.commands import COMMANDS
from tui_chat.widgets.bringing import named_files


async def take(house: House, which: str, form: str, file: str) -> None:
    """Go through the questions from `x` on."""
    await house.press("x")
    await wait_until(lambda: "Export: which?" in house.screen_text())
    await house.write(which)
    await house.press("enter")
    await wait_until(lambda: "Export: as what?" in house.screen_text())
    await house.write(form)
    await house.press("enter")
    await wait_until(lambda: "To which file?" in house.screen_text())
    await house.press("ctrl+u")
    await house.write(file)
    await house.press("enter")


async def library(directory: Path) -> None:
    await keep(
        directory,
        branched(),
        talk("one needle", "about one"),
        talk("two needles", "about two"),
        talk("no reply yet"),
    )


@pytest.mark.parametrize(
    ("which", "form", "name", "count"),
    [
        ("no reply", "markdown", "a.md", 1),
        ("found", "json lines file", "a.jsonl", 2),
        ("everything", "json lines file", "b.jsonl", 4),
        ("everything", "fine", "a.finetuning.jsonl", 3),
        ("everything", "html", "a.html", 4),
    ],
)
async def test_this_what_is_found_or_everything_goes_into_a_file(
    tmp_path: Path, which: str, form: str, name: str, count: int
) -> None:
    await library(tmp_path)
    file = tmp_path / name
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            if which == "found":
                await look_for(house, "needle", "2 hits")
            await house.press("tab")
            await take(house, which, form, str(file))
            await wait_until(lambda: f"({count} conversation" in house.notices())
            await wait_until(lambda: "To which file?" not in house.screen_text())
    text = file.read_text("utf-8")
    if name.endswith("jsonl"):
        assert len([json.loads(line) for line in text.splitlines()]) == count
    assert file.stat().st_mode & 0o777 == 0o600
    assert ("no reply yet" in text) == (which != "found" and "fine" not in form)


async def test_what_is_marked_is_taken_and_a_file_is_replaced_only_after_a_question(
    tmp_path: Path,
) -> None:
    await library(tmp_path)
    file = tmp_path / "marked.md"
    file.write_text("precious")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "down", "space", "space")
            await wait_until(lambda: "2 marked" in house.screen_text())
            await take(house, "2 conversations", "markdown file", str(file))
            await wait_until(lambda: "Replace this file?" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "To which file?" in house.screen_text())
            assert file.read_text() == "precious"
            await house.press("enter")
            await wait_until(lambda: "Replace this file?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "(2 conversations)" in house.notices())
    text = file.read_text("utf-8")
    assert "about one" in text
    assert "about two" in text
    assert "apple" not in text


async def test_a_file_that_cannot_be_written_is_asked_for_again_with_the_reason(
    tmp_path: Path,
) -> None:
    await library(tmp_path)
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab")
            await take(house, "everything", "markdown file", str(tmp_path / "absent" / "a.md"))
            # However long the path is, and wherever it is broken into lines.
            await wait_until(lambda: "There is no directory" in house.screen_text())
            assert "Make it, or name another" in house.screen_text()
            await house.press("escape")
            await wait_until(lambda: "To which file?" not in house.screen_text())
    assert not (tmp_path / "absent").exists()


async def test_a_title_that_is_a_path_never_leads_out_of_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    await keep(tmp_path, talk("x", "y", title="../../etc/passwd\x1b[2J"))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "x")
            await wait_until(lambda: "Export: which?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "Export: as what?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "To which file?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "Written" in house.notices())
    (file,) = (tmp_path / "here").iterdir()
    assert file.suffix == ".md"
    assert "passwd" in file.name


async def test_export_and_import_by_the_keys_bring_the_same_tree_back(tmp_path: Path) -> None:
    fruit = branched()
    first, second = tmp_path / "first", tmp_path / "second"
    await keep(first, fruit)
    file, again = tmp_path / "fruit.jsonl", tmp_path / "again.jsonl"
    with FakeServer() as server:
        async with open_house(first, server) as house:
            await open_review(house)
            await house.press("tab")
            await take(house, "everything", "json lines file", str(file))
            await wait_until(lambda: "(1 conversation)" in house.notices())
        async with open_house(second, server) as house:
            await open_review(house)
            await house.press("tab", "b")
            await wait_until(lambda: "─ Import ─" in house.screen_text())
            await house.write(str(file))
            await house.press("enter")
            await wait_until(lambda: "1 conversation, 4 messages added" in house.notices())
            await look_for(house, "", "1 conversation ·", "─ Fruit ─")
            await house.press("slash")
            await look_for(house, "pear", "1 hit")
            await house.press("ctrl+u", "tab")
            await take(house, "everything", "json lines file", str(again))
            await wait_until(lambda: "(1 conversation)" in house.notices())
    assert file.read_bytes() == again.read_bytes()


async def test_what_cannot_be_read_is_named_and_the_rest_imported_only_after_a_question(
    tmp_path: Path,
) -> None:
    good = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}
    file = tmp_path / "data.jsonl"
    file.write_text(f"{json.dumps(good)}\n{{broken\n[1, 2]\n")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            for answer in ("escape", "enter"):
                await house.press("tab", "b")
                await wait_until(lambda: "─ Import ─" in house.screen_text())
                await house.write(str(file))
                await house.press("enter")
                await wait_until(lambda: "Import the rest of it?" in house.screen_text())
                assert "line 2" in house.screen_text()
                assert "line 3" in house.screen_text()
                await house.press(answer)
                await wait_until(lambda: "Import the rest of it?" not in house.screen_text())
                if answer == "escape":
                    assert not await stored(tmp_path)
                    await house.press("tab", "tab")
            await wait_until(lambda: "1 conversation, 2 messages added" in house.notices())
    assert titles(await stored(tmp_path)) == ["hi"]


async def test_a_file_that_is_none_of_those_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("just some notes")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await open_review(house)
            await house.press("tab", "b")
            await wait_until(lambda: "─ Import ─" in house.screen_text())
            await house.write(str(tmp_path / "absent.zip"))
            await house.press("enter")
            await wait_until(lambda: "There is no file" in house.screen_text())
            await house.press("ctrl+u")
            await house.write(str(tmp_path / "notes.txt"))
            await house.press("enter")
            await house.pilot.pause()
            await wait_until(lambda: "is not JSON" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "─ Import ─" not in house.screen_text())


def simple(path: Path, text: str) -> Path:
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": "ho"}]
    path.write_text(json.dumps({"messages": turns}) + "\n")
    return path


async def test_in_the_chat_files_are_imported_by_name_or_after_a_question(tmp_path: Path) -> None:
    spaced = simple(tmp_path / "my own.jsonl", "first")
    one, other = (simple(tmp_path / f"{name}.jsonl", name) for name in ("second", "third"))
    asked = simple(tmp_path / "asked.jsonl", "fourth")
    by_palette = simple(tmp_path / "palette.jsonl", "fifth")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.command(f"/import {spaced}")
            await wait_until(lambda: "my own.jsonl: 1 conversation" in house.notices())
            await house.command(f'/import {one} "{other}"')
            await wait_until(lambda: "third.jsonl: 1 conversation" in house.notices())
            await house.write("/import")
            await house.press("escape", "enter")
            await wait_until(lambda: "─ Import ─" in house.screen_text())
            await house.write(str(asked))
            await house.press("enter")
            await wait_until(lambda: "asked.jsonl: 1 conversation" in house.notices())
            await wait_until(lambda: house.app.screen is house.chat)
            await house.press("ctrl+p")
            await house.write("Import conversations")
            await house.press("enter")
            await wait_until(lambda: "─ Import ─" in house.screen_text())
            await house.write(str(by_palette))
            await house.press("enter")
            await wait_until(lambda: "palette.jsonl: 1 conversation" in house.notices())
    assert sorted(titles(await stored(tmp_path))) == [
        "fifth", "first", "fourth", "second", "third",
    ]  # fmt: skip


async def test_a_file_named_in_the_chat_that_cannot_be_imported_is_asked_for_again(
    tmp_path: Path,
) -> None:
    good = simple(tmp_path / "good.jsonl", "hi")
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("/import 'half")
            await house.press("escape", "enter")
            await wait_until(lambda: "A quote in these names is not closed." in house.notices())
            await house.press("ctrl+u")
            await house.write(f"/import absent.zip {good}")
            await house.press("escape", "enter")
            await wait_until(lambda: "There is no file" in house.screen_text())
            assert "absent.zip" in house.app.screen.query_one(Input).value
            assert not await stored(tmp_path)
            # Passing one over leaves the next.
            await house.press("escape")
            await wait_until(lambda: "1 conversation" in house.notices())
    assert titles(await stored(tmp_path)) == ["hi"]


@pytest.mark.parametrize(
    ("typed", "files"),
    [
        ("", []),
        ("a.zip", ["a.zip"]),
        ("a.zip  b.db", ["a.zip", "b.db"]),
        ("'my own.zip' b\\ c #1.db", ["my own.zip", "b c", "#1.db"]),
        ("x" * 5000, ["x" * 5000]),
    ],
)
def test_several_files_are_named_as_in_a_shell(typed: str, files: list[str]) -> None:
    assert named_files(typed) == files


def test_the_words_about_exports_name_every_format() -> None:
    (command,) = [one for one in COMMANDS if one.name == "export"]
    assert all(one.suffix in command.argument for one in FORMATS.values())


async def test_the_palette_names_every_format(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            offered = {
                one.title: one.help for one in house.app.get_system_commands(house.app.screen)
            }
            words = offered["Export this conversation"].lower()
            assert all(one.label.lower() in words for one in FORMATS.values())


async def test_in_the_chat_a_conversation_is_taken_away_by_name_or_by_questions(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.write("/export x.md")
            await house.press("escape", "enter")
            await wait_until(lambda: "Nothing was said yet" in house.notices())
            await house.press("ctrl+u")
            await house.send("hi")
            await house.command(f"/export {tmp_path / 'talk.html'}")
            await wait_until(lambda: (tmp_path / "talk.html").exists())
            await house.write("/export")
            await house.press("escape", "enter")
            await wait_until(lambda: "Export: as what?" in house.screen_text())
            await house.write("json lines file")
            await house.press("enter")
            await wait_until(lambda: "To which file?" in house.screen_text())
            await house.press("ctrl+u")
            await house.write(str(tmp_path / "talk.jsonl"))
            await house.press("enter")
            await wait_until(lambda: (tmp_path / "talk.jsonl").exists())
    assert "<html" in (tmp_path / "talk.html").read_text()
    assert json.loads((tmp_path / "talk.jsonl").read_text())["title"] == "hi"


async def test_the_code_of_a_reply_is_the_request_that_made_it(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.refuses = {"top_p": {"error": {"message": "Unsupported parameter: 'top_p'"}}}
        async with open_house(tmp_path, server) as house:
            await house.command("/temperature 0.3")
            await house.command("/top-p 0.5")
            await house.send("first question")
            await house.send("second question")
            await house.command("/temperature 1.9")
            house.chat.set_focus(house.chat.transcript)
            await house.press("g", "j", "v")
            await wait_until(lambda: "The request that made this reply" in house.screen_text())
            shown = house.app.screen.query_one(TextArea).text
            assert "first question" in shown
            assert "second" not in shown
            assert "temperature=0.3" in shown
            assert "top_p" not in shown
            assert server.base_url in shown
            await house.press("y")
            await wait_until(lambda: " characters" in house.notices())
            await house.press("escape")
            await house.press("f3")
            await wait_until(lambda: "─ first question ─" in house.screen_text())
            await house.press("tab", "tab", "G", "v")
            await wait_until(lambda: "The request that made this reply" in house.screen_text())
            assert "second question" in house.app.screen.query_one(TextArea).text
            await house.press("escape")
