"""What the tests of `tui-chat ask` share: the program, run to its end, and its one sentence."""

from __future__ import annotations

from pathlib import Path

from tests import preloaded
from tests.fake_server import FakeServer
from tests.terminal import home_environment

CANARY = "sk-canary-0123456789"
SECONDS = 60

Done = preloaded.Done


def environment(home: Path, **more: str) -> dict[str, str]:
    places = {
        "TUI_CHAT_CONFIG_DIR": str(home / "config"),
        "TUI_CHAT_CACHE_DIR": str(home / "cache"),
    }
    # Strict, as a terminal of a person is: what Python makes of a missing locale would be lenient.
    return home_environment(home, PYTHONIOENCODING="utf-8:strict", **places) | more


def run(home: Path, *arguments: str | bytes, given: bytes = b"", **environ: str) -> Done:
    """The program, run to its end."""
    return preloaded.run(arguments, environment(home, **environ), given=given, seconds=SECONDS)


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
