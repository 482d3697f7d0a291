"""The command palette: Textual's own, made safe for keys that come faster than its list."""

from __future__ import annotations

from contextlib import suppress

from textual import on
from textual.command import CommandPalette
from textual.widgets import Input, OptionList
from textual.worker import WorkerError

from tui_chat.widgets.dialogs import AnswersOnce


class Palette(CommandPalette, AnswersOnce[None]):
    """Does one command, once: the one that fits what was typed before Enter."""

    @on(Input.Submitted)
    async def _wait_for_list(self, event: Input.Submitted) -> None:
        # Until the search is done, the list still shows what fitted the text before.
        for search in [one for one in self.workers if one.node is self and not one.is_finished]:
            with suppress(WorkerError):
                await search.wait()
        self._take_once(event)

    @on(OptionList.OptionSelected)
    def _take_once(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        if self.answered:
            # Textual would do the command again.
            event.prevent_default()
            event.stop()

    def _action_command_list(self, action: str) -> None:
        # Textual looks up lines that it has not laid out yet.
        with suppress(LookupError):
            super()._action_command_list(action)
