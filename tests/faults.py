"""The faults that the program is tested against: what goes wrong, what happens then, which tests show it.

ARCHITECTURE.md has them as tables (`python -m tests.documents`); a test checks that each named test is there.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.disk_faults import DISK, TWO, Fault

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
    Fault(
        "a window of 500 columns and 200 rows, during a reply",
        "laid out in under 0.1 s of the processor",
        "load/test_resizes.py::test_a_storm_of_sizes_leaves_all_as_it_was"
        " widgets/test_backdrop.py::test_however_many_rows_there_are_few_are_drawn",
    ),
    Fault(
        "thousands of tokens, each with 20 candidates",
        "a few hundred bytes each; no pause of the collector",
        "core/test_candidates.py::test_what_is_known_of_a_long_reply_takes_little_and_is_nothing_to_go_through",
    ),
    Fault(
        "a reply of 5 MB without blanks",
        "counted without holding keys up",
        "core/test_counting.py::test_a_giant_without_a_place_to_cut_lets_other_threads_run",
    ),
    Fault(
        "a conversation that takes long to be read",
        "its end is seen at once, and others get at the database meanwhile",
        "rooms/test_saved.py::test_the_end_of_a_long_conversation_is_seen_before_the_rest_is_read"
        " core/test_store_end.py",
    ),
    Fault(
        "a text of over a million characters",
        "the next token is not looked at; it is said why",
        "rooms/test_next_token.py::test_a_text_of_more_than_a_million_characters_is_not_looked_at",
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
    "Full, broken, locked, foreign": DISK,
    "Two at once": TWO,
    "Secrets": _SECRETS,
    "The network": _NETWORK,
    "Load": _LOAD,
    "The model's process": _MODEL,
    "Changed at random": _RANDOM,
}
