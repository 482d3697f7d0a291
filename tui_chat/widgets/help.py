"""The help: keys by place, typed commands, parameters; read off their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.widgets.bars import Keyline, shown_key
from tui_chat.widgets.tones import MUTED


@dataclass(frozen=True)
class Section:
    """A titled table of two columns."""

    title: str
    rows: tuple[tuple[str, str], ...]


def key_rows(bindings: Iterable[BindingType]) -> tuple[tuple[str, str], ...]:
    """The keys of these bindings and what they do: those of the bottom line, and those with a tooltip."""
    return tuple(
        (binding.key_display or shown_key(binding.key), binding.tooltip or binding.description)
        for binding in bindings
        if isinstance(binding, Binding) and (binding.show or binding.tooltip)
    )


class Help(ModalScreen[None]):
    """All keys and commands on one scrolling page."""

    DEFAULT_CSS = """
    Help {
        align: center middle;
        & > Vertical {
            width: 92; max-width: 100%; height: 90%;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & Static { width: 1fr; }
        & Keyline { background: $surface; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", "Back", key_display="esc", id="help.back"),
        Binding("up,k", "move(-1)", "Scroll", key_display="↑ ↓", id="help.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="help.down"),
    ]

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__(id="help")
        self._sections = sections

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Help"
            with VerticalScroll():
                for section in self._sections:
                    yield Static(_table(section))
            yield Keyline()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_move(self, rows: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=rows, animate=False)


def _table(section: Section) -> Content:
    width = min(24, max(len(key) for key, _ in section.rows) + 2)
    lines = [Content.styled(section.title, "bold $primary")]
    lines += [
        Content.assemble((f"  {key:<{width}}", "$text"), (words, MUTED))
        for key, words in section.rows
    ]
    return Content("\n").join([*lines, Content("")])
