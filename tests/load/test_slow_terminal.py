"""A terminal that reads nothing keeps nothing waiting but itself."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.forked import LoadedTerminal
from tests.load.flood import Flood, event, flood
from tests.nightly import NIGHTLY
from tests.terminal import Terminal, home_environment

SECONDS = 30.0 if NIGHTLY else 3.0
ENTER, ESCAPE, CTRL_Q = "\r", "\x1b", "\x11"
MOST_GROWN = 30_000
"""Kilobytes by which the program may grow while nothing is read of it."""


@contextmanager
def streaming(home: Path) -> Iterator[tuple[Terminal, Flood]]:
    """The program in a terminal, in the middle of a reply of 1,000 words a second."""
    rows = "".join(f"{number} " + "word " * 9 for number in range(10))
    with flood(home / "flood", event(rows), 10_000, 100) as server:
        environ = home_environment(
            home,
            OPENAI_BASE_URL=server.base_url,
            TUI_CHAT_CONFIG_DIR=str(home / "config"),
            TUI_CHAT_CACHE_DIR=str(home / "cache"),
        )
        with LoadedTerminal(environ) as terminal:
            terminal.wait_for("ready", 60)
            terminal.type("hi" + ENTER)
            terminal.wait_for("word word")
            yield terminal, server


def kept(home: Path) -> tuple[int, str]:
    """How long the reply on disk is, and how it ended."""
    query = (
        "select length(content) + (select coalesce(sum(length(content)), 0) from piece), status"
        " from message where role = 'assistant'"
    )
    with closing(sqlite3.connect(home / "config" / "conversations.db")) as connection:
        row: tuple[int, str] | None = connection.execute(query).fetchone()
    return row or (0, "")


def read_nothing(terminal: Terminal) -> None:
    """Type, and look at nothing that it draws; each key is a drawing."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        terminal.type("x")
        time.sleep(0.02)


def memory(terminal: Terminal) -> int:
    """The most kilobytes that the program has taken so far."""
    status = Path(f"/proc/{terminal.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_while_a_terminal_reads_nothing_the_reply_is_saved_and_esc_stops_it(tmp_path: Path) -> None:
    with streaming(tmp_path) as (terminal, server):
        # By then all is loaded that is loaded once.
        read_nothing(terminal)
        before = memory(terminal)
        read_nothing(terminal)
        early, _ = kept(tmp_path)
        deadline = time.monotonic() + 5
        while kept(tmp_path)[0] <= early:
            assert time.monotonic() < deadline, "nothing more is saved"
            time.sleep(0.05)
        assert memory(terminal) - before < MOST_GROWN
        began = time.monotonic()
        terminal.type(ESCAPE)
        while not server.left:
            assert time.monotonic() < began + 5, "Esc does nothing"
            time.sleep(0.01)
        terminal.forget()
        terminal.wait_for("stopped")
        terminal.type("Ω")
        terminal.wait_for("Ω")
        terminal.type(CTRL_Q)
        assert terminal.wait_end() == 0
    assert kept(tmp_path)[1] == "stopped"


def test_a_signal_ends_it_while_the_terminal_reads_nothing(tmp_path: Path) -> None:
    with streaming(tmp_path) as (terminal, _):
        read_nothing(terminal)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.process.wait(10) == 143
    assert kept(tmp_path)[1] == "stopped"
