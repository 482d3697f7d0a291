"""Settings and presets that are broken, on the command line: nothing goes to another server, or is left out unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.asking import Done, run
from tests.fake_server import FakeServer

LAB = '[endpoints.lab]\nbase_url = "{}"\nmodel = "fake-1"\n'


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Where OPENAI_BASE_URL leads."""
    with FakeServer() as server:
        yield server


def _asked(home: Path, server: FakeServer, *arguments: str) -> tuple[Done, list[str]]:
    """A question, and the lines on standard error."""
    done = run(home, "ask", *arguments, "hi", OPENAI_BASE_URL=server.base_url)
    return done, done.stderr.decode().splitlines()


def _put(home: Path, name: str, text: str) -> None:
    path = home / "config" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ('endpoint = "lab"\n\nthem e = 1\n', "settings.toml:3:6: "),
        ('endpoint = "lba"\n', "settings.toml: there is no endpoint “lba”."),
        ('endpoint = "lab"\n[endpoints.lab]\nbase_url = 7\n', "settings.toml:2:2: "),
    ],
)
def test_where_settings_may_mean_another_server_nothing_is_sent(
    tmp_path: Path, server: FakeServer, settings: str, place: str
) -> None:
    _put(tmp_path, "settings.toml", settings)
    done, lines = _asked(tmp_path, server)
    assert done.returncode == 1
    assert lines[0].startswith(f"tui-chat: {place}")
    assert lines[-1].startswith("tui-chat: Nothing was sent: settings.toml may mean another server")
    assert server.requests == []

    done, lines = _asked(tmp_path, server, "--base-url", server.base_url, "--model", "fake-1")
    assert (done.returncode, len(server.chats)) == (0, 1)
    assert lines[0].startswith(f"tui-chat: {place}")


def test_a_wrong_value_in_settings_is_told_and_the_rest_counts(
    tmp_path: Path, server: FakeServer
) -> None:
    lab = LAB.format(server.base_url)
    _put(tmp_path, "settings.toml", f'endpoint = "lab"\ntheme = 7\nstrict = "yes"\n{lab}')
    with FakeServer() as other:
        done, lines = _asked(tmp_path, other)
        assert other.requests == []
    assert (done.returncode, len(server.chats)) == (0, 1)
    assert lines == [
        "tui-chat: settings.toml:2:1: theme takes a text in quotes.",
        "tui-chat: settings.toml:3:1: strict takes true or false.",
    ]


def test_a_preset_that_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, server: FakeServer
) -> None:
    _put(tmp_path, "presets/Mine.toml", "[parameters]\ntemperature = = 1\n")
    done, lines = _asked(tmp_path, server, "--preset", "Mine")
    assert done.returncode == 2
    assert "Mine.toml:2:15: " in lines[-1]
    assert server.requests == []


def test_what_is_wrong_in_a_preset_is_told_and_the_rest_is_used(
    tmp_path: Path, server: FakeServer
) -> None:
    text = '[parameters]\ntemperature = "hot"\nseed = 7\nwarmth = 1\n'
    _put(tmp_path, "presets/Mine.toml", text)
    done, lines = _asked(tmp_path, server, "--preset", "Mine", "--model", "fake-1")
    assert done.returncode == 0
    (sent,) = server.chats
    assert (sent["seed"], "temperature" in sent) == (7, False)
    assert [line.split(" ")[1] for line in lines] == ["Mine.toml:2:1:", "Mine.toml:4:1:"]
    assert all(line.endswith("The rest of the preset is used.") for line in lines)
