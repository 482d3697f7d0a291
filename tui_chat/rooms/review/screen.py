"""The saved conversations: newest first, narrowed by typing, opened, renamed, deleted with undo."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_chat.core.conversation import Headline, Shelf
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line
from tui_chat.core.world import World
from tui_chat.widgets.dialogs import LineDialog
from tui_chat.widgets.picker import KeepingPicker, Line

PAGE = 300


class SavedConversations(KeepingPicker[Headline, Headline]):
    """Dismissed with the id of the conversation to open, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "rename", "Rename", id="saved.rename"),
        Binding("ctrl+z", "undo", "Undo delete", id="saved.undo"),
    ]
    title_words = "Saved conversations"
    hint = "Type words of a title"
    nothing = "No conversation has these words in its title."

    def __init__(
        self, world: World, present: str, words: str = "", deleted: list[Headline] | None = None
    ) -> None:
        super().__init__([] if deleted is None else deleted, at=present, typed=words)
        self._world = world
        self._present = present
        self._headlines: list[Headline] = []
        self._seen: dict[str, Headline] = {}
        self._all_read = False

    def is_deleted(self, id: str) -> bool:
        """Whether the conversation with this id was deleted and not brought back."""
        return id in self._going or any(one.id == id for one in self._deleted)

    def matching(self, typed: str) -> tuple[Line, ...]:
        return self._lines

    @on(Input.Changed)
    def narrow(self) -> None:
        # Enter waits for the list that fits what is typed, and begins at its top.
        self._known, self._chosen_early, self._at = False, False, ""
        self._read()

    async def find(self) -> Sequence[Headline]:
        store = await self._world.store()
        return await store.headlines(Shelf(title=self.typed), limit=PAGE)

    def lines_for(self, found: Sequence[Headline]) -> Sequence[Line]:
        self._headlines = list(found)
        self._all_read = len(found) < PAGE
        return self._headline_lines()

    @work(exclusive=True, group="more")
    async def _read_more(self) -> None:
        reading = self._readings
        try:
            store = await self._world.store()
            last = self._headlines[-1]
            found = await store.headlines(Shelf(title=self.typed), limit=PAGE, after=last)
        except ChatError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if reading == self._readings and not self.leaving:
            self._headlines += found
            self._all_read = len(found) < PAGE
            self.show_lines(self._headline_lines())

    def _headline_lines(self) -> list[Line]:
        self._seen |= {one.id: one for one in self._headlines}
        today = datetime.now().date()
        return [
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

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "rename":
            return self.can_remove()
        if action == "undo":
            return self.can_undo()
        return True

    def action_move(self, steps: int) -> None:
        super().action_move(steps)
        at_end = self.highlighted is not None and self.highlighted.key == self._headlines[-1].id
        if at_end and not self._all_read:
            self._read_more()

    @work
    async def action_rename(self) -> None:
        line = self.highlighted
        with self.acting() as alone:
            if alone and line is not None:
                await self._rename(line)

    async def _rename(self, line: Line) -> None:
        title = await self.asked(LineDialog("Rename the conversation", text=line.name))
        if not title:
            return
        try:
            await (await self._world.store()).rename(line.key, one_line(title))
        except ChatError as error:
            self.notify(str(error), severity="error", markup=False)
        await self.read()

    async def delete(self, key: str) -> Headline:
        await (await self._world.store()).delete([key])
        return self._seen[key]

    async def restore(self, gone: Headline) -> str:
        await (await self._world.store()).restore([gone.id])
        return gone.id


def when(milliseconds: int, today: object) -> str:
    """A time as lists show it, always 10 wide: the hour for today, else the date. Local time."""
    moment = datetime.fromtimestamp(milliseconds / 1000)
    return f"{moment:%H:%M}".rjust(10) if moment.date() == today else f"{moment:%Y-%m-%d}"
