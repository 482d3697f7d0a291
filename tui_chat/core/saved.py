"""The saved conversations of a run and the search in them: on disk, or in memory where nothing is saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.unsaved import Unsaved

if TYPE_CHECKING:
    from tui_chat.core.conversation import Conversation
    from tui_chat.core.search import Search
    from tui_chat.core.store import Store

_Exchanged = TypeVar("_Exchanged")


class Saved:
    """What a run has of what was said before, opened when first asked for."""

    def __init__(self, places: Places, *, ephemeral: bool = False) -> None:
        self.places = places
        self.ephemeral = ephemeral
        """Whether this run writes nothing at all to disk, whatever is asked of it but an export."""
        self.unsaved = Unsaved()
        """What is not on disk although it was to be, and whether anything is to be."""
        self.open_ones: list[Callable[[], Conversation | None]] = []
        """Asked for the conversations that are open and were saved, when they are to go on elsewhere."""
        self._store: Store | None = None
        self._search: Search | None = None
        self._opening = asyncio.Lock()
        if ephemeral:
            self.unsaved.forgo()

    @property
    def opened(self) -> Store | None:
        """The saved conversations, where they were opened in this run."""
        return self._store

    @property
    def at_hand(self) -> Store | None:
        """As `opened`, unless they are just being exchanged for others; for any thread."""
        return None if self._opening.locked() else self._store

    async def store(self) -> Store:
        """The saved conversations, opened once. ChatError in words when they cannot be opened."""
        async with self._opening:
            if self._store is None:
                from tui_chat.core.store import Store

                saves = self.unsaved.saves
                try:
                    self._store = await (
                        Store.open(self.places.database) if saves else Store.unsaved()
                    )
                except ChatError as error:
                    # Whatever is said from now on is not, until it can be opened.
                    self.unsaved.failed(self, error)
                    raise
                self.unsaved.written(self)
            return self._store

    async def search(self) -> Search:
        """The search in the saved conversations, opened once. ChatError as for the store."""
        # The store brings an older database to the shape that is searched.
        store = await self.store()
        if self._search is None:
            from tui_chat.core.search import Search

            within = store if store.in_memory else None
            self._search = Search(self.places.database, self.places.index, within=within)
        return self._search

    async def forget_purged(self) -> None:
        """Have the search index forget what was purged, where it may still hold it. ChatError.

        While another window keeps it busy it is left; nobody searches in it, and the next start or
        the next build empties it.
        """
        if self.unsaved.saves and await asyncio.to_thread(self.places.index.exists):
            await (await self.search()).forget()

    async def forgo_saving(self) -> None:
        """From now on nothing that is said is saved in this run: what is open goes on in memory.

        The database is closed, and as it was. Settings, presets and keys are written as before.
        """
        async with self._opening:
            if not self.unsaved.saves:
                return
            from tui_chat.core.store import Store

            before, search = self._store, self._search
            self._store, self._search = await Store.unsaved(), None
            for shown in self.open_ones:
                if (conversation := shown()) is not None:
                    await self._store.put(conversation)
            self.unsaved.forgo()
        if search is not None:
            await search.close()
        if before is not None:
            await before.close()

    async def exchange_saved(self, exchange: Callable[[], _Exchanged]) -> _Exchanged:
        """Have the saved conversations exchanged for others, in a thread, while they are closed and who
        asks for them waits. What is open is then written to those that are there. ChatError."""
        async with self._opening:
            await self.close_saved()
            exchanged = await asyncio.to_thread(exchange)
        store = await self.store()
        for shown in self.open_ones:
            if (conversation := shown()) is not None:
                await store.put(conversation)
        return exchanged

    async def close_saved(self) -> None:
        """Close the search and the store; closing again does nothing."""
        if self._search is not None:
            await self._search.close()
            self._search = None
        if self._store is not None:
            await self._store.close()
            self._store = None
