"""An app that keeps conversations on disk: asks what to do where it cannot, makes backups, empties the trash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from textual import on, work
from textual.message import Message as Event
from textual.worker import Worker

from tui_chat.core.errors import ChatError
from tui_chat.core.store_faults import StoreFault
from tui_chat.core.threads import in_daemon
from tui_chat.core.unsaved import not_written
from tui_chat.widgets.steady_app import SteadyApp

if TYPE_CHECKING:
    from typing import Any

    from textual.screen import Screen

    from tui_chat.core.store import Store
    from tui_chat.core.world import World

QUIET_AFTER = 10.0
"""Seconds after the start: by then nothing else is read."""
BACKUP_EACH = 3600.0
"""Seconds between two looks whether one is due, while the program runs."""


@dataclass(eq=False, repr=False)
class StoreFailed(Event):
    """The saved conversations could not be opened, read or written."""

    fault: StoreFault
    awaited: bool = False
    """Whether a person waits for it, and is asked again although they said “not now” before."""


class Room(Protocol):
    """A room that keeps something in the saved conversations."""

    async def store_is_back(self) -> None:
        """Write what is kept: there is a place for it now."""


class StoringApp(SteadyApp):
    """Subclasses call begin_keeping() once there is time for that."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world, self.unsaved = world, world.unsaved
        self._leaving = False
        self._code = 0
        """The exit code: of the first who said that it is to end."""
        self._unsaved = False
        """Whether a person was told that not all could be saved, and may leave all the same."""
        self._asking: asyncio.Task[bool] | None = None
        self._went_on = False
        """Whether a person wants to go on without having it mended now."""
        self._asked_to_quit = False

    def open_rooms(self) -> Iterable[Room]:
        """The rooms that keep something: for subclasses."""
        return ()

    # What is wrong

    async def store_failed(self, fault: StoreFault, *, again: bool = False) -> bool:
        """Ask what to do about it, where that is a person's to say; whether there is a store now. For workers.

        Who comes while another is asked gets the same answer. `again`: although a person went on without.
        """
        if self._asking is None or self._asking.done():
            if (self._went_on and not again) or not self._lasts(fault):
                return False
            self._asking = asyncio.create_task(self._asked(fault))
        return await asyncio.shield(self._asking)

    async def _asked(self, fault: StoreFault) -> bool:
        from tui_chat.widgets.repair import asked

        self.draw_again()  # What is asked is to be seen.
        answer = await asked(self, self._world, fault)
        if answer == "quit":
            leaving = self.leave(0)
            if isinstance(leaving, Worker):
                await leaving.wait()
            if self.return_code is not None:
                # Whoever waits here must not begin anything now.
                await asyncio.Event().wait()
        self._went_on = answer != "mended"
        if not self._went_on:
            await self._store_is_back()
        return not self._went_on

    async def _store_is_back(self) -> None:
        for room in self.open_rooms():
            await room.store_is_back()

    def _lasts(self, fault: StoreFault) -> bool:
        """Whether it stays until somebody does something about it."""
        return fault.can_be_repaired or self._world.opened is None

    def _tell(self, fault: StoreFault) -> None:
        words = str(fault)
        if self._lasts(fault):
            words = f"{fault.message} As it is nothing can be sent or saved: ctrl+p, “Check what is saved”, shows ways out."
        self.notify(words, severity="error", timeout=10, markup=False)

    @on(StoreFailed)
    @work(group="store")
    async def _store_failed(self, event: StoreFailed) -> None:
        asked = self._asking is not None and not self._asking.done()
        if not await self.store_failed(event.fault, again=event.awaited) and not asked:
            self._tell(event.fault)

    @work(group="store")
    async def action_check_store(self) -> None:
        """Look whether anything is wrong with the saved conversations, and ask what to do about that; where
        nothing is, a backup can be brought back all the same."""
        if self._world.ephemeral:
            # Each way out of damage would write.
            refusal = not_written("the saved conversations were left alone")
            self.notify(str(refusal), severity="warning", markup=False)
            return
        from tui_chat.core.diagnosis import diagnosed

        found = await asyncio.to_thread(diagnosed, self._world.places.database)
        if found.fault is not None:
            if not await self.store_failed(found.fault, again=True):
                self._tell(found.fault)
            return
        from tui_chat.widgets.repair import brought_back

        self._went_on = False
        if await brought_back(self, self._world, found.words):
            await self._store_is_back()

    # The way out

    def stop_reply(self) -> bool:
        """Stop what is being answered; False when nothing is. For subclasses."""
        return False

    def action_interrupt(self) -> None:
        """Ctrl+C where nothing is selected: stop a reply, else leave at the second press."""
        if self.stop_reply():
            return
        if self._asked_to_quit:
            self.leave(0)
            return
        self._asked_to_quit = True
        self.notify("Press ctrl+c again to quit.", timeout=2, markup=False)
        self.set_timer(2, self._stay)

    def _stay(self) -> None:
        self._asked_to_quit = False

    @work(group="leave")
    async def leave(self, code: int) -> None:
        """Save what there is, end what runs, and go; a person who asks again does not wait for that."""
        self._code = code = self._code or code
        if self._leaving:
            if not code or self._unsaved:
                self.exit(return_code=code)
            return
        self._leaving = True
        try:
            await self.save_all()
        except ChatError as error:
            if not self._code:
                self._unsaved = True
                words = f"{error} Quit again to leave all the same."
                self.notify(words, severity="error", timeout=10, markup=False)
                return
        self.exit(return_code=self._code)

    # What is done by itself

    def begin_keeping(self) -> None:
        """Empty the trash of what has been in it for its days, clear away what a kill left, look whether that
        did damage, make backups when they are due, and give memory back that is not needed any more."""
        self._give_back()
        self._clear_away()
        self.set_timer(QUIET_AFTER, self._look_after)
        self.set_interval(BACKUP_EACH, self._look_after)

    @work(group="memory")
    async def _give_back(self) -> None:
        # Deferred: the first frame does without.
        from tui_chat.core.memory import give_back_large

        await in_daemon(give_back_large)

    @work(group="trash")
    async def _clear_away(self) -> None:
        # Whatever is wrong with the disk is said by what needs it.
        with suppress(ChatError):
            store = await self._world.store()
            if store.notice:
                self.notify(store.notice, severity="warning", timeout=20, markup=False)
            await self._world.clear_away()

    @work(group="backup")
    async def _look_after(self) -> None:
        store = None
        with suppress(ChatError):
            store = await self._world.store()
        # Where nothing is kept on disk in this run, nothing is looked after either.
        if store is not None and not store.in_memory and await self._settle_doubts():
            await self._back_up()

    async def _settle_doubts(self) -> bool:
        """Look whether an unclean end did damage, and ask what to do about that; whether all is well."""
        from tui_chat.core.doubts import settle_doubts

        # Its thread is not waited for at the end: SQLite reads tables to their end before it asks.
        looking = partial(settle_doubts, self._world.places, lambda: self._leaving)
        fault = await in_daemon(looking)
        if fault is None or await self.store_failed(fault):
            return True
        self.notify(str(fault), severity="error", timeout=10, markup=False)
        return False

    async def _back_up(self) -> None:
        from tui_chat.core.backups import back_up

        thread = ThreadPoolExecutor(1, thread_name_prefix="backup")
        try:
            making = thread.submit(back_up, self._world.places, lambda: self._leaving)
            await asyncio.wrap_future(making)
        except StoreFault as fault:
            if not fault.can_be_repaired or not await self.store_failed(fault):
                words = f"No backup could be made. {fault}"
                self.notify(words, severity="warning", timeout=10, markup=False)
        except ChatError as error:
            words = f"No backup could be made. {error}"
            self.notify(words, severity="warning", timeout=10, markup=False)
        finally:
            thread.shutdown(wait=False)


def complain(screen: Screen[Any], error: Exception, *, awaited: bool = False) -> None:
    """Say what went wrong, as plain words, for a while; where the saved conversations are in need of it, ask.
    `awaited`: as in StoreFailed."""
    if isinstance(error, StoreFault) and isinstance(screen.app, StoringApp):
        screen.app.post_message(StoreFailed(error, awaited))
    else:
        screen.notify(str(error), severity="error", timeout=10, markup=False)


async def store_to_begin_with(screen: Screen[Any], world: World) -> Store:
    """The store; where it cannot be opened, what to do about that is asked first. For workers.

    StoreFault where a person goes on without.
    """
    while True:
        try:
            return await world.store()
        except StoreFault as fault:
            if not isinstance(screen.app, StoringApp) or not await screen.app.store_failed(fault):
                raise
