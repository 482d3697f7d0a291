"""All that a run may write to, as it stands: to be compared with what stands there afterwards."""

from __future__ import annotations

import hashlib
from pathlib import Path


def tree(*roots: Path) -> dict[str, tuple[int, int, int, str]]:
    """Everything below these directories, and they themselves: mode, size, time of the last change, content."""
    found = {}
    for root in roots:
        for path in (root, *root.rglob("*")):
            facts = path.lstat()
            file = path.is_file() and not path.is_symlink()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if file else ""
            size = facts.st_size if file else 0
            found[str(path)] = (facts.st_mode, size, facts.st_mtime_ns, content)
    return found
