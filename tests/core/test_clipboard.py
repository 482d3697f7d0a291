"""Copying: which tool and which sequence fit a session, and what becomes of a text with tools of every kind."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import sys
import time
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import pytest

from tui_chat.core.clipboard import (
    MOST_BYTES,
    Copied,
    Tool,
    copy,
    run,
    sequence,
    takes_sequences,
    tools,
)
from tui_chat.core.errors import ChatError

HOSTILE = "$(touch pwned); `id` 'quoted' \"too\" | rm -rf *\n-n --help\n日本語 ação 🙂\n\n"


def names(environ: Mapping[str, str], platform: str = "linux") -> list[str]:
    return [tool.name for tool in tools(environ, lambda name: f"/bin/{name}", platform)]


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "darwin", ["pbcopy", "termux-clipboard-set"]),
        ({"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "linux", ["wl-copy", "xclip", "xsel"]),
        ({"DISPLAY": ":0"}, "linux", ["xclip", "xsel"]),
        ({"WSL_DISTRO_NAME": "Ubuntu"}, "linux", ["clip.exe", "powershell"]),
        ({}, "win32", ["clip.exe", "powershell"]),
        ({"TMUX": "/tmp/tmux"}, "linux", ["tmux"]),
        ({}, "linux", []),
    ],
)
def test_each_session_has_its_tools(
    environ: dict[str, str], platform: str, expected: list[str]
) -> None:
    found = [name for name in names(environ, platform) if name in expected]
    assert found == expected
    others = set(names(environ, platform)) - set(expected)
    assert others <= {"termux-clipboard-set"}


def test_over_ssh_only_what_is_forwarded_counts() -> None:
    far = {"SSH_CONNECTION": "1 2 3 4"}
    assert (
        names(far, "darwin") == names(far, "win32") == names(far | {"WAYLAND_DISPLAY": "w"}) == []
    )
    assert names(far | {"DISPLAY": ":10", "TMUX": "t"}) == ["xclip", "xsel", "tmux"]


def test_a_tool_that_is_not_installed_is_none() -> None:
    assert tools({"DISPLAY": ":0", "PATH": "/nowhere"}) == []
    assert tools({"DISPLAY": ":0"}) == []


@pytest.mark.parametrize(
    ("environ", "takes"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "linux"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm", "TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "xterm", "TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm", "VTE_VERSION": "6800"}, False),
        ({"TERM": "xterm", "VTE_VERSION": "8000"}, True),
        ({"TERM": "xterm", "VTE_VERSION": "?"}, True),
        ({}, True),
    ],
)
def test_some_terminals_take_nothing(environ: dict[str, str], takes: bool) -> None:
    assert takes_sequences(environ) is takes


def carried(written: str) -> str:
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", written)
    assert match
    return b64decode(match[1]).decode()


def test_the_sequence_carries_the_whole_text() -> None:
    written = sequence(HOSTILE, {})
    assert written
    assert carried(written) == HOSTILE


def test_in_screen_it_goes_through_in_short_strings() -> None:
    written = sequence("long words " * 100, {"STY": "1.pts"})
    assert written
    pieces = re.findall(r"\x1bP(.*?)\x1b\\", written, re.S)
    assert all(len(piece) <= 240 for piece in pieces)
    assert carried("".join(pieces)) == "long words " * 100
    assert sequence("a", {"STY": "1.pts", "TMUX": "t"}) == sequence("a", {})


@pytest.mark.parametrize(("size", "sent"), [(55_500, True), (55_501, False), (10_000_000, False)])
def test_what_terminals_would_drop_is_not_sent(size: int, sent: bool) -> None:
    assert MOST_BYTES == 74_000
    assert (sequence("x" * size, {}) is not None) is sent
    assert sequence("日" * 20_000, {}) is None


# With tools


def program(directory: Path, name: str, code: str) -> Path:
    """A program that stands for a tool of the system; it finds its directory in `here`."""
    path = directory / name
    path.write_text(
        f"#!{sys.executable}\nimport os, sys, time\nhere = {str(directory)!r}\n{code}\n"
    )
    path.chmod(0o700)
    return path


TAKES = "open(here + '/taken', 'wb').write(sys.stdin.buffer.read())"
SERVES = f"""{TAKES}
if os.fork() == 0:
    open(here + '/child', 'w').write(str(os.getpid()))
    time.sleep(60)
