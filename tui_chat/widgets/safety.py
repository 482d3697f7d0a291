"""The last gate before the terminal: no text drawn may control it."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui_chat.core.text import HOSTILE


class DropControls(LineFilter):
    """Drops what could control a terminal from every segment; the app's own sequences are no segments' text."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(map(_hostile, segments)):
            return segments
        return [
            Segment(HOSTILE.sub("", segment.text), segment.style) if _hostile(segment) else segment
            for segment in segments
        ]


def _hostile(segment: Segment) -> bool:
    text = segment.text
    # What is hostile is never printable, and Python tells that nine times as quickly.
    return not segment.control and not text.isprintable() and HOSTILE.search(text) is not None
