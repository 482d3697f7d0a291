"""The parameter sidebar: one row for each part of the setup, changed by keys, live.

It shows a setup and posts a new one for each change; it never sends anything and is never asked
for its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style as ThemeStyle

from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.parameter import Parameter, Value
from tui_chat.core.params import PARAMETERS
from tui_chat.widgets.rows import CLEARED, MODE, MORE, Row, bar, label_part, rows_for
from tui_chat.widgets.sidebar_keys import KEYS
from tui_chat.widgets.tones import FAINT, MUTED

if TYPE_CHECKING:
    from tui_chat.core.heeding import Heed

_LABEL = 18
_VALUE = 7
NOT_HEEDED = "⊘"
"""Stands at parameters that the model does not heed; dimness alone is not for everybody."""
_STYLES = {
    "label": "$foreground",
    "value": "bold $foreground",
    "unset": MUTED,
    "bar": "$primary",
    "track": FAINT,
    "problem": "strike $text-warning",
    "cursor": "on $primary 25%",
}


class Sidebar(ScrollView, can_focus=True):
    """The rows. ↑ ↓ choose, ← → change, digits type a value, delete returns to *not set*."""

    DEFAULT_CSS = """
    Sidebar { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    setup: reactive[Setup] = reactive(Setup(), init=False)
    endpoint: reactive[Endpoint | None] = reactive(None, init=False)
    heeds: reactive[Mapping[str, Heed]] = reactive(dict, init=False)
    """The parameters that the model is known not to heed."""
    unfolded: reactive[bool] = reactive(False, init=False)
    compact: reactive[bool] = reactive(False, init=False)
    looking: reactive[str | None] = reactive(None, init=False)
    """Of what the next token is shown under the rows, rows.OFF where it is not; None where it cannot be."""
    cursor: var[str] = var(PARAMETERS[0].name, init=False)

    @dataclass(eq=False, repr=False)
    class Changed(Message):
        """A parameter was changed; the setup is the new one."""

        setup: Setup

    @dataclass(eq=False, repr=False)
    class Opened(Message):
        """Enter on a part of the setup that is chosen elsewhere: endpoint, model, mode or system."""

        part: str

    @dataclass(eq=False, repr=False)
    class Insisted(Message):
        """A parameter is to be sent although the model refuses it, or, where it is sent, no more."""

        name: str

    @dataclass(eq=False, repr=False)
    class Explained(Message):
        """What the row under the cursor means, or what is wrong with what was typed."""

        text: str
        wrong: bool

    def __init__(self, *, completes: bool = False, id: str | None = None) -> None:
        """`completes` where a text is continued."""
        self._completes = completes
        # Textual tells of styles while it makes the widget.
        self._styles: dict[str, Style] = {}
        super().__init__(id=id)
        self._rows: tuple[Row, ...] | None = None
        self._typed: str | None = None
        self._before: Value | None = None
        self._typed_in: Parameter | None = None
        self._wrong = ""

    # What is shown

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they stand; made once for each change, since every line drawn asks for them."""
        if self._rows is None:
            self._rows = rows_for(
                self.setup,
                self.endpoint,
                self.heeds,
                unfolded=self.unfolded,
                compact=self.compact,
                looking=self.looking,
                completes=self._completes,
            )
        return self._rows

    def _changed(self) -> None:
        self._rows = None
        self.refresh()

    @property
    def row(self) -> Row:
        """The row under the cursor."""
        rows = self.rows
        return next((row for row in rows if row.key == self.cursor), rows[0])

    def on_mount(self) -> None:
        self._measure()

    def on_resize(self) -> None:
        self._measure()

    def watch_setup(self) -> None:
        self._changed()
        self._explain()

    def watch_endpoint(self) -> None:
        self.watch_setup()

    def watch_heeds(self) -> None:
        self.watch_setup()
        self.refresh_bindings()

    def watch_unfolded(self) -> None:
        self._changed()
        self._measure()

    watch_compact = watch_looking = watch_unfolded

    def watch_cursor(self) -> None:
        self._end_typing()
        self.refresh()
        self.refresh_bindings()
        self._explain()
        self._scroll_to_cursor()
        # Again, once rows that were unfolded a moment ago are there to scroll to.
        self.call_after_refresh(self._scroll_to_cursor)

    def _scroll_to_cursor(self) -> None:
        place = [row.key for row in self.rows].index(self.row.key)
        self.scroll_to_region(Region(0, place, 1, 1), animate=False)

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.rows))

    def _explain(self) -> None:
        if self._wrong:
            self.post_message(self.Explained(self._wrong, wrong=True))
            return
        row = self.row
        advice = self.setup.params.advice_on(row.key)
        text = row.problem or advice or row.explanation
        told = row.problem and (row.dim or row.parameter is None)
        wrong = bool(row.is_set and (told or advice))
        self.post_message(self.Explained(text, wrong=wrong))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        rows = self.rows
        place = y + self.scroll_offset.y
        if place >= len(rows):
            return Strip.blank(width, self.visual_style.rich_style)
        strip = Strip(self._segments(rows[place], width)).adjust_cell_length(
            width, self.visual_style.rich_style
        )
        if self.has_focus and rows[place].key == self.row.key:
            chosen = Style(bgcolor=self._style("cursor").bgcolor)
            strip = Strip(Segment.apply_style(strip, post_style=chosen), width)
        return strip

    def _segments(self, row: Row, width: int) -> list[Segment]:
        def styled(text: str, part: str) -> Segment:
            return Segment(text, self._style(part))

        if not row.key:
            return [styled(" " * width, "label")]
        typing = self._typed is not None and row.key == self.row.key
        shown = f"{self._typed}▏" if typing else row.value
        part = self._value_part(row, typing)
        mark = NOT_HEEDED if row.dim else ""
        label = styled(f"{row.label:<{_LABEL - len(mark)}}{mark}", label_part(row))
        if row.parameter is None or row.parameter.kind == "texts":
            room = width - (_LABEL if row.parameter else 12)
            label = label if row.parameter else styled(f"{row.label:<12}", label_part(row))
            cut = (
                shown
                if len(shown) <= room
                else ("…" + shown[1 - room :] if typing else shown[: room - 1] + "…")
            )
            # What is chosen from a list reads from the left, like a form.
            return [label, styled(cut if row.parameter is None else f"{cut:>{room}}", part)]
        value_width = max(_VALUE, len(shown))
        filled, knob, empty = bar(self._fraction(row.parameter), width - _LABEL - value_width - 1)
        bar_part = "bar" if row.is_set and not row.dim else "track"
        return [
            label,
            styled(filled, bar_part),
            styled(knob, bar_part),
            styled(empty, "track"),
            styled(f" {shown:>{value_width}}", part),
        ]

    def _value_part(self, row: Row, typing: bool) -> str:
        if row.held or (typing and self._wrong) or (row.problem and row.parameter is None):
            return "problem"
        return "value" if row.is_set and (typing or not row.dim) else "unset"

    def _style(self, part: str) -> Style:
        if part not in self._styles:
            style = ThemeStyle.parse(_STYLES[part], self.app.theme_variables)
            self._styles[part] = (self.visual_style + style).rich_style
        return self._styles[part]

    def notify_style_update(self) -> None:
        self._styles.clear()
        super().notify_style_update()

    def _fraction(self, parameter: Parameter) -> float | None:
        return parameter.fraction(self.setup.params.get(parameter.name))

    # What is changed

    def _change(self, parameter: Parameter, value: Value | None) -> None:
        params = self.setup.params.changed(parameter.name, value)
        if params != self.setup.params:
            self.setup = replace(self.setup, params=params)
            self.post_message(self.Changed(self.setup))

    def action_move(self, steps: int) -> None:
        keys = [row.key for row in self.rows if row.key]
        place = keys.index(self.row.key) + steps
        self.cursor = keys[max(0, min(len(keys) - 1, place))]

    def action_step(self, steps: int) -> None:
        row = self.row
        if row.key == MORE:
            self.unfolded = steps > 0
        elif row.key == MODE:
            if self._completes is (steps < 0):
                self.post_message(self.Opened(MODE))
        elif row.parameter is not None and row.parameter.kind != "texts":
            self._end_typing()
            value = self.setup.params.get(row.key)
            self._change(row.parameter, row.parameter.moved(value, steps))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Which keys mean nothing on this row."""
        row = self.row
        if action == "step":
            return row.key in (MORE, MODE) or (
                row.parameter is not None and row.parameter.kind != "texts"
            )
        if action == "insist":
            return row.insisted if parameters else row.held
        if action == "unset":
            return row.parameter is not None or row.key in CLEARED
        return True

    def action_unset(self) -> None:
        self._end_typing()
        row = self.row
        if row.parameter is not None:
            self._change(row.parameter, None)
        elif row.key in CLEARED and row.is_set:
            self.setup = CLEARED[row.key](self.setup)
            self.post_message(self.Changed(self.setup))

    def action_insist(self, no_more: bool = False) -> None:
        self.post_message(self.Insisted(self.row.key))

    def action_open(self) -> None:
        row = self.row
        if self._typed is not None:
            self._end_typing()
        elif row.key == MORE:
            self.unfolded = not self.unfolded
        elif row.parameter is None:
            self.post_message(self.Opened(row.key))
        elif row.parameter.kind == "choice":
            self.action_step(1)
        elif row.is_set:
            self._type(row.parameter.show(self.setup.params[row.key]))
        else:
            self._type("")

    # Typing a value: each character counts at once; Esc and Enter end it

    async def on_key(self, event: events.Key) -> None:
        """Take a key of ours now: by Textual's way, digits of a burst would overtake the arrows."""
        taken = self._take_typed(event)
        if not taken:
            bound = self.screen.active_bindings.get(event.key)
            if bound is not None and bound.node is self:
                taken = await self.app.run_action(bound.binding.action, self)
        if taken:
            event.stop()
            event.prevent_default()

    def _take_typed(self, event: events.Key) -> bool:
        """Whether the key belongs to a value that is typed, or begins one; then it is in it."""
        parameter = self.row.parameter
        if parameter is None:
            return False
        if event.key == "escape" and self._typed is not None:
            self._end_typing()
        elif event.key == "backspace":
            if self._typed is not None:
                self._type(self._typed[:-1])
            else:
                self.action_unset()
        elif event.is_printable and self._takes(parameter, event):
            self._type((self._typed or "") + (event.character or ""))
        else:
            return False
        return True

    def _takes(self, parameter: Parameter, event: events.Key) -> bool:
        character = event.character or ""
        if parameter.kind == "choice":
            return False
        if parameter.kind == "texts":
            return self._typed is not None or character not in "jk"
        return character.isdigit() or character in (".", ",", "-")

    def _type(self, text: str) -> None:
        parameter = self.row.parameter
        assert parameter is not None, "only parameters are typed"
        if self._typed is None:
            self._before = self.setup.params.get(parameter.name)
            self._typed_in = parameter
        self._typed, self._wrong = text, ""
        try:
            value = parameter.parse(text) if text.strip() else None
        except ValueError as error:
            self._wrong = str(error)
        else:
            self._change(parameter, value)
        self.refresh()
        self._explain()

    def _end_typing(self) -> None:
        """What was typed counts; where it is no value, the one from before does, not a part of it."""
        before, typed_in, self._before, self._typed_in = self._before, self._typed_in, None, None
        self._typed = None
        if self._wrong:
            self._wrong = ""
            if typed_in is not None:
                self._change(typed_in, before)
            self._explain()
        self.refresh()

    def on_blur(self) -> None:
        self._end_typing()

    # The mouse

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return
        rows = self.rows
        index = place.y + self.scroll_offset.y
        if index >= len(rows) or not rows[index].key:
            return
        row = rows[index]
        self.cursor = row.key
        width = self.scrollable_content_region.width - _LABEL - max(_VALUE, len(row.value)) - 1
        on_bar = _LABEL <= place.x < _LABEL + width
        if row.parameter is None:
            self.action_open()
        elif on_bar and self._fraction(row.parameter) is not None and width > 3:
            self._change(row.parameter, row.parameter.at((place.x - _LABEL) / (width - 1)))
