"""The review room beside other windows: what they save, rename or delete shows in the list while it is open."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from textual import on, work
from textual.events import Mount
from textual.reactive import var

from tui_chat.core.errors import ChatError
from tui_chat.core.query import parse
from tui_chat.core.world import World
from tui_chat.rooms.review.catalogue import Catalogue
from tui_chat.rooms.review.finding import PAGE, first_page
from tui_chat.rooms.review.keeping import Trash
from tui_chat.rooms.review.lines import Line
from tui_chat.rooms.review.ordering import OrderingScreen

EVERY = 1.0
"""Seconds between two looks at whether another window changed anything, which take microseconds."""


class RefreshingScreen(OrderingScreen):
    """Subclasses tell in `first_lines` what they read."""

    best: var[bool] = var(False, init=False)
    """Whether the best match comes first, not the newest."""

    def __init__(self, world: World, catalogue: Catalogue, trash: Trash) -> None:
        super().__init__(world, catalogue, trash)
        self.first_lines: Sequence[Line] = ()
        """The lines that the list begins with, as they were read last."""
        self._version: int | None = None
        self._looking = False

    @on(Mount)
    def _begin_looking(self) -> None:
        self.set_interval(EVERY, self._look_soon)

    @property
    def words(self) -> str:
        """What is looked for, as typed."""
        raise NotImplementedError

    def _look_soon(self) -> None:
        # What one reads does not move: neither a message, nor a list that was followed further down.
        still = self.focused is not self.transcript and len(self.catalogue.entries) <= PAGE
        if self.is_active and still and not self._looking:
            self._looking = True
            self._look()

    @work(group="windows")
    async def _look(self) -> None:
        try:
            # What is wrong with the disk is said by what needs it.
            with suppress(ChatError):
                version = await (await self.world.store()).version()
                if version is None or version == self._version:
                    return
                before, self._version = self._version, version
                page = await first_page(self.world, parse(self.words), best=self.best)
                if before is not None and page.lines != self.first_lines and not self.leaving:
                    await self.read_lines()
        finally:
            self._looking = False
