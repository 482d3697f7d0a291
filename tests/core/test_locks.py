"""A lock has one holder, in any process, and ends with it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from tests.core.stored import Other
from tui_chat.core.locks import FileLock, remove_abandoned

HOLDING = """
import sys
from pathlib import Path
from tui_chat.core.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
lock.acquire()
print("ready", flush=True)
input()
"""


def test_a_lock_has_one_holder_in_one_process(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "a.lock"), FileLock(tmp_path / "a.lock")

    assert first.acquire()
    assert not second.acquire()
    assert not first.acquire()
    second.release()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


async def test_a_lock_ends_with_the_process_that_held_it(tmp_path: Path) -> None:
    other = await Other.running(HOLDING, str(tmp_path / "a.lock"))
    lock = FileLock(tmp_path / "a.lock")
    taken_while_alive = lock.acquire()

    await other.kill()

    assert not taken_while_alive
    assert lock.acquire()
    lock.release()


def test_the_file_is_the_users_own_and_goes_with_the_lock(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "a.lock")
    before = os.umask(0)
    try:
        lock.acquire()
    finally:
        os.umask(before)

    assert stat.S_IMODE(lock.path.stat().st_mode) == 0o600
    lock.release()
    assert not lock.path.exists()
    lock.release()


def test_a_lock_whose_file_was_removed_is_still_given_back(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "run" / "a.lock")
    lock.path.parent.mkdir()
    lock.acquire()
    lock.path.unlink()
    lock.path.parent.rmdir()

    lock.release()

    with pytest.raises(FileNotFoundError):
        lock.acquire()


def test_a_lock_that_many_take_by_turns_never_has_two_holders(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    crowds: list[int] = []

    def take_turns(me: int) -> None:
        turns = 0
        while turns < 150 and not crowds:
            lock = FileLock(tmp_path / "a.lock")
            if not lock.acquire():
                continue
            try:
                # Only one can make it, and each system call gives the others their chance.
                inside.mkdir()
                inside.rmdir()
            except OSError:
                crowds.append(me)
            turns += 1
            lock.release()

    takers = [threading.Thread(target=take_turns, args=(me,)) for me in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()

    assert crowds == []
    assert list(tmp_path.iterdir()) == []


async def test_only_locks_whose_holders_are_gone_are_cleared_away(tmp_path: Path) -> None:
    killed = await Other.running(HOLDING, str(tmp_path / "killed.lock"))
    alive = await Other.running(HOLDING, str(tmp_path / "alive.lock"))
    mine = FileLock(tmp_path / "mine.lock")
    mine.acquire()
    (tmp_path / "no file.lock").mkdir()
    (tmp_path / "note.txt").touch()
    (tmp_path / "about to be held.lock").touch()
    await killed.kill()

    assert remove_abandoned(tmp_path) == 1

    left = {place.name for place in tmp_path.iterdir()}
    assert left == {"alive.lock", "mine.lock", "no file.lock", "note.txt"}
    assert not FileLock(mine.path).acquire()
    mine.release()
    await alive.kill()
