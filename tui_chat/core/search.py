"""Searching what was said: hits, newest first or best first, from the index or, until there is one, by reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tui_chat.core.conversation import Role, Setup, State, Status
from tui_chat.core.filters import Known
from tui_chat.core.query import Query

Report = Callable[[int, int], None]
"""Told how many messages of how many are in the index."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One message that was found, with the conversation it stands in."""

    conversation: str
    title: str
    state: State
    """"deleted" also for a deleted message of a conversation that is not."""
    starred: bool
    message: str
    role: Role
    created: int
    """Milliseconds since the epoch, UTC."""
    setup: Setup | None
    status: Status
    snippet: str
    """About 160 characters around the first match, on one line, clean."""
    spans: tuple[tuple[int, int], ...]
    """Where the words stand in the snippet."""
    place: int
    """Its place in the order of arrival."""


@dataclass(frozen=True, slots=True)
class Found:
    """Some hits; `more` when others come after them; `indexed` unless they were found by reading."""

    hits: tuple[Hit, ...] = ()
    more: bool = False
    indexed: bool = True


class Search:
    """Searches in a database of saved conversations, with an index that may be deleted at any time.

    A call for another query overtakes those that run or wait for an older one: they end with
    asyncio.CancelledError at once, so what is typed never waits for what was typed before. A query
    that asks only for conversations has no hits; the store lists those (Query.shelf).
    """

    def __init__(self, database: Path, index: Path) -> None:
        raise NotImplementedError

    async def hits(
        self, query: Query, *, best: bool = False, limit: int = 100, after: Hit | None = None
    ) -> Found:
        """Messages that match, those that arrived last first, or the best first; `after` goes on behind a hit."""
        raise NotImplementedError

    async def count(self, query: Query) -> int | None:
        """How many messages match; None when there are too many to count in a moment."""
        raise NotImplementedError

    async def ids(self, query: Query) -> list[str]:
        """The ids of all conversations that match, oldest first; never overtaken."""
        raise NotImplementedError

    async def known(self) -> Known:
        """What filters can be completed with."""
        raise NotImplementedError

    async def build(self, report: Report | None = None) -> None:
        """Bring the index up to date in a thread of its own; cancelling stops it, to go on the next time."""
        raise NotImplementedError

    @property
    def progress(self) -> tuple[int, int]:
        """How many messages of how many are in the index; (0, 0) before anybody looked."""
        raise NotImplementedError

    @property
    def complete(self) -> bool:
        """Whether searches use the index."""
        raise NotImplementedError

    async def forget(self) -> None:
        """Delete the index, whose words may be those of a message that was purged; build() makes it anew."""
        raise NotImplementedError

    async def close(self) -> None:
        """End what runs; closing again does nothing."""
        raise NotImplementedError
