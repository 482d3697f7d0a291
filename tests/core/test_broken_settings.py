"""Settings and presets that are broken, in any way: the place is named, the rest works, and nothing rewrites them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.presets import Presets
from tui_chat.core.settings import load_settings, remember_endpoint, remember_setting

PLACE = re.compile(r"(settings|mine)\.toml:(\d+):(\d+): .+\.")
UNREADABLE = [
    (b'about = "open\n', "1:14"),
    (b'about = "a"\nabout = "b"\n', "2:12"),
    (b"about =", "1:8"),
    (b'about = "a"\n\n[parameters', "3:12"),
    (b'about = "a"\nsystem = "caf\xe9"\n', "2:14"),
    ('about = "ação"\n'.encode("utf-16"), "1:1"),
    (b"\xef\xbb\xbfabout = \xff\n", "1:9"),
    (b'about = "\x00"\n', "1:10"),
    (b"about = 2026-13-45\n", ""),
    (b"[parameters]\nx = " + b"9" * 5000 + b"\n", ""),
    (b"[parameters]\nx = " + b"[" * 5000 + b"\n", ""),
    (b"#" * 1_000_001, ""),
]
"""What a file holds, and the line and column that are named, where there is one."""


def _directory(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(("raw", "place"), UNREADABLE)
def test_settings_that_cannot_be_read_say_where_and_are_never_rewritten(
    tmp_path: Path, raw: bytes, place: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(raw)

    (problem,) = load_settings(path).problems
    ways: tuple[Callable[[], None], ...] = (
        lambda: remember_setting(path, "theme", "nord"),
        lambda: remember_endpoint(path, Endpoint("lab", "http://127.0.0.1:1/v1")),
    )
    for remember in ways:
        with pytest.raises(ChatError) as caught:
            remember()
        assert problem in str(caught.value)

    assert "settings.toml" in problem
    assert not place or problem.startswith(f"settings.toml:{place}: ")
    assert path.read_bytes() == raw


@pytest.mark.parametrize(("raw", "place"), UNREADABLE)
def test_a_preset_that_cannot_be_read_says_where_and_costs_no_other(
    tmp_path: Path, raw: bytes, place: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(raw)
    (tmp_path / "other.toml").write_text('system = "Be short."\n')
    presets = Presets(tmp_path)

    mine = presets.named("mine")
    with pytest.raises(ChatError, match="it was not changed"):
        presets.save("mine", Setup("home", "m"))

    assert mine.broken
    assert not place or mine.problem.startswith(f"mine.toml:{place}: ")
    assert mine.applied_to(Setup("home", "m")) == Setup("home", "m")
    assert presets.named("other").system == "Be short."
    assert path.read_bytes() == raw


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("theme = inf", "theme takes a text"),
        ("theme = nan", "theme takes a text"),
        ("strict = nan", "strict takes true or false"),
        ("endpoint = [1]", "endpoint takes a text"),
        ("keys = 2026-01-01", "takes lines"),
        ("prices = inf", "prices are tables"),
        ("colour = 1", "there is no setting"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_place_and_the_rest_counts(
    tmp_path: Path, line: str, words: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f'# mine\n  {line}\n[endpoints.lab]\nbase_url = "http://127.0.0.1:1/v1"\n')
    settings = load_settings(path)
    (problem,) = settings.problems
    assert problem.startswith("settings.toml:2:3: ")
    assert words in problem
    assert [one.name for one in settings.endpoints] == ["lab"]


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-inf", "1e400", '"hot"', "[1]", "true", "2026-01-01"]
)
def test_a_parameter_that_cannot_be_is_named_with_its_place_and_the_rest_counts(
    tmp_path: Path, value: str
) -> None:
    (tmp_path / "mine.toml").write_text(
        f'system = "s"\n[parameters]\ntemperature = {value}\nseed = 7\n'
    )
    mine = Presets(tmp_path).named("mine")
    assert mine.problem.startswith("mine.toml:3:1: ")
    assert (mine.system, dict(mine.params)) == ("s", {"seed": 7})
    assert not mine.broken


@pytest.mark.parametrize("puts", [_directory, _pipe, _loop, _device])
def test_what_is_no_file_in_its_place_is_told_at_once_and_left_alone(
    tmp_path: Path, puts: Callable[[Path], None]
) -> None:
    settings, preset = tmp_path / "settings.toml", tmp_path / "mine.toml"
    puts(settings)
    puts(preset)
    before = [os.lstat(one).st_ino for one in (settings, preset)]

    (problem,) = load_settings(settings).problems
    with pytest.raises(ChatError):
        remember_setting(settings, "theme", "nord")
    with pytest.raises(ChatError):
        Presets(tmp_path).save("mine", Setup())

    assert "settings.toml" in problem
    assert Presets(tmp_path).named("mine").broken
    assert [os.lstat(one).st_ino for one in (settings, preset)] == before
