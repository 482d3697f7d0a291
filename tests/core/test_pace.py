"""What the garbage collector is told to leave alone."""

from __future__ import annotations

import subprocess
import sys

_STAGES = """
import gc
from tui_chat.core.pace import stays

counts, kept = [], []
for stage in ("started", "loaded", "started", "loaded"):
    kept += [[one] for one in range(1000)]
    stays(stage)
    counts.append(gc.get_freeze_count())
print(*counts)
"""


def test_each_stage_of_the_start_is_left_alone_once() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _STAGES], capture_output=True, check=True, timeout=60
    ).stdout
    started, loaded, *later = map(int, told.split())
    assert started > 1000
    assert loaded >= started + 1000
    assert later == [loaded, loaded]
