"""The picker: a list to choose from that narrows as one types, for presets, models and conversations.

Its lines are plain content, never markup, and its list is virtual: 10,000 lines stay fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.core.text import clean, folded, one_line
from tui_chat.widgets.bars import Keyline
from tui_chat.widgets.tones import MUTED


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


class Filter(Input):
    """The picker's input: up and down move in the list, and delete at its end acts on the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Choose", id="picker.choose"),
        Binding("delete", "delete_line", "Delete", key_display="del", id="picker.delete_line"),
        Binding("ctrl+d", "delete_right", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "delete_line":
            at_end = self.cursor_position >= len(self.value)
            return at_end and isinstance(self.screen, Picker) and self.screen.can_remove()
        return True

    async def action_delete_line(self) -> None:
        await self.run_action("screen.remove")


class Picker(ModalScreen[str | None]):
    """Choose one line. Dismissed with its key, with FREE + the typed text where that is allowed, or None."""

    DEFAULT_CSS = """
    Picker {
        align: center middle;
        & > Vertical {
            width: 84; max-width: 100%; height: 80%; max-height: 32;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & Filter, & Filter:focus { border: none; background: $boost; height: 1; margin: 0 0 1 0; padding: 0 1; }
        & OptionList { height: 1fr; border: none; background: $surface; padding: 0; }
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

    def __init__(self, lines: Sequence[Line] = (), *, at: str = "", typed: str = "") -> None:
        super().__init__()
        self._typed_at_first = typed
        self._lines = tuple(lines)
        self._shown: tuple[Line, ...] = ()
        self._at = at
        self._known = False
        self._chosen_early = False

    def can_remove(self) -> bool:
        """Whether the highlighted line can be deleted: for pickers that have action_remove."""
        return False

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self.title_words
            yield Filter(self._typed_at_first, placeholder=self.hint, select_on_focus=False)
            yield OptionList(markup=False)
            yield Static("", id="about", markup=False)
            yield Keyline()

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.set_focus(self.query_one(Filter))
        if self._lines:
            # Widths are known only after the first layout.
            self.call_after_refresh(self._show_again)

    @property
    def typed(self) -> str:
        return self.query_one(Filter).value.strip()

    @property
    def highlighted(self) -> Line | None:
        """The line under the cursor; None in an empty list."""
        place = self.query_one(OptionList).highlighted
        return None if place is None or place >= len(self._shown) else self._shown[place]

    def _show_again(self) -> None:
        """Show the lines that are known by now, in the present width."""
        self.show_lines(self._lines)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines, narrowed by what is typed, with the cursor where it was."""
        self._lines = tuple(lines)
        self._known = True
        at = self.highlighted.key if self.highlighted else self._at
        self._narrow()
        keys = [line.key for line in self._shown]
        self._highlight(keys.index(at) if at in keys else 0)
        if self._chosen_early:
            self.action_choose()

    def matching(self, typed: str) -> tuple[Line, ...]:
        """The lines to show for what is typed; case and accents do not count."""
        words = folded(typed).split()
        if not words:
            return self._lines
        return tuple(
            line
            for line in self._lines
            if all(word in folded(" ".join((line.name, *line.facts))) for word in words)
        )

    def _narrow(self) -> None:
        self._shown = self.matching(self.typed)
        if self.free_text and self.typed and all(line.key != self.typed for line in self._shown):
            self._shown = (
                *self._shown,
                Line(f"{self.FREE}{self.typed}", f"Use “{one_line(self.typed)}”"),
            )
        options = self.query_one(OptionList)
        width = options.scrollable_content_region.width - 2
        options.clear_options()
        options.add_options(Option(_prompt(line, width)) for line in self._shown)

    def _highlight(self, place: int) -> None:
        options = self.query_one(OptionList)
        options.highlighted = max(0, min(len(self._shown) - 1, place)) if self._shown else None
        line = self.highlighted
        nothing = self.nothing if self._known else ""
        self.query_one("#about", Static).update(line.about if line else nothing)
        self.refresh_bindings()

    nothing = "Nothing matches."

    @on(Input.Changed)
    def narrow(self) -> None:
        if self.is_mounted:
            self._narrow()
            self._highlight(0)

    @on(Input.Submitted)
    def choose_typed(self) -> None:
        """Enter in the filter comes after what was typed before it, however fast."""
        self.action_choose()

    @on(OptionList.OptionSelected)
    def choose_clicked(self, event: OptionList.OptionSelected) -> None:
        self.query_one(OptionList).highlighted = event.option_index
        self.action_choose()

    def on_resize(self, event: events.Resize) -> None:
        if self._known:
            self.call_after_refresh(self._show_again)

    def action_move(self, steps: int) -> None:
        place = self.query_one(OptionList).highlighted
        self._highlight((place or 0) + steps)

    def action_choose(self) -> None:
        """Choose the highlighted line; where the lines are still being read, as soon as they are there."""
        line = self.highlighted
        if line is not None:
            self.dismiss(line.key)
        else:
            self._chosen_early = not self._known


def _prompt(line: Line, width: int) -> Content:
    mark = "● " if line.marked else "  "
    columns, most = line.facts, max(0, width * 3 // 5)
    while len(columns) > 1 and cell_len("  ".join(columns)) > most:
        columns = columns[1:]
    # Columns keep their spaces.
    facts = Content(clean("  ".join(columns)).replace("\n", " ")).truncate(most, ellipsis=True)
    room = max(4, width - facts.cell_length - 4)
    name = Content(one_line(line.name, 400)).truncate(room, ellipsis=True, pad=True)
    return Content.assemble((mark, "$primary"), name, "  ", facts.stylize(MUTED))
