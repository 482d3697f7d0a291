"""What the tests of `tui-chat ask` share: the program, run to its end, and its one sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.fake_server import FakeServer
from tests.terminal import TUI_CHAT, home_environment

CANARY = "sk-canary-0123456789"
SECONDS = 60

Done = subprocess.CompletedProcess[bytes]


def environment(home: Path, **more: str) -> dict[str, str]:
    places = {
        "TUI_CHAT_CONFIG_DIR": str(home / "config"),
        "TUI_CHAT_CACHE_DIR": str(home / "cache"),
    }
    # Strict, as a terminal of a person is: what Python makes of a missing locale would be lenient.
    return home_environment(home, PYTHONIOENCODING="utf-8:strict", **places) | more


def run(home: Path, *arguments: str | bytes, given: bytes = b"", **environ: str) -> Done:
    """The program, run to its end."""
    return subprocess.run(
        [*TUI_CHAT, *arguments],
        env=environment(home, **environ),
        input=given,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )


def ask(home: Path, server: FakeServer, *arguments: str | bytes, **environ: str) -> Done:
    """One question to the fake server, run to its end."""
    return run(home, "ask", "--base-url", server.base_url, *arguments, given=b"", **environ)


def said(done: Done) -> str:
    """The one sentence on standard error."""
    text = done.stderr.decode()
    assert "Traceback" not in text
    assert text.startswith("tui-chat: ")
    assert text.count("\n") == 1, text
    assert "\x1b" not in text
    return text
