"""What the token meter shows: counted off the event loop, exact where the endpoint or tiktoken can."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from tui_chat.core import counting, pricing
from tui_chat.core.conversation import Message, Setup, Usage, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.price import show_cost
from tui_chat.core.provider import Provider
from tui_chat.core.reading import Reading
from tui_chat.core.wire import spoken, written
from tui_chat.core.world import World

_ASK_SERVER_UP_TO = 50_000
"""Characters; longer threads are estimated here rather than sent to the server at each key."""


class Arriving:
    """The size of a reply while it arrives: an estimate, until the server says.

    Never fewer tokens than pieces came: most servers send each token by itself.
    """

    def __init__(self, encoding: str) -> None:
        """`encoding` is what the text is counted with; "" counts the pieces alone."""
        self._counter = counting.GrowingCounter(encoding) if encoding else None
        self._waiting: list[str] = []
        self._pieces = 0

    def add(self, text: str) -> None:
        if text:
            self._waiting.append(text)
            self._pieces += 1

    async def count(self) -> int:
        """The tokens so far. Not to be called again before it has returned."""
        text = "".join(self._waiting)
        self._waiting.clear()
        if self._counter is None:
            return self._pieces
        return max(self._pieces, await asyncio.to_thread(self._counter.add, text))


class Measure:
    """Counts threads and drafts; each message and each line of the draft is counted once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._threads = counting.ThreadCounter()
        self._drafts = counting.LineCounter()
        self._texts = counting.LineCounter()
        self._windows: dict[tuple[str, str], int | None] = {}
        self._beginnings: dict[tuple[str, str, str], int | None] = {}
        self._counting: asyncio.Future[tuple[int, int, bool]] | None = None

    async def read(
        self, setup: Setup, thread: Sequence[Message], draft: str, *, text: bool = False
    ) -> Reading:
        """The meter's figures for this thread and draft; `text` where they are one text, and no chat."""
        try:
            endpoint = self._world.endpoint(setup.endpoint)
        except ChatError:
            return Reading()
        window = await self._window(endpoint, setup.model)
        cost = await asyncio.to_thread(self._cost, thread)
        served = None if text else await self._served(endpoint, setup, thread, draft)
        if served is not None:
            context, draft_count, exact, context_exact = *served, True, True
        else:
            context, draft_count, exact = await self._counted_in_turn(
                endpoint, setup, thread, draft, text
            )
            context_exact = exact
            told = None if exact else _told(setup, thread)
            if told is not None:
                context, context_exact = told, True
        following = await asyncio.to_thread(
            self._world.costs.next, setup, context + draft_count, setup.params.longest
        )
        reply = thread[-1].usage if thread and thread[-1].setup is not None else Usage()
        return Reading(
            draft_count,
            context,
            exact,
            context_exact,
            reply.completion_tokens,
            not reply.estimated,
            window=window,
            cost=cost,
            next=following.short if following else "",
            next_words=following.words if following else "",
        )

    def arriving(self, setup: Setup) -> Arriving:
        """Counts a reply of this setup while it arrives."""
        try:
            endpoint = self._world.endpoint(setup.endpoint)
        except ChatError:
            return Arriving("")
        # Such a server sends each token by itself; to count them again would load a vocabulary.
        encoding, _ = counting.encoding_for(setup.model, endpoint.openai)
        return Arriving("" if endpoint.counts_tokens else encoding)

    async def _counted_in_turn(
        self, endpoint: Endpoint, setup: Setup, thread: Sequence[Message], draft: str, text: bool
    ) -> tuple[int, int, bool]:
        """One thread counts at a time. One that nobody waits for any more goes on: of megabytes there would
        soon be so many that nothing else had a thread."""
        while self._counting is not None and not self._counting.done():
            await asyncio.wait([self._counting])
        counting = asyncio.to_thread(self._counted, endpoint, setup, thread, draft, text)
        self._counting = asyncio.ensure_future(counting)
        return await asyncio.shield(self._counting)

    def _counted(
        self, endpoint: Endpoint, setup: Setup, thread: Sequence[Message], draft: str, text: bool
    ) -> tuple[int, int, bool]:
        encoding, exact = counting.encoding_for(setup.model, endpoint.openai)
        if text:
            context = self._texts.count(written(thread), encoding)
        else:
            messages = spoken(setup, thread)
            context = self._threads.count(messages, encoding) if messages else 0
        draft_count = self._drafts.count(draft, encoding) if draft else 0
        return context, draft_count, exact and len(draft) <= counting.LARGEST

    async def _served(
        self, endpoint: Endpoint, setup: Setup, thread: Sequence[Message], draft: str
    ) -> tuple[int, int] | None:
        """The endpoint's own count of thread and draft, where it offers one and is already running."""
        size = len(draft) + sum(len(message.content) for message in thread)
        if (
            not endpoint.counts_tokens
            or size > _ASK_SERVER_UP_TO
            or not self._world.may_be_asked(endpoint)
        ):
            return None
        try:
            provider = await self._world.provider(endpoint.name)
        except ChatError:
            return None  # Said when something is asked of it.
        without = await self._begun(provider, setup, thread)
        if not draft or without is None:
            return None if without is None else (without, 0)
        whole = await provider.count(setup, [*thread, said("user", draft)])
        return None if whole is None else (without, whole - without)

    async def _begun(
        self, provider: Provider, setup: Setup, thread: Sequence[Message]
    ) -> int | None:
        """The tokens of the thread; of an empty one, what a model's template puts before a question."""
        if thread:
            return await provider.count(setup, thread)
        place = (setup.endpoint, setup.model, setup.system)
        if place not in self._beginnings:
            one = await provider.count(setup, [said("user", ".")])
            self._beginnings[place] = None if one is None else one - 1
        return self._beginnings[place]

    async def _window(self, endpoint: Endpoint, model: str) -> int | None:
        """As the server's list says, where it was asked for that; else as the tables do."""
        asked = self._world.asked(endpoint.name)
        served = asked.served(model) if asked else None
        if served is not None and served.context is not None:
            return served.context
        place = (endpoint.name, model)
        if place not in self._windows:
            if endpoint.local:
                if not self._world.may_be_asked(endpoint):
                    return None
                self._windows[place] = await self._served_window(endpoint, model)
            else:
                self._windows[place] = await asyncio.to_thread(
                    pricing.context_window, model, endpoint.base_url
                )
        return self._windows[place]

    async def _served_window(self, endpoint: Endpoint, model: str) -> int | None:
        try:
            provider = await self._world.provider(endpoint.name)
            await provider.models()
        except ChatError:
            return None
        served = provider.served(model)
        return served.context if served else None

    def _cost(self, thread: Sequence[Message]) -> str:
        """What the replies of this thread cost together; nothing is shown when one is unknown."""
        total = Decimal(0)
        for message in thread:
            # Of one that failed nothing came; servers take no money for a refusal.
            if message.setup is None or message.status in ("streaming", "failed"):
                continue
            one = self._world.costs.reply(message)
            if one is None:
                return show_cost(None)
            total += one
        return show_cost(total)


def _told(setup: Setup, thread: Sequence[Message]) -> int | None:
    """The thread's tokens as the server counted them with its last reply; None when it did not.

    What was thought is not sent again. A few tokens around the reply itself are nobody's to know.
    """
    last = thread[-1] if thread else None
    if last is None or last.setup is None or last.usage.estimated:
        return None
    if thread[0].created > last.created:
        return None  # A copy: it was counted with messages that are not in this thread.
    same = (last.setup.endpoint, last.setup.model, last.setup.system)
    usage = last.usage
    if same != (setup.endpoint, setup.model, setup.system):
        return None
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return usage.prompt_tokens + max(0, usage.completion_tokens - (usage.reasoning_tokens or 0))
