"""Shows where something is found in a conversation, and goes from match to match.

A conversation of any length is looked through: for a moment at once, then between other things.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import work
from textual.message import Message as Event
from textual.reactive import reactive

from tui_chat.core.conversation import Message
from tui_chat.widgets.transcript.caption import Caption
from tui_chat.widgets.transcript.document_view import DocumentView
from tui_chat.widgets.transcript.matches import Find, Match, Matches, Search, advance
from tui_chat.widgets.transcript.painter import Painter

AT_ONCE_SECONDS = 0.05
"""How long a key may wait for the next match."""
_SLICE_SECONDS = 0.01
"""How long other keys wait for a search that takes longer."""
_WORKERS = "find"


class FindingView(DocumentView):
    """A view of a document with a cursor on a message, in which something can be found."""

    cursor: reactive[str | None] = reactive(None, repaint=False, init=False)
    """The id of the message under the cursor; None when there is no cursor."""

    @dataclass(eq=False, repr=False)
    class NoMatch(Event, namespace="transcript"):
        """A key asked for the next match (step 1) or the one before (-1), and there is none.

        Also said when `next_match` was still looking and then found nothing.
        """

        transcript: FindingView
        step: int

        @property
        def control(self) -> FindingView:
            return self.transcript

    def __init__(
        self, caption: Callable[[Message], Caption], hint: Sequence[str], id: str | None
    ) -> None:
        super().__init__(caption, id)
        self._matches = Matches(self._document)
        self._painter = Painter(self._document, self._matches, hint)
        self._wanted: Callable[[], None] | None = None
        """Where to scroll to once there is a screen."""

    def scroll_to_message(self, id: str) -> None:
        """For subclasses."""
        raise NotImplementedError

    def find(self, spans: Find | None) -> None:
        """Show from now on where this finds something in what was said; None ends it. What is shown
        already leaves the present match as it is.

        It is given texts of up to some 20,000 characters, in several lines, as they are shown or
        as they were written, and returns (start, end) pairs of characters in order. Captions are
        not looked at.
        """
        if spans == self._matches.find:
            return
        self._stop_looking()
        self._matches.find = spans
        self._painter.forget()
        self.refresh()
        if self.is_attached:
            self.refresh_bindings()

    def next_match(self, step: int) -> bool:
        """Go to the next match (1) or the one before (-1), from the present one, or from the message
        under the cursor where that was moved; what is folded is unfolded. False at the end, which
        does not lead back to the beginning, and while nothing is to be found.

        True also when it takes longer: then NoMatch comes, or the match is shown in a while.
        """
        place, present = self._document.place(self.cursor), self._matches.present
        if self._matches.find is None or not self._document.messages:
            return False
        if place is None:
            index = self._document.heights.at(self._viewport.top)
            place = self._document.items[index].message
        beyond = present if present is not None and present.item.message == place else None
        search = self._matches.search(place, step, beyond)
        return self._look(search, lambda: self._no_match(step))

    def show_match(self, id: str) -> None:
        """Go to the first match in a message, or to its head where there is none; does nothing
        for a message that is not shown."""
        place = self._document.place(id)
        if place is None:
            return
        if not self._viewport.height:
            self._wanted = lambda: self.show_match(id)
            return
        search = self._matches.search_message(place, 1)
        if not self._look(search, lambda: self.scroll_to_message(id)):
            self.scroll_to_message(id)

    def _look(self, search: Search, otherwise: Callable[[], object]) -> bool:
        """Show what a search finds: now, or later where it takes longer, or else do something."""
        self._stop_looking()
        match, over = advance(search, AT_ONCE_SECONDS)
        if match is not None:
            self._go_to(match)
        elif not over:
            self._look_on(search, otherwise)
        return match is not None or not over

    @work(group=_WORKERS)
    async def _look_on(self, search: Search, otherwise: Callable[[], object]) -> None:
        match, over = None, False
        while not over:
            await asyncio.sleep(0)
            match, over = advance(search, _SLICE_SECONDS)
        if match is not None:
            self._go_to(match)
        else:
            otherwise()

    def _stop_looking(self) -> None:
        if self.is_attached:
            self.workers.cancel_group(self, _WORKERS)

    def _go_to(self, match: Match) -> None:
        place = match.item.message
        # It was cut to its end for the search.
        self._document.cut_on(place)
        if match.folded and self._document.hidden(place):
            self._document.toggle(place)
        self._matches.present = match
        self._painter.forget()
        self.cursor = self._document.messages[place].id
        self._viewport.bring(match.item, match.line, match.character)
        self._placed()
        # A match near the end stays where it is while text arrives.
        self._follow = False
        self.refresh()

    def _forget_match(self) -> None:
        """Other messages are shown: nothing was gone to yet."""
        self._stop_looking()
        self._matches.present = None
        self._wanted = None

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("next_match", "previous_match"):
            return self._matches.find is not None
        return super().check_action(action, parameters)

    def action_next_match(self) -> None:
        self._next_by_key(1)

    def action_previous_match(self) -> None:
        self._next_by_key(-1)

    def _next_by_key(self, step: int) -> None:
        if not self.next_match(step):
            self._no_match(step)

    def _no_match(self, step: int) -> None:
        self.post_message(self.NoMatch(self, step))
