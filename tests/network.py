"""That nothing is reached but this machine: in the tests' own process, and in the programs that they start."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.guard import sitecustomize

_PREFIX = "tui-chat-reached-"
_LOOPBACK = re.compile(r".{6}7F|0{16}FFFF0000.{6}7F|0{24}01000000")
"""This machine's own addresses as Linux writes them."""


def guarded() -> dict[str, str]:
    """What a program needs in its environment to be watched as this process is. Its path alone will do: the program
    leaves the rest away for some of its own."""
    file = os.environ.get(sitecustomize.FILE, "")
    guard = str(Path(file or sitecustomize.__file__).parent)
    before = os.environ.get("PYTHONPATH", "")
    path = before if before.startswith(guard) else os.pathsep.join(filter(None, (guard, before)))
    return {"PYTHONPATH": path, sitecustomize.FILE: file}


def unguarded() -> dict[str, str]:
    """The environment of a program that may reach the network: the person's own installer, no other."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    left = (path for path in paths if path and not Path(path).name.startswith(_PREFIX))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(left)}


def watch() -> None:
    """Begin; for the whole run of the tests."""
    guard = Path(tempfile.mkdtemp(prefix=_PREFIX))
    shutil.copy(sitecustomize.__file__, guard)
    file = guard / sitecustomize.FILE
    file.touch()
    os.environ[sitecustomize.FILE] = str(file)
    os.environ.update(guarded())


def beyond(process: int) -> list[str]:
    """The ends of connections that a process and those below it have, or wait for, beyond this machine, native code
    too; as Linux writes them, and none where there is no /proc."""
    ends: list[str] = []
    for one in _below(process):
        sockets = set()
        for handle in Path(f"/proc/{one}/fd").iterdir():
            with suppress(OSError):
                sockets.add(str(handle.readlink()))
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{one}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if f"socket:[{fields[9]}]" in sockets:
                    ours, theirs = (end.partition(":")[0] for end in fields[1:3])
                    # What only waits has no other end; it must not wait for everybody.
                    end = theirs if theirs.strip("0") else ours
                    ends += [] if _LOOPBACK.fullmatch(end) else [end]
    return ends


def _below(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _below(int(child))


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
    shutil.rmtree(Path(os.environ[sitecustomize.FILE]).parent, ignore_errors=True)
