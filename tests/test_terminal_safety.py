"""Whatever is foreign, in every room and on the command line, does nothing to a real terminal."""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fake_server import FakeServer
from tests.hostile import ESCAPES, MARKUP, TEXTS, foreign
from tests.hostile_home import MARKS, Foreign, furnish, hostile_server
from tests.nightly import NIGHTLY, times
from tests.terminal import TUI_CHAT, Terminal, home_environment
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
    (F3, "M-title"), (DOWN, "M-said"), ("tag:", "M-tag"), BACK,
    (F6, "M-file"), ("Good", "M-about"), BACK,
    ("/model\r", "M-listed"), BACK,
    ("/endpoint\r", "Add a server"), BACK,
    ("/code\r", "import"), BACK,
    ("/export\r", "Markdown"), BACK,
    (CTRL_P, "Mode"), ("M", ""), BACK,
    (F8, "F9"), ("text", "text"), (F8, "M-reply"),
)  # fmt: skip
"""The rooms, lists and dialogs, one after the other, and back: keys, and a word of what they lead to."""


@settings(
    max_examples=times(1, 200),
    derandomize=not NIGHTLY,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(known=st.permutations(ESCAPES + MARKUP), more=st.lists(TEXTS, max_size=20))
def test_nothing_foreign_controls_the_terminal_in_any_room(
    known: list[str], more: list[str]
) -> None:
    said = Foreign([*more, *known])
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
        with Terminal(TUI_CHAT, environ) as terminal:
            terminal.wait_for("ready")
            for keys, words in WALK:
                terminal.go(keys, words)
            terminal.type(CTRL_Q)
            assert terminal.wait_end() == 0
            assert foreign(terminal.drawn) == []
            terminal.raw = terminal.drawn
            assert [mark for mark in MARKS if f"[b]M-{mark}[/b]" not in terminal.text] == []


@settings(max_examples=times(1, 50), derandomize=not NIGHTLY, database=None, deadline=None)
@given(known=st.permutations(ESCAPES + MARKUP), more=st.lists(TEXTS, max_size=20))
def test_nothing_foreign_controls_the_terminal_without_a_screen(
    known: list[str], more: list[str]
) -> None:
    said = Foreign([*more, *known])
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
    shown = ("title", "said", "reply", "refused", "typed", "tag")
    assert [mark for mark in shown if f"M-{mark}" not in drawn] == []


def _said_by(command: tuple[str, ...], environ: dict[str, str]) -> bytes:
    with Terminal([*TUI_CHAT, *command], environ) as terminal:
        terminal.wait_end(60)
        return bytes(terminal.raw)


def test_what_a_terminal_answers_is_never_sent_and_no_paste_sends_itself(tmp_path: Path) -> None:
    with (
        FakeServer() as server,
        Terminal(TUI_CHAT, home_environment(tmp_path, OPENAI_BASE_URL=server.base_url)) as terminal,
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
