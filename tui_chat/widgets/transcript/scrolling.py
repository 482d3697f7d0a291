"""A scroll view whose content says itself where it is: the one place that uses Textual's internals.

Its height and position can be set together, without a layout of the screen; it never glides,
since a target set before the heights were known would be the wrong one.
"""

from __future__ import annotations

from textual._animator import EasingFunction
from textual._types import AnimationLevel, CallbackType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget


class PlacedScrollView(ScrollView):
    """Expects `overflow-y: scroll`, so that no height can change the width."""

    def place(self, size: Size, top: int) -> None:
        """Set what can be scrolled and which row is on top; `watch_scroll_y` is not called."""
        # Assigning virtual_size lays the screen out, at every line of a streaming reply; a
        # scrollbar that is always there makes that layout needless.
        self.set_reactive(Widget.virtual_size, size)
        self.set_reactive(Widget.scroll_y, float(top))
        self.set_reactive(Widget.scroll_target_y, float(top))
        self._scroll_update(size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = top

    def _scroll_to(
        self,
        x: float | None = None,
        y: float | None = None,
        *,
        animate: bool = True,
        speed: float | None = None,
        duration: float | None = None,
        easing: EasingFunction | str | None = None,
        force: bool = False,
        on_complete: CallbackType | None = None,
        level: AnimationLevel = "basic",
        release_anchor: bool = True,
    ) -> bool:
        return super()._scroll_to(
            x, y, animate=False, force=force, on_complete=on_complete, release_anchor=release_anchor
        )
