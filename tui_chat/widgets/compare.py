"""Two replies compared: what their setups differ in, and their texts beside each other, word by word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.visual import Visual

from tui_chat.core.conversation import Message
from tui_chat.core.differences import differences
from tui_chat.core.text import one_line
from tui_chat.core.wordwise import Pair, Piece, Pieces, compared
from tui_chat.widgets.bars import Keyline
from tui_chat.widgets.captions import figures, sent, speaker
from tui_chat.widgets.dialogs import Modal
from tui_chat.widgets.tones import FAINT, MUTED
from tui_chat.widgets.transcript.lines import TAB, breaks
from tui_chat.widgets.transcript.scrolling import PlacedScrollView

SIDE_BY_SIDE = 76
"""Cells from which on both texts stand beside each other."""
_DIFFERS = "bold underline $text-warning"
"""What differs is underlined, so that it is seen without colours too."""
_LONGEST_PART = 400


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the comparison, drawn when it is seen; a mark says which text its words are of."""

    left: Pieces = ()
    right: Pieces = ()
    mark: str = " "
    style: str = ""


def rows_of(pairs: Iterable[Pair], width: int) -> list[Row]:
    """The pairs as rows of `width` cells: beside each other, or one under the other where there is no room."""
    rows: list[Row] = []
    if width < SIDE_BY_SIDE:
        lefts: list[Row] = []
        rights: list[Row] = []
        for pair in pairs:
            if pair.equal:
                rows += lefts + rights
                lefts, rights = [], []
                rows += [Row(piece) for piece in wrapped(pair.left, width - 2)]
            else:
                lefts += [Row(piece, mark="-") for piece in wrapped(pair.left, width - 2)]
                rights += [Row(piece, mark="+") for piece in wrapped(pair.right, width - 2)]
        return rows + lefts + rights
    column = (width - 3) // 2
    for pair in pairs:
        left, right = wrapped(pair.left, column), wrapped(pair.right, column)
        mark = "│" if pair.equal else "≠"
        for place in range(max(len(left), len(right))):
            rows.append(
                Row(
                    left[place] if place < len(left) else (),
                    right[place] if place < len(right) else (),
                    mark,
                )
            )
    return rows


def wrapped(pieces: Pieces | None, width: int) -> list[Pieces]:
    """A line broken into rows of so many cells; none for a line that is not there."""
    if pieces is None:
        return []
    pieces = tuple(Piece(piece.text.expandtabs(TAB), piece.differs) for piece in pieces)
    text = "".join(piece.text for piece in pieces)
    edges = [0, *breaks(text, width, width), len(text)]
    return [_cut(pieces, start, stop) for start, stop in pairwise(edges)]


def _cut(pieces: Pieces, start: int, stop: int) -> Pieces:
    found, at = [], 0
    for piece in pieces:
        part = piece.text[max(0, start - at) : max(0, stop - at)]
        if part:
            found.append(Piece(part, piece.differs))
        at += len(piece.text)
    return tuple(found)


def setup_rows(left: Message, right: Message) -> list[tuple[str, str, str]]:
    """What the setups differ in, as (part, left, right); nothing where a person wrote one of them."""
    if left.setup is None or right.setup is None:
        return []
    return [
        (one.part, one_line(one.theirs, _LONGEST_PART), one_line(one.mine, _LONGEST_PART))
        for one in differences(left.setup.without(left.refused), right.setup.without(right.refused))
    ]


def heading(message: Message) -> list[str]:
    """Who made a reply and with what; what it took and how it ended."""
    made = sent(message, message.setup) if message.setup is not None else ""
    took = [*figures(message.usage), message.status]
    return [" · ".join(part for part in (one_line(speaker(message), 60), made) if part)] + (
        [" · ".join(took)] if message.setup is not None else []
    )


