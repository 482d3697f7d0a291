"""Dialogs that lead through something in steps: a few ways to choose from, and a wait that Esc ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.core.errors import ChatError
from tui_chat.widgets.dialogs import Dialog

_Found = TypeVar("_Found")
Ask = Callable[[Dialog], Awaitable[str | None]]
"""Shows a dialog and tells how it was answered, None for Esc."""


class WayList(OptionList):
    """A list that takes Enter itself: after an arrow in a burst, it is for the line that the arrow led to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Choose", id="choice.choose"),
    ]


class ChoiceDialog(Dialog):
    """A few ways to go on; dismissed with the key of one."""

    DEFAULT_CSS = """
    ChoiceDialog {
        & > Vertical { overflow-y: auto; }
        & Keyline { dock: bottom; }
        & OptionList, & OptionList:focus {
            height: auto; max-height: 8; border: none; background: $surface; padding: 0; margin: 1 0 0 0;
        }
    }
    """

    def __init__(
        self, title: str, note: str, ways: Sequence[tuple[str, str]], wrong: str = ""
    ) -> None:
        """`ways`: keys, and what each is called; `wrong`: as for Dialog."""
        super().__init__(title, note, wrong=wrong)
        self._ways = tuple(ways)

    def content(self) -> Iterator[Widget]:
        yield WayList(*(Option(words) for _, words in self._ways), markup=False)

    @on(OptionList.OptionHighlighted)
    def _follow(self, event: OptionList.OptionHighlighted) -> None:
        # On a small screen the note and the list are seen in turns.
        box, last = self.query_one(Vertical), max(1, len(self._ways) - 1)
        box.scroll_to(y=box.max_scroll_y * event.option_index / last, animate=False)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._ways[event.option_index][0])


class WaitDialog(Dialog, Generic[_Found]):
    """Says what is waited for; dismissed when it is there. Esc ends the wait."""

    def __init__(self, title: str, note: str, work: Callable[[], Awaitable[_Found]]) -> None:
        super().__init__(title, note)
        self._work = work
        self.found: _Found | None = None
        """What was waited for."""
        self.problem: ChatError | None = None

    def on_mount(self) -> None:
        self._wait()

    @work(exclusive=True)
    async def _wait(self) -> None:
        try:
            self.found = await self._work()
        except ChatError as error:
            self.problem = error
        self.dismiss("done")
