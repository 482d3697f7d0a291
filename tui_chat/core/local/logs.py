"""Where a server's log goes that is to leave nothing behind: into memory, or nowhere."""

from __future__ import annotations

import os
from pathlib import Path

_OPEN_FILES = Path("/proc/self/fd")


def unnamed() -> Path:
    """A log that is in memory only, by a name that this process alone can use; where the system has no
    such files, one that keeps nothing. It is there until the end of the run."""
    if hasattr(os, "memfd_create"):
        log = _OPEN_FILES / str(os.memfd_create("log"))
        if log.exists():
            return log
    return Path(os.devnull)


def named(log: Path) -> str:
    """A sentence that says where the log is; empty where a person could not read it."""
    hidden = log.parent == _OPEN_FILES or log == Path(os.devnull)
    return "" if hidden else f"The log is {log}."
