"""Keeping saved conversations in order: renamed, starred, tagged, archived, deleted, brought back.

What is done is done to all that are marked, else to the one under the cursor, in the order of the
keys, also when the room is closed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tui_chat.core.errors import ChatError
from tui_chat.core.text import counted, one_line
from tui_chat.rooms.review.lines import Line
from tui_chat.widgets.dialogs import LineDialog, YesDialog

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from textual.screen import Screen

    from tui_chat.core.store import Store
    from tui_chat.core.world import World


@dataclass
class Trash:
    """What was deleted in this run and can be undone: the house keeps it between two visits."""

    deleted: list[tuple[str, ...]] = field(default_factory=list)
    """The ids of each deletion, the newest last."""
    going: set[str] = field(default_factory=set)
    """Those that are being deleted."""

    def forget(self, ids: Sequence[str]) -> None:
        """These were brought back or are gone; the others of their deletions can still be undone."""
        left = [tuple(one for one in deletion if one not in ids) for deletion in self.deleted]
        self.deleted = [deletion for deletion in left if deletion]

    def has(self, conversation: str) -> bool:
        """Whether this conversation was deleted and not brought back."""
        return conversation in self.going or any(conversation in ids for ids in self.deleted)


class Keeping:
    """What the room does to conversations; `read` shows the list again, at a line where one is given."""

    def __init__(
        self,
        screen: Screen[Any],
        world: World,
        trash: Trash,
        read: _Read,
    ) -> None:
        self._screen = screen
        self._world = world
        self._read = read
        self._order = asyncio.Lock()
        self.trash = trash

    def run(self, doing: Coroutine[object, object, None]) -> None:
        """Do it after what was begun before; says what went wrong."""
        # The room may be closed before it is done, which ends the room's own workers.
        self._screen.app.run_worker(self._in_order(doing), group="keeping")

    async def _in_order(self, doing: Coroutine[object, object, None]) -> None:
        async with self._order:
            try:
                await doing
            except ChatError as error:
                self._say(str(error), wrong=True)
                await self._read()

    def _say(self, words: str, *, wrong: bool = False) -> None:
        self._screen.app.notify(words, severity="error" if wrong else "information", markup=False)

    async def _asked(self, dialog: LineDialog | YesDialog) -> str | None:
        answer: str | None = await self._screen.app.push_screen_wait(dialog)
        return answer

    @property
    def _store(self) -> Awaitable[Store]:
        return self._world.store()

    # One after the other

    async def rename(self, line: Line) -> None:
        title = await self._asked(LineDialog("Rename the conversation", text=line.title))
        if title:
            await (await self._store).rename(line.conversation, one_line(title))
            await self._read()

    async def star(self, lines: Sequence[Line]) -> None:
        """Star them; where all are, take the stars away."""
        on = not all(line.of.starred for line in lines)
        await (await self._store).star(ids_of(lines), on)
        await self._read()

    async def archive(self, lines: Sequence[Line]) -> None:
        """Put them aside; where all are, back among those in use."""
        on = not all(line.of.state == "archived" for line in lines)
        await (await self._store).archive(ids_of(lines), on)
        if on:
            self._say(f"Archived {named(lines)}; is:archived shows what is.")
        else:
            self._say(f"{named(lines)}: back among those in use.")
        await self._read()

    async def tag(self, lines: Sequence[Line]) -> None:
        """Give a tag, or take one away."""
        store = await self._store
        note = "A name gives the tag; with a minus before it, it is taken away."
        if known := await store.tags():
            note += f" There are: {one_line(' '.join(known), 300)}."
        answer = await self._asked(LineDialog(f"Tag {named(lines)}", note))
        for word in (answer or "").replace(",", " ").split():
            await store.tag(ids_of(lines), word.lstrip("-"), not word.startswith("-"))
        if answer:
            await self._read()

    # The trash

    def delete(self, lines: Sequence[Line]) -> None:
        """Into the trash, at once for the eye; undo() and restore() bring them back."""
        ids = [one for one in ids_of(lines) if one not in self.trash.going]
        if ids:
            self.trash.going.update(ids)
            self.run(self._delete(ids, named(lines)))

    async def _delete(self, ids: Sequence[str], name: str) -> None:
        try:
            await (await self._store).delete(ids)
            self.trash.deleted.append(tuple(ids))
        finally:
            self.trash.going.difference_update(ids)
        self._say(f"Deleted {name}. ctrl+z brings {'it' if len(ids) == 1 else 'them'} back.")
        await self._read()

    async def undo(self) -> None:
        if self.trash.deleted:
            ids = self.trash.deleted[-1]
            await (await self._store).restore(ids)
            self.trash.deleted.pop()
            await self._read(ids[0])

    async def restore(self, lines: Sequence[Line]) -> None:
        """Bring back what is in the trash: conversations, and branches by a message of theirs."""
        ids = ids_of(lines)
        store = await self._store
        await store.restore(ids_of([line for line in lines if not line.branch]))
        await store.restore_branches([line.message for line in lines if line.message])
        self.trash.forget(ids)
        self._say(f"Restored {named(lines)}.")
        await self._read()

    async def purge(self, lines: Sequence[Line]) -> bool:
        """Remove for good what is in the trash, once that was confirmed; whether it was."""
        whole = ids_of([line for line in lines if not line.branch])
        words = "This cannot be undone: the words are overwritten, in the search index, too."
        from tui_chat.core.backups import still_kept

        if kept := await asyncio.to_thread(still_kept, self._world.places.backups):
            words += f" {kept}"
        if await self._asked(YesDialog(f"Remove {named(lines)} for good?", words)) is None:
            return False
        store = await self._store
        count = await store.purge(whole)
        parts = await store.purge_branches([line.key for line in lines if line.branch])
        self.trash.forget(whole)
        await self._world.forget_purged()
        self._say(f"Removed {_both(count, parts, 'message')} for good.")
        await self._read()
        return True


class _Read(Protocol):
    """Shows the list again; `at` is the key of a line to go to."""

    async def __call__(self, at: str = "") -> None: ...


def ids_of(lines: Sequence[Line]) -> list[str]:
    """The conversations of these lines, each once."""
    return list(dict.fromkeys(line.conversation for line in lines))


def named(lines: Sequence[Line]) -> str:
    """What is acted on, in words."""
    ids = ids_of([line for line in lines if not line.branch])
    branches = sum(line.branch for line in lines)
    if len(ids) + branches == 1:
        return f"{'a branch of ' if branches else ''}“{one_line(lines[0].title, 40)}”"
    return _both(len(ids), branches, "branch")


def _both(conversations: int, others: int, noun: str) -> str:
    parts = [counted(conversations, "conversation")] if conversations or not others else []
    return " and ".join([*parts, *([counted(others, noun)] if others else [])])
