"""A room beside other windows: what they do to the open conversation, and to the chosen preset, is shown."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import ClassVar

from textual import work

from tui_chat.core.errors import ChatError
from tui_chat.core.windows import News, OtherWindows
from tui_chat.core.world import World
from tui_chat.widgets.asking_screen import AskingScreen
from tui_chat.widgets.preset_words import tell_of_preset

EVERY = 1.0
"""Seconds between two looks at what others did; one that finds nothing takes microseconds."""


class WindowsScreen(AskingScreen):
    """Subclasses call watch_windows() once what was there at the last start is back."""

    leads_to_news: ClassVar[str] = ""
    """How one sees what another window added, in a sentence: for subclasses."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._windows = OtherWindows(world, self.talk)
        self._looking_around = False
        self._preset_mark: object = None

    def watch_windows(self) -> None:
        """Look time and again what other windows did."""
        self.set_interval(EVERY, self._look_soon)

    def _look_soon(self) -> None:
        if self.is_active and not self._looking_around:
            self._looking_around = True
            self.look_around()

    @work(group="windows")
    async def look_around(self) -> None:
        """Show what other windows did since the last time."""
        try:
            # What is wrong with the disk is said by what needs it.
            with suppress(ChatError):
                if not self.answering and (news := await self._windows.look()):
                    self.show_news(news)
            await self._look_at_preset()
        finally:
            self._looking_around = False

    def show_news(self, news: News) -> None:
        """Say what another window did to the conversation; nothing that is read moves."""
        words = []
        if news.begun:
            words.append(f"Another window added to this conversation. {self.leads_to_news}")
        if news.lost:
            words.append(
                "Another window deleted messages of this conversation; they stay here until it is opened anew."
            )
        if news.state == "deleted":
            words.append(
                "Another window put this conversation into the trash; sending here brings it back."
            )
        if news.state == "gone":
            words.append(
                "Another window deleted this conversation for good. It stays here until you leave it;"
                " ctrl+p exports it."
            )
        for one in words:
            self.notify(one, timeout=8, markup=False)

    async def _look_at_preset(self) -> None:
        """Where the file of the chosen preset is another one by now, that is the preset."""
        preset = self.preset
        if preset is None:
            return
        mark = preset.name, await asyncio.to_thread(self.world.presets.mark, preset.name)
        if mark == self._preset_mark:
            return
        try:
            now = await self.world.preset(preset.name)
        except ChatError:
            now = None
        if self.preset is not preset:
            return
        self._preset_mark = mark
        if now != preset:
            self.preset = now
            what = "is gone from the disk" if now is None else "was changed on the disk"
            words = f"The preset “{preset.name}” {what}; the setup here stays as it is."
            if now is not None and now.problem:
                tell_of_preset(self, now, words)
            else:
                self.notify(words, timeout=8, markup=False)
