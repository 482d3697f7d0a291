"""That nothing is reached but this machine: in the tests' own process, and in the programs that they start."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.guard import sitecustomize

GUARD = str(Path(sitecustomize.__file__).parent)


def guarded() -> dict[str, str]:
    """What a program needs in its environment to be watched as this process is."""
    before = os.environ.get("PYTHONPATH", "")
    path = before if before.startswith(GUARD) else os.pathsep.join(filter(None, (GUARD, before)))
    return {"PYTHONPATH": path, sitecustomize.FILE: os.environ.get(sitecustomize.FILE, "")}


def unguarded() -> dict[str, str]:
    """The environment of a program that may reach the network: the person's own installer, no other."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    left = os.pathsep.join(path for path in paths if path and path != GUARD)
    return {**os.environ, "PYTHONPATH": left}


def watch() -> None:
    """Begin; for the whole run of the tests."""
    handle, name = tempfile.mkstemp(prefix="tui-chat-reached-")
    os.close(handle)
    os.environ[sitecustomize.FILE] = name
    os.environ.update(guarded())


def reached() -> str:
    """What was tried since this was last asked."""
    file = Path(os.environ[sitecustomize.FILE])
    if not file.stat().st_size:
        return ""
    tried = file.read_text()
    file.write_text("")
    return tried


def stop() -> None:
    """At the end of the run."""
    Path(os.environ[sitecustomize.FILE]).unlink(missing_ok=True)
