"""What is behind other widgets: blank rows, all alike but for a border, of which one is drawn."""

from __future__ import annotations

from textual.containers import Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Backdrop(Widget):
    """For a screen or a container that draws nothing of its own but a border and a background. To be named after
    the kind of either in a class's bases: Textual looks for styles in the first.

    In a window of 500 columns and 200 rows that saves half of the time of a layout: Textual draws also what is
    covered, and would draw each of those rows by itself, cut it, and look through all of its cells.
    """

    def render_lines(self, crop: Region) -> list[Strip]:
        gutter, height = self.gutter, self.outer_size.height
        top, bottom = crop.line_span
        first, last = max(top, gutter.top), min(bottom, height - gutter.bottom)
        if last - first < 2:
            return super().render_lines(crop)

        def drawn(start: int, stop: int) -> list[Strip]:
            if start >= stop:
                return []
            return super(Backdrop, self).render_lines(
                Region(crop.x, start, crop.width, stop - start)
            )

        # Always the same one, which is drawn already where a border or a title changed.
        alike = drawn(gutter.top, gutter.top + 1) * (last - first)
        return [*drawn(top, first), *alike, *drawn(last, bottom)]


class Frame(Vertical, Backdrop):
    """A column of widgets, with or without a border."""
