"""The words around one message: its head line, and what stands under its text.

They are asked for when a message comes near the screen, never for all messages at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from tui_chat.core.conversation import Role
from tui_chat.core.text import clean, one_line
from tui_chat.widgets.transcript.lines import BLANK, Line, Span, fitted, literal

_INDENT = (Span("  "),)


@dataclass(frozen=True)
class Caption:
    """The words around one message."""

    head: str
    """Left of the head line: who speaks, or what made the reply."""
    position: str = ""
    """Right of the head line: which sibling this is."""
    foot: str = ""
    """A dim line under the text: what the reply took and how it ended."""
    error: str = ""
    """Under the text, in the colour of errors: why the reply failed."""
    detail: str = ""
    """Dim after the head, or on rows of its own where it does not fit: how the reply was made."""


def head_lines(caption: Caption, role: Role, width: int) -> list[Line]:
    """Who speaks and how the reply was made; nothing of the detail is ever cut."""
    detail = one_line(caption.detail, 2_000)
    position = cell_len(one_line(caption.position))
    room = width - position - 2 if position else width
    beside = f" · {detail}" if detail else ""
    if cell_len(one_line(caption.head) + beside) <= room:
        return [_head_line(caption, role, width, beside)]
    return [
        _head_line(caption, role, width, ""),
        *([Line(literal(detail, "dim"))] if detail else []),
    ]


def _head_line(caption: Caption, role: Role, width: int, beside: str) -> Line:
    """Exactly one row of the width: the position is dropped before the head is cut."""
    position = one_line(caption.position)
    room = width - cell_len(position) - 2 if position else width
    if position and room < width // 3:
        position, room = "", width
    head = Span(one_line(caption.head), f"head-{role}")
    if cell_len(head.text) > room:
        head = Span(fitted([head], room - 1)[0].text + "…", head.style)
    spans = (head, Span(beside, "dim")) if beside else (head,)
    if not position:
        return Line(spans)
    gap = " " * (width - cell_len(head.text + beside) - cell_len(position))
    return Line((*spans, Span(gap), Span(position, "dim")))


def foot_lines(caption: Caption) -> list[Line]:
    """Error and foot, where there are any, and the blank row that ends every message."""
    lines: list[Line] = []
    for style, words in (("error", caption.error), ("dim", caption.foot)):
        if words:
            lines.extend(
                Line(literal(line, style), lead=_INDENT, hang=_INDENT)
                for line in clean(words).rstrip("\n").split("\n")
            )
    return [*lines, BLANK]
