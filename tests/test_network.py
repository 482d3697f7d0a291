"""Nothing is reached but the endpoint that a person chose."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import pytest

from tests import preloaded
from tests.crashes.tty import Tty
from tests.fake_server import Answer, FakeServer
from tests.guard.sitecustomize import FILE
from tests.local_model import put_model
from tests.network import beyond, reached
from tests.rooms.house import House, environment, open_house, wait_until
from tests.terminal import TUI_CHAT, Terminal, home_environment
from tui_chat.app import TuiChat
from tui_chat.core import exporting
from tui_chat.core.local.server import _INHERITED
from tui_chat.core.world import World

ELSEWHERE = "192.0.2.1"
"""An address that is nobody's."""


def test_a_test_that_reaches_beyond_this_machine_is_told_on() -> None:
    with socket.socket() as trying, pytest.raises(OSError, match="this is a test"):
        trying.connect((ELSEWHERE, 80))
    with pytest.raises(OSError, match="this is a test"):
        socket.getaddrinfo("example.com", 80)

    tried = reached()
    assert f"socket.connect {ELSEWHERE}" in tried
    assert "socket.getaddrinfo example.com" in tried


@pytest.mark.parametrize("given", [None, _INHERITED], ids=["another", "the model's"])
def test_so_is_a_program_that_a_test_starts(given: tuple[str, ...] | None) -> None:
    code = f"import socket; socket.socket().connect(('{ELSEWHERE}', 80))"
    environ = {name: value for name, value in os.environ.items() if not given or name in given}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environ, capture_output=True, check=False
    )

    assert done.returncode == 1
    assert f"socket.connect {ELSEWHERE}" in reached()


@pytest.mark.parametrize("named", [True, False], ids=["its file named", "its path alone"])
def test_so_is_the_program_where_a_fork_stands_for_its_start(tmp_path: Path, named: bool) -> None:
    home = home_environment(tmp_path, OPENAI_BASE_URL=f"http://{ELSEWHERE}/v1")
    environ = {name: value for name, value in home.items() if named or name != FILE}
    done = preloaded.run(["ask", "hello"], environ)
    assert done.returncode == 1
    assert f"socket.connect {ELSEWHERE}" in reached()
    with Tty(environ, whole=False) as terminal:
        terminal.wait_for("ready")
        terminal.type("hello\r")
        terminal.wait_for("failed")
    assert f"socket.connect {ELSEWHERE}" in reached()


def test_native_code_that_waits_for_everybody_is_told_on_too() -> None:
    with socket.create_server(("127.0.0.1", 0)), socket.socket() as wide:
        assert beyond(os.getpid()) == []
        wide.bind(("0.0.0.0", 0))
        wide.listen()
        assert beyond(os.getpid()) == ["00000000"]


LINKED = (
    "![a picture]({0}/p.png) [words]({0}/w) <{0}/auto> {0}/bare <img src='{0}/i'> "
    "<a href='{0}/a'>x</a>\n\n[ref]: {0}/r \"t\"\n\n| [t]({0}/t) |\n|--|\n\n"
    "[file](file:///etc/passwd) [run](javascript:alert(1)) [shell](ssh://host)"
)


async def test_no_link_or_picture_is_fetched_and_a_click_opens_only_what_was_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(TuiChat, "open_url", lambda self, url, **_: opened.append(url))
    with FakeServer() as canary, FakeServer() as server:
        root = canary.base_url.removesuffix("/v1")
        text = LINKED.format(root)
        server.listed = Answer(
            raw=json.dumps(
                {"data": [{"id": text, "description": text}, {"id": "fake-1"}]}
            ).encode(),
            content_type="application/json",
        )
        server.answers = lambda body: (
            Answer((text,), reasoning=(text,))
            if len(body["messages"]) == 1
            else Answer(status=500, error={"error": {"message": text}})
        )
        (tmp_path / "config" / "presets").mkdir(parents=True)
        system = json.dumps(text)
        (tmp_path / "config" / "presets" / "Linked.toml").write_text(f"system = {system}\n")
        async with open_house(tmp_path, server) as house:
            await house.send("show me")
            await house.press("tab", "end")
            for word in ("picture", "file", "run", "shell"):
                await _clicked(house, word)
                assert word == "picture" or "Open this link?" not in house.screen_text(), word
                await house.press("escape")
            assert opened == []
            await _clicked(house, "words")
            await wait_until(lambda: f"{root}/w" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: opened == [f"{root}/w"])
            for keys in ("f4", "f3", "f6", "f1"):
                await house.press(keys)
                await house.pilot.pause()
                await house.press("escape", "escape")
            await house.send(text)
            await house.command("/preset Linked")
            await house.command("/model")
            await house.press("escape")
        for name in ("html", "markdown", "jsonl"):
            world = World.standard(environment(tmp_path))
            store = await world.store()
            await exporting.write(store, None, name, tmp_path / f"all.{name}")
            await world.close()
        assert canary.requests == []


