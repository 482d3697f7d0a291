"""An app that nothing drawn can control the terminal through, and whose own faults end it in order.

What is not saved yet is saved then, and what is said of the fault shows no value of a variable, which may
be what a person wrote, or a key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO

from rich.console import Console, RenderableType
from textual.filter import LineFilter

from tui_chat.core.unsaved import Unsaved
from tui_chat.widgets.copying import CopyingApp
from tui_chat.widgets.safety import DropControls

SAVE_SECONDS = 2
"""How long a fault leaves for saving."""


class SafeApp(CopyingApp):
    """`last_words` is for standard error, once the terminal is given back; empty where all went well."""

    def __init__(self) -> None:
        super().__init__()
        self.unsaved = Unsaved()
        """What is not saved though it was to be, and whether anything is to be: of the run, for subclasses."""
        self._gate = DropControls()
        self._report = ""
        self._saved = False
        self._saving: asyncio.Task[None] | None = None

    async def save_all(self) -> None:
        """Write what is not written yet, and end what runs: for subclasses."""

    @property
    def last_words(self) -> str:
        from tui_chat.core.crash import fate_of, with_fate

        if not self._report:
            return ""
        return with_fate(self._report, fate_of(ended=self._saved, unsaved=self.unsaved))

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._gate]

    def _handle_exception(self, error: Exception) -> None:
        # Textual's own shows the values of local variables, and leaves at once.
        from tui_chat.core.crash import report

        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._end(report(error))

    def panic(self, *renderables: RenderableType) -> None:
        from tui_chat.core.crash import plain

        drawn = StringIO()
        Console(file=drawn, width=100, color_system=None, markup=False).print(*renderables)
        self._end(plain(drawn.getvalue()))

    def _end(self, report: str) -> None:
        self._return_code = 1
        if self._report:
            # A fault in the midst of ending.
            self._close_messages_no_wait()
            return
        self._report = report
        self._saving = asyncio.get_running_loop().create_task(self._save_and_close())

    async def _save_and_close(self) -> None:
        # Any part of the app may be what is broken.
        with suppress(Exception):
            await asyncio.wait_for(self.save_all(), SAVE_SECONDS)
            self._saved = True
        self._close_messages_no_wait()

    async def _shutdown(self) -> None:
        # The app's own queue may be what broke: then this comes first.
        if self._saving is not None:
            await self._saving
        await super()._shutdown()

    def _print_error_renderables(self) -> None:
        """Nothing here: what there is to say is said once the terminal is given back."""
        self._exit_renderables.clear()
