"""What was large is given back to the system once it is gone."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.load.flood import event, flood
from tests.terminal import TUI_CHAT, Terminal, home_environment

MOST_KEPT = 30
"""Megabytes that may be kept of a paste of 5 MB: its text twice, and what is loaded for it."""
HOLES = """
import sys
from pathlib import Path
from tui_chat.core.memory import give_back_large

def resident():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) // 1000

give_back_large()
before = resident()
for turn in range(3):
    held = [(b"x" * (5_000_000 + number), bytearray(700)) for number in range(10)]
    held = [small for _, small in held]
print(resident() - before)
"""
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc"
)


def test_what_was_large_leaves_no_holes() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", HOLES], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(ended.stdout) < 20


def settled(terminal: Terminal) -> int:
    """The megabytes that the program has, once it does nothing more."""
    status = Path(f"/proc/{terminal.process.pid}/status")
    least, since = 1 << 30, time.monotonic()
    while time.monotonic() < since + 0.8:
        terminal.read(0.1)
        now = int(status.read_text().partition("VmRSS:")[2].split()[0]) // 1000
        if now < least:
            least, since = now, time.monotonic()
    return least


def test_of_a_large_paste_that_was_sent_little_more_is_kept_than_its_text(tmp_path: Path) -> None:
    with flood(tmp_path / "flood", event("ok")) as server:
        environ = home_environment(
            tmp_path,
            OPENAI_BASE_URL=server.base_url,
            TUI_CHAT_CONFIG_DIR=str(tmp_path / "config"),
            TUI_CHAT_CACHE_DIR=str(tmp_path / "cache"),
        )
        with Terminal(TUI_CHAT, environ) as terminal:
            terminal.wait_for("ready", 60)
            terminal.type("hi\r")
            terminal.wait_for("complete", 60)
            before = settled(terminal)
            terminal.paste("some words here\n" * 312_500)
            terminal.wait_for("pasted", 60)
            terminal.forget()
            terminal.type("\r")
            terminal.wait_for("complete", 60)
            after = settled(terminal)
    assert after - before < MOST_KEPT
