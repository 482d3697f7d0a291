"""The text of a selection: lines as they are, not as they wrap.

Parts of messages are copied as they are read; so are whole messages, unless they are so many that
laying them out would take long: then those in the middle are copied as they were written.
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.selection import Selection

from tui_chat.core.text import clean
from tui_chat.widgets.transcript.document import Document, Item

_LAID_OUT = 100
"""Messages in the middle of a selection that are laid out at most."""


def selected_text(document: Document, selection: Selection) -> str:
    """The text of a selection; of all messages as they were written if it has no ends."""
    if not document.messages:
        return ""
    if selection.start is None and selection.end is None:
        return "\n\n".join(_written(document, place) for place in range(len(document.messages)))
    last = len(document.messages) - 1
    first_place = 0 if selection.start is None else min(selection.start.y >> 50, last)
    last_place = last if selection.end is None else min(selection.end.y >> 50, last)
    parts: list[str] = []
    for place in range(first_place, last_place + 1):
        inner = first_place < place < last_place
        if inner and last_place - first_place > _LAID_OUT:
            parts.append(f"\n{_written(document, place)}\n")
        else:
            parts.extend(_shown(document, document.opened(place), selection))
    lines = clean("".join(parts)).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _written(document: Document, place: int) -> str:
    return clean(f"{document.caption(place).head}\n{document.messages[place].content}")


def _shown(document: Document, items: list[Item], selection: Selection) -> Iterator[str]:
    """The selected parts of the lines of these items, each with the newline before it."""
    for item in items:
        if not _meets(item, selection):
            continue
        for number, line in enumerate(document.lines(item)):
            span = selection.get_span(item.key(number))
            if span is None:
                continue
            start, stop = span
            text = line.copied(start, None if stop < 0 else stop)
            yield text if line.continues else f"\n{text}"


def _meets(item: Item, selection: Selection) -> bool:
    """Whether any line of the item can be selected."""
    lowest, highest = item.key(), item.key((1 << 20) - 1)
    after_start = selection.start is None or selection.start.y <= highest
    return after_start and (selection.end is None or selection.end.y >= lowest)
