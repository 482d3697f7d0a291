"""The saved conversations: newest first, narrowed by typing, opened, renamed, deleted with undo."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_chat.core.conversation import Headline
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line
from tui_chat.core.world import World
from tui_chat.widgets.dialogs import LineDialog
from tui_chat.widgets.picker import Line, Picker

PAGE = 300


class SavedConversations(Picker):
    """Dismissed with the id of the conversation to open, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "rename", "Rename", id="saved.rename"),
        Binding("ctrl+z", "undo", "Undo delete", id="saved.undo"),
    ]
    title_words = "Saved conversations"
    hint = "Type words of a title"
    nothing = "No conversation has these words in its title."

    def __init__(self, world: World, present: str, words: str = "") -> None:
        super().__init__(at=present, typed=words)
        self._world = world
        self._present = present
        self._headlines: list[Headline] = []
        self._deleted: list[Headline] = []
        self._all_read = False

    @property
    def deleted(self) -> frozenset[str]:
        """The ids of the conversations deleted here and not brought back."""
        return frozenset(one.id for one in self._deleted)

    def on_mount(self) -> None:
        super().on_mount()
        self.call_after_refresh(self._read)

    def matching(self, typed: str) -> tuple[Line, ...]:
        return self._lines

    @on(Input.Changed)
    def narrow(self) -> None:
        self._read()

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        try:
            store = await self._world.store()
            found = await store.headlines(matching=self.typed, limit=PAGE)
        except ChatError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self._headlines = list(found)
        self._all_read = len(found) < PAGE
        self._show()

    @work(exclusive=True, group="more")
    async def _read_more(self) -> None:
        store = await self._world.store()
        found = await store.headlines(matching=self.typed, limit=PAGE, after=self._headlines[-1])
        self._headlines += found
        self._all_read = len(found) < PAGE
        self._show()

    def _show(self) -> None:
        today = datetime.now().date()
        self.show_lines(
            [
                Line(
                    one.id,
                    one.title or "Untitled",
                    (
                        f"{one_line(one.model, 22):<22}",
                        when(one.updated, today),
                        f"{one.messages:>5}",
                    ),
                    f"{one.messages} messages"
                    + (f", last answered by {one.model}" if one.model else ""),
                    one.id == self._present,
                )
                for one in self._headlines
            ]
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "rename":
            return self.can_remove()
        if action == "undo":
            return bool(self._deleted)
        return True

    def can_remove(self) -> bool:
        return self.is_mounted and self.highlighted is not None

    def action_move(self, steps: int) -> None:
        super().action_move(steps)
        at_end = self.highlighted is not None and self.highlighted.key == self._headlines[-1].id
        if at_end and not self._all_read:
            self._read_more()

    @work
    async def action_rename(self) -> None:
        line = self.highlighted
        if line is None:
            return
        title = await self.app.push_screen_wait(
            LineDialog("Rename the conversation", text=line.name)
        )
        if title:
            await self._tried("rename", line.key, one_line(title))

    @work
    async def action_remove(self) -> None:
        line = self.highlighted
        if line is None:
            return
        headline = next(one for one in self._headlines if one.id == line.key)
        if await self._tried("delete", headline.id):
            self._deleted.append(headline)
            self.notify(
                f"Deleted “{one_line(headline.title, 40)}”. ctrl+z brings it back.", markup=False
            )

    @work
    async def action_undo(self) -> None:
        if self._deleted:
            await self._tried("restore", self._deleted.pop().id)

    async def _tried(self, deed: str, id: str, title: str = "") -> bool:
        try:
            store = await self._world.store()
            if deed == "rename":
                await store.rename(id, title)
            elif deed == "delete":
                await store.delete(id)
            else:
                await store.restore(id)
        except ChatError as error:
            self.notify(str(error), severity="error", markup=False)
            return False
        await self._read().wait()
        return True


def when(milliseconds: int, today: object) -> str:
    """A time as lists show it, always 10 wide: the hour for today, else the date. Local time."""
    moment = datetime.fromtimestamp(milliseconds / 1000)
    return f"{moment:%H:%M}".rjust(10) if moment.date() == today else f"{moment:%Y-%m-%d}"
