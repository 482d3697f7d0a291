"""The text of a selection: lines as they are, not as they wrap.

Parts of messages are copied as they are read; so are whole messages, unless they are so many or so long
that laying them out would take long: then what is in the middle is copied as it was written.
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.selection import Selection

from tui_chat.core.text import clean
from tui_chat.widgets.transcript.document import Document, Item

_LAID_OUT = 100
"""Messages in the middle of a selection that are laid out at most."""
_LAID_OUT_CHARACTERS = 50_000
"""Of the messages in the middle, and of each message at an end."""


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
    inside = document.messages[first_place + 1 : last_place]
    many = len(inside) >= _LAID_OUT
    many = many or sum(len(message.content) for message in inside) > _LAID_OUT_CHARACTERS
    for place in range(first_place, last_place + 1):
        if many and first_place < place < last_place:
            parts.append(f"\n{_written(document, place)}\n")
        else:
            parts.extend(_shown(document, document.opened(place), selection))
    lines = clean("".join(parts)).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _written(document: Document, place: int) -> str:
    return clean(f"{document.caption(place).head}\n{document.messages[place].content}")


def _shown(document: Document, items: list[Item], selection: Selection) -> Iterator[str]:
    """The selected parts of the lines of these items, each with the newline before it."""
    met = [item for item in items if _meets(item, selection)]
    is_long = sum(item.block.end - item.block.start for item in met if item.block) > (
        _LAID_OUT_CHARACTERS
    )
    for index, item in enumerate(met):
        if item.is_rest or (is_long and item.block and 0 < index < len(met) - 1):
            if item.block and not item.block.before.midline:
                yield "\n" if item.block.before.joined else "\n\n"
            yield document.source(item).rstrip("\n")
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
