"""Keeps the view of the next token true: one look for each change of what stands before it, none for a knob.

Where all tokens can be told, the likeliest are asked for first, and all once nothing changes any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from textual.screen import Screen
from textual.timer import Timer

from tui_chat.core.conversation import Message, Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.looking import Look, look
from tui_chat.core.text import one_line
from tui_chat.core.wire import Request
from tui_chat.core.world import World

LOOK_AFTER = 0.25
"""Seconds from the last change to a look."""
WHOLE_AFTER = 0.75
"""Seconds after which all tokens are asked for."""

_NOT_YET = "Nothing was asked of "
_FOR_A_MOMENT = (0, 503)
"""The statuses of a server that is being started, or loads its model: llama.cpp's, and none at all."""
TRY_AGAIN_AFTER = 2.0
MOST_TRIES = 3
SLOW = 4.0
"""Seconds; where a look takes longer, no more are made unasked."""

MOST_SENT = 1_000_000
"""Characters; more are longer than what models read, and encoding them holds keys up with each look."""


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at: a request, and in a few words of what it is the next token."""

    request: Request
    where: str

    @property
    def size(self) -> int:
        """The characters that a look sends."""
        thread = sum(len(one.content) for one in self.request.thread)
        return thread + len(self.request.begun) + len(self.request.setup.system)

    @property
    def key(self) -> object:
        """What decides the answer: all but the knobs."""
        setup = self.request.setup
        thread = tuple((one.role, one.content) for one in self.request.thread)
        return (
            setup.endpoint,
            setup.model,
            setup.system,
            thread,
            self.request.begun,
            self.request.completes,
        )


_UNFINISHED = ("length", "stopped", "cut", "interrupted")


def in_chat(setup: Setup, thread: tuple[Message, ...], draft: str, goes_on: bool) -> Wanted | None:
    """What would be drawn next in a chat: of the answer to the draft where there is one, else of a reply
    that is not finished and can be gone on with, else of a new answer to the last question."""
    if thread and thread[-1].status == "streaming":
        thread = thread[:-1]
    if draft.strip():
        asked = Message("", None, "user", draft.strip())
        return Wanted(Request(setup, (*thread, asked)), "of the answer")
    if not thread:
        return None
    last = thread[-1]
    if last.role == "assistant":
        if last.status in _UNFINISHED and last.content.strip() and goes_on:
            text = last.content.rstrip()
            return Wanted(Request(setup, thread[:-1], text), f"after …{_tail(text)}")
        thread = thread[:-1]
    return Wanted(Request(setup, thread), "of a new answer") if thread else None


def in_text(setup: Setup, text: str) -> Wanted | None:
    """What would be drawn next after a text."""
    if not text:
        return None
    written = Message("", None, "user", text)
    return Wanted(Request(setup, (written,), completes=True), f"after …{_tail(text)}")


def _tail(text: str) -> str:
    """The last few letters, white space made plain."""
    return one_line(text[-200:], 200)[-12:]


class Looks:
    """Asks `wanted` what to look at, and hands each Look with its words to `show`."""

    def __init__(
        self,
        world: World,
        screen: Screen[None],
        wanted: Callable[[], Wanted | None],
        show: Callable[[Look, str, bool], None],
        paused: Callable[[], bool],
    ) -> None:
        self._paused = paused
        self._world = world
        self._screen = screen
        self._wanted = wanted
        self._show = show
        self._timer: Timer | None = None
        self._key: object = None
        self._shown = Look()
        self._failed = 0
        """How many looks failed, one after the other."""
        self._slow: dict[str, float] = {}
        """The endpoints where a look took too long to be made unasked, and how long."""

    def soon(self) -> None:
        """Look anew, once changes pause, where what stands before the next token has changed."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._screen.set_timer(LOOK_AFTER, self._start)

    def stop(self) -> None:
        """Drop a look that is under way: what is asked next needs the server."""
        if self._timer is not None:
            self._timer.stop()
        self._key = None
        if self._shown.words.startswith(_NOT_YET):
            # It was true until now.
            wanted = self._wanted()
            self._put(Look(), wanted.where if wanted else "")
        for worker in self._screen.workers:
            if worker.group == "look" and worker.node is self._screen:
                worker.cancel()

    def again(self) -> None:
        """Look anew in any case."""
        self._key = None
        self._slow.clear()
        self.soon()

    def _start(self) -> None:
        if self._paused():
            return  # Looked at once the reply is there.
        wanted = self._wanted()
        reason = self._reason(wanted)
        if wanted is None or reason:
            self.stop()
            self._put(Look(words=reason), wanted.where if wanted else "")
        elif wanted.key != self._key:
            # Else it is known, or being asked for: a knob that is turned must not cut that short.
            self._key = wanted.key
            work = partial(self._look, wanted)
            self._screen.run_worker(work, group="look", exclusive=True)  # type: ignore[arg-type]  # Textual's union of kinds

    async def _look(self, wanted: Wanted) -> None:
        self._show(self._shown, wanted.where, True)
        try:
            # Whoever types has not asked for a process that ended.
            provider = await self._world.provider(wanted.request.setup.endpoint, unasked=True)
            setup = await self._world.settled(wanted.request.setup)
            request = replace(wanted.request, setup=setup)
            began = time.monotonic()
            found = await look(provider, request)
            self._failed = 0
            if found.after_temperature:
                self._world.after_temperature.add(setup.endpoint)
            if (seconds := time.monotonic() - began) > SLOW:
                self._slow[setup.endpoint] = seconds
            self._put(found, wanted.where)
            if found.place is not None and not found.place.complete and found.place.vocabulary:
                await asyncio.sleep(WHOLE_AFTER)
                self._put(await look(provider, request, whole=True), wanted.where)
        except ChatError as error:
            self._key = None
            self._put(Look(words=error.message), wanted.where)
            if error.status in _FOR_A_MOMENT:
                self._try_again(wanted)

    def _try_again(self, wanted: Wanted) -> None:
        """A server on this machine may be too busy for a moment; elsewhere a request costs."""
        self._failed += 1
        if self._world.is_free(wanted.request.setup.endpoint) and self._failed <= MOST_TRIES:
            self._timer = self._screen.set_timer(TRY_AGAIN_AFTER, self._start)

    def _put(self, found: Look, where: str) -> None:
        self._shown = found
        self._show(found, where, False)

    def _reason(self, wanted: Wanted | None) -> str:
        """Why nothing is looked at, in words; empty when it is."""
        if wanted is None:
            return "Write something: here is what may come next."
        name = wanted.request.setup.endpoint
        if not name or not self._world.endpoints.has(name):
            return "There is no model to ask yet."
        if name in self._slow:
            return (
                f"A look took {self._slow[name]:.0f} s; Enter on Next token, twice, makes another."
            )
        if not self._world.looks_at(name):
            shown = one_line(name, 40)
            if self._world.is_free(name):
                return "Off. Enter on Next token, above, turns it on."
            return f"Off: at {shown} each look is a request of one token. Enter on Next token turns it on."
        if (size := wanted.size) > MOST_SENT:
            return f"A look would send {size:,} characters again; of so many none is made."
        free, endpoint = self._world.is_free(name), self._world.endpoint(name)
        if not self._world.may_be_asked(endpoint) if free else self._world.in_doubt:
            return f"{_NOT_YET}{one_line(name, 40)} yet."
        return ""
