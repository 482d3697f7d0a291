"""A fault of the program's own: all is saved, the terminal is given back, and no value of a variable is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer, words
from tests.hostile import foreign
from tests.nightly import NIGHTLY
from tests.rooms.house import stored
from tests.terminal import Terminal, home_environment
from tests.test_command_line import run
from tui_chat.core.crash import fate_of
from tui_chat.core.errors import ChatError
from tui_chat.core.unsaved import Unsaved

CANARY = "sk-canary-0123456789"
SAID = "what nobody else may read"
LEFT = b"\x1b[?1049l"
# The program as it is, but for one key that meets a fault in the given place.
BROKEN = """
import sys
from tui_chat import app, __main__

def fault(it):
    api_key, held = "{key}", "{said}"
    raise RuntimeError("\\x1b]0;title\\x07 [/] Bearer abcdef-1 https://me:hunter2@host/v1?sig=s1gnature {key}")

async def broken(self):
    {place}

app.TuiChat.action_help = broken
sys.exit(__main__.main({arguments}))
"""
PLACES = {
    "a worker": "self.run_worker(lambda: fault(self), thread=True)",
    "the drawing": "self.chat.transcript.render_line = fault; self.chat.transcript.refresh()",
}
MORE_PLACES = {
    "the app": "fault(self)",
    "a widget": "self.chat.prompt.call_later(fault, self)",
    "the screen": "self.chat.call_later(fault, self)",
}
TRIED = PLACES | (MORE_PLACES if NIGHTLY else {})
F1 = "\x1bOP"


@pytest.mark.parametrize("place", TRIED.values(), ids=TRIED)
async def test_a_fault_saves_gives_the_terminal_back_and_shows_no_value(
    tmp_path: Path, place: str
) -> None:
    program = BROKEN.format(key=CANARY, said=SAID, place=place, arguments=[])
    with FakeServer(Answer(words("word " * 5000), delay=0.01)) as server:
        environ = home_environment(
            tmp_path,
            OPENAI_BASE_URL=server.base_url,
            OPENAI_API_KEY=CANARY,
            TUI_CHAT_CONFIG_DIR=str(tmp_path / "config"),
            TUI_CHAT_CACHE_DIR=str(tmp_path / "cache"),
        )
        with Terminal([sys.executable, "-c", program], environ) as terminal:
            terminal.wait_for("ready")
            terminal.type(f"{SAID}\r")
            terminal.wait_for("word word")
            terminal.type("a draft")
            terminal.wait_for("a draft")
            terminal.type(F1)
            assert terminal.wait_end() == 1
            raw = terminal.raw
    before, _, after = raw.rpartition(LEFT)
    assert before
    told = after.decode()
    # A screen that is broken has lost its prompt by then: its draft is at most a second old.
    fate = "What came in the last second" if "chat.call_later" in place else "What you wrote"
    assert f"tui-chat: It had to stop, by a fault of its own. {fate}" in told
    assert "RuntimeError: ␛]0;title␇ [/] Bearer *** https://***@host/v1?*** ***" in told
    assert "in fault" in told
    assert "Traceback" not in told
    for secret in (CANARY, SAID, "abcdef-1", "hunter2", "s1gnature"):
        assert secret not in told
    assert not foreign(raw)
    (conversation,) = await stored(tmp_path)
    question, reply = conversation.thread()
    assert (question.content, reply.status) == (SAID, "stopped")
    database = (tmp_path / "config" / "conversations.db").read_bytes()
    assert b"a draft" in database or "chat.call_later" in place


def test_a_fault_of_a_run_that_saves_nothing_says_that(tmp_path: Path) -> None:
    place = PLACES["a worker"]
    program = BROKEN.format(key=CANARY, said=SAID, place=place, arguments=["--ephemeral"])
    with FakeServer() as server:
        environ = home_environment(tmp_path, OPENAI_BASE_URL=server.base_url)
        with Terminal([sys.executable, "-c", program], environ) as terminal:
            terminal.wait_for("ready")
            terminal.go(f"{SAID}\r", "Hello")
            terminal.type(F1)
            assert terminal.wait_end() == 1
            told = terminal.raw.rpartition(LEFT)[2].decode()
    assert "by a fault of its own. This run was saving nothing" in told
    assert "is saved" not in told


def test_what_a_fault_leaves_behind_is_told_as_it_is() -> None:
    unsaved = Unsaved()
    assert "What you wrote and what was answered is saved." in fate_of(ended=True, unsaved=unsaved)
    assert "may not be saved; all before that is" in fate_of(ended=False, unsaved=unsaved)
    unsaved.failed("a reply", ChatError("The disk is full."))
    assert fate_of(ended=False, unsaved=unsaved).startswith("Not all of it could be saved;")
    # As a person wanted it who goes on without a place for it.
    unsaved.forgo()
    assert fate_of(ended=True, unsaved=unsaved).startswith("This run was saving nothing,")


def test_a_fault_and_a_warning_without_a_screen_are_told_in_the_same_way(tmp_path: Path) -> None:
    program = (
        "import sys, warnings\nfrom tui_chat import __main__\nfrom tui_chat.core import doctor\n"
        "def fault(it):\n    key = it.environ['OPENAI_API_KEY']\n"
        "    warnings.warn(f'\\x1b]0;title\\x07 {key}')\n"
        "    raise RuntimeError(f'\\x1b[2J {key}')\n"
        "doctor.paths = fault\nsys.exit(__main__.main(['paths']))\n"
    )
    with Terminal(
        [sys.executable, "-c", program], home_environment(tmp_path, OPENAI_API_KEY=CANARY)
    ) as terminal:
        assert terminal.wait_end() == 1
        assert "tui-chat: It had to stop, by a fault of its own." in terminal.text
        assert "RuntimeError: ␛[2J ***" in terminal.text
        assert "UserWarning: ␛]0;title␇ ***" in terminal.text
        assert not foreign(terminal.raw, lines=True)
    assert run(tmp_path, "paths").returncode == 0
