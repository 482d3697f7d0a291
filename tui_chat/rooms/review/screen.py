"""The review room: find what was said, reread it, keep it in order, and go on from any point of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.core.errors import ChatError
from tui_chat.core.query import Query, parse
from tui_chat.core.world import World
from tui_chat.rooms.review.catalogue import Catalogue
from tui_chat.rooms.review.finding import Page, count, first_page, found_ids, next_page
from tui_chat.rooms.review.keeping import Trash, ids_of, named
from tui_chat.rooms.review.lines import Line, rows, rows_each
from tui_chat.rooms.review.preview import Left
from tui_chat.rooms.review.refreshing import RefreshingScreen
from tui_chat.rooms.review.search_field import HelpLine, SearchField
from tui_chat.widgets.backdrop import Frame
from tui_chat.widgets.bars import TOO_SMALL, Keyline, Topline
from tui_chat.widgets.message_transcript import MessageTranscript
from tui_chat.widgets.roll import Roll

if TYPE_CHECKING:
    from tui_chat.widgets.taking import Choice

NOTHING = "Nothing matches."
SOON = 0.05
"""Seconds that the first drawing waits for the first lines."""


class ReviewScreen(RefreshingScreen):
    """The saved conversations, with a preview of the one under the cursor; dismissed with Left."""

    CSS_PATH: ClassVar[list[str | PurePath] | None] = ["screen.tcss"]
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [
        (0, "-too-narrow"),
        (60, "-small"),
        (80, "-stacked"),
        (100, "-beside"),
    ]
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [
        (0, "-too-low"),
        (16, "-low"),
        (22, "-high"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="review.back"),
        Binding(
            "f3,ctrl+o",
            "leave",
            "Back to the chat",
            show=False,
            tooltip="Back to the chat",
            id="review.leave",
        ),
        Binding("tab", "app.focus_next", "Preview", show=False, id="review.next_part"),
        Binding("slash", "search", "Search", show=False, id="review.search"),
        Binding(
            "enter",
            "open_at_message",
            "Open",
            tooltip="In the preview: open in the chat, at this message",
            id="review.open_at_message",
        ),
        Binding("f2", "rename", "Rename", id="saved.rename"),
        Binding("ctrl+z", "undo", "Undo delete", id="saved.undo"),
    ]

    def __init__(
        self, world: World, present: str, trash: Trash, *, words: str = "", at: str = ""
    ) -> None:
        """`present` is the conversation that is open; `words` are looked for at once, with the cursor
        on the message `at` where it is found."""
        super().__init__(world, Catalogue(self._draw, id="lines"), trash)
        self._present = present
        self._field = SearchField(words, "Search what was said, or type a filter")
        self._help = HelpLine(self._field)
        self._top = Topline(world.unsaved)
        self._query = parse(words)
        self._shown: Query | None = None
        """The query whose lines are shown; None while they are still to come."""
        self._first = ""
        """What the first lines are, where they are something else than the others."""
        self._more = False
        self._reading_more = False
        self._open_when_shown = False
        self._at = at or present
        self._there = asyncio.Event()
        """Set when lines were shown for the first time."""

    # What is shown

    def compose(self) -> ComposeResult:
        yield self._top
        with Frame(id="search"):
            yield self._field
            yield self._help
        with Frame(id="body"):
            with Frame(id="list"):
                yield self.catalogue
            with Frame(id="preview"):
                yield MessageTranscript(self.caption)
        yield Static(TOO_SMALL, id="too-small")
        yield Keyline()

    async def on_mount(self) -> None:
        self.id = "review"
        self._top.title = "Saved conversations"
        self.set_focus(self._field)
        # What was looked for before is replaced by what is typed.
        self._field.action_select_all()
        self.show_help()
        self.find()
        self._prepare()
        # Drawn once with its lines, the room is there sooner than drawn twice.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._there.wait(), SOON)

    @work(group="prepare")
    async def _prepare(self) -> None:
        """Learn what filters can be completed with; bring the index up to date."""
        with suppress(ChatError):
            search = await self.world.search()
            self._field.known = await search.known()
            await search.build(self._indexing)
            self._indexing(1, 1)
            if self._query.of_messages and not self.leaving:
                self.find()

    def _indexing(self, done: int, total: int) -> None:
        """Show how far the index is."""
        if not self.leaving:
            self._top.state = f"indexing {100 * done // max(1, total)} %" if done < total else ""

    def _draw(self, line: Line, width: int) -> Sequence[Content]:
        return rows(line, width, self._present, datetime.now().date())

    def show_help(self) -> None:
        """Say what can be typed, or what is wrong."""
        if self.leaving:
            return
        self._help.trouble = self._query.trouble
        self._help.refresh()

    # Finding

    @on(Input.Changed)
    def _typed(self) -> None:
        # The words that the room begins with are reported, too.
        before, self._query = self._query, parse(self._field.value)
        self.show_help()
        if self._query != before:
            self._shown = None
            self._open_when_shown = False
            self._at = ""
            self.find()
        self.refresh_bindings()

    @work(exclusive=True, group="find")
    async def find(self) -> None:
        await self.read_lines()

    async def read_lines(self, at: str = "") -> None:
        """Show what the query finds now, with the cursor where it was, or on the line `at`."""
        query, same = self._query, self._query == self._shown
        try:
            page = await first_page(self.world, query, best=self.best)
        except ChatError as error:
            self.complain(error)
            page = Page()
        if self.leaving or query != self._query:
            return
        line, place = self.catalogue.at_cursor, self.catalogue.highlighted or 0
        if not at:
            at = line.key if same and line is not None else self._at
        self._shown, self._more, self._at = query, page.more, ""
        self.first_lines = page.lines
        self._first = page.first
        self.show_lines(page.lines, at, place if same else 0)
        self._there.set()
        # Counting keeps a processor busy, which drawing the lines is to have first.
        self.call_after_refresh(self._count, query)
        if self._open_when_shown:
            self.action_open()

    def show_lines(self, lines: Sequence[Line], at: str = "", place: int = 0) -> None:
        going = self.keeping.trash.going
        hits = self._query.of_messages or any(line.message for line in lines)
        self.transcript.find(self._query.spans if self._query.words else None)
        self.catalogue.empty = NOTHING if not self._query.empty else "Nothing is saved yet."
        self.catalogue.show(
            [line for line in lines if line.conversation not in going],
            rows=partial(rows_each, hits=hits),
            at=at,
            place=place,
        )
        self.refresh_bindings()

    @on(Roll.NearEnd)
    def _near_end(self) -> None:
        if self._more and self._shown == self._query and not self._reading_more:
            self._reading_more = True
            self._read_more()

    @work(group="more")
    async def _read_more(self) -> None:
        query, last = self._query, self.catalogue.entries[-1]
        try:
            page = await next_page(self.world, query, last, best=self.best)
        except ChatError as error:
            self.complain(error)
            page = Page()
        finally:
            self._reading_more = False
        if self._shown == query and self.catalogue.entries and self.catalogue.entries[-1] is last:
            self._more = page.more
            self.catalogue.extend(page.lines)

    @work(exclusive=True, group="count")
    async def _count(self, query: Query) -> None:
        try:
            found = await count(self.world, query)
        except ChatError:
            return
        if query == self._query and not self.leaving:
            self._top.short_place = words = self._counted(found)
            self._top.place = f"{words} · {'best match' if self.best else 'newest'} first"

    def _counted(self, found: int | None) -> str:
        least = ""
        if found is None:
            # Nobody counted to the end; but where there are no more lines, those are all.
            found = sum(1 for line in self.catalogue.entries if line.message)
            least = "at least " if found and (self._more or self.best) else ""
        what = "hit" if self._query.of_messages else "conversation"
        words = f"{least}{found:,} {what}{'' if found == 1 else 's'}"
        if self._first:
            words = f"{self._first}, {words}" if found else self._first
        return words

    @on(Roll.Marked)
    def _marks_changed(self) -> None:
        marked = len(self.catalogue.marked)
        self.query_one("#list").border_subtitle = f"{marked} marked" if marked else ""
        self.refresh_bindings()

    # Moving and leaving

    @property
    def words(self) -> str:
        """What is looked for, as typed."""
        return self._field.value

    def action_move(self, steps: int) -> None:
        self.catalogue.move(steps)

    def action_page(self, direction: int) -> None:
        self.catalogue.action_page(direction)

    def action_hit(self, steps: int) -> None:
        """The next hit, or the one before."""
        self.catalogue.move(steps)

    def action_mark(self) -> None:
        self.catalogue.action_mark()

    def action_mark_all(self) -> None:
        self.catalogue.mark_all()

    def action_unmark_all(self) -> None:
        self.catalogue.unmark_all()

    def action_preview(self) -> None:
        """To the preview, which in a small window takes the place of the list."""
        self.add_class("-reading")
        self.set_focus(self.transcript)

    def on_descendant_focus(self) -> None:
        self.set_class(self.focused is self.transcript, "-reading")

    def action_search(self) -> None:
        self.set_focus(self._field)

    @on(Input.Submitted)
    @on(Roll.Chosen)
    def action_open(self) -> None:
        """Open what is under the cursor; where the list is still to come, as soon as it is there."""
        self._typed()  # Enter may overtake what the field has to report.
        line = self.catalogue.at_cursor
        self._open_when_shown = self._shown != self._query
        if not self._open_when_shown and line is not None:
            self.leave_for(line, line.message)

    def action_back(self) -> None:
        """From the preview to the list, and from there to the chat."""
        if self.focused is self.transcript:
            self.set_focus(self.catalogue)
        else:
            self.dismiss(Left())

    def action_leave(self) -> None:
        self.dismiss(Left())

    # Taking away, bringing along

    @work(group="carry", exclusive=True)
    async def action_export(self) -> None:
        from tui_chat.widgets.taking import take_away

        try:
            await take_away(self.app, await self.world.store(), self._choices())
        except ChatError as error:
            self.complain(error)

    def _choices(self) -> list[Choice]:
        """What can be taken along: what is acted on, all that is found, everything."""
        from tui_chat.widgets.taking import Choice

        targets, query = [line for line in self.targets if not line.branch], self._query

        async def these() -> Sequence[str]:
            return ids_of(targets)

        async def found() -> Sequence[str]:
            return await found_ids(self.world, query)

        async def everything() -> Sequence[str]:
            return await found_ids(self.world, parse("is:kept is:archived"))

        choices = []
        if targets:
            title = targets[0].title if len(ids_of(targets)) == 1 else "conversations"
            choices.append(Choice(named(targets), these, title))
        if not query.empty and self.catalogue.entries:
            choices.append(Choice("All that is found", found, "conversations"))
        return [*choices, Choice("Everything saved", everything, "conversations")]

    @work(group="carry", exclusive=True)
    async def action_import(self) -> None:
        from tui_chat.widgets.bringing import bring_along

        try:
            if await bring_along(self.app, self.world):
                await self.read_lines()
                self._prepare()
        except ChatError as error:
            self.complain(error)

    # Other views

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "open":
            return bool(self.targets) or self._shown != self._query
        if action == "open_at_message":
            return self.focused is self.transcript and self.at_cursor() is not None
        if action in ("hit", "order"):
            return self._query.of_messages
        if action in ("mark", "mark_all"):
            return bool(self.catalogue.entries)
        if action == "unmark_all":
            return bool(self.catalogue.marked)
        return super().check_action(action, parameters)

    def action_order(self) -> None:
        self.best = not self.best
        self._shown = None
        self.find()

    def action_next_view(self) -> None:
        """Turn through what is in use, starred, archived, in the trash."""
        self._field.value = next_view(self._field.value)
        self._field.cursor_position = len(self._field.value)


_VIEWS = ("", "is:starred", "is:archived", "is:deleted")


def next_view(text: str) -> str:
    """The query with the view after its own: `is:` none, starred, archived, deleted."""
    words = [word for word in text.split() if not word.lower().startswith("is:")]
    here = next((word.lower() for word in text.split() if word.lower().startswith("is:")), "")
    place = _VIEWS.index(here) if here in _VIEWS else 0
    return " ".join([*words, _VIEWS[(place + 1) % len(_VIEWS)]]).strip()
