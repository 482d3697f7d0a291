"""The installed program several times at once: on an empty home, and on one conversation."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.core.stored import by_hand
from tests.crashes.tty import Tty
from tests.fake_server import Answer, FakeServer, words
from tests.forked import LoadedTerminal
from tests.nightly import times
from tests.rooms.house import stored
from tests.terminal import home_environment

ENTER, CTRL_Q = "\r", "\x11"
STARTS = times(10, 60)
SCREENS = 10
WRONG = ("cannot be used", "Another window", "damaged", "Traceback")
"""Words that a screen has where something is wrong with what is saved. That a busy disk has not taken something yet is not."""


def _environment(home: Path, server: FakeServer) -> dict[str, str]:
    return home_environment(
        home,
        OPENAI_BASE_URL=server.base_url,
        TUI_CHAT_CONFIG_DIR=str(home / "config"),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )


async def test_many_starts_at_once_on_an_empty_home_make_one_database_and_all_live(
    tmp_path: Path,
) -> None:
    with FakeServer(Answer(("yes",))) as server:
        environ = _environment(tmp_path, server)
        with ExitStack() as stack:
            asked = [
                stack.enter_context(LoadedTerminal(environ, "ask", "--save", f"from {number}"))
                for number in range(STARTS)
            ]
            outcomes = [(one.wait_end(90), bytes(one.raw)) for one in asked]
    assert outcomes == [(0, b"yes\r\n")] * STARTS
    kept = await stored(tmp_path)
    assert {one.title for one in kept} == {f"from {number}" for number in range(STARTS)}
    assert all([message.content for message in one.thread()][1:] == ["yes"] for one in kept)
    database = tmp_path / "config" / "conversations.db"
    assert by_hand(database, "PRAGMA quick_check") == [("ok",)]
    assert not list((tmp_path / "config" / "run").iterdir())


async def test_many_screens_at_once_on_an_empty_home_make_one_database_and_all_are_ready(
    tmp_path: Path,
) -> None:
    with FakeServer() as server, ExitStack() as open_ones:
        environ = _environment(tmp_path, server)
        screens = [open_ones.enter_context(Tty(environ, whole=False)) for _ in range(SCREENS)]
        for number, screen in enumerate(screens):
            screen.wait_for("ready")
            screen.type(f"draft {number}")
        for number, screen in enumerate(screens):
            screen.wait_for(f"draft {number}")
            screen.type(CTRL_Q)
        assert [screen.wait_end() for screen in screens] == [0] * SCREENS
    for screen in screens:
        assert not [words for words in WRONG if words in screen.text]
    database = tmp_path / "config" / "conversations.db"
    assert by_hand(database, "PRAGMA quick_check") == [("ok",)]
    made = {one.relative_to(tmp_path): one.stat().st_mode & 0o777 for one in tmp_path.rglob("*")}
    assert set(made.values()) == {0o600, 0o700}, made
    assert not list((tmp_path / "config" / "run").iterdir())


async def test_two_windows_that_stream_into_one_conversation_keep_both_turns(
    tmp_path: Path,
) -> None:
    with FakeServer(Answer(words("an answer"))) as server:
        environ = _environment(tmp_path, server)
        with LoadedTerminal(environ) as first:
            first.wait_for("ready")
            first.type("to begin with" + ENTER)
            first.wait_for("complete")
            with LoadedTerminal(environ) as second:
                second.wait_for("to begin with")
                second.wait_for("ready")
                server.answer = Answer(words("both are told this "), delay=0.05)
                first.type("from the first" + ENTER)
                second.type("from the second" + ENTER)
                for window in (first, second):
                    window.wait_for("both are told this")
                    window.wait_for("Another window added to this conversation")
                    window.type(CTRL_Q)
                    assert window.wait_end() == 0
    (conversation,) = await stored(tmp_path)
    begun = conversation.messages[1].id
    turns = {
        conversation.message(one).content: [
            conversation.message(below).content for below in conversation.children(one)
        ]
        for one in conversation.children(begun)
    }
    assert turns == {
        "from the first": ["both are told this "],
        "from the second": ["both are told this "],
    }
