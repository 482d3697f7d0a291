"""Copying by keys: what is copied, by which way, and what is said about it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.core.test_clipboard import FAILS, TAKES, program
from tests.fake_server import Answer, FakeServer
from tests.rooms.house import House, open_house, wait_until
from tui_chat.core.clipboard import Copied
from tui_chat.widgets.copying import said
from tui_chat.widgets.picker import Picker

TWO_CODES = "First:\n```py\nprint(1)\n```\nThen:\n\n```sh\nls -l\npwd\n```\n"


def with_tool(directory: Path, code: str = TAKES) -> dict[str, str]:
    """An environment with one tool for the clipboard."""
    programs = directory / "programs"
    programs.mkdir()
    program(programs, "xclip", code)
    return {"PATH": str(programs), "DISPLAY": ":0"}


def taken(directory: Path) -> str:
    return (directory / "programs" / "taken").read_text()


@asynccontextmanager
async def at_answer(
    directory: Path, answer: str, environ: Mapping[str, str]
) -> AsyncIterator[House]:
    """The chat after one question, with the cursor on its answer."""
    with FakeServer(Answer((answer,))) as server:
        async with open_house(directory, server, environ=environ) as house:
            await house.send("question")
            house.chat.transcript.focus()
            await house.press("G")
            yield house


async def test_a_message_is_copied_by_the_tool_and_the_terminal(tmp_path: Path) -> None:
    async with at_answer(tmp_path, "the *answer*", with_tool(tmp_path)) as house:
        await house.press("y")
        await wait_until(lambda: "Copied the message" in house.notices())
        assert taken(tmp_path) == "the *answer*"
        assert house.app.clipboard == "the *answer*"
        assert "Copied the message: 12 characters (xclip and the terminal)." in house.notices()


async def test_where_only_the_terminal_is_there_that_is_said(tmp_path: Path) -> None:
    async with at_answer(tmp_path, "answer", with_tool(tmp_path, FAILS)) as house:
        await house.press("y")
        await wait_until(lambda: "not every terminal takes it" in house.notices())
        assert "Copied" not in house.notices()


async def test_where_nothing_takes_it_the_notice_names_the_file(tmp_path: Path) -> None:
    async with at_answer(tmp_path, "answer", {"TERM": "linux"}) as house:
        await house.press("y")
        file = tmp_path / "cache" / "copied.txt"
        await wait_until(lambda: str(file) in house.notices())
        assert file.read_text() == "answer"


async def test_the_only_code_of_a_message_is_copied_at_once(tmp_path: Path) -> None:
    async with at_answer(tmp_path, "Here:\n\n```py\nprint(1)\n```\n", with_tool(tmp_path)) as house:
        await house.press("Y")
        await wait_until(lambda: "Copied the code" in house.notices())
        assert taken(tmp_path) == "print(1)"


async def test_of_several_pieces_of_code_one_is_chosen(tmp_path: Path) -> None:
    async with at_answer(tmp_path, TWO_CODES, with_tool(tmp_path)) as house:
        await house.press("Y")
        await wait_until(lambda: isinstance(house.app.screen, Picker))
        await wait_until(lambda: "print(1)" in house.screen_text())
        shown = house.screen_text()
        assert re.search(r"print\(1\) .* py +1 line", shown)
        assert re.search(r"ls -l .* sh +2 lines", shown)
        await house.press("down", "enter")
        await wait_until(lambda: "Copied the code" in house.notices())
        assert taken(tmp_path) == "ls -l\npwd"


async def test_leaving_the_list_of_code_copies_nothing(tmp_path: Path) -> None:
    async with at_answer(tmp_path, TWO_CODES, with_tool(tmp_path)) as house:
        await house.press("Y")
        await wait_until(lambda: isinstance(house.app.screen, Picker))
        await house.press("escape")
        await wait_until(lambda: house.app.screen is house.chat)
        assert "Copied" not in house.notices()
        assert not (tmp_path / "programs" / "taken").exists()


async def test_a_message_without_code_says_so(tmp_path: Path) -> None:
    async with at_answer(tmp_path, "no code", with_tool(tmp_path)) as house:
        await house.press("Y")
        await wait_until(lambda: "no code in this message" in house.notices())


async def test_a_selection_goes_the_same_way(tmp_path: Path) -> None:
    async with at_answer(tmp_path, "the answer", with_tool(tmp_path)) as house:
        house.chat.transcript.text_select_all()
        await house.press("ctrl+c")
        await wait_until(lambda: "Copied" in house.notices())
        assert taken(tmp_path).splitlines()[-2] == "the answer"
        assert "again to quit" not in house.notices()


async def test_what_is_cut_in_the_prompt_goes_the_same_way_and_can_be_pasted_at_once(
    tmp_path: Path,
) -> None:
    async with at_answer(tmp_path, "answer", with_tool(tmp_path)) as house:
        await house.press("escape")
        await house.write("draft ")
        await house.press("shift+home", "ctrl+x", "ctrl+v", "ctrl+v")
        assert house.chat.prompt.text_to_send == "draft draft "
        await wait_until(lambda: "Copied 6 characters" in house.notices())
        assert taken(tmp_path) == "draft "


async def test_the_conversation_is_copied_by_a_command_and_from_the_palette(
    tmp_path: Path,
) -> None:
    with FakeServer(Answer(("the answer",))) as server:
        async with open_house(tmp_path, server, environ=with_tool(tmp_path)) as house:
            await house.write("/copy")
            await house.press("escape", "enter")
            await wait_until(lambda: "Nothing was said yet." in house.notices())
            await house.press("ctrl+u")
            await house.send("question")
            await house.command("/copy")
            await wait_until(lambda: "Copied the conversation" in house.notices())
            text = taken(tmp_path)
            assert text.startswith("---\ntitle: ")
            assert text.index("## You\n\nquestion") < text.index("the answer")
            (tmp_path / "programs" / "taken").unlink()
            await house.press("ctrl+p")
            await house.write("copy the conversation")
            await house.press("enter")
            await wait_until(lambda: (tmp_path / "programs" / "taken").exists())
            await wait_until(lambda: house.notices().count("Copied the conversation") == 2)
            assert taken(tmp_path) == text


async def test_what_was_copied_last_is_on_the_clipboard(tmp_path: Path) -> None:
    async with at_answer(tmp_path, "the answer", with_tool(tmp_path)) as house:
        await house.press("y", "g", "y")
        await wait_until(lambda: house.notices().count("Copied") == 2)
        assert taken(tmp_path) == "question"


@pytest.mark.parametrize(
    ("copied", "what", "words"),
    [
        (Copied(("pbcopy",)), "", "Copied 1,204 characters (pbcopy)."),
        (
            Copied(("wl-copy",), terminal=True),
            "the code",
            "Copied the code: 1,204 characters (wl-copy and the terminal).",
        ),
        (
            Copied(terminal=True),
            "",
            "Sent 1,204 characters to the terminal; not every terminal takes it to the clipboard.",
        ),
        (
            Copied(("tmux",), terminal=True),
            "",
            "Sent 1,204 characters to tmux and the terminal; not every terminal takes it to the clipboard.",
        ),
        (
            Copied(path=Path("/cache/copied.txt"), too_large=True),
            "",
            "It is too much for the terminal's clipboard, so 1,204 characters went into /cache/copied.txt",
        ),
        (
            Copied(path=Path("/cache/copied.txt")),
            "the message",
            "Neither the terminal nor a program here can put it on the clipboard, "
            "so the message: 1,204 characters went into /cache/copied.txt",
        ),
    ],
)
def test_the_notice_says_which_way_it_went(copied: Copied, what: str, words: str) -> None:
    assert said(copied, 1_204, what) == words
