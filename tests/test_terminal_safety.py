"""Whatever is foreign, in every room and on the command line, does nothing to a real terminal."""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fake_server import FakeServer
from tests.forked import LoadedTerminal
from tests.hostile import ESCAPES, foreign
from tests.hostile_home import MARKS, Foreign, furnish, hostile_server
from tests.nightly import times
from tests.terminal import home_environment
from tests.widgets.test_terminal_answers import ANSWERS, END, LATE_TOO

ENTER, TAB, ESCAPE, CTRL_Q, CTRL_P = "\r", "\t", "\x1b", "\x11", "\x10"
RIGHT, DOWN = "\x1b[C", "\x1b[B"
F1, F3, F4, F6, F8 = "\x1bOP", "\x1bOR", "\x1bOS", "\x1b[17~", "\x1b[19~"
LATE = [ANSWERS[name] for name in LATE_TOO]
BACK = (ESCAPE, "Parameters")
WALK = (
    ("hello\r", "M-reply"), ("again\r", "M-refused"),
    (F1, "Everywhere"), BACK,
    (TAB, ""), ("kk", ""), (ENTER, "M-reason"), (F4, "M-top"), (RIGHT, ""), BACK,
    ("i", "About this"), BACK, ("y", ""), ("t", "The tree"), BACK, (ESCAPE, ""),
    (F3, "M-title"), (DOWN, "M-said"), ("tag:", ""), BACK,
    (F6, "M-file"), ("Good", ""), BACK,
    ("/model\r", "M-listed"), BACK,
    ("/endpoint\r", "Add a server"), BACK,
    ("/code\r", "import"), BACK,
    ("/export\r", "Markdown"), BACK,
    (CTRL_P, "Mode"), ("M", ""), BACK,
    (F8, "F9"), ("text", "text"), (F8, "M-reply"),
)  # fmt: skip
"""The rooms, lists and dialogs, one after the other, and back: keys, and a word of what they lead to."""


BEGUN = (
    "".join(f"\x1b[?{mode}h" for mode in (1049, 1000, 1003, 1015, 1006, 1004, 2004)) + "\x1b[?25l"
)
ENDED = (
    "".join(f"\x1b[?{mode}l" for mode in (2004, 1000, 1003, 1015, 1006, 1049, 1004)) + "\x1b[?25h"
)
DRAWN = "\x1b[3;7H\x1b[1;38;5;231;48;5;17mwords\x1b[0m"


@pytest.mark.parametrize("escape", ESCAPES)
def test_the_judge_of_what_reached_a_terminal_knows_each_hostile_text(escape: str) -> None:
    def judged(text: str) -> list[str]:
        return foreign(text.encode("utf-8", "surrogatepass"))

    assert judged(BEGUN + DRAWN + ENDED) == []
    assert judged(BEGUN + DRAWN + escape + "words" + ENDED) != []


@pytest.mark.parametrize("seed", range(times(1, 200)))
def test_nothing_foreign_controls_the_terminal_in_any_room(seed: int) -> None:
    said = Foreign(seed)
    with tempfile.TemporaryDirectory() as folder, hostile_server(said) as server:
        home = Path(folder)
        directory = home / "di\x1b]0;x\x07r"
        asyncio.run(furnish(directory, said, server.base_url))
        environ = home_environment(
            home,
            OPENAI_BASE_URL=server.base_url,
            TUI_CHAT_CONFIG_DIR=str(directory / "config"),
            TUI_CHAT_CACHE_DIR=str(home / "ca\x9b1mche"),
            EDITOR="\x1b[2J \x9b1m",
            TERM_PROGRAM="\x1b]0;x\x07",
        )
        with LoadedTerminal(environ) as terminal:
            terminal.wait_for("ready")
            for keys, words in WALK:
                terminal.go(keys, words)
            terminal.type(CTRL_Q)
            assert terminal.wait_end() == 0
            assert foreign(terminal.drawn) == []
            # The other screen is left at the end, and only there.
            assert b"\x1b[?1049l" in terminal.drawn[-200:]
            terminal.raw = terminal.drawn
            drawn = terminal.text
            assert [mark for mark in MARKS if f"[b]M-{mark}" not in drawn] == []
            assert said.unsaid() == []


@pytest.mark.parametrize("seed", range(times(1, 50)))
def test_nothing_foreign_controls_the_terminal_without_a_screen(seed: int) -> None:
    said = Foreign(seed)
    with tempfile.TemporaryDirectory() as folder, hostile_server(said) as server:
        directory = Path(folder) / "di\x1b]0;x\x07r"
        asyncio.run(furnish(directory, said, server.base_url))
        typed = said.on_disk("typed").replace("\x00", "")
        environ = home_environment(
            Path(folder),
            OPENAI_BASE_URL=server.base_url,
            TUI_CHAT_CONFIG_DIR=str(directory / "config"),
            TUI_CHAT_CACHE_DIR=str(directory / "cache"),
        )
        (directory / "import.json").write_text(typed)
        commands = [
            ("list",), ("search", "M"), ("show", typed), ("export", "--format", "markdown"),
            ("doctor",), ("ask", "hello"), ("ask", "again"), ("import", str(directory / "import.json")),
            (f"--{typed}",), ("--model", typed, "ask"),
        ]  # fmt: skip
        with ThreadPoolExecutor(2) as pool:
            came = list(pool.map(lambda command: _said_by(command, environ), commands))
    for command, raw in zip(commands, came, strict=True):
        assert foreign(raw, lines=True) == [], command
    drawn = b"".join(came).decode()
    assert said.unsaid() == []
    shown = ("title", "said", "reply", "refused", "typed", "tag")
    assert [mark for mark in shown if f"M-{mark}" not in drawn] == []


def _said_by(command: tuple[str, ...], environ: dict[str, str]) -> bytes:
    with LoadedTerminal(environ, *command) as terminal:
        terminal.wait_end(60)
        return bytes(terminal.raw)


def test_what_a_terminal_answers_is_never_sent_and_no_paste_sends_itself(tmp_path: Path) -> None:
    with (
        FakeServer() as server,
        LoadedTerminal(home_environment(tmp_path, OPENAI_BASE_URL=server.base_url)) as terminal,
    ):
        terminal.wait_for("ready")
        for place, answer in enumerate(ANSWERS.values()):
            cut = 1 + place % (len(answer) - 1)
            terminal.type(answer[:cut])
            if answer in LATE:
                terminal.read(0.15)
            terminal.type(answer[cut:])
        terminal.type(f"\x1b[200~pasted {END}and sent\r{END}")
        terminal.wait_for("pasted and sent")
        assert not server.chats
        terminal.type("ok\r")
        terminal.wait_for("Hello, world")
    (sent,) = server.chats
    assert sent["messages"][-1]["content"] == "pasted and sent\nok"
