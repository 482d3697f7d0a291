"""The roll: a list of any length, of which only the lines on the screen are drawn.

It has a cursor, marks, and lines of one or more rows each; what a line looks like, its owner says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message as Event
from textual.reactive import reactive
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual
from textual.widget import Widget

from tui_chat.widgets.transcript.scrolling import PlacedScrollView

NEAR_END = 100
"""So many lines before its end, the roll asks for more."""
GUTTER = 2
"""Cells at the left of every row: the cursor, and the mark."""


_KEPT = 500
"""Lines that are kept drawn."""


class Keyed(Protocol):
    """What can stand in a roll: the key tells it from the others."""

    @property
    def key(self) -> str: ...

    @property
    def mark(self) -> str:
        """Under this a mark is kept; entries that share it are marked together."""
        ...


Entry = TypeVar("Entry", bound=Keyed)


class Roll(PlacedScrollView, Generic[Entry], can_focus=True):
    """Shows entries; the owner gives `draw`, which is asked for an entry and a width in cells."""

    DEFAULT_CSS = """
    Roll {
        height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Next", show=False, id="list.down"),
        Binding("k,up", "move(-1)", "Previous", show=False, id="list.up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("g,home", "move(-1000000000)", "First", show=False, id="list.first"),
        Binding("G,end", "move(1000000000)", "Last", show=False, id="list.last"),
        Binding("space", "mark", "Mark", tooltip="Mark the line, or unmark it", id="list.mark"),
    ]

    tick: ClassVar[str] = "✓"
    """What stands before an entry that is marked."""
    keys_at_once: ClassVar[bool] = True
    """A key that follows another in a burst finds the cursor where that one put it; see KeyedApp."""

    highlighted: reactive[int | None] = reactive(None, repaint=False, init=False)
    """The place of the entry under the cursor; None in an empty roll."""

    @dataclass(eq=False, repr=False)
    class Moved(Event):
        """Another entry is under the cursor, or none."""

        roll: Widget

        @property
        def control(self) -> Widget:
            return self.roll

    @dataclass(eq=False, repr=False)
    class Chosen(Moved):
        """An entry was clicked twice."""

    @dataclass(eq=False, repr=False)
    class Marked(Moved):
        """What is marked has changed."""

    @dataclass(eq=False, repr=False)
    class NearEnd(Moved):
        """The cursor comes near the end of what is known: the owner may extend the roll."""

    def __init__(
        self,
        draw: Callable[[Entry, int], Sequence[Content]],
        *,
        empty: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._entries: list[Entry] = []
        self._rows: Callable[[int], int] = lambda _: 1
        self._drawn: dict[tuple[int, bool], list[Strip]] = {}
        self.empty = empty
        """What stands there while there is no entry."""
        self.marked: dict[str, Entry] = {}
        """The marked entries by their `mark`, in the order in which they were marked; they stay marked
        while another selection is shown."""

    # What is shown

    @property
    def entries(self) -> Sequence[Entry]:
        return self._entries

    @property
    def at_cursor(self) -> Entry | None:
        """The entry under the cursor."""
        place = self.highlighted
        return None if place is None or place >= len(self._entries) else self._entries[place]

    def show(
        self,
        entries: Iterable[Entry],
        *,
        rows: Callable[[int], int] = lambda _: 1,
        at: str = "",
        place: int = 0,
    ) -> None:
        """Show these entries, each of as many rows as `rows` says for a width in cells, with the cursor
        on the one whose key is `at`, else on the first whose mark is, else at this place."""
        self._entries = list(entries)
        # What is marked is acted on as it is now.
        self.marked |= {one.mark: one for one in self._entries if one.mark in self.marked}
        self._rows = rows
        self._drawn.clear()
        if at:
            keys = [(entry.key, entry.mark) for entry in self._entries]
            alike = (n for n, (_, mark) in enumerate(keys) if mark == at)
            place = next((n for n, (key, _) in enumerate(keys) if key == at), next(alike, place))
        last = len(self._entries) - 1
        self.set_reactive(Roll.highlighted, max(0, min(place, last)) if last >= 0 else None)
        self._place()
        self.refresh()
        self.post_message(self.Moved(self))

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add entries at the end."""
        self._entries += entries
        self._place(self._top)
        self.refresh()

    def redraw(self) -> None:
        """Draw every line anew: what it is drawn from has changed."""
        self._drawn.clear()
        self.refresh()

    @property
    def _top(self) -> int:
        return round(self.scroll_y)

    def _place(self, top: int | None = None) -> None:
        """Tell Textual how long the roll is, with the cursor's line on the screen."""
        width, height = self.scrollable_content_region.size
        if not height:
            return
        rows, each = len(self._entries) * self._rows_each, self._rows_each
        top = self._top if top is None else top
        if self.highlighted is not None:
            first = self.highlighted * each
            top = max(min(top, first), first + each - height)
        self.place(Size(width, rows), max(0, min(top, rows - height)))

    def on_resize(self) -> None:
        self._drawn.clear()
        self._place()
        self.refresh()

    def notify_style_update(self) -> None:
        self._drawn.clear()
        super().notify_style_update()

    # What is drawn

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place, row = divmod(self._top + y, self._rows_each)
        if place >= len(self._entries):
            if self._entries or y:
                return Strip.blank(width, self.visual_style.rich_style)
            return self._strip(Content(self.empty).stylize("$foreground 60%"), width, Style())
        entry = self._entries[place]
        here, marked = place == self.highlighted, entry.mark in self.marked
        if here:
            strips = self._line(entry, width, here=True, marked=marked)
        elif (strips := self._drawn.get((place, marked), [])) == []:
            strips = self._line(entry, width, here=False, marked=marked)
            if len(self._drawn) >= _KEPT:
                self._drawn.clear()
            self._drawn[place, marked] = strips
        return strips[row] if row < len(strips) else Strip.blank(width)

    @property
    def _room(self) -> int:
        """The cells that a row of an entry has."""
        return max(1, self.scrollable_content_region.width - GUTTER - 1)

    @property
    def _rows_each(self) -> int:
        return max(1, self._rows(self._room))

    def _line(self, entry: Entry, width: int, *, here: bool, marked: bool) -> list[Strip]:
        room = self._room
        rows = list(self._draw(entry, room))[: self._rows_each]
        rows += [Content()] * (self._rows_each - len(rows))
        style = Style()
        if here:
            name = "$boost" if not self.has_focus else "$primary 30%"
            style = Style.parse(f"on {name}", self.app.theme_variables)
        drawn = []
        for number, content in enumerate(rows):
            cursor = ("▌" if here else " ", "bold $primary")
            mark = (self.tick if marked and number == 0 else " ", "bold $accent")
            content = content.truncate(room, ellipsis=True, pad=True)
            drawn.append(self._strip(Content.assemble(cursor, mark, content, " "), width, style))
        return drawn

    def _strip(self, content: Content, width: int, style: Style) -> Strip:
        strips = Visual.to_strips(self, content, width, 1, self.visual_style + style, pad=True)
        return strips[0] if strips else Strip.blank(width)

    # The cursor

    def watch_highlighted(self) -> None:
        self._place()
        self.refresh()
        self.post_message(self.Moved(self))
        place = self.highlighted
        if place is not None and place >= len(self._entries) - NEAR_END:
            self.post_message(self.NearEnd(self))

    def move(self, steps: int) -> None:
        """Move the cursor by so many entries, as far as there are any."""
        if self._entries:
            place = (self.highlighted or 0) + steps
            self.highlighted = max(0, min(place, len(self._entries) - 1))

    def action_move(self, steps: int) -> None:
        self.move(steps)

    def action_page(self, direction: int) -> None:
        self.move(direction * max(1, self.size.height // self._rows_each - 1))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._entries) if action == "mark" else True

    def action_mark(self) -> None:
        """Mark what is under the cursor, or unmark it, and go on to the next."""
        entry = self.at_cursor
        if entry is None:
            return
        if entry.mark in self.marked:
            del self.marked[entry.mark]
        else:
            self.marked[entry.mark] = entry
        self.post_message(self.Marked(self))
        self.redraw()
        # Past the others that have the same mark, which another press would take away.
        place = (self.highlighted or 0) + 1
        while place < len(self._entries) and self._entries[place].mark == entry.mark:
            place += 1
        self.move(place - (self.highlighted or 0))

    def mark_all(self) -> None:
        """Mark all entries that are there."""
        self.marked |= {entry.mark: entry for entry in self._entries}
        self.post_message(self.Marked(self))
        self.redraw()

    def unmark_all(self) -> None:
        """Take all marks away."""
        self.marked.clear()
        self.post_message(self.Marked(self))
        self.redraw()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        place = (self._top + event.y) // self._rows_each
        if place < len(self._entries) and event.button == 1:
            self.highlighted = place
            if event.chain > 1:
                self.post_message(self.Chosen(self))
