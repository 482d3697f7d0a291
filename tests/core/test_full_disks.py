"""A disk that is full or fails at any write costs nothing that was saved, and once it takes more, all is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
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
    """How a program is run that may mount: as who we are, or in a name space of its own; None, and a warning, for no
    way."""
    ways = [["unshare", "-m"], ["unshare", "-rm"]]
    for way in ways if shutil.which("unshare") and shutil.which("mount") else ():
        probe = [*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return way
    warnings.warn("nobody may mount here: no disk is full, a limit stands for it", stacklevel=2)
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


def test_where_nobody_may_mount_the_tests_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.warns(UserWarning, match="nobody may mount"):
        assert _who_may_mount() is None
