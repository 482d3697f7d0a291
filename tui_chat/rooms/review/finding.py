"""What the list shows for a query: conversations, or the messages that a search found, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui_chat.core.conversation import Headline, Shelf
from tui_chat.core.query import Query
from tui_chat.core.search import Hit
from tui_chat.core.text import counted
from tui_chat.core.world import World
from tui_chat.rooms.review.lines import Line

PAGE = 100
MOST_TITLES = 20
"""Conversations whose title has the words stand before the messages that have them, so many at most."""


@dataclass(frozen=True)
class Page:
    """Some lines, and whether others come after them."""

    lines: tuple[Line, ...] = ()
    more: bool = False
    indexed: bool = True
    first: str = ""
    """What the first lines are, and how many, where they are something else than the others."""


async def first_page(world: World, query: Query, *, best: bool) -> Page:
    """The first lines for a query. ChatError; CancelledError when another query overtook it."""
    if not query.of_messages:
        return await _with_branches(world, query.shelf)
    # Each on a thread of its own.
    page, named = await asyncio.gather(_hits(world, query, None, best=best), _named(world, query))
    # A title is made of the first message: where that is found, the title says nothing new.
    shown = {line.conversation for line in page.lines}
    alone = [Line(one) for one in named if one.id not in shown]
    return replace(
        page, lines=(*alone, *page.lines), first=counted(len(alone), "title") if alone else ""
    )


async def next_page(world: World, query: Query, last: Line, *, best: bool) -> Page:
    """The lines after this one, which is the last that is shown."""
    if isinstance(last.of, Hit):
        return await _hits(world, query, last.of, best=best) if query.of_messages else Page()
    return Page() if query.of_messages else await _headlines(world, query.shelf, last.of)


async def _with_branches(world: World, shelf: Shelf) -> Page:
    """Conversations; where the trash is among what is meant, after the branches that lie in it."""
    page = await _headlines(world, shelf, None)
    if "deleted" not in shelf.states:
        return page
    branches = await (await world.search()).branches(shelf)
    first = counted(len(branches), "branch") if branches else ""
    return replace(page, lines=(*map(Line, branches), *page.lines), first=first)


async def count(world: World, query: Query) -> int | None:
    """How many conversations or messages there are; None where there are too many to count."""
    if query.of_messages:
        return await (await world.search()).count(query)
    return await (await world.store()).count(query.shelf)


async def found_ids(world: World, query: Query) -> Sequence[str]:
    """The ids of all conversations that are found, oldest first."""
    if query.of_messages:
        return await (await world.search()).ids(query)
    return await (await world.store()).ids(query.shelf)


def _titles(query: Query) -> Shelf | None:
    """The conversations whose title has all words, where nothing else is asked of messages."""
    if not query.words or query.roles or query.statuses or query.tests or query.without:
        return None
    words = [word for phrase in query.words for word in phrase.words]
    return replace(query.shelf, title=" ".join([*words, query.title]))


async def _named(world: World, query: Query) -> Sequence[Headline]:
    titles = _titles(query)
    if titles is None:
        return ()
    return await (await world.store()).headlines(titles, limit=MOST_TITLES)


async def _headlines(world: World, shelf: Shelf, after: Headline | None) -> Page:
    found = await (await world.store()).headlines(shelf, limit=PAGE, after=after)
    return Page(tuple(map(Line, found)), len(found) == PAGE)


async def _hits(world: World, query: Query, after: Hit | None, *, best: bool) -> Page:
    found = await (await world.search()).hits(query, best=best, limit=PAGE, after=after)
    return Page(tuple(map(Line, found.hits)), found.more, found.indexed)
