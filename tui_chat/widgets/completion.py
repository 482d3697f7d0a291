"""The list of typed commands above the prompt: what a line that starts with a slash could become.

Its words are plain content, never markup. It takes no focus: the prompt's keys move in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui_chat.core.text import one_line

ROWS = 6
"""How many completions are shown at once."""


class Completions(Widget):
    """Completions to choose from, drawn over whatever is above the prompt."""

    DEFAULT_CSS = """
    Completions {
        display: none; overlay: screen; width: 100%; height: auto;
        background: $panel; color: $text-muted;
    }
    """

    @dataclass(eq=False, repr=False)
    class Chosen(Message):
        """A completion was clicked."""

        completion: str

    def __init__(self) -> None:
        super().__init__()
        self._offered: tuple[tuple[str, str], ...] = ()
        self._at = 0
        self._top = 0
        self._moved = False

    @property
    def is_open(self) -> bool:
        """Whether there is anything to choose from."""
        return bool(self._offered)

    @property
    def highlighted(self) -> str:
        """The completion under the cursor; empty when the list is closed."""
        return self._offered[self._at][0] if self._offered else ""

    def would_complete(self, typed: str) -> bool:
        """Whether Enter on this text completes it, rather than sends it.

        It does when a completion was chosen with the arrows, or when no completion is what was typed
        already. An argument is complete as soon as the person says so: `/model gpt-4o` is not
        `/model gpt-4o-mini`.
        """
        if not self._offered:
            return False
        if self._moved:
            return self.highlighted.rstrip() != typed.rstrip()
        complete = (completion.rstrip() for completion, _ in self._offered)
        return " " not in typed and typed not in complete

    def offer(self, completions: Sequence[tuple[str, str]]) -> None:
        """Show these (completion, explanation) pairs; none of them closes the list."""
        offered = tuple(completions)
        if offered == self._offered:
            return
        self._offered = offered
        self._at = self._top = 0
        self._moved = False
        # Above the prompt, and above the line that may be drawn over it.
        line = self.parent.gutter.top if isinstance(self.parent, Widget) else 0
        self.styles.offset = (0, -min(ROWS, len(offered)) - line)
        self.display = bool(offered)
        self.refresh(layout=True)

    def move(self, step: int) -> None:
        """Move the cursor by this many completions, round the ends."""
        if self._offered:
            self._at = (self._at + step) % len(self._offered)
            self._top = max(self._at - ROWS + 1, min(self._top, self._at))
            self._moved = True
            self.refresh()

    def _rows(self) -> tuple[tuple[str, str], ...]:
        return self._offered[self._top : self._top + ROWS]

    def render(self) -> Content:
        width = self.content_size.width
        widest = max((cell_len(one_line(name)) for name, _ in self._offered), default=0)
        column = min(widest, max(8, width // 2))
        lines: list[Content] = []
        for place, (completion, explanation) in enumerate(self._rows(), self._top):
            # The mark says it without colour too.
            mark = "› " if place == self._at else "  "
            name = Content.styled(one_line(completion), "$text")
            name = name.truncate(column, ellipsis=True, pad=True)
            line = Content.assemble(mark, name, "  ", one_line(explanation))
            line = line.truncate(width, ellipsis=True, pad=True)
            if place == self._at:
                line = line.stylize("$block-cursor-foreground on $block-cursor-background")
            lines.append(line)
        return Content("\n").join(lines)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        rows = self._rows()
        if event.y < len(rows):
            self.post_message(self.Chosen(rows[event.y][0]))
