"""The picker: a list to choose from that narrows as one types, for presets, models and conversations.

Its lines are plain content, never markup, and its list is virtual: 10,000 lines stay fast.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from rich.cells import cell_len
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.core.errors import ChatError
from tui_chat.core.text import clean, folded, one_line
from tui_chat.widgets.bars import Keyline
from tui_chat.widgets.dialogs import Dialog, Modal
from tui_chat.widgets.roll import Roll
from tui_chat.widgets.tones import MUTED

_Found = TypeVar("_Found")
_Gone = TypeVar("_Gone")


@dataclass(frozen=True)
class Line:
    """One thing to choose: its key, its name, and columns of facts shown dim at the right.

    The first columns are left out where there is no room for all; each keeps its width.
    """

    key: str
    name: str
    facts: tuple[str, ...] = ()
    about: str = ""
    """A sentence shown beneath the list while the line is highlighted."""
    marked: bool = False
    dim: bool = False
    words: str = ""
    """What else it is found by."""

    @property
    def mark(self) -> str:
        return self.key


class Choices(Roll[Line], can_focus=False):
    """The lines of a picker, of which only those on the screen are drawn; a click chooses one."""

    tick: ClassVar[str] = "●"

    def on_click(self, event: events.Click) -> None:
        super().on_click(event)
        if event.button == 1 and event.chain == 1 and self._top + event.y < len(self.entries):
            self.post_message(self.Chosen(self))


class Filter(Input):
    """The picker's input: up and down move in the list, and delete at its end acts on the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Choose", id="picker.choose"),
        Binding("delete", "delete_line", "Delete", key_display="del", id="picker.delete_line"),
        Binding("ctrl+d", "delete_right", show=False, id="picker.delete_right"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "delete_line":
            at_end = self.cursor_position >= len(self.value)
            return at_end and isinstance(self.screen, Picker) and self.screen.can_remove()
        return True

    async def action_delete_line(self) -> None:
        await self.run_action("screen.remove")


class Picker(Modal[str | None]):
    """Choose one line. Dismissed with its key, with FREE + the typed text where that is allowed, or None."""

    DEFAULT_CSS = """
    Picker {
        align: center middle;
        & > Vertical {
            width: 84; max-width: 100%; height: 80%; max-height: 32;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & Filter, & Filter:focus { border: none; background: $boost; height: 1; margin: 0 0 1 0; padding: 0 1; }
        & Choices { height: 1fr; background: $surface; }
        & #about { width: 1fr; height: auto; max-height: 3; color: $text-muted; margin: 1 0 0 0; }
        & Keyline { background: $surface; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="picker.back"),
        Binding("up", "move(-1)", "Up", show=False, id="picker.up"),
        Binding("down", "move(1)", "Down", show=False, id="picker.down"),
        Binding("pageup", "move(-10)", "Page up", show=False, id="picker.page_up"),
        Binding("pagedown", "move(10)", "Page down", show=False, id="picker.page_down"),
    ]

    FREE = "free:"
    title_words = "Choose"
    hint = "Type to narrow the list"
    free_text = False
    """Whether what was typed can be chosen when no line matches it exactly."""
    filter_kind: ClassVar[type[Filter]] = Filter

    def __init__(self, lines: Sequence[Line] = (), *, at: str = "", typed: str = "") -> None:
        super().__init__()
        self._lines, self._folded = tuple(lines), _folded(lines)
        self._shown: tuple[Line, ...] = ()
        self._at = at
        self._known = False
        self._chosen_early = False
        self._acting = False
        self._narrowed_by = ""
        # Held here: while the screen is removed, a query would not find them any more.
        self._filter = self.filter_kind(typed, placeholder=self.hint, select_on_focus=False)
        self._options = Choices(self._drawn)
        self._about = Static("", id="about", markup=False)

    def can_remove(self) -> bool:
        """Whether the highlighted line can be deleted: for pickers that have action_remove."""
        return False

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self.title_words
            yield self._filter
            yield self._options
            yield self._about
            yield Keyline()

    def on_mount(self) -> None:
        self.set_focus(self._filter)
        if self._lines:
            # Widths are known only after the first layout.
            self.call_after_refresh(self._show_again)

    @property
    def typed(self) -> str:
        return self._filter.value.strip()

    @property
    def highlighted(self) -> Line | None:
        """The line under the cursor; None in an empty list."""
        place = self._options.highlighted
        return None if place is None or place >= len(self._shown) else self._shown[place]

    def _show_again(self) -> None:
        """Show the lines that are known by now, in the present width."""
        self.show_lines(self._lines)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines, narrowed by what is typed, with the cursor on its line, else at its place."""
        if self.leaving:
            return
        known, line = self._known, self.highlighted
        at = line.key if known and line is not None else self._at
        place = (self._options.highlighted or 0) if known else 0
        self._lines, self._folded = tuple(lines), _folded(lines)
        self._options.marked = {line.key: line for line in lines if line.marked}
        self._known = True
        self._narrow()
        keys = [line.key for line in self._shown]
        self._highlight(keys.index(at) if at in keys else place)
        if self._chosen_early:
            self.action_choose()

    def matching(self, typed: str) -> tuple[Line, ...]:
        """The lines to show for what is typed; case and accents do not count."""
        words = folded(typed).split()
        return tuple(
            line
            for line, found_by in zip(self._lines, self._folded, strict=True)
            if all(word in found_by for word in words)
        )

    def offer(self, typed: str) -> str:
        """What a line for the typed text itself says; empty where it cannot be chosen."""
        return f"Use “{one_line(typed)}”" if self.free_text else ""

    def _narrow(self) -> None:
        self._narrowed_by = self.typed
        self._shown = self.matching(self.typed)
        free = all(line.key != self.typed for line in self._shown)
        if self.typed and free and (words := self.offer(self.typed)):
            self._shown = (*self._shown, Line(f"{self.FREE}{self.typed}", words))
        self._options.show(self._shown)

    def facts_of(self, line: Line) -> tuple[str, ...]:
        """The columns of a line that is drawn now."""
        return line.facts

    def about_of(self, line: Line) -> str:
        """The sentence beneath the list, for the line under the cursor."""
        return line.about

    def _drawn(self, line: Line, room: int) -> Sequence[Content]:
        return (_prompt(line, self.facts_of(line), room),)

    def _highlight(self, place: int) -> None:
        self._options.highlighted = (
            max(0, min(len(self._shown) - 1, place)) if self._shown else None
        )
        line = self.highlighted
        nothing = self.nothing if self._known else ""
        self._about.update(self.about_of(line) if line else nothing)
        self.refresh_bindings()

    nothing = "Nothing matches."

    @on(Input.Changed)
    def narrow(self) -> None:
        if self.is_mounted and not self.leaving:
            self._narrow()
            self._highlight(0)

    @on(Input.Submitted)
    def choose_typed(self) -> None:
        """Enter in the filter comes after what was typed before it, however fast."""
        self.action_choose()

    @on(Roll.Chosen)
    def choose_clicked(self) -> None:
        self.action_choose()

    def on_resize(self, event: events.Resize) -> None:
        if self._known:
            self.call_after_refresh(self._show_again)

    def action_move(self, steps: int) -> None:
        if self.leaving:
            return
        place = self._options.highlighted
        self._highlight((place or 0) + steps)

    def action_choose(self) -> None:
        """Choose the highlighted line; where the lines are still being read, as soon as they are there."""
        if self.leaving or self._acting:
            return
        line = self.highlighted
        self._chosen_early = not self._known
        if self._known and line is not None:
            self.choose(line)

    def choose(self, line: Line) -> None:
        """Answer with this line; subclasses may have something to do first."""
        self.dismiss(line.key)

    async def asked(self, dialog: Dialog) -> str | None:
        """What a dialog over the list is answered with, None by Esc: for workers."""
        answer: str | None = None
        if not self.leaving:
            answer = await self.app.push_screen_wait(dialog)
        return answer

    @contextmanager
    def acting(self) -> Iterator[bool]:
        """While something is done with dialogs; False when that is so already.

        A key too many for the last dialog chooses nothing in the list beneath.
        """
        before, self._acting = self._acting, True
        try:
            yield not before
        finally:
            self._acting = before


class KeepingPicker(Picker, Generic[_Found, _Gone]):
    """A picker of what is kept on disk: read off the event loop, deleted, brought back.

    What is done to it is done in the order of the keys, also when the list is closed meanwhile.
    """

    def __init__(self, deleted: list[_Gone], *, at: str = "", typed: str = "") -> None:
        super().__init__(at=at, typed=typed)
        self._deleted = deleted
        """What was deleted in this run, the newest last; whoever opens the list keeps it."""
        self._going: list[str] = []
        """The keys of lines that are being deleted: not shown any more."""
        self._order = asyncio.Lock()
        self._readings = 0

    async def find(self) -> Sequence[_Found]:
        """Read what there is; ChatError."""
        raise NotImplementedError

    def lines_for(self, found: Sequence[_Found]) -> Sequence[Line]:
        """The lines for what was read last."""
        raise NotImplementedError

    async def delete(self, key: str) -> _Gone:
        """Delete what this line stands for; ChatError."""
        raise NotImplementedError

    async def restore(self, gone: _Gone) -> str:
        """Bring it back; the key of its line. ChatError."""
        raise NotImplementedError

    def on_mount(self) -> None:
        # Widths are known only after the first layout.
        self.call_after_refresh(self._read)

    def show_lines(self, lines: Sequence[Line]) -> None:
        super().show_lines([line for line in lines if line.key not in self._going])

    @work(exclusive=True, group="read")
    async def _read(self) -> None:
        await self.read()

    async def read(self, at: str = "") -> None:
        """Read and show what there is, unless something newer is shown by then; `at`: a line to go to."""
        self._readings += 1
        reading = self._readings
        try:
            found = await self.find()
        except ChatError as error:
            if reading == self._readings and not self.leaving:
                # What is shown is all there is to choose from.
                self._known, self._chosen_early = True, False
                self.notify(str(error), severity="error", markup=False)
            return
        if reading == self._readings and not self.leaving:
            if at:
                self._known, self._at = False, at
            self.show_lines(self.lines_for(found))

    def can_remove(self) -> bool:
        return self._known and self.highlighted is not None

    def can_undo(self) -> bool:
        """Whether something can be brought back, or soon can."""
        return bool(self._deleted or self._going)

    def action_remove(self) -> None:
        if self.typed != self._narrowed_by:
            self.narrow()  # In a burst, the key comes before word of what was typed.
        line = self.highlighted
        if line is None or not self.can_remove():
            return
        self._going.append(line.key)
        self.show_lines(self._lines)
        # The list may be closed before it is done, which ends the list's own workers.
        self.app.run_worker(self._remove(line), group="lists")

    async def _remove(self, line: Line) -> None:
        async with self._order:
            try:
                self._deleted.append(await self.delete(line.key))
            except ChatError as error:
                self.app.notify(str(error), severity="error", markup=False)
            else:
                words = f"Deleted “{one_line(line.name, 40)}”. ctrl+z brings it back."
                self.app.notify(words, markup=False)
            finally:
                self._going.remove(line.key)
            await self.read()

    def action_undo(self) -> None:
        self.app.run_worker(self._undo(), group="lists")

    async def _undo(self) -> None:
        async with self._order:
            if not self._deleted:
                return
            gone = self._deleted.pop()
            try:
                at = await self.restore(gone)
            except ChatError as error:
                self._deleted.append(gone)
                self.app.notify(str(error), severity="error", markup=False)
                at = ""
            await self.read(at)


def _folded(lines: Sequence[Line]) -> tuple[str, ...]:
    """What each line is found by."""
    return tuple(folded(" ".join((one.name, one.words, *one.facts))) for one in lines)


def _prompt(line: Line, facts: tuple[str, ...], width: int) -> Content:
    columns, most = facts, max(0, width * 3 // 5)
    while len(columns) > 1 and cell_len("  ".join(columns)) > most:
        columns = columns[1:]
    # Columns keep their spaces.
    shown = Content(clean("  ".join(columns)).replace("\n", " ")).truncate(most, ellipsis=True)
    room = max(4, width - shown.cell_length - 3)
    name = Content(one_line(line.name, 400)).truncate(room, ellipsis=True, pad=True)
    name = name.stylize(MUTED) if line.dim else name
    return Content.assemble(" ", name, "  ", shown.stylize(MUTED))
