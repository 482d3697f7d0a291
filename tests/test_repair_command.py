"""`tui-chat doctor` says how the saved conversations are, and with --repair mends them, in the way that was chosen."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.core.broken import contents, filled, pages_of, places_in, spoil
from tests.core.stored import by_hand
from tests.forked import LoadedTerminal
from tests.terminal import home_environment
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
    assert f"\nproblem       {places.database} is damaged. It was" in bad.stdout
    assert "tui-chat doctor --repair shows ways out of this." in bad.stdout
    assert places.database.read_bytes() == raw


def test_without_a_terminal_the_ways_are_told_and_nothing_is_done(damaged: Places) -> None:
    raw = damaged.database.read_bytes()
    done = run(damaged.config.parent, "doctor", "--repair")
    assert (done.returncode, done.stderr) == (1, "")
    assert "The damaged file is renamed, and not deleted." in done.stdout
    assert "  1  backup    Bring back the backup of 20" in done.stdout
    assert ": 6 conversations, 60 messages\n" in done.stdout
    assert (
        "  2  salvage   Read what can still be read of it into a new file; how much" in done.stdout
    )
    assert "To take one: tui-chat doctor --repair backup|salvage|empty\n" in done.stdout
    assert done.stdout.endswith("Nothing was changed.\n")
    assert damaged.database.read_bytes() == raw


def test_a_way_that_is_named_is_taken(damaged: Places) -> None:
    raw = damaged.database.read_bytes()
    done = run(damaged.config.parent, "doctor", "--repair", "salvage")
    again = run(damaged.config.parent, "doctor", "--repair", "empty")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a message, or a part of it, is lost. A backup can still be" in done.stdout
    assert "The damaged file is" in done.stdout
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
    with LoadedTerminal(environ, "doctor", "--repair") as terminal:
        terminal.wait_for("Which? Its number, or Enter")
        terminal.type("\n")
        assert terminal.wait_end() == 1
        assert "Nothing was changed." in terminal.text
    assert damaged.database.read_bytes() == raw
    with LoadedTerminal(environ, "doctor", "--repair") as terminal:
        terminal.wait_for("Which? Its number, or Enter")
        terminal.type("3\n")
        terminal.wait_for("Begin with no conversations. Sure?")
        terminal.type("\n")
        assert terminal.wait_end() == 1
    assert damaged.database.read_bytes() == raw
    with LoadedTerminal(environ, "doctor", "--repair") as terminal:
        terminal.wait_for("Which? Its number, or Enter")
        terminal.type("1\n")
        assert terminal.wait_end() == 0
    assert len(contents(damaged.database)) == 60


def test_a_backup_is_brought_back_over_a_salvage_that_gave_little(damaged: Places) -> None:
    home, (older,) = damaged.config.parent, damaged.backups.glob("*.db")
    older = older.rename(older.with_name("conversations-20250102-030405.db"))
    spoil(damaged.database, *pages_of(older, "message"))
    assert run(home, "doctor", "--repair", "salvage").returncode == 0
    little = contents(damaged.database)
    newer = back_up(damaged)
    assert newer is not None
    assert len(little) < 30
    listed = run(home, "doctor", "--repair")
    assert listed.returncode == 0
    assert listed.stdout.startswith(f"Nothing is wrong with {damaged.database}: ")
    assert "  2  backup    Bring back the backup of 2025-01-0" in listed.stdout
    assert ": 6 conversations, 60 messages\n" in listed.stdout
    assert f"An older backup is taken by its name: {older.name}\n" in listed.stdout
    assert contents(damaged.database) == little
    assert run(home, "doctor", "--repair", "backup").returncode == 0
    assert contents(damaged.database) == little
    done = run(home, "doctor", "--repair", older.name)
    assert done.returncode == 0
    assert "What was there before is" in done.stdout
    assert len(contents(damaged.database)) == 60
    assert len([*damaged.config.glob("conversations.replaced-*.db")]) == 2


def test_ways_that_there_are_not_are_refused_in_words(damaged: Places) -> None:
    home = damaged.config.parent
    wrong = run(home, "doctor", "--repair", "nonsense")
    assert wrong.returncode == 2
    words = "there is no way “nonsense”: give backup, salvage, empty, or the name of a backup"
    assert words in wrong.stderr
    for more in (("--test",), ("--test", "--tokens")):
        both = run(home, "doctor", "--repair", *more)
        assert both.returncode == 2
        assert "--repair and --test are two things: give one of them." in both.stderr
    missing = run(home, "doctor", "--repair", "conversations-20000101-000000.db")
    assert missing.returncode == 1
    assert "There is no way “conversations-20000101-000000.db” out of this;" in missing.stdout


def test_what_is_renamed_is_called_what_it_is(damaged: Places) -> None:
    home = damaged.config.parent
    os.truncate(damaged.database, 0)
    assert "The empty file is" in run(home, "doctor", "--repair", "backup").stdout
    damaged.database.unlink()
    damaged.database.mkdir()
    assert "\nThe directory is renamed, and" in run(home, "doctor", "--repair").stdout
    assert "The directory is" in run(home, "doctor", "--repair", "backup").stdout
    damaged.database.unlink()
    done = run(home, "doctor", "--repair", "backup")
    assert done.stdout.endswith(" is back: 6 conversations, 60 messages.\n")


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
