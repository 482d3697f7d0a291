"""The faults of what is kept on disk, and of windows that share it; tests/faults.py has the others."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that goes wrong."""

    what: str
    then: str
    tests: str
    """`file::test` below tests/, several with a blank between; a file alone stands for all of its tests."""


DISK = (
    Fault(
        "disk full, or failing, at any write",
        "a sentence, the old file whole, nothing lost; written once that can be",
        "core/test_full_disks.py",
    ),
    Fault(
        "disk full while a reply arrives",
        "it stays on the screen, the top line says so, it can be exported, and is written later",
        "rooms/test_full_disk.py::test_a_reply_on_a_full_disk_stays_and_is_written_when_there_is_room"
        " rooms/test_unsaved.py",
    ),
    Fault(
        "random bytes, cut short, a bad page, zero bytes, newer, another program's, a directory, a pipe",
        "a sentence with what now; no byte is changed",
        "core/test_diagnosis.py core/test_store_opening.py",
    ),
    Fault(
        "locked by another program",
        "said, tried again",
        "core/test_diagnosis.py::test_a_lock_of_another_program_is_said"
        " core/test_store_faults.py::test_a_lock_held_elsewhere_is_said_and_passes",
    ),
    Fault(
        "a journal left over, or one that is none",
        "what was broken off is taken back; no harm",
        "core/test_diagnosis.py::test_a_change_that_was_broken_off_is_taken_back"
        " core/test_diagnosis.py::test_a_journal_that_is_none_changes_nothing",
    ),
    Fault(
        "damage, found at the start or later",
        "a dialog: salvage, a backup, begin anew, go on without saving; the damaged file is renamed",
        "rooms/test_repair.py core/test_salvage.py test_repair_command.py",
    ),
    Fault(
        "killed in a repair, or two of them, or another window open",
        "the old one or the new one, never nothing; refused",
        "core/test_repairing.py",
    ),
    Fault(
        "a dialog that rises under hands that type; not now; a salvage that gave little",
        "nothing is replaced, what was typed is in the draft; asked again at the next send; any backup comes back",
        "rooms/test_repair.py::test_what_is_typed_blindly_changes_nothing_and_is_in_the_draft"
        " rooms/test_repair.py::test_after_not_now_it_is_told_where_to_find_it_and_a_send_asks_again"
        " test_repair_command.py::test_a_backup_is_brought_back_over_a_salvage_that_gave_little",
    ),
    Fault(
        "the pages above the messages, or the first page, are bad",
        "rows are read off their own pages; what was removed does not come back",
        "core/test_salvage.py::test_where_the_pages_above_them_are_bad_the_messages_are_read_off_their_own"
        " core/test_salvage.py::test_what_was_removed_does_not_come_back_off_a_page core/test_pages.py",
    ),
    Fault(
        "no backup, a bad one, little space, two windows",
        "made once a day, checked, rotated; left out and said",
        "core/test_backups.py",
    ),
    Fault(
        "settings or a preset that cannot be read",
        "file:line:column; the rest works; never rewritten",
        "core/test_broken_settings.py core/test_settings.py core/test_presets.py",
    ),
    Fault(
        "settings that cannot be read and may mean another server; a preset that is broken",
        "nothing is sent there unasked; the preset is refused, or told with its place",
        "test_broken_files.py rooms/test_broken_files.py",
    ),
    Fault(
        "index, lessons, session: damaged, or something else in their place",
        "made anew, or done without",
        "core/test_cache_faults.py core/test_search_index.py",
    ),
    Fault(
        "killed, and a page is damaged that nobody reads",
        "found in the background after the next start, and ways out asked about",
        "rooms/test_repair.py::test_damage_of_a_killed_program_is_told_without_reading_what_is_damaged"
        " core/test_doubts.py",
    ),
    Fault(
        "a directory or a file that may only be read, a lock that is held for long",
        "marked from the start; typing goes on; written once that may be",
        "rooms/test_barred.py",
    ),
    Fault(
        "words removed for good that backups still have",
        "said until when",
        "rooms/test_keeping.py::test_before_a_purge_it_is_told_until_when_backups_keep_the_words",
    ),
    Fault("rows that someone edited", "read as far as they go", "core/test_store_faults.py"),
    Fault("--ephemeral", "nothing is written, however it ends", "test_ephemeral.py"),
    Fault(
        "the disk fails to read the conversations, at the start, later, or in one place",
        "said; not taken for damage, nothing renamed; all is there once it is well",
        "core/test_failing_disks.py::test_conversations_that_cannot_be_read_are_not_taken_for_damaged"
        " core/test_failing_disks.py::test_a_disk_that_fails_in_the_middle_of_a_run_costs_nothing"
        " core/test_failing_disks.py::test_one_bad_place_on_the_disk_is_not_taken_for_damage_and_the_rest_is_read",
    ),
    Fault(
        "the disk fails to write, or to keep, a prompt, a reply or a draft",
        "never called saved; written once it can be",
        "core/test_failing_disks.py::test_what_the_disk_does_not_keep_is_not_called_saved_and_can_be_written_again"
        " test_failing_disk.py",
    ),
    Fault(
        "a backup cannot be read, or read back",
        "passed over and kept; none is made, and nothing is called damaged",
        "core/test_failing_disks.py::test_a_backup_that_cannot_be_read_is_passed_over_and_stays"
        " core/test_failing_disks.py::test_a_backup_that_the_disk_does_not_give_back_is_none_and_nothing_is_called_damaged",
    ),
    Fault(
        "settings, a preset, keys, the index, lessons or the model cannot be read",
        "named; the rest works; none of them is changed but the index, which may be made anew",
        "core/test_failing_disks.py::test_settings_presets_and_keys_that_cannot_be_read_are_named_and_left_alone"
        " core/test_failing_disks.py::test_an_index_and_lessons_that_cannot_be_read_are_done_without"
        " core/test_failing_disks.py::test_a_model_that_cannot_be_read_is_named_and_stays",
    ),
    Fault(
        "the database is read beside SQLite, after a kill",
        "its locks stay, so no other window writes in the middle of a change",
        "core/test_doubts.py::test_reading_past_sqlite_leaves_its_locks",
    ),
)
TWO = (
    Fault(
        "ten starts on an empty home",
        "one sound database, all alive",
        "test_two_windows.py::test_many_starts_at_once_on_an_empty_home_make_one_database_and_all_live",
    ),
    Fault(
        "two windows on one conversation",
        "both turns kept as branches, each told of the other; lists refresh",
        "test_two_windows.py::test_two_windows_that_stream_into_one_conversation_keep_both_turns"
        " rooms/test_windows.py",
    ),
    Fault(
        "a chosen preset that changes on the disk",
        "told as it is, never replaced unasked",
        "rooms/test_windows.py::test_a_chosen_preset_that_changes_on_the_disk_is_told_as_it_is"
        " rooms/test_windows.py::test_a_preset_that_changes_while_one_is_asked_is_not_replaced",
    ),
    Fault(
        "presets, keys, settings, lessons saved by several at once",
        "nothing lost",
        "core/test_at_once.py",
    ),
    Fault(
        "ten screens at once on an empty home",
        "one sound database, all ready, files of this user alone",
        "test_two_windows.py::test_many_screens_at_once_on_an_empty_home_make_one_database_and_all_are_ready",
    ),
)
