"""Drafts on their way to the disk: what it does not take now is tried again, and marked as not saved till then."""

from __future__ import annotations

from tui_chat.core.errors import ChatError, Gone
from tui_chat.core.world import World


class Drafts:
    """The drafts that are not on disk yet, by their conversation; "" is the one that is not saved yet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, str] = {}

    @property
    def waiting(self) -> bool:
        """Whether there is something to be tried again."""
        return bool(self._waiting)

    async def keep(self, conversation: str, text: str) -> None:
        """Keep this as the conversation's draft, and those that could not be kept before. ChatError."""
        self._waiting[conversation] = text
        await self.write()

    async def write(self) -> None:
        """Write what waits. ChatError where something still does; or is given up, for its conversation is gone."""
        try:
            store = await self._world.store()
            for conversation, text in list(self._waiting.items()):
                try:
                    await store.save_draft(conversation, text)
                except Gone:
                    self._written(conversation, text)
                    raise
                self._written(conversation, text)
        except ChatError as error:
            self._world.unsaved.failed(self, error)
            raise
        self._world.unsaved.written(self)

    def _written(self, conversation: str, text: str) -> None:
        # Another may have come meanwhile.
        if self._waiting.get(conversation) == text:
            del self._waiting[conversation]
