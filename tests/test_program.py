"""The installed program in a real terminal: beginning, leaving, being killed, large texts."""

from __future__ import annotations

import os
import signal
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer, words
from tests.forked import LoadedTerminal
from tests.rooms.house import stored
from tests.terminal import TUI_CHAT, Terminal, home_environment

TAKEN = b"\x1b[?1049h"
LEFT = b"\x1b[?1049l"
"""The sequences that take the terminal's screen, and give its own back."""
ENTER, ESCAPE, CTRL_Q, CTRL_C, F3 = "\r", "\x1b", "\x11", "\x03", "\x1bOR"
CHECKPOINT = 0.25


def _environment(home: Path, server: FakeServer) -> dict[str, str]:
    return home_environment(
        home,
        OPENAI_BASE_URL=server.base_url,
        TUI_CHAT_CONFIG_DIR=str(home / "config"),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )


def _wait(terminal: Terminal, condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, terminal.text[-2000:]
        terminal.read(0.05)


def test_keys_typed_before_the_first_paint_are_all_kept(tmp_path: Path) -> None:
    with FakeServer() as server, Terminal(TUI_CHAT, _environment(tmp_path, server)) as terminal:
        terminal.type("early words")
        terminal.wait_for("ready")
        terminal.type(ENTER)
        _wait(terminal, lambda: server.chats)
        assert server.chats[0]["messages"][0]["content"] == "early words"


def test_leaving_gives_the_terminal_back(tmp_path: Path) -> None:
    with FakeServer() as server, Terminal(TUI_CHAT, _environment(tmp_path, server)) as terminal:
        terminal.wait_for("ready")
        terminal.type(CTRL_Q)
        assert terminal.wait_end() == 0
        assert LEFT in terminal.raw


def test_a_second_ctrl_c_leaves_and_the_first_says_so(tmp_path: Path) -> None:
    with FakeServer() as server, LoadedTerminal(_environment(tmp_path, server)) as terminal:
        terminal.wait_for("ready")
        terminal.type(CTRL_C)
        terminal.wait_for("again to quit")
        terminal.type(CTRL_C)
        assert terminal.wait_end() == 0


async def test_a_term_signal_saves_the_reply_and_gives_the_terminal_back(tmp_path: Path) -> None:
    with (
        FakeServer(Answer(words("word " * 2000), delay=0.01)) as server,
        LoadedTerminal(_environment(tmp_path, server)) as terminal,
    ):
        terminal.wait_for("ready")
        terminal.type("go on" + ENTER)
        _wait(terminal, lambda: len(server.sent) > 20)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.wait_end() == 143
        assert LEFT in terminal.raw
    (conversation,) = await stored(tmp_path)
    reply = conversation.thread()[-1]
    assert reply.status == "stopped"
    assert reply.content.startswith("word word")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_the_start_gives_the_terminal_back(
    tmp_path: Path, number: signal.Signals
) -> None:
    with FakeServer() as server, Terminal(TUI_CHAT, _environment(tmp_path, server)) as terminal:
        _wait(terminal, lambda: TAKEN in terminal.raw)
        os.kill(terminal.process.pid, number)
        assert terminal.wait_end() == 128 + number
        assert LEFT in terminal.raw


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("answering", [False, True])
async def test_a_closed_terminal_ends_the_program_and_keeps_the_reply(
    tmp_path: Path, answering: bool, told: bool
) -> None:
    with (
        FakeServer(Answer(words("word " * 5000), delay=0.01)) as server,
        LoadedTerminal(_environment(tmp_path, server)) as terminal,
    ):
        terminal.wait_for("ready")
        if answering:
            terminal.type("go on" + ENTER)
            terminal.wait_for("word word")
        terminal.hang_up(told=told)
        assert terminal.process.wait(15) == 129
    if answering:
        (conversation,) = await stored(tmp_path)
        assert conversation.thread()[-1].content.startswith("word word")


async def test_a_kill_in_mid_reply_costs_at_most_a_checkpoint(tmp_path: Path) -> None:
    with FakeServer(Answer([f"w{number} " for number in range(5000)], delay=0.01)) as server:
        environ = _environment(tmp_path, server)
        with LoadedTerminal(environ) as terminal:
            terminal.wait_for("ready")
            terminal.type("tell me" + ENTER)
            _wait(terminal, lambda: len(server.sent) > 100)
            killed = time.monotonic()
            os.kill(terminal.process.pid, signal.SIGKILL)
            terminal.process.wait()
        (conversation,) = await stored(tmp_path)
        question, reply = conversation.thread()
        assert question.content == "tell me"
        assert reply.status == "interrupted"
        kept = len(reply.content.split())
        # A second checkpoint's time is allowed for writing it and for this machine's other work.
        sent = [moment for moment, _ in server.sent if moment < killed - 2 * CHECKPOINT]
        assert kept >= len(sent)
        with LoadedTerminal(environ) as terminal:
            terminal.wait_for("interrupted")
            terminal.wait_for("ready")
            terminal.type(CTRL_Q)
            terminal.wait_end()
        assert len(server.chats) == 1


async def test_a_draft_survives_a_kill(tmp_path: Path) -> None:
    with FakeServer() as server:
        environ = _environment(tmp_path, server)
        database = tmp_path / "config" / "conversations.db"
        with LoadedTerminal(environ) as terminal:
            terminal.wait_for("ready")
            terminal.type("an unsent thought")
            _wait(terminal, lambda: b"an unsent thought" in database.read_bytes())
            os.kill(terminal.process.pid, signal.SIGKILL)
            terminal.process.wait()
        with LoadedTerminal(environ) as terminal:
            terminal.wait_for("an unsent thought")
        assert not server.chats


def test_a_pasted_megabyte_is_sent_whole(tmp_path: Path) -> None:
    text = "\n".join(f"line {number} of a long paste" for number in range(38_000))
    assert len(text) > 1_000_000
    with FakeServer() as server, LoadedTerminal(_environment(tmp_path, server)) as terminal:
        terminal.wait_for("ready")
        terminal.paste(text)
        terminal.wait_for("pasted")
        terminal.type(" and more" + ENTER)
        _wait(terminal, lambda: server.chats)
        assert server.chats[0]["messages"][0]["content"] == text + " and more"


def test_a_reply_of_a_megabyte_arrives_while_keys_are_echoed(tmp_path: Path) -> None:
    text = "Some **bold** words and `code` in a line.\n\n" * 24_000
    with (
        FakeServer(Answer([text[at : at + 200] for at in range(0, len(text), 200)])) as server,
        LoadedTerminal(_environment(tmp_path, server)) as terminal,
    ):
        terminal.wait_for("ready")
        terminal.type("at length" + ENTER)
        _wait(terminal, lambda: len(server.sent) > 1000)
        terminal.type("typed meanwhile")
        terminal.wait_for("typed meanwhile")
        terminal.wait_for("complete", 60)


async def test_quitting_while_a_reply_arrives_keeps_it(tmp_path: Path) -> None:
    with (
        FakeServer(Answer(words("word " * 2000), delay=0.01)) as server,
        LoadedTerminal(_environment(tmp_path, server)) as terminal,
    ):
        terminal.wait_for("ready")
        terminal.type("go on" + ENTER)
        _wait(terminal, lambda: len(server.sent) > 20)
        terminal.type(CTRL_Q)
        assert terminal.wait_end() == 0
    (conversation,) = await stored(tmp_path)
    assert conversation.thread()[-1].status == "stopped"


def test_a_copied_message_reaches_the_terminal(tmp_path: Path) -> None:
    with (
        FakeServer(Answer(("the answer",))) as server,
        LoadedTerminal(_environment(tmp_path, server)) as terminal,
    ):
        terminal.wait_for("ready")
        terminal.type("go on" + ENTER)
        terminal.wait_for("the answer")
        terminal.type("\ty")
        sequence = b"\x1b]52;c;" + b64encode(b"the answer") + b"\x07"
        _wait(terminal, lambda: sequence in terminal.raw)
