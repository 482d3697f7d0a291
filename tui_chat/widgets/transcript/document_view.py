"""A view of a document in one of two states: it follows the end, or a place in the text stays where it is."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.geometry import Region, Size
from textual.timer import Timer

from tui_chat.core.conversation import Message
from tui_chat.widgets.transcript.caption import Caption
from tui_chat.widgets.transcript.document import Document
from tui_chat.widgets.transcript.scrolling import PlacedScrollView
from tui_chat.widgets.transcript.viewport import Spot, Viewport

_PAUSE_SECONDS = 0.02
"""Between two turns at a text too long to be cut in one, at least; the screen is drawn in it."""


class DocumentView(PlacedScrollView):
    """Keeps what is on the screen exact, whatever arrives, is folded, is resized or is still being cut."""

    def __init__(self, caption: Callable[[Message], Caption], id: str | None) -> None:
        super().__init__(id=id)
        self._document = Document(caption)
        self._viewport = Viewport(self._document)
        self._follow = True
        self._going_on: Timer | None = None

    def _spot(self) -> Spot | None:
        """What must stay where it is on the screen."""
        return None if self._follow else self._viewport.spot()

    def _settle(self, spot: Spot | None) -> None:
        """Make the screen right again after any change, with the spot where it was."""
        if not self._viewport.height:
            return
        if self._follow:
            self._viewport.settle_at_end()
        elif spot is not None:
            self._viewport.show(spot)
        else:
            self._viewport.scroll(self._viewport.top)
        self._placed()

    def _placed(self, first_changed: int = 0) -> None:
        """Tell Textual where things are now, and draw the rows of the screen from one on."""
        self._follow = self._viewport.at_end
        width, height = self.scrollable_content_region.size
        self.place(Size(width, self._document.heights.total), self._viewport.top)
        if first_changed < height:
            self.refresh(Region(0, first_changed, self.size.width, height - first_changed))
        if self._document.uncut and self._going_on is None and self.is_running:
            self._going_on = self.set_timer(_PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        """Cut what was not cut to its end, for one more turn."""
        self._going_on = None
        started, spot = monotonic(), self._spot()
        self._document.cut_on()
        self._settle(spot)
        if self._going_on is not None:
            self._going_on.stop()
            pause = max(_PAUSE_SECONDS, monotonic() - started)
            self._going_on = self.set_timer(pause, self._go_on)
