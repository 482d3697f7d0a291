"""The transcript: one widget that shows a conversation of any length, and only draws what is seen.

It is always in one of two states: it follows the end, or a place in the text stays where it is
on the screen, whatever arrives, is folded or is resized.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Offset
from textual.message import Message as Event
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from tui_chat.core.conversation import Message
from tui_chat.widgets.transcript import keys
from tui_chat.widgets.transcript.caption import Caption
from tui_chat.widgets.transcript.document import Item, Part, message_key
from tui_chat.widgets.transcript.finding import FindingView
from tui_chat.widgets.transcript.painter import text_width
from tui_chat.widgets.transcript.palette import Palette
from tui_chat.widgets.transcript.selection import selected_text

FLUSH_SECONDS = 1 / 30
"""Between two times at which streaming text is drawn, at least."""
_REST = 3
"""How much longer than a drawing took is waited before the next, on a slow machine."""


class Transcript(FindingView, can_focus=True):
    """Shows messages, lets them be read, selected and folded; it never changes what was said."""

    DEFAULT_CSS = """
    Transcript {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.BINDINGS]
    keys_at_once: ClassVar[bool] = True
    """As for a Roll."""

    @dataclass(eq=False, repr=False)
    class Moved(Event):
        """The cursor moved to another message, or away."""

        transcript: Transcript
        id: str | None

        @property
        def control(self) -> Transcript:
            return self.transcript

    @dataclass(eq=False, repr=False)
    class LinkOpened(Event):
        """A link was clicked (http, https or mailto); nothing was opened yet."""

        transcript: Transcript
        url: str

        @property
        def control(self) -> Transcript:
            return self.transcript

    def __init__(
        self,
        caption: Callable[[Message], Caption],
        *,
        hint: Sequence[str] = (),
        id: str | None = None,
    ) -> None:
        """`caption` gives the words around a message, and is asked when the message is drawn.

        `hint` are lines that stand in the middle while there is no message.
        """
        super().__init__(caption, hint, id)
        self._styles_changed = True
        self._pending: list[tuple[str, bool]] = []
        self._flush_timer: Timer | None = None
        self._next_flush = 0.0

    # What is shown

    @property
    def messages(self) -> Sequence[Message]:
        """The messages as shown, with what has streamed in so far."""
        self._flush()
        return tuple(self._document.messages)

    def message_at_cursor(self) -> Message | None:
        """The message under the cursor, with what has streamed in so far."""
        self._flush()
        place = self._document.place(self.cursor)
        return None if place is None else self._document.messages[place]

    def load(self, messages: Sequence[Message], *, at: str | None = None) -> None:
        """Show these messages instead, from the message `at` on, or else the end of them.

        The cursor stays on its message if that is among them, or goes to `at`.
        """
        self._pending.clear()
        self._painter.forget()
        self._forget_match()
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()
        self._document.load(messages)
        self._viewport.top = 0
        self._follow = self._document.place(at) is None
        if not self._follow:
            self.cursor = at
        elif self._document.place(self.cursor) is None:
            self.cursor = messages[-1].id if messages and self.has_focus else None
        if at is not None and not self._follow:
            self.scroll_to_message(at)
        else:
            self._settle(None)

    def begin(self, message: Message, *, follow: bool = False) -> None:
        """Add a message at the end; `append` adds to it from now on. `follow` goes to the end.

        A message that is shown already begins anew, in its place.
        """
        self._flush()
        self._follow = self._follow or follow
        spot = self._spot()
        self._document.begin(message)
        self._next_flush = 0.0
        self._settle(spot)

    def append(self, text: str, *, reasoning: bool = False) -> None:
        """Add cleaned text to the message begun last; what is seen follows within 1/30 s.

        Does nothing after `end` or `load`: a late piece belongs to nothing that is shown.
        """
        if not text or not self._document.growing:
            return
        self._pending.append((text, reasoning))
        if self._flush_timer is None and self.is_running:
            if (wait := self._next_flush - monotonic()) > 0:
                self._flush_timer = self.set_timer(wait, self._flush)
            else:
                self._flush()

    def end(self, message: Message) -> None:
        """Show the final value of a message; does nothing for one that is not shown."""
        self._flush()
        spot = self._spot()
        self._document.end(message)
        self._settle(spot)

    def replace(self, message: Message) -> None:
        """Show another value of a message; does nothing for one that is not shown."""
        self._flush()
        spot = self._spot()
        self._document.put(message)
        self._settle(spot)

    def refresh_captions(self) -> None:
        """Ask for the captions of all messages again, when they are drawn."""
        spot = self._spot()
        self._document.forget_captions()
        self._painter.forget()
        self._settle(spot)

    def scroll_to_message(self, id: str) -> None:
        """Bring the head of a message to the top; does nothing for one that is not shown."""
        place = self._document.place(id)
        if place is None:
            return
        self._follow = False
        if not self._viewport.height:
            self._wanted = lambda: self.scroll_to_message(id)
            return
        self._viewport.settle(self._document.span(place)[0], 0)
        self._placed()

    # Where it is shown

    def on_resize(self) -> None:
        width, height = self.scrollable_content_region.size
        if not width or not height:
            # Hidden: what was on the screen will be there again.
            return
        spot = self._spot()
        if text_width(width) != self._document.width:
            self._document.resize(text_width(width))
            self._painter.forget()
        self._viewport.height = height
        self._flush()
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            wanted()
        else:
            self._settle(spot)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        top = round(new_value)
        if not self._viewport.height:
            super().watch_scroll_y(old_value, new_value)
        elif top != self._viewport.top:
            self._viewport.scroll(top)
            self._placed()

    def _flush(self) -> None:
        """Show what has streamed in since the last time."""
        if self._flush_timer is not None:
            self._flush_timer.stop()
            self._flush_timer = None
        if not self._pending:
            return
        started = monotonic()
        spot, top = self._spot(), self._viewport.top
        content = "".join(text for text, reasoning in self._pending if not reasoning)
        thoughts = "".join(text for text, reasoning in self._pending if reasoning)
        self._pending.clear()
        changed = self._document.grow(content, thoughts)
        if changed is None or not self._viewport.height:
            return
        if self._follow:
            self._viewport.settle_at_end()
        elif spot is not None:
            self._viewport.show(spot)
        row = 0
        if top == self._viewport.top and not thoughts:
            row = self._document.heights.top(self._viewport.find(changed)) - top
        self._placed(max(0, row))
        self._drawn(started)
        self.call_after_refresh(self._drawn, started)

    def _drawn(self, started: float) -> None:
        """What was begun then is on the screen: when the next may be."""
        took = monotonic() - started
        self._next_flush = started + took + max(FLUSH_SECONDS, _REST * took)

    # What is drawn

    def notify_style_update(self) -> None:
        self._styles_changed = True
        super().notify_style_update()

    def _at(self, y: int) -> tuple[Item, int] | None:
        """The item on a row of the screen, and which of its rows that is."""
        row = self._viewport.top + y
        heights = self._document.heights
        if not 0 <= row < heights.total:
            return None
        index = heights.at(row)
        return self._document.items[index], row - heights.top(index)

    def render_line(self, y: int) -> Strip:
        painter = self._painter
        painter.width = self.scrollable_content_region.width
        if self._styles_changed:
            self._styles_changed = False
            painter.palette = Palette(self)
        found = self._at(y)
        if found is None or found[1] >= len(self._document.laid(found[0]).rows):
            return painter.below(y, self._viewport.height)
        if (selection := self.text_selection) is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            strip = painter.with_selection(*found, selection, style)
        else:
            strip = painter.row(*found)
        if self.has_focus and found[0].message == self._document.place(self.cursor):
            strip = painter.with_cursor(strip, *found)
        return strip

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text without the breaks of rows."""
        return selected_text(self._document, selection), "\n"

    def text_select_all(self) -> None:
        """Select the message under the cursor: a double click means one message, not all."""
        place = self._document.place(self.cursor)
        if place is not None:
            start, end = Offset(0, message_key(place)), Offset(0, message_key(place + 1))
            self.screen.selections = {self: Selection(start, end)}

    def on_click(self, event: events.Click) -> None:
        found = self._at(event.y)
        if self.text_selection is not None or found is None or event.button != 1:
            return
        item, _ = found
        self.cursor = self._document.messages[item.message].id
        if event.chain > 1:
            return
        if url := event.style.meta.get("link"):
            self.post_message(self.LinkOpened(self, str(url)))
        elif item.part in (Part.FOLD, Part.MORE):
            self.action_toggle_fold()

    # The cursor

    def watch_cursor(self, old: str | None, new: str | None) -> None:
        self.refresh()
        if self.is_running:
            self.post_message(self.Moved(self, new))

    def on_focus(self) -> None:
        place = self._document.place(self.cursor)
        if self._document.messages and (place is None or not self._viewport.shows(place)):
            # A cursor that is not on the screen would act on what nobody sees.
            found = self._at(self._viewport.height - 1)
            place = found[0].message if found else len(self._document.messages) - 1
            self.cursor = self._document.messages[place].id
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "toggle_fold":
            place = self._document.place(self.cursor)
            return place is not None and self._document.can_fold(place)
        return super().check_action(action, parameters)

    def on_blur(self) -> None:
        self.refresh()

    def _move(self, step: int) -> None:
        place = self._document.place(self.cursor)
        messages = self._document.messages
        if place is None:
            self.on_focus()
        else:
            place = max(0, min(place + step, len(messages) - 1))
            self.cursor = messages[place].id
            self._viewport.reveal(place)
            self._placed()

    def action_next_message(self) -> None:
        self._move(1)

    def action_previous_message(self) -> None:
        self._move(-1)

    def action_first_message(self) -> None:
        self._move(-len(self._document.messages))

    def action_last_message(self) -> None:
        self._move(len(self._document.messages))
        self.action_scroll_end()

    def action_scroll_end(self) -> None:
        self._follow = True
        self._settle(None)

    def action_toggle_fold(self) -> None:
        """Unfold or fold what the message under the cursor has to unfold."""
        place = self._document.place(self.cursor)
        if place is None or not self._document.can_fold(place):
            return
        index = self._document.span(place)[0]
        row = self._document.heights.top(index) - self._viewport.top
        self._document.toggle(place)
        self._viewport.settle(index, max(0, row))
        self._placed()
