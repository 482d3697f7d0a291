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


def test_a_file_that_is_removed_under_its_taker_is_made_anew(tmp_path: Path) -> None:
    taken: list[bool] = []
    path = tmp_path / "a.lock"
    for _ in range(300):
        first, second = FileLock(path), FileLock(path)
        assert first.acquire()
        releasing = threading.Thread(target=first.release)
        releasing.start()
        while not second.acquire():
            pass
        releasing.join()
        taken.append(path.exists() and not FileLock(path).acquire())
        second.release()

    assert all(taken)


async def test_only_locks_whose_holders_are_gone_are_cleared_away(tmp_path: Path) -> None:
    killed = await Other.running(HOLDING, str(tmp_path / "killed.lock"))
    alive = await Other.running(HOLDING, str(tmp_path / "alive.lock"))
    mine = FileLock(tmp_path / "mine.lock")
    mine.acquire()
    (tmp_path / "no file.lock").mkdir()
    (tmp_path / "note.txt").touch()
    await killed.kill()

    remove_abandoned(tmp_path)

    left = {place.name for place in tmp_path.iterdir()}
    assert left == {"alive.lock", "mine.lock", "no file.lock", "note.txt"}
    assert not FileLock(mine.path).acquire()
    mine.release()
    await alive.kill()