def _panel(house: House) -> str:
    """What stands at the right, without its frame."""
    rows = house.screen_text().splitlines()
    return " ".join(row[70:].strip(" │┃|") for row in rows)


async def test_the_browser_that_opens_a_link_is_told_no_key(tmp_path: Path) -> None:
    key, seen = "sk-canary-0123456789", tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nenv > "{seen}.new"\necho "$1" >> "{seen}.new"\nmv "{seen}.new" "{seen}"\n'
    )
    browser.chmod(0o700)
    environ = {
        "BROWSER": f"{browser} %s",
        "PATH": os.environ["PATH"],
        "OPENAI_API_KEY": key,
        "LAB": key,
    }
    (tmp_path / "config").mkdir()
    table = '[endpoints.lab]\nbase_url = "http://127.0.0.1:1/v1"\nkey_env = "LAB"\n'
    (tmp_path / "config" / "settings.toml").write_text(table)
    with FakeServer(Answer(("see [words](http://127.0.0.1:1/w)",))) as server:
        async with open_house(tmp_path, server, environ=environ) as house:
            await house.send("show me")
            await _clicked(house, "words")
            await wait_until(lambda: "Open this link?" in house.screen_text())
            await house.press("enter")
            await wait_until(seen.exists)
    told = seen.read_text()
    assert told.endswith("\nhttp://127.0.0.1:1/w\n")
    assert "PATH=" in told
    assert key not in told


async def _clicked(house: House, word: str) -> None:
    """Point at a link with this word, then click it."""
    rows = house.screen_text().splitlines()
    places = [(row.index(word), y) for y, row in enumerate(rows) if word in row[:70]]
    assert places, word
    await house.pilot.hover(offset=(places[-1][0] + 1, places[-1][1]))
    await house.pilot.click(offset=(places[-1][0] + 1, places[-1][1]))
    await house.pilot.pause()


async def test_nothing_is_sent_before_enter_and_nothing_twice(tmp_path: Path) -> None:
    with FakeServer() as server:
        # Another name of this machine, which the program takes for one elsewhere, where each request costs.
        elsewhere = {"OPENAI_BASE_URL": server.base_url.replace("127.0.0.1", "0.0.0.0")}
        async with open_house(tmp_path, environ=elsewhere) as house:
            assert not house.app._world.endpoint("environment").local
            await house.write("a thought")
            for keys in ("f1", "f3", "f6", "f4", "f2"):
                await house.press(keys)
                await house.pilot.pause()
                await house.press("escape", "escape")
            assert server.requests == []
            await house.press("ctrl+end", "enter")
            await wait_until(lambda: len(house.thread) == 2)
            await house.answered()
            assert len(server.chats) == 1
        asked = len(server.requests)
        async with open_house(tmp_path, environ=elsewhere) as house:
            for keys in ("f3", "f6", "f1"):
                await house.press(keys)
                await house.pilot.pause()
                await house.press("escape", "escape")
            await house.press("f4")
            words = "takes other roads is not known."
            await wait_until(lambda: words in " ".join(_panel(house).split()))
            assert len(server.requests) == asked
            # Whoever wants one has it asked.
            await house.press("f5")
            await wait_until(lambda: len(server.chats) == 2)
            await wait_until(lambda: "No other road" in _panel(house))


ALONE = """
import fcntl, os, socket, struct, sys
with socket.socket() as any:
    fcntl.ioctl(any, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Brings up the loopback interface of a network namespace, and becomes a program."""


def _without_a_network() -> list[str]:
    """What runs a command where there is no network but loopback; nothing, and a warning, where that is not permitted."""
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-I", "-c", ALONE]
    with suppress(FileNotFoundError):
        done = subprocess.run([*command, "/bin/true"], capture_output=True, check=False)
        if done.returncode == 0:
            return command
    warnings.warn("the network cannot be taken away here: it is only watched", stacklevel=2)
    return []


def test_where_the_network_cannot_be_taken_away_the_tests_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.warns(UserWarning, match="only watched"):
        assert _without_a_network() == []


def test_with_the_built_in_model_it_starts_and_answers_without_any_network(tmp_path: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    environ = home_environment(
        tmp_path,
        TUI_CHAT_CONFIG_DIR=str(tmp_path / "config"),
        TUI_CHAT_CACHE_DIR=str(tmp_path / "cache"),
    )
    with Terminal([*_without_a_network(), *TUI_CHAT], environ) as terminal:
        terminal.wait_for("ready")
        terminal.type("/max-tokens 5\r")
        terminal.wait_for("  5")
        terminal.type("Say something.\r")
        terminal.wait_for("5 tokens", 60)
        assert beyond(terminal.process.pid) == []
        terminal.type("\x11")
        assert terminal.wait_end() == 0
