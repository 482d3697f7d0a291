"""Files written so that a crash leaves the old one or the new one, for this user alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places, create_text, private_directory, read_text, write_text


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directories_are_made_for_this_user_alone(tmp_path: Path) -> None:
    made = private_directory(tmp_path / "a" / "b")
    assert mode(made) == mode(tmp_path / "a") == 0o700


def test_a_file_in_a_directorys_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ChatError, match="not a directory"):
        private_directory(tmp_path / "file")
    with pytest.raises(ChatError, match="cannot be made"):
        private_directory(tmp_path / "file" / "below")


def test_a_written_file_is_private_whole_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.toml"
    write_text(path, "first")
    write_text(path, "second")
    assert path.read_text() == "second"
    assert mode(path) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["file.toml"]


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "settings.toml"
    target.parent.mkdir()
    target.write_text("old")
    link = tmp_path / "settings.toml"
    link.symlink_to(target)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()
    with pytest.raises(ChatError, match="cannot be written"):
        write_text(path, "text")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_creating_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "out.md"
    create_text(path, "mine")
    assert mode(path) == 0o600
    with pytest.raises(ChatError, match="there already"):
        create_text(path, "other")
    with pytest.raises(ChatError, match="cannot be written"):
        create_text(tmp_path / "no" / "such.md", "text")
    assert path.read_text() == "mine"


def test_reading_takes_a_byte_order_mark_and_names_the_place_of_what_is_no_text(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfok")
    assert read_text(path) == "ok"
    path.write_bytes(b"one\ntwo \xff")
    with pytest.raises(ChatError, match="file:2:5: this is not UTF-8"):
        read_text(path)


def test_a_file_too_large_to_be_ours_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_001)
    with pytest.raises(ChatError, match="larger"):
        read_text(path)


def test_places_are_where_the_environment_says(tmp_path: Path) -> None:
    places = Places.standard(
        {"TUI_CHAT_CONFIG_DIR": str(tmp_path / "c"), "TUI_CHAT_CACHE_DIR": "/k"}
    )
    assert places.database == tmp_path / "c" / "conversations.db"
    assert places.models == Path("/k/models")
