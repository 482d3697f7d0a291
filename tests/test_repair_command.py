"""`tui-chat doctor` says how the saved conversations are, and with --repair mends them, in the way that was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.broken import contents, filled, pages_of, places_in, spoil
from tests.core.stored import by_hand
from tests.terminal import TUI_CHAT, Terminal, home_environment
from tests.test_command_line import run
from tui_chat.core.backups import back_up
from tui_chat.core.files import Places
from tui_chat.core.flags import command_line
from tui_chat.core.schema import MIGRATIONS


@pytest.fixture
def damaged(tmp_path: Path) -> Places:
    """Saved conversations with a backup, damaged since."""
    places = places_in(tmp_path)
    filled(places, conversations=6)
    assert back_up(places) is not None
    spoil(places.database, pages_of(places.database, "message")[1])
    return places


def test_doctor_says_how_they_are_and_which_backups_there_are(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    fresh = run(tmp_path, "doctor")
    assert fresh.returncode == 0
    assert "\nconversations none saved yet\nbackups       none yet\n" in fresh.stdout
    filled(places, conversations=6)
    assert back_up(places) is not None
    sound = run(tmp_path, "doctor")
    assert (sound.returncode, sound.stderr) == (0, "")
    assert "\nconversations 6 conversations, 60 messages, sound; newest “conv" in sound.stdout
    assert "\nbackups       1, the newest of 20" in sound.stdout
    kept = f"When something is removed for good: 1 backup in {places.backups} ("
    assert kept in sound.stdout
    assert "keeps the words until newer ones have taken their place, after 4 weeks" in sound.stdout
    spoil(places.database, pages_of(places.database, "message")[1])
    raw = places.database.read_bytes()
    bad = run(tmp_path, "doctor")
    assert bad.returncode == 1
    assert f"\nproblem       {places.database} is damaged or no database. It was" in bad.stdout
    assert "tui-chat doctor --repair shows ways out of this." in bad.stdout
    assert places.database.read_bytes() == raw


def test_without_a_terminal_the_ways_are_told_and_nothing_is_done(damaged: Places) -> None:
    raw = damaged.database.read_bytes()
    done = run(damaged.config.parent, "doctor", "--repair")
    assert (done.returncode, done.stderr) == (1, "")
    assert "  1  salvage   Read what can still be read of it into a new file\n" in done.stdout
    assert ": 6 conversations, 60 messages\n" in done.stdout
    assert "To take one: tui-chat doctor --repair salvage|backup|empty\n" in done.stdout
    assert done.stdout.endswith("Nothing was changed.\n")
    assert damaged.database.read_bytes() == raw


def test_a_way_that_is_named_is_taken(damaged: Places) -> None:
    raw = damaged.database.read_bytes()
    done = run(damaged.config.parent, "doctor", "--repair", "salvage")
    again = run(damaged.config.parent, "doctor", "--repair", "empty")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a message, or a part of it, is lost. The damaged file is" in done.stdout
    assert len(contents(damaged.database)) > 40
    (aside,) = damaged.config.glob("conversations.damaged-*.db")
    assert aside.read_bytes() == raw
    assert again.returncode == 0
    assert again.stdout.startswith(f"Nothing is wrong with {damaged.database}: 6 conversations")


def test_on_a_terminal_one_is_asked_and_may_leave_all_as_it_is(damaged: Places) -> None:
    raw = damaged.database.read_bytes()
    places = {
        "TUI_CHAT_CONFIG_DIR": str(damaged.config),
        "TUI_CHAT_CACHE_DIR": str(damaged.cache),
    }
    environ = home_environment(damaged.config.parent, **places)
    with Terminal([*TUI_CHAT, "doctor", "--repair"], environ) as terminal:
        terminal.wait_for("Which? Its number, or Enter")
        terminal.type("\n")
        assert terminal.wait_end() == 1
        assert "Nothing was changed." in terminal.text
    assert damaged.database.read_bytes() == raw
    with Terminal([*TUI_CHAT, "doctor", "--repair"], environ) as terminal:
        terminal.wait_for("Which? Its number, or Enter")
        terminal.type("2\n")
        assert terminal.wait_end() == 0
    assert len(contents(damaged.database)) == 60


def test_for_a_newer_one_there_is_no_way_but_the_newer_program(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    filled(places, conversations=1)
    by_hand(places.database, f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    done = run(tmp_path, "doctor", "--repair", "empty")
    assert done.returncode == 1
    assert "made by a newer tui-chat" in done.stdout
    assert done.stdout.endswith("Use that one; nothing was changed.\n")
    assert len(contents(places.database)) == 10


def test_the_help_says_what_repair_is_for() -> None:
    words = " ".join(command_line().format_help().split())
    assert "--repair is for saved conversations that cannot be used" in words
