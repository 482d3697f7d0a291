"""The faults that the program is tested against: what goes wrong, what happens then, which tests show it.

ARCHITECTURE.md has them as tables (`python -m tests.documents`); a test checks that each named test is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing that goes wrong."""

    what: str
    then: str
    tests: str
    """`file::test` below tests/, several with a blank between; a file alone stands for all of its tests."""


_TERMINAL = (
    Fault(
        "hostile words in replies, reasoning, tokens, lists, errors, headers, titles, tags, presets, settings, paths",
        "shown as text; no byte but the program's own reaches the terminal",
        "test_terminal_safety.py::test_nothing_foreign_controls_the_terminal_in_any_room",
    ),
    Fault(
        "the same without a screen, arguments included",
        "the same",
        "test_terminal_safety.py::test_nothing_foreign_controls_the_terminal_without_a_screen"
        " test_ask.py::test_nothing_a_server_says_controls_the_terminal",
    ),
    Fault(
        "any text in anything that is drawn",
        "the last gate drops what controls; the program's own sequences pass",
        "widgets/test_safety.py",
    ),
    Fault(
        "text cut anywhere, half characters", "cleaned as the whole would be", "core/test_text.py"
    ),
    Fault(
        "a terminal's answers typed back, cut anywhere, or late",
        "never typed, never sent",
        "widgets/test_terminal_answers.py"
        " test_terminal_safety.py::test_what_a_terminal_answers_is_never_sent_and_no_paste_sends_itself",
    ),
    Fault(
        "a paste that holds the end of a paste",
        "stays one paste and sends nothing",
        "widgets/test_terminal_answers.py::test_nothing_of_a_paste_is_ever_a_key_even_when_it_holds_the_paste_s_end",
    ),
    Fault(
        "characters that control or hide, by Unicode's classes",
        "replaced or dropped",
        "core/test_text.py::test_no_character_that_unicode_calls_a_control_or_hides_passes_by_itself"
        " test_terminal_safety.py::test_the_judge_of_what_reached_a_terminal_knows_each_hostile_text",
    ),
    Fault(
        "a fault of the program itself, or a warning of Python's,",
        "saved, the terminal given back, no value of a variable shown, exit code 1",
        "test_crash.py",
    ),
)
_KILLED = (
    Fault(
        "SIGKILL, SIGTERM, SIGHUP, SIGINT, SIGTSTP and SIGCONT, ctrl+c, a lost terminal, at random moments",
        "database sound, prompt there, at most 250 ms of a reply and 1 s of a draft lost, no process left, terminal"
        " given back, exit codes 143, 129, 130",
        "crashes/test_crashes.py::test_a_blow_at_a_random_moment_costs_what_is_promised_and_no_more",
    ),
    Fault(
        "stopped and continued",
        "the terminal is usable meanwhile, then drawn again; the reply goes on",
        "crashes/test_crashes.py::test_what_was_stopped_is_drawn_again_and_its_reply_goes_on",
    ),
    Fault(
        "a signal while the disk keeps the program waiting",
        "ends in time, the terminal given back",
        "crashes/test_crashes.py::test_a_disk_that_keeps_the_program_waiting_does_not_keep_the_terminal",
    ),
    Fault(
        "the event loop is busy while a reply arrives",
        "what has arrived is on disk all the same",
        "core/test_reply_growing.py::test_a_busy_event_loop_does_not_keep_what_has_arrived_from_the_disk",
    ),
    Fault(
        "a signal in the middle of the start",
        "ends with its code",
        "crashes/test_crashes.py::test_a_signal_in_the_middle_of_a_finalizer_ends_the_start"
        " crashes/test_crashes.py::test_a_terminal_that_is_gone_at_the_start_is_told_by_the_exit_code_alone",
    ),
    Fault(
        "the terminal is gone, whether or not the system says so",
        "saved, ends with 129",
        "test_program.py::test_a_closed_terminal_ends_the_program_and_keeps_the_reply",
    ),
    Fault(
        "killed in mid reply, with a draft, in a migration, while fetching",
        "kept to the last checkpoint; the old version or the new; cleared away at the next start",
        "test_program.py::test_a_kill_in_mid_reply_costs_at_most_a_checkpoint"
        " test_program.py::test_a_draft_survives_a_kill"
        " core/test_store_opening.py::test_a_kill_in_mid_migration_leaves_the_old_version_and_its_backup"
        " core/local/test_model.py::test_a_kill_ends_the_installer_too_and_the_next_attempt_works",
    ),
)
_DISK = (
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
)
_TWO = (
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
)
_SECRETS = (
    Fault(
        "keys in the environment, a file, a command, an address; a server that echoes them; a crash",
        "in no other file, byte, export, command line or child; 0700 and 0600 under any umask",
        "test_secrets.py core/test_hostile_keys.py",
    ),
    Fault(
        "a key given for one server",
        "goes to its origin alone",
        "core/test_key_store.py::test_a_key_in_the_file_is_found_for_its_origin_alone",
    ),
    Fault(
        "the editor, the browser, the programs that copy",
        "are told no key",
        "test_secrets.py test_network.py::test_the_browser_that_opens_a_link_is_told_no_key",
    ),
    Fault(
        "others ask the built-in model's server",
        "401 without the key; loopback only; no web page may read it",
        "core/local/test_server_privacy.py",
    ),
)
_NETWORK = (
    Fault(
        "a connection or a look-up beyond this machine, in any test or program that it starts",
        "that test fails",
        "test_network.py::test_a_test_that_reaches_beyond_this_machine_is_told_on"
        " test_network.py::test_so_is_a_program_that_a_test_starts",
    ),
    Fault(
        "links and pictures in words of others",
        "never fetched; a link opens only after its address was shown",
        "test_network.py::test_no_link_or_picture_is_fetched_and_a_click_opens_only_what_was_shown",
    ),
    Fault(
        "starting, looking around, a restart after a kill",
        "nothing is sent before Enter, nothing twice",
        "test_network.py::test_nothing_is_sent_before_enter_and_nothing_twice",
    ),
    Fault(
        "no network at all",
        "starts, and the built-in model answers",
        "test_network.py::test_with_the_built_in_model_it_starts_and_answers_without_any_network",
    ),
    Fault(
        "proxies, OPENAI_BASE_URL and the like set to a trap",
        "nothing reaches it",
        "core/test_provider_sending.py::test_nothing_of_the_environment_or_the_machine_reaches_a_server",
    ),
)
_LOAD = (
    Fault(
        "thousands of tokens a second",
        "read in short turns, between which keys are",
        "load/test_streams.py::test_a_flood_is_read_in_turns_between_which_others_run"
        " load/test_streams.py::test_an_event_costs_little_more_than_reading_its_json",
    ),
    Fault(
        "one event of 50 MB, or of millions of lists, or nested without end",
        "left; what came is kept",
        "load/test_streams.py::test_a_line_of_50_megabytes_is_left_before_it_is_in_memory"
        " load/test_streams.py::test_what_nobody_has_to_say_is_left",
    ),
    Fault(
        "5 MB in a line, 10,000 quotes, 5,000 columns, open fences, 200 marks on a letter",
        "shown and saved whole; the loop goes on",
        "load/test_giants.py::test_a_giant_reply_is_shown_and_saved_whole",
    ),
    Fault(
        "hundreds of thousands of short lines in one message",
        "cut in turns; what is left is one line until then",
        "widgets/transcript/test_cuts.py",
    ),
    Fault(
        "a giant that was saved: found, opened, copied, in the lens, in the editor of texts",
        "no key waits; what is not shown is said",
        "load/test_reopened.py",
    ),
    Fault(
        "a window dragged to any size during a reply",
        "all right afterwards",
        "load/test_resizes.py",
    ),
    Fault("a thousand branches, a thread of a thousand", "no key waits", "load/test_branches.py"),
    Fault(
        "JSON and TOML nested 100,000 deep",
        "a sentence; nothing is imported",
        "load/test_depths.py",
    ),
    Fault(
        "10 MB pasted",
        "sent whole from the prompt; refused or cut elsewhere, in words",
        "load/test_giants.py::test_a_paste_of_10_megabytes_is_sent_whole"
        " load/test_giants.py::test_in_a_text_too_long_a_paste_is_refused_in_words",
    ),
    Fault(
        "a terminal that reads nothing",
        "the reply goes on and is saved; esc, quitting and signals work",
        "load/test_slow_terminal.py",
    ),
)
_MODEL = (
    Fault(
        "the model's file is missing, cut short, a web page, or another file",
        "named; the prompt is kept; it can be fetched again",
        "rooms/test_served_here.py::test_a_file_that_is_no_model_is_named_and_the_prompt_is_kept"
        " rooms/test_served_here.py::test_a_file_of_the_right_size_that_is_another_is_found_out_and_can_be_fetched_again"
        " core/local/test_model_checks.py",
    ),
    Fault(
        "its process dies in mid reply",
        "what came is kept as cut; F5 starts it again, once for each time it is asked",
        "rooms/test_served_here.py::test_a_process_that_dies_in_mid_reply_is_started_again_once_asked_and_never_by_itself",
    ),
    Fault(
        "another program at its port",
        "said; no prompt is sent to it",
        "rooms/test_served_here.py::test_another_program_at_its_address_gets_no_prompt",
    ),
    Fault(
        "never ready, or will not end",
        "given up with the words of its log; ended with the program",
        "rooms/test_served_here.py::test_a_process_that_is_never_ready_is_given_up_and_can_be_left_before"
        " rooms/test_served_here.py::test_a_process_that_ignores_every_request_to_end_is_ended_with_the_program",
    ),
)
_RANDOM = (
    Fault(
        "streams, answers, lists of models, settings, presets, lessons, files to import, changed at random",
        "read as far as they go, or said in words; never an exception of another kind",
        "fuzzing/test_targets.py",
    ),
)
FAULTS: Mapping[str, tuple[Fault, ...]] = {
    "Hostile words": _TERMINAL,
    "Killed": _KILLED,
    "Full, broken, locked, foreign": _DISK,
    "Two at once": _TWO,
    "Secrets": _SECRETS,
    "The network": _NETWORK,
    "Load": _LOAD,
    "The model's process": _MODEL,
    "Changed at random": _RANDOM,
}