"""
"""As wl-copy and xclip do: what serves the clipboard goes on running."""
HANGS = "open(here + '/hung', 'w').write(str(os.getpid()))\ntime.sleep(60)"
FAILS = "sys.stderr.write('no display'); print('words'); sys.exit(1)"


class Session:
    """An environment with the programs that a test makes, and what was written to the terminal."""

    def __init__(self, directory: Path, **environ: str) -> None:
        self.directory = directory
        self.environ = {"PATH": str(directory), "DISPLAY": ":0", "TERM": "xterm"} | environ
        self.written: list[str] = []

    async def copy(self, text: str = HOSTILE) -> Copied:
        path = self.directory / "cache" / "copied.txt"
        return await copy(text, self.environ, self.written.append, path)

    @property
    def taken(self) -> str:
        return (self.directory / "taken").read_bytes().decode()


async def test_a_tool_takes_the_text_as_it_is_and_the_terminal_too(tmp_path: Path) -> None:
    program(tmp_path, "xclip", TAKES)
    session = Session(tmp_path)
    assert await session.copy() == Copied(("xclip",), terminal=True)
    assert session.taken == HOSTILE
    assert [carried(one) for one in session.written] == [HOSTILE]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["taken", "xclip"]


async def test_a_tool_that_fails_or_cannot_run_leaves_it_to_the_next(tmp_path: Path) -> None:
    program(tmp_path, "wl-copy", FAILS)
    (tmp_path / "xclip").write_text("no program at all")
    (tmp_path / "xclip").chmod(0o700)
    program(tmp_path, "xsel", TAKES)
    session = Session(tmp_path, WAYLAND_DISPLAY="w", TERM="linux")
    assert await session.copy() == Copied(("xsel",))
    assert session.taken == HOSTILE
    assert session.written == []


async def test_what_a_tool_says_reaches_no_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path, "xclip", FAILS)
    assert await Session(tmp_path).copy() == Copied(terminal=True)
    assert capfd.readouterr() == ("", "")


async def test_a_tool_that_goes_on_serving_is_not_waited_for(tmp_path: Path) -> None:
    program(tmp_path, "xclip", SERVES)
    session = Session(tmp_path)
    started = time.monotonic()
    copied = await session.copy()
    assert copied.ways == ("xclip",)
    assert time.monotonic() - started < 10
    child = tmp_path / "child"
    while not child.exists() or not child.read_text():
        await asyncio.sleep(0.01)
    assert alive(int(child.read_text()))
    os.kill(int(child.read_text()), 9)


async def test_a_tool_that_hangs_is_ended(tmp_path: Path) -> None:
    tool = Tool("xclip", (str(program(tmp_path, "xclip", HANGS)),))
    large = "x" * 1_000_000
    assert await run(tool, large, {}, patience=0.5) is False
    hung = tmp_path / "hung"
    assert not hung.exists() or not alive(int(hung.read_text()))


async def test_a_tool_is_ended_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    tool = Tool("xclip", (str(program(tmp_path, "xclip", HANGS)),))
    running = asyncio.create_task(run(tool, "text", {}, patience=60))
    hung = tmp_path / "hung"
    while not hung.exists() or not hung.read_text():
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not alive(int(hung.read_text()))


def alive(process: int) -> bool:
    """Whether a process runs; one that ended and was not waited for counts, too."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_windows_gets_its_own_encoding(tmp_path: Path) -> None:
    program(tmp_path, "clip.exe", TAKES)
    session = Session(tmp_path, WSL_DISTRO_NAME="Ubuntu", DISPLAY="")
    assert (await session.copy()).ways == ("clip.exe",)
    assert (tmp_path / "taken").read_bytes().decode("utf-16-le") == HOSTILE


async def test_without_a_tool_the_terminal_is_all_there_is(tmp_path: Path) -> None:
    session = Session(tmp_path)
    assert await session.copy() == Copied(terminal=True)
    assert len(session.written) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "term", "too_large"), [(HOSTILE, "linux", False), ("long " * 20_000, "xterm", True)]
)
async def test_where_neither_can_it_is_in_a_private_file(
    tmp_path: Path, text: str, term: str, too_large: bool
) -> None:
    session = Session(tmp_path, TERM=term)
    path = tmp_path / "cache" / "copied.txt"
    assert await session.copy("before") in (Copied(terminal=True), Copied(path=path))
    assert await session.copy(text) == Copied(path=path, too_large=too_large)
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [one for one in session.written if one != sequence("before", {})]


async def test_where_no_file_can_be_written_either_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(ChatError, match="not a directory"):
        await Session(tmp_path, TERM="linux").copy()
