"""The whole program on a disk that fails: it says so, loses nothing, and writes what it has once the disk is well."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import preloaded
from tests.asking import environment
from tests.core.broken import contents, filled, places_in
from tests.crashes.tty import Tty
from tests.failing_disk import FailingDisk, skip_where_none_can_fail
from tests.fake_server import Answer, FakeServer
from tui_chat.core.files import Places
from tui_chat.core.store_faults import REPAIR

DOWN, ENTER, CTRL_Q = "\x1b[B", "\r", "\x11"
READ, KEPT = "The disk failed to read", "The disk did not do what was asked of it"


@pytest.fixture
def disk(tmp_path: Path) -> FailingDisk:
    skip_where_none_can_fail()
    return FailingDisk(tmp_path)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = places_in(tmp_path)
    filled(places, conversations=2)
    return places


def _run(home: Path, disk: FailingDisk, *arguments: str) -> preloaded.Done:
    return preloaded.run(arguments, environment(home) | disk.environ)


def test_doctor_says_that_the_disk_fails_and_that_is_no_damage(
    tmp_path: Path, disk: FailingDisk, places: Places
) -> None:
    raw = places.database.read_bytes()
    places.settings.write_text('theme = "nord"\n')
    disk.fails("read conversations.db*", "read settings.toml")
    done, refused = (_run(tmp_path, disk, "doctor", *more) for more in ((), ("--repair", "empty")))
    for one in (done, refused):
        assert (one.returncode, one.stderr) == (1, b"")
        assert f"{READ} {places.database}." in one.stdout.decode()
        assert b"Look at the disk" in one.stdout
        assert REPAIR.encode() not in one.stdout
    unread = f"problem       {places.settings} cannot be read: Input/output error."
    assert unread in done.stdout.decode()
    assert places.database.read_bytes() == raw
    assert places.settings.read_text() == 'theme = "nord"\n'


def test_a_question_that_is_to_be_saved_is_not_sent_where_it_cannot_be(
    tmp_path: Path, disk: FailingDisk, places: Places
) -> None:
    known = contents(places.database)
    with FakeServer(Answer(("yes",))) as server:
        ask = ("ask", "--base-url", server.base_url, "--save", "is it?")
        for rule, words in (
            ("read conversations.db*", READ),
            ("sync conversations.db*", KEPT),
        ):
            disk.fails(rule)
            done = _run(tmp_path, disk, *ask)
            assert (done.returncode, done.stdout) == (1, b"")
            assert words in done.stderr.decode()
            assert done.stderr.count(b"\n") == 1
        assert not server.chats
        disk.fails()
        assert _run(tmp_path, disk, *ask).stdout == b"yes\n"
    assert contents(places.database) == [*known, "is it?", "yes"]


def _wait(terminal: Tty, condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, terminal.text[-2000:]
        terminal.read(0.05)


def _until_it_hears(terminal: Tty) -> None:
    """A dialog that rises unasked hears no keys until it was seen for a second; then its list is drawn anew."""
    while terminal.read(0.2):
        pass
    terminal.forget()
    with contextlib.suppress(AssertionError):
        terminal.wait_for("Not now", 2)


def test_it_starts_on_a_disk_that_fails_and_what_is_said_is_saved_once_it_is_well(
    tmp_path: Path, disk: FailingDisk, places: Places
) -> None:
    known = contents(places.database)
    words = [f"w{number} " for number in range(60)]
    disk.fails("read conversations.db*")
    with FakeServer(Answer(words, delay=0.02)) as server:
        environ = environment(tmp_path, OPENAI_BASE_URL=server.base_url) | disk.environ
        with Tty(environ, whole=False) as terminal:
            terminal.wait_for(READ)
            terminal.wait_for("Quit")
            assert "Begin with no conversations" not in terminal.text
            disk.fails()
            _until_it_hears(terminal)
            terminal.type(DOWN + ENTER)
            terminal.wait_for("ready")
            terminal.type("tell me" + ENTER)
            terminal.wait_for("w3 ")
            disk.fails("sync conversations.db*")
            terminal.wait_for("not saved: disk error")
            terminal.wait_for("w59")
            _wait(terminal, lambda: not server.sent or len(server.sent) >= len(words))
            assert "".join(words) not in contents(places.database)
            disk.fails()
            _wait(terminal, lambda: "".join(words) in contents(places.database))
            terminal.type(CTRL_Q)
            assert terminal.wait_end() == 0
            assert "Traceback" not in terminal.text
    assert contents(places.database) == [*known, "tell me", "".join(words)]
    assert len(server.chats) == 1
