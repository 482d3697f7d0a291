"""Dozens of the runs, always the same: each number stands for a scene, a blow, and a moment."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.crashes.blows import BLOWS, Blow
from tests.crashes.checks import leftovers
from tests.crashes.run import Outcome, play
from tests.crashes.scenes import ENTER, SCENES, Scene, Stage
from tests.crashes.tty import Tty
from tests.fake_server import Answer, FakeServer
from tests.nightly import NIGHTLY, times

RUNS = times(24, 400)
PARTS = times(4, 40)


def drawn(number: int) -> tuple[Scene, Blow]:
    """What a run does: a few runs have every scene and every blow, many have all pairs of them."""
    return SCENES[number % len(SCENES)], BLOWS[number % len(BLOWS)]


def played(number: int) -> Outcome:
    return play(number, *drawn(number), Random(number), whole=NIGHTLY)


@pytest.mark.parametrize("part", range(PARTS))
def test_a_blow_at_a_random_moment_costs_what_is_promised_and_no_more(part: int) -> None:
    # One at a time: of a machine with more to do than it can, no program can promise anything.
    outcomes = [played(number) for number in range(part, RUNS, PARTS)]
    faults = [outcome.words for outcome in outcomes if outcome.figures.faults]
    assert not faults, "\n".join(faults)


def test_the_runs_have_every_scene_and_every_blow() -> None:
    pairs = [drawn(number) for number in range(RUNS)]
    assert {scene.name for scene, _ in pairs} == {one.name for one in SCENES}
    assert {blow.name for _, blow in pairs} == {one.name for one in BLOWS}


def test_a_disk_that_keeps_the_program_waiting_does_not_keep_the_terminal(tmp_path: Path) -> None:
    with FakeServer() as server:
        stage = Stage(tmp_path, Random(1), server)
        with stage.start() as terminal:
            terminal.wait_for(stage.ready)
            terminal.type("a thought")
            terminal.wait_for("a thought")
            other = sqlite3.connect(tmp_path / "config" / "conversations.db", isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            os.kill(terminal.process.pid, signal.SIGTERM)
            assert terminal.wait_end() == 143
            assert terminal.disorder() == []
            other.close()


def test_what_was_stopped_is_drawn_again_and_its_reply_goes_on(tmp_path: Path) -> None:
    with FakeServer() as server:
        stage = Stage(tmp_path, Random(1), server, Answer(["w"] * 300, delay=0.01))
        with stage.start() as terminal:
            terminal.wait_for(stage.ready)
            terminal.type("Tell me" + ENTER)
            stage.wait(terminal, lambda: len(server.sent) > 30)
            os.kill(terminal.process.pid, signal.SIGTSTP)
            stage.wait(terminal, lambda: terminal.stopped)
            _drain(terminal)
            assert terminal.disorder() == []
            terminal.forget()
            os.kill(terminal.process.pid, signal.SIGCONT)
            terminal.wait_for("Tell me")
            terminal.wait_for("r1w299")
            terminal.wait_for("complete")


_HIT_IN_A_FINALIZER = """
import signal, sys, time
from tui_chat.__main__ import _end_by_the_door

class Finalized:
    def __del__(self):
        signal.raise_signal(getattr(signal, sys.argv[1]))
        time.sleep(0)

_end_by_the_door()
Finalized()
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_in_the_middle_of_a_finalizer_ends_the_start(name: str) -> None:
    arguments = [sys.executable, "-c", _HIT_IN_A_FINALIZER, name]
    done = subprocess.run(arguments, timeout=15, check=False)
    assert done.returncode == 128 + getattr(signal, name)


def test_a_terminal_that_is_gone_at_the_start_is_told_by_the_exit_code_alone(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        stage = Stage(tmp_path, Random(1), server)
        for controls in (True, False):
            with stage.start(whole=True, controls=controls) as terminal:
                terminal.close()
                # What cannot be told is no fault of the program, which would be 1 or Python's 120.
                assert terminal.process.wait(15) in ({-signal.SIGHUP, 2} if controls else {2})


def test_a_fetch_that_was_killed_is_cleared_away_by_the_next_start(tmp_path: Path) -> None:
    with FakeServer() as server:
        stage = Stage(tmp_path, Random(1), server)
        download = next(scene for scene in SCENES if scene.name == "download")
        download.prepare(stage)
        with stage.start() as terminal:
            terminal.wait_for(stage.ready)
            terminal.type(ENTER)
            stage.wait(terminal, lambda: list(tmp_path.glob("cache/models/*/tmp/*")))
            os.kill(terminal.process.pid, signal.SIGKILL)
            terminal.wait_end()
        assert any(".fetching-" in path for path in leftovers(tmp_path))
        with stage.start() as terminal:
            terminal.wait_for(stage.ready)
            stage.wait(terminal, lambda: not list(tmp_path.glob("cache/models/*")))
            # Leaving in the middle of another is no error.
            terminal.type(ENTER)
            terminal.wait_for("Fetching")
            terminal.type("\x03")
            terminal.wait_for("again to quit")
            terminal.type("\x03")
            assert terminal.wait_end() == 0
        assert leftovers(tmp_path) == []


def _drain(terminal: Tty) -> None:
    until = time.monotonic() + 0.05
    while (left := until - time.monotonic()) > 0:
        terminal.read(left)
