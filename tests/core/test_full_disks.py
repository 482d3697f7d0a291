"""A disk that is full or fails at any write costs nothing that was saved, and once it takes more, all is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT

WRITTEN = [
    "create",
    "send",
    "begin",
    "checkpoint",
    "finish",
    "draft",
    "rename",
    "session",
    "export",
    "import",
    "preset",
    "settings",
    "key",
    "learned",
    "backup",
    "index",
    "migration",
    "repair",
]


def _who_may_mount() -> list[str] | None:
    """How a program is run that may mount: as who we are, or in a name space of its own; None for no way."""
    ways = [["unshare", "-m"], ["unshare", "-rm"]]
    for way in ways if shutil.which("unshare") and shutil.which("mount") else ():
        probe = [*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return way
    return None


@pytest.mark.parametrize("mode", ["full", "limit"])
def test_each_write_in_turn_is_refused_and_nothing_is_lost(tmp_path: Path, mode: str) -> None:
    way = _who_may_mount() if mode == "full" else []
    if way is None:
        pytest.skip("nobody may mount a small disk here")
    command = [sys.executable, "-m", "tests.core.full_disk", str(tmp_path / "disk")]
    done = subprocess.run(
        [*way, *command, mode],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == WRITTEN
    assert all(int(line.split()[1]) > 0 for line in done.stdout.splitlines()), done.stdout
