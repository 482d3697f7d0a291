"""The help: keys by place, typed commands, parameters; read off their declarations."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.dom import DOMNode
from textual.geometry import Size
from textual.widget import Widget

from tui_chat.core.text import one_line
from tui_chat.widgets.bars import Keyline, shown_key
from tui_chat.widgets.dialogs import Modal
from tui_chat.widgets.tones import MUTED


@dataclass(frozen=True)
class Section:
    """A titled table of two columns."""

    title: str
    rows: tuple[tuple[str, str], ...]


Places = Sequence[tuple[str, Sequence[BindingType]]]
"""Where keys do something, as the help names it, and their bindings there."""


def key_rows(
    bindings: Iterable[BindingType], keymap: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """The keys of these bindings and what they do: those of the bottom line, and those with a tooltip.

    `keymap` says which were given another key, by their id.
    """

    def key(binding: Binding) -> str:
        if binding.id and binding.id in keymap:
            return shown_key(keymap[binding.id])
        return binding.key_display or shown_key(binding.key)

    return tuple(
        (key(binding), binding.tooltip or binding.description)
        for binding in bindings
        if isinstance(binding, Binding) and (binding.show or binding.tooltip)
    )


def unknown_keys(keymap: Mapping[str, str]) -> list[str]:
    """The ids that no binding has, be it of ours or of Textual's, of all that is imported by now."""
    left: list[type[DOMNode]] = [DOMNode]
    known = set()
    while left:
        node = left.pop()
        left += node.__subclasses__()
        known |= {one.id for one in node.BINDINGS if isinstance(one, Binding)}
    return [one_line(name, 60) for name in keymap if name not in known]


class Table(Widget):
    """A section: its title, and its rows with the second column wrapped beside the first."""

    DEFAULT_CSS = "Table { width: 1fr; height: auto; }"

    def __init__(self, section: Section) -> None:
        super().__init__()
        self._section = section

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def render(self) -> Content:
        return Content("\n").join(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        rows = self._section.rows
        column = min(24, max(2, width // 2), max(len(first) for first, _ in rows) + 2)
        lines = [Content.styled(self._section.title, "bold $primary")]
        for first, words in rows:
            beside = [Content(first)] if len(first) < column else [Content(first), Content()]
            wrapped = textwrap.wrap(words, max(1, width - column - 2)) or [""]
            if len(beside) > 1:
                wrapped.insert(0, "")
            for place, part in enumerate(wrapped):
                left = beside[place] if place < len(beside) else Content()
                left = left.pad_right(max(0, column - left.cell_length)).stylize("$text")
                lines.append(Content.assemble("  ", left, (part, MUTED)))
        return [*lines, Content()]


class Help(Modal[None]):
    """All keys and commands on one scrolling page."""

    DEFAULT_CSS = """
    Help {
        align: center middle;
        & > Vertical {
            width: 92; max-width: 100%; height: 90%;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
        & Keyline { background: $surface; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", "Back", key_display="esc", id="help.back"),
        Binding("up,k", "move(-1)", "Scroll", key_display="↑ ↓", id="help.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="help.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="help.page_up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="help.page_down"),
        Binding("home,g", "move(-100000)", "Top", show=False, id="help.top"),
        Binding("end,G", "move(100000)", "End", show=False, id="help.end"),
    ]

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__(id="help")
        self._sections = sections

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Help"
            with VerticalScroll(can_focus=False):
                for section in self._sections:
                    yield Table(section)
            yield Keyline()

    def action_move(self, rows: int) -> None:
        page = self.query_one(VerticalScroll)
        # At once: the next key of a burst goes on from where this one led.
        page.scroll_to(y=page.scroll_y + rows, animate=False, immediate=True)

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self.query_one(VerticalScroll).size.height - 1))