class ComparedTexts(PlacedScrollView, can_focus=True):
    """Both texts, scrolled together; only the rows on the screen are drawn."""

    DEFAULT_CSS = """
    ComparedTexts {
        height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-gutter: stable;
        scrollbar-size-vertical: 1; background: $surface;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Scroll", key_display="↑ ↓", id="compare.up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="compare.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="compare.page_up"),
        Binding("pagedown,space", "page_down", "Page down", show=False, id="compare.page_down"),
        Binding("home,g", "scroll_home", "Top", show=False, id="compare.top"),
        Binding("end,G", "scroll_end", "End", show=False, id="compare.end"),
    ]

    def __init__(self, left: Message, right: Message) -> None:
        super().__init__()
        self._left, self._right = left, right
        self._pairs: Sequence[Pair] | None = None
        self._rows: Sequence[Row] = ()

    def show(self, pairs: Sequence[Pair]) -> None:
        """Show these lines under what is said of both replies."""
        self._pairs = pairs
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    @property
    def _width(self) -> int:
        return max(4, self.scrollable_content_region.width)

    @work(exclusive=True)
    async def _lay_out(self) -> None:
        width = self._width
        rows = self._heads(width)
        if self._pairs is None:
            rows.append(Row((Piece("Comparing…"),), style=MUTED))
        elif all(pair.equal for pair in self._pairs):
            rows.append(Row((Piece("The texts are the same."),), style=MUTED))
        # Texts of a megabyte take half a second to break into rows.
        rows += await asyncio.to_thread(rows_of, self._pairs or (), width)
        if not self.is_attached:
            return
        self._rows = rows
        height = self.scrollable_content_region.height
        top = max(0, min(round(self.scroll_y), len(rows) - height))
        self.place(Size(width, len(rows)), top)
        self.refresh()

    def _heads(self, width: int) -> list[Row]:
        """What stands above the texts: in what the setups differ, and whose each text is."""

        def plain(text: str) -> Pieces:
            return (Piece(text),)

        rows: list[Row] = []
        found = setup_rows(self._left, self._right)
        both = self._left.setup is not None and self._right.setup is not None
        words = "The setups differ in" if found else "The setups are the same." if both else ""
        if words:
            rows.append(Row(plain(words), style="bold"))
        for part, theirs, mine in found:
            line = plain(f"  {part}: {theirs} → {mine}")
            rows += [Row(one) for one in wrapped(line, width - 2)]
        return [*rows, *([Row()] if words else []), *self._headings(width), Row(style="rule")]

    def _headings(self, width: int) -> list[Row]:
        left, right = heading(self._left), heading(self._right)
        if width < SIDE_BY_SIDE:
            return [
                Row(one, mark=mark, style="bold")
                for mark, lines in (("-", left), ("+", right))
                for line in lines
                for one in wrapped((Piece(line),), width - 2)
            ]
        rows: list[Row] = []
        for place, (one, other) in enumerate(zip_longest(left, right, fillvalue="")):
            style = "" if place else "bold"
            made = rows_of([Pair((Piece(one),), (Piece(other),))], width)
            rows += [Row(row.left, row.right, "│", style) for row in made]
        return rows

    def render_line(self, y: int) -> Strip:
        width, place = self._width, round(self.scroll_y) + y
        if place >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row = self._rows[place]
        if row.style == "rule":
            content = Content.styled("─" * width, FAINT)
        elif width < SIDE_BY_SIDE or (not row.right and row.mark == " "):
            content = Content.assemble((f"{row.mark} ", "bold"), _drawn(row.left, row.style))
        else:
            column = (width - 3) // 2
            left = _drawn(row.left, row.style).truncate(column, pad=True)
            mark = (f" {row.mark} ", FAINT if row.mark == "│" else "bold")
            content = Content.assemble(left, mark, _drawn(row.right, row.style))
        content = content.truncate(width, pad=True)
        strips = Visual.to_strips(self, content, width, 1, self.visual_style, pad=True)
        return strips[0] if strips else Strip.blank(width, self.rich_style)


def _drawn(pieces: Pieces, style: str) -> Content:
    return Content.assemble(
        *((piece.text, _DIFFERS if piece.differs else style) for piece in pieces)
    )


class Comparison(Modal[None]):
    """Two replies beside each other."""

    DEFAULT_CSS = """
    Comparison {
        align: center middle;
        & > Vertical {
            width: 100%; height: 100%;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & Keyline { background: $surface; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,m,q", "dismiss", "Back", key_display="esc", id="compare.back"),
    ]

    def __init__(self, left: Message, right: Message) -> None:
        super().__init__()
        self._left, self._right = left, right
        self._texts = ComparedTexts(left, right)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Two replies compared"
            yield self._texts
            yield Keyline()

    def on_mount(self) -> None:
        self._compare()

    @work
    async def _compare(self) -> None:
        pairs = await asyncio.to_thread(compared, self._left.content, self._right.content)
        if not self.leaving:
            self._texts.show(pairs)
