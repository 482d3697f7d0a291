"""A link opened in the person's browser, which is told no key."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_chat.widgets.copying import CopyingApp

_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


async def browse(app: CopyingApp, url: str) -> None:
    """Open a URL; says so where no browser could be started. Waits as long as the browser does."""
    try:
        # Python's own way knows the browsers of every system, but takes no environment for them: so it is
        # asked in a process that has no other. Isolated, it reads nothing from the directory that we are in.
        opening = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-c", _OPEN, url),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            env=dict(app.environ),
            start_new_session=True,
        )
        code = await opening.wait()
    except OSError:
        code = 1
    if code:
        app.notify("No browser could be opened here.", severity="warning", markup=False)
