"""Turns one block of a text into lines, and says about how many rows it takes before that.

What a block looks like depends on the block, its text and the width alone. What reads markdown is
imported with the first block: the first screen is painted before any reply is drawn.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tui_chat.core.text import clean
from tui_chat.widgets.transcript.lines import BLANK, Line, Span, literal

if TYPE_CHECKING:
    from tui_chat.widgets.transcript.blocks import Block
    from tui_chat.widgets.transcript.code import Highlighter
    from tui_chat.widgets.transcript.markdown import MarkdownRenderer

FOLD_LINES = 40
"""What a person wrote is folded when it has more lines than this."""
_FOLD_CHARACTERS = 6_000
_SHOWN_LINES = 20
_SHOWN_CHARACTERS = 2_000
_COUNTED = 500_000
"""Characters up to which words are counted, which is done while they arrive."""
_ASIDE = (Span("│ ", "dim"),)


class Layout:
    """Draws blocks; keeps the parser and the lexers once they are loaded."""

    @cached_property
    def _highlighter(self) -> Highlighter:
        from tui_chat.widgets.transcript.code import Highlighter

        return Highlighter()

    @cached_property
    def _markdown(self) -> MarkdownRenderer:
        from tui_chat.widgets.transcript.markdown import MarkdownRenderer

        return MarkdownRenderer(self._highlighter)

    def lines(self, text: str, block: Block, width: int) -> list[Line]:
        """The lines of one block, for rows of `width` cells."""
        if block.kind == "rest":
            left = f"… {block.end - block.start:,} more characters, being read"
            lines = [Line((Span(left, "dim"),))]
        elif block.kind == "code":
            lines = self._code(text, block)
        elif block.kind == "plain":
            lines = plain_lines(text[block.start : block.end], midline=block.before.midline)
        else:
            source = text[block.start : block.end].rstrip()
            if not block.settled:
                from tui_chat.widgets.transcript.tail import completed

                source = completed(source)
            lines = self._markdown.lines(source, width)
        return lines if block.before.joined else [BLANK, *lines]

    def _code(self, text: str, block: Block) -> list[Line]:
        from tui_chat.widgets.transcript.markdown import code_lines

        fence, (start, stop) = block.fence, block.body
        if fence is None or (start == stop and block.before.fence is not None):
            return []
        code = "".join(
            _outdented(line, fence.indent) for line in clean(text[start:stop]).splitlines(True)
        )
        lead = (Span(" " * fence.indent),) if fence.inside else ()
        lines = code_lines(self._highlighter, code, fence.language, lead)
        if block.before.midline:
            lines[0] = replace(lines[0], continues=True)
        return lines

    def aside(self, text: str, block: Block, width: int) -> list[Line]:
        """The lines of a block of reasoning: quieter, with a bar at their left."""
        lines = self.lines(text, block, max(1, width - 2))
        return [
            replace(
                line,
                spans=tuple(s._replace(style=f"{s.style} dim".strip()) for s in line.spans),
                lead=_ASIDE + line.lead,
                hang=_ASIDE + line.hang,
            )
            for line in lines
        ]


def _outdented(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def plain_lines(text: str, *, midline: bool = False) -> list[Line]:
    """The lines of a text as it was typed; `midline` says that the first one goes on."""
    text = text.removesuffix("\n")
    if midline and not text:
        return []
    lines = [Line(literal(line)) for line in text.split("\n")]
    if midline:
        lines[0] = replace(lines[0], continues=True)
    return lines


def estimate(text: str, start: int, stop: int, width: int) -> int:
    """About how many rows this part of a text takes."""
    return text.count("\n", start, stop) + (stop - start) // max(1, width) + 1


def extent(text: str) -> str:
    """How long a text is: its words, or its characters where counting words takes long."""
    if len(text) > _COUNTED:
        return f"{len(text):,} characters"
    return f"{len(text.split()):,} words"


def fold_at(text: str) -> int | None:
    """Where a long text that a person wrote is cut while it is folded; None when it is short."""
    if text.count("\n") < FOLD_LINES and len(text) <= _FOLD_CHARACTERS:
        return None
    at = 0
    for _ in range(_SHOWN_LINES):
        at = text.find("\n", at) + 1
        if not at:
            break
    return min(at or len(text), _SHOWN_CHARACTERS)


def more_line(text: str, at: int) -> Line:
    """What stands in the place of the rest of a text that is folded from `at` on."""
    if text[at - 1] == "\n":
        hidden, what = text.count("\n", at) + (not text.endswith("\n")), "lines"
    else:
        hidden, what = len(text) - at, "characters"
    return Line((Span(f"… {hidden:,} more {what}, enter to unfold", "dim"),))
