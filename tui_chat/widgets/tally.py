"""Keeps the token meter true: counts thread and draft once changes pause, and a reply while it arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.timer import Timer

from tui_chat.core.conversation import Message, Setup
from tui_chat.core.reading import Reading
from tui_chat.core.world import World

if TYPE_CHECKING:
    from tui_chat.core.measure import Arriving, Measure

COUNT_AFTER = 0.05
"""Seconds from the last change to the count of its tokens."""
COUNT_EVERY = 0.2
"""Seconds between two counts of a reply that arrives."""

Counted = tuple[Setup, Sequence[Message], str]
"""The setup, the thread and the draft that are counted."""


class Tally:
    """Asks `counted` for what there is to count, and hands each reading to `show`."""

    def __init__(
        self,
        world: World,
        screen: Screen[None],
        counted: Callable[[], Counted],
        show: Callable[[Reading], None],
        *,
        text: bool = False,
    ) -> None:
        """`text` where the thread is no chat, but a text that is continued."""
        self._text = text
        self._world = world
        self._screen = screen
        self._counted = counted
        self._show = show
        self._reading = Reading()
        self._read: tuple[Setup, tuple[str, ...], str] | None = None
        """What the reading was made of."""
        self._made: Measure | None = None
        self._timer: Timer | None = None
        self._arriving: Arriving | None = None
        self._arriving_timer: Timer | None = None

    @property
    def _measure(self) -> Measure:
        if self._made is None:
            # Deferred: nothing is counted before the first paint.
            from tui_chat.core.measure import Measure

            self._made = Measure(self._world)
        return self._made

    def soon(self) -> None:
        """Count thread and draft anew once changes pause."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self._screen.set_timer(COUNT_AFTER, self._start)

    def _start(self) -> None:
        # A function, since a coroutine that an exit overtakes would be complained of.
        self._screen.run_worker(self._count, group="count", exclusive=True)  # type: ignore[arg-type]  # Textual's union of kinds

    async def _count(self) -> None:
        setup, thread, draft = self._counted()
        if not setup.endpoint:
            return
        if thread and thread[-1].status == "streaming":
            thread = thread[:-1]
        reading = await self._measure.read(setup, thread, draft, text=self._text)
        self._read = _of(setup, thread, draft)
        if self._arriving is not None:
            so_far = self._reading.reply if self._reading.arriving else 0
            reading = replace(reading, reply=so_far, reply_exact=False, arriving=True)
        self._put(reading)

    def current(self) -> Reading | None:
        """The reading, where it is of what there is to count now."""
        return self._reading if self._read == _of(*self._counted()) else None

    def _put(self, reading: Reading) -> None:
        self._reading = reading
        self._show(reading)

    # A reply that arrives

    def begin(self, setup: Setup) -> None:
        """A reply of this setup begins to arrive."""
        self._arriving = self._measure.arriving(setup)
        self._put(replace(self._reading, reply=0, reply_exact=False, arriving=True))

    def take(self, text: str) -> None:
        """A piece of the reply came."""
        if self._arriving is None:
            return
        self._arriving.add(text)
        if self._arriving_timer is None:
            self._arriving_timer = self._screen.set_timer(COUNT_EVERY, self._start_arriving)

    def end(self) -> None:
        """The reply ended: it is counted with the thread from now on."""
        self._arriving = None
        self.soon()

    def _start_arriving(self) -> None:
        self._screen.run_worker(self._count_arriving, group="arriving")  # type: ignore[arg-type]  # as above

    async def _count_arriving(self) -> None:
        arriving = self._arriving
        if arriving is not None:
            reply = await arriving.count()
            if arriving is self._arriving:
                self._put(replace(self._reading, reply=reply, reply_exact=False, arriving=True))
        self._arriving_timer = None


def _of(setup: Setup, thread: Sequence[Message], draft: str) -> tuple[Setup, tuple[str, ...], str]:
    return setup, tuple(message.id for message in thread), draft
