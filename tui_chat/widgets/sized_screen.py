"""A screen that follows the size of the window: classes for its steps, and words where it is too small for anything.

What had the focus before the window was too small has it again afterwards.
"""

from __future__ import annotations

from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui_chat.widgets.backdrop import Backdrop
from tui_chat.widgets.bars import TOO_SMALL


class SizedScreen(Screen[None], Backdrop):
    """Subclasses hide everything but #too-small where they are -too-narrow or -too-low."""

    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [
        (0, "-too-narrow"),
        (60, "-overlay"),
        (80, "-narrow"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [
        (0, "-too-low"),
        (16, "-low"),
        (24, "-middle"),
        (32, "-high"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._had_focus: Widget | None = None
        """What had the focus last while the window was large enough."""

    @property
    def too_small(self) -> bool:
        """Whether the window is too small for anything but words that say so."""
        return self.has_class("-too-narrow") or self.has_class("-too-low")

    def set_size_classes(self) -> None:
        """As Textual does at the first resize, but before there is anything to style again."""
        breakpoints = (
            (self.HORIZONTAL_BREAKPOINTS, self.app.size.width),
            (self.VERTICAL_BREAKPOINTS, self.app.size.height),
        )
        for places, extent in breakpoints:
            names = [name for start, name in places or () if start <= extent]
            self.add_class(names[-1], update=False)

    def on_descendant_focus(self) -> None:
        if not self.too_small:
            self._had_focus = self.focused

    def on_resize(self) -> None:
        if self.too_small and not self.query("#too-small"):
            self.mount(Static(TOO_SMALL, id="too-small"))
        # What is hidden loses the focus, and is there again only once it is drawn.
        self.call_after_refresh(self._give_focus_back)

    def _give_focus_back(self) -> None:
        before = self._had_focus
        if self.focused is None and before is not None and before.is_attached and before.focusable:
            self.set_focus(before)
