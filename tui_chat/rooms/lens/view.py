"""The tokens of a reply as text, each in the style of how likely it was, with a cursor that moves by token."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style as ThemeStyle
from textual.timer import Timer

from tui_chat.rooms.lens.layout import Layout, is_word_start
from tui_chat.rooms.lens.levels import STYLES, UNKNOWN, level

MOST_OF_A_TOKEN = 20_000
"""Characters of one token that are shown: a reply of which no tokens are known is shown as one."""
_TURN = 20_000
"""Characters that are laid out in one turn, some ms; keys are read and the screen is drawn between turns."""
_A_TOKEN = 10
"""What a token costs above its characters, in characters."""
_PAUSE = 0.01


def _key(key: str, action: str, words: tuple[str, str], name: str, display: str = "") -> Binding:
    return Binding(
        key,
        action,
        words[0],
        show=bool(words[0]),
        tooltip=words[1],
        key_display=display or None,
        id=f"lens.{name}",
    )


class LensView(ScrollView, can_focus=True):
    """Shows tokens that may grow. ← → move by token, ↑ ↓ by line, w b by word, n N to the unlikely ones."""

    DEFAULT_CSS = """
    LensView { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("left,h", "step(-1)", ("Token", "The token before, after"), "left", "← →"),
        _key("right,l", "step(1)", ("", ""), "right"),
        _key("up,k", "line(-1)", ("", "The line above, below"), "up", "↑ ↓"),
        _key("down,j", "line(1)", ("", ""), "down"),
        _key("w", "word(1)", ("", "The next word, the one before"), "word", "w b"),
        _key("b", "word(-1)", ("", ""), "word_back"),
        _key(
            "n",
            "unlikely(1)",
            ("Unlikely", "The next unlikely token, the one before"),
            "unlikely",
            "n N",
        ),
        _key("N", "unlikely(-1)", ("", ""), "unlikely_back"),
        _key("home,g", "end(0)", ("", "The first token, the last"), "first", "g G"),
        _key("end,G", "end(1)", ("", ""), "last"),
        _key("pageup", "page(-1)", ("", "A page up, down"), "page_up"),
        _key("pagedown", "page(1)", ("", ""), "page_down"),
    ]

    cursor: reactive[int] = reactive(0, init=False)
    """The place of the token under the cursor."""
    follow: var[bool] = var(False, init=False)
    """Whether the view stays at the end while tokens come."""

    @dataclass(eq=False, repr=False)
    class Moved(Message):
        """The cursor is on another token."""

    def __init__(self, *, id: str | None = None) -> None:
        self._styles: dict[str, Style] = {}
        super().__init__(id=id)
        self.texts: list[str] = []
        self.logprobs: list[float | None] = []
        self._levels: list[int] = []
        self._layout = Layout(80)
        self._going_on: Timer | None = None
        self._unlikely: Sequence[int] | None = None

    # What is shown

    def show(self, texts: Sequence[str], logprobs: Sequence[float | None], cursor: int = 0) -> None:
        """Show these tokens, from the one under the cursor on."""
        self.texts, self.logprobs = list(texts), list(logprobs)
        self._levels = [-1 if one is None else level(one) for one in self.logprobs]
        self._unlikely = None
        self._lay_out()
        self.set_reactive(LensView.cursor, max(0, min(cursor, len(self.texts) - 1)))
        self._see_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def extend(self, texts: Sequence[str], logprobs: Sequence[float | None]) -> None:
        """Add tokens at the end."""
        at_end = self.follow and self.cursor >= len(self.texts) - 1
        self.texts += texts
        self.logprobs += logprobs
        self._levels += [-1 if one is None else level(one) for one in logprobs]
        self._unlikely = None
        self._lay_on()
        self.refresh()
        if at_end:
            self.cursor = max(0, len(self.texts) - 1)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0:
            return  # Before the first resize, which lays out.
        self._layout = Layout(width)
        self._lay_on()

    def _lay_on(self) -> None:
        """Lay out what is not yet, for one turn."""
        if self._going_on is not None:
            self._going_on.stop()
            self._going_on = None
        start = end = self._layout.count
        room = _TURN
        while end < len(self.texts) and room > 0:
            room -= _A_TOKEN + len(self.texts[end])
            end += 1
        self._layout.extend(text[:MOST_OF_A_TOKEN] for text in self.texts[start:end])
        self._measure()
        if end < len(self.texts):
            self._going_on = self.set_timer(_PAUSE, self._go_on)

    def _go_on(self) -> None:
        is_there = self.cursor < self._layout.count
        self._lay_on()
        if not is_there:
            self._see_cursor()
        self.refresh()

    def _measure(self) -> None:
        width = self.scrollable_content_region.width
        self.virtual_size = Size(width, len(self._layout.lines))

    def on_resize(self) -> None:
        if self._layout.width != self.scrollable_content_region.width:
            self._lay_out()
            self._see_cursor()
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        number = y + self.scroll_offset.y
        lines = self._layout.lines
        base = self.visual_style.rich_style
        if number >= len(lines):
            return Strip.blank(width, base)
        at = self._shown_cursor()
        segments = []
        for piece in lines[number].pieces:
            place = self._levels[piece.token]
            style = self._style(UNKNOWN if place < 0 else STYLES[place])
            if piece.token == at:
                style = style + (Style(reverse=True) if self.has_focus else Style(underline2=True))
            segments.append(Segment(piece.text, style))
        return Strip(segments).adjust_cell_length(width, base)

    def _shown_cursor(self) -> int:
        """The token that has text at the cursor: a part of a character is shown with the whole of it."""
        place = self.cursor
        while place < len(self.texts) - 1 and not self.texts[place]:
            place += 1
        return place

    def _style(self, words: str) -> Style:
        if words not in self._styles:
            style = ThemeStyle.parse(words, self.app.theme_variables)
            self._styles[words] = (self.visual_style + style).rich_style
        return self._styles[words]

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    # The cursor

    def watch_cursor(self) -> None:
        self._see_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def _see_cursor(self) -> None:
        if self.texts and self._layout.count:
            line = self._layout.line_of(self.cursor)
            self.scroll_to_region(Region(0, line, 1, 1), animate=False, force=True)

    def _go(self, place: int) -> None:
        if self.texts:
            self.cursor = max(0, min(len(self.texts) - 1, place))

    def action_step(self, steps: int) -> None:
        self._go(self.cursor + steps)

    def action_end(self, last: int) -> None:
        self._go(len(self.texts) - 1 if last else 0)

    def action_line(self, lines: int) -> None:
        column = self._layout.column_of(self.cursor)
        number = self._layout.line_of(self.cursor)
        step = 1 if lines > 0 else -1
        target = max(0, min(len(self._layout.lines) - 1, number + lines))
        while 0 <= target < len(self._layout.lines):
            found = self._layout.token_at(target, column)
            if found is not None and found != self.cursor:
                self.cursor = found
                return
            target += step

    def action_page(self, pages: int) -> None:
        self.action_line(pages * max(1, self.scrollable_content_region.height - 1))

    def action_word(self, direction: int) -> None:
        place = self.cursor + direction
        while 0 <= place < len(self.texts):
            if is_word_start(self.texts, place):
                self.cursor = place
                return
            place += direction
        self._go(place)

    def action_unlikely(self, direction: int) -> None:
        """The next token that was unlikely, or the one before; from the last on to the first."""
        places = self.unlikely
        if not places:
            return
        if direction > 0:
            after = bisect_right(places, self.cursor)
            self.cursor = places[after % len(places)]
        else:
            before = bisect_left(places, self.cursor) - 1
            self.cursor = places[before]

    @property
    def unlikely(self) -> Sequence[int]:
        """The places of the least likely tokens: of the two lowest levels, or where there are none the
        tenth of all that are least likely."""
        if self._unlikely is None:
            low = [place for place, one in enumerate(self._levels) if one >= len(STYLES) - 2]
            if not low:
                known = [(one, place) for place, one in enumerate(self.logprobs) if one is not None]
                most = -(-len(known) // 10)
                low = sorted(place for _, place in sorted(known)[:most])
            self._unlikely = low
        return self._unlikely

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        found = self._layout.token_at(place.y + self.scroll_offset.y, place.x)
        if found is not None:
            self.cursor = found
