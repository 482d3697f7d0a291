"""`tui-chat import`: files on the command line, one after the other, with a line of report for each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from tui_chat.core.backups import back_up_at_the_end
from tui_chat.core.errors import ChatError
from tui_chat.core.importing import MOST_PLACES, Progress, Report, import_file
from tui_chat.core.output import tell
from tui_chat.core.text import clean, one_line
from tui_chat.core.world import World


async def import_files(world: World, paths: Sequence[Path], *, skip_unreadable: bool) -> int:
    """Import each file; 1 when one of them was not, else 0. A file that fails does not keep out the others."""
    code = 0
    try:
        store = await world.store()
        if store.notice:
            tell(store.notice)
        for path in paths:
            line = _Line(path)
            try:
                report = await import_file(
                    store,
                    path,
                    world.places.importing,
                    progress=line,
                    skip_unreadable=skip_unreadable,
                )
            except ChatError as error:
                tell(str(error))
                code = 1
                continue
            finally:
                line.clear()
            _tell(report)
            if report.added is None:
                code = 1
    finally:
        await world.close()
    if trouble := await asyncio.to_thread(back_up_at_the_end, world.places):
        tell(trouble)
    return code


def _tell(report: Report) -> None:
    name = one_line(report.path.name, 80)
    for one in report.unreadable:
        sys.stderr.write(f"{name}, {clean(one.place)}: {one_line(one.words, 300)}\n")
    if report.unreadable_total > MOST_PLACES:
        sys.stderr.write(f"{name}: and {report.unreadable_total - MOST_PLACES:,} more\n")
    sys.stderr.flush()
    sys.stdout.write(f"{clean(report.words)}\n")
    sys.stdout.flush()
    if report.added is None:
        tell("--skip-unreadable imports the rest of it.")


class _Line:
    """The progress of one file: a line on standard error that counts, where a person sees it."""

    def __init__(self, path: Path) -> None:
        self._name = one_line(path.name, 40)
        self._live = sys.stderr.isatty()
        self._width = 0

    def __call__(self, progress: Progress) -> None:
        if not self._live:
            return
        megabytes = f"{progress.done / 1e6:,.0f} of {progress.total / 1e6:,.0f} MB"
        words = f"{self._name}: {progress.step} {megabytes}"
        self._width = max(self._width, len(words))
        sys.stderr.write(f"\r{words:<{self._width}}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._width:
            sys.stderr.write(f"\r{'':<{self._width}}\r")
            sys.stderr.flush()
