"""What the tests of the search share: a few saved conversations, and a search in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from tui_chat.core.conversation import Conversation, Message, Role, Setup, Status, new_id
from tui_chat.core.hits import Found
from tui_chat.core.params import Params
from tui_chat.core.query import parse
from tui_chat.core.search import Search
from tui_chat.core.store import Store

HOT = Setup("home", "gpt-4o", params=Params({"temperature": 1.5, "seed": 7}))
COLD = Setup("Lab", "llama-3", "Be brief.", Params({"temperature": 0}))


def message(
    text: str,
    role: Role = "user",
    setup: Setup | None = None,
    status: Status = "complete",
    *,
    created: int = 1_700_000_000_000,
    reasoning: str = "",
) -> Message:
    return Message(
        new_id(), None, role, text, status, reasoning=reasoning, setup=setup, created=created
    )


async def kept(store: Store, *messages: Message, title: str = "", preset: str = "") -> str:
    """A conversation of these messages, each after the other, in the store; its id."""
    conversation = Conversation(title=title, preset=preset)
    await store.create(conversation, messages[0])
    for before, one in pairwise(messages):
        await store.add(conversation.id, replace(one, parent=before.id))
    return conversation.id


@asynccontextmanager
async def searching(path: Path, *, built: bool = True) -> AsyncIterator[Search]:
    """A search in the database there, with its index beside it."""
    search = Search(path, index_of(path))
    try:
        if built:
            await search.build()
            assert search.complete or search.progress[1] == 0
        yield search
    finally:
        await search.close()


def index_of(path: Path) -> Path:
    return path.with_name("cache") / "search.db"


async def found(search: Search, text: str) -> Found:
    """All that a query finds."""
    return await search.hits(parse(text), limit=10_000, within=None)


async def texts_found(search: Search, text: str) -> list[str]:
    """The snippets of all hits, by which these tests know their messages."""
    return [hit.snippet for hit in (await found(search, text)).hits]
