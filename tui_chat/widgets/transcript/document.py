"""The messages as a flat list of items: what a transcript consists of, without a screen.

A message nobody has come near is one item of estimated height. Opening it puts its head, its
blocks and its foot in that place; the height of an item is exact once it was laid out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from tui_chat.core.conversation import Message
from tui_chat.widgets.transcript.caption import Caption, foot_lines, head_lines
from tui_chat.widgets.transcript.heights import Heights
from tui_chat.widgets.transcript.layout import Layout, estimate, extent, fold_at, more_line
from tui_chat.widgets.transcript.lines import Line, Row, Span, rows_of

if TYPE_CHECKING:
    from tui_chat.widgets.transcript.blocks import Block, State
    from tui_chat.widgets.transcript.cuts import Cuts

_KEPT = 600
"""Items whose lines are kept."""


class Part(IntEnum):
    """What an item is, in the order in which a message shows its parts."""

    HEAD = 0
    FOLD = 1
    REASONING = 2
    BODY = 3
    MORE = 4
    WAITING = 5
    FOOT = 6
    CLOSED = 7
    """A whole message that was not opened yet."""


@dataclass(eq=False, slots=True)
class Item:
    """One piece of one message; two items are the same only if they are the same object."""

    message: int
    part: Part
    block: Block | None = None

    def key(self, line: int = 0) -> int:
        """A number for a line of this item that grows down the document, whatever the width."""
        start = self.block.start if self.block else 0
        return message_key(self.message) | (self.part << 46) | (start << 20) | line

    @property
    def is_rest(self) -> bool:
        """Whether it stands for what of a text was not cut yet."""
        return self.block is not None and self.block.kind == "rest"


def message_key(place: int) -> int:
    """The key of the first line of a message."""
    return place << 50


@dataclass(frozen=True, slots=True)
class Laid:
    """The lines of an item and the rows on which they are at the current width."""

    lines: Sequence[Line]
    rows: Sequence[Row]


class Document:
    """What is shown, at one width; rows and items are counted from the top."""

    def __init__(self, caption: Callable[[Message], Caption]) -> None:
        self._caption = caption
        self._captions: dict[int, Caption] = {}
        self._layout = Layout()
        self._laid: dict[Item, Laid] = {}
        self._places: dict[str, int] = {}
        self._unfolded: set[str] = set()
        self._growing: int | None = None
        self._cuts: Cuts | None = None
        self.uncut: set[int] = set()
        """The places of opened messages that are too long to be cut in one go, and have a rest."""
        self.width = 80
        self.messages: list[Message] = []
        self.items: list[Item] = []
        self.heights = Heights()

    def load(self, messages: Sequence[Message]) -> None:
        """Show these messages instead; none of them is opened."""
        self._laid.clear()
        self._captions.clear()
        self._cuts = None
        self.uncut.clear()
        self._growing = None
        self.messages = list(messages)
        self._places = {message.id: place for place, message in enumerate(self.messages)}
        self.items = [Item(place, Part.CLOSED) for place in range(len(self.messages))]
        self.heights = Heights()
        self.heights.splice(0, 0, (self._closed_height(message) for message in self.messages))

    @property
    def growing(self) -> bool:
        """Whether there is a message to which text may come."""
        return self._growing is not None

    def place(self, id: str | None) -> int | None:
        """Where the message with this id is; None when it is not shown."""
        return None if id is None else self._places.get(id)

    def span(self, place: int) -> tuple[int, int]:
        """The items of a message: the index of the first, and of the first one after."""
        start = bisect_left(self.items, place, key=lambda item: item.message)
        stop = bisect_left(self.items, place + 1, lo=start, key=lambda item: item.message)
        return start, stop

    # What changes

    def begin(self, message: Message) -> None:
        """Add a message at the end, to which text may come; one already shown begins anew."""
        place = self._places.get(message.id)
        if place is not None:
            self._growing = place
            self.put(message)
            return
        self._growing = place = len(self.messages)
        self._places[message.id] = place
        self.messages.append(message)
        self.items.append(Item(place, Part.CLOSED))
        end = len(self.heights)
        self.heights.splice(end, end, [self._closed_height(message)])

    def grow(self, content: str, reasoning: str) -> Item | None:
        """Add text to the message begun last: the first item that changed, None without one."""
        place = self._growing
        if place is None:
            return None
        old = self.messages[place]
        self.messages[place] = replace(
            old,
            content=old.content + content,
            reasoning=old.reasoning + reasoning,
            status="streaming",
        )
        start, _ = self.span(place)
        if reasoning and start + 1 < len(self.items) and self.items[start + 1].part is Part.FOLD:
            # The line of the fold counts the words: another item, of the same height.
            self.items[start + 1] = Item(place, Part.FOLD)
        return self._rebuild(place, keep=old.status == "streaming")

    def end(self, message: Message) -> None:
        """No more text comes to this message, and this is its final value."""
        place = self._places.get(message.id)
        if place is None:
            return
        if place == self._growing:
            self._growing = None
        old, self.messages[place] = self.messages[place], message
        same = (old.content, old.reasoning) == (message.content, message.reasoning)
        self._captions.pop(place, None)
        self._rebuild(place, keep=same, again=(Part.HEAD, Part.FOOT))

    def put(self, message: Message) -> None:
        """Show another value of a message that is shown."""
        if (place := self._places.get(message.id)) is not None:
            self.messages[place] = message
            self._captions.pop(place, None)
            self._rebuild(place, keep=False)

    def forget_captions(self) -> None:
        """Ask for captions again when they are drawn."""
        self._captions.clear()
        for index, item in enumerate(self.items):
            if item.part in (Part.HEAD, Part.FOOT):
                self._laid.pop(item, None)
                self.heights.set(index, self.heights[index], exact=False)

    def cut_on(self, place: int | None = None) -> None:
        """Go on with a message that has a rest, or with this one if it has, for one turn."""
        if place is None:
            place = next(iter(self.uncut), None)
        if place in self.uncut:
            self.uncut.remove(place)
            self._rebuild(place, keep=True)

    def can_fold(self, place: int) -> bool:
        """Whether the message has something to fold or unfold."""
        message = self.messages[place]
        return bool(message.reasoning) or (
            message.role != "assistant" and fold_at(message.content) is not None
        )

    def toggle(self, place: int) -> None:
        """Fold or unfold a message."""
        self._unfolded ^= {self.messages[place].id}
        self._rebuild(place, keep=False)

    def resize(self, width: int) -> None:
        """Another width: every height is an estimate again."""
        self.heights.scale(self.width / width)
        self.width = width
        self._laid.clear()

    # What is drawn

    def make_exact(self, index: int) -> int:
        """Open or measure the item at this index; the number of items that were added."""
        item = self.items[index]
        if item.part is Part.CLOSED:
            items = self._items_of(item.message, {})
            self._splice(index, index + 1, items)
            return len(items) - 1
        self.heights.set(index, len(self.laid(item).rows), exact=True)
        return 0

    def laid(self, item: Item) -> Laid:
        """The lines and rows of an item."""
        laid = self._laid.pop(item, None)
        if laid is None:
            lines = self.lines(item)
            laid = Laid(lines, rows_of(lines, self.width))
            if len(self._laid) >= _KEPT:
                del self._laid[next(iter(self._laid))]
        self._laid[item] = laid
        return laid

    def lines(self, item: Item) -> list[Line]:
        """The lines of an item."""
        message = self.messages[item.message]
        if item.block is not None:
            if item.part is Part.REASONING:
                return self._layout.aside(message.reasoning, item.block, self.width)
            return self._layout.lines(message.content, item.block, self.width)
        match item.part:
            case Part.HEAD:
                return head_lines(self.caption(item.message), message.role, self.width)
            case Part.FOLD:
                mark = "▾" if self._is_unfolded(item.message) else "▸"
                said = f"{mark} Reasoning · {extent(message.reasoning)}"
                return [Line((Span(said, "dim"),))]
            case Part.MORE:
                return [more_line(message.content, fold_at(message.content) or 0)]
            case Part.WAITING:
                return [Line((Span("…", "dim"),))]
            case _:
                return foot_lines(self.caption(item.message))

    def caption(self, place: int) -> Caption:
        """The words around a message."""
        if place not in self._captions:
            self._captions[place] = self._caption(self.messages[place])
        return self._captions[place]

    def opened(self, place: int, *, unfolded: bool = False) -> list[Item]:
        """The items of a message as if it was opened, or unfolded; the document stays as it is."""
        start, stop = self.span(place)
        items = self.items[start:stop]
        if unfolded and not self._is_unfolded(place):
            return self._items_of(place, {}, unfolded=True)
        return self._items_of(place, {}) if items[0].part is Part.CLOSED else items

    def whole(self, place: int, *, unfolded: bool = False) -> Generator[None, None, list[Item]]:
        """The same, but cut to the end of the message, with a pause after each turn."""
        items = self.opened(place, unfolded=unfolded)
        while any(item.is_rest for item in items):
            yield None
            items = self._items_of(place, {}, unfolded=unfolded)
        return items

    def source(self, item: Item) -> str:
        """What was written in the place of an item's lines; nothing for the words around it."""
        if item.block is None:
            return ""
        return self._text(item.message, item.part)[item.block.start : item.block.end]

    def hidden(self, place: int) -> str:
        """What of a message is folded away."""
        message = self.messages[place]
        if self._is_unfolded(place):
            return ""
        if message.role == "assistant":
            return message.reasoning
        at = fold_at(message.content)
        return message.reasoning + ("" if at is None else message.content[at:])

    def _is_unfolded(self, place: int) -> bool:
        return self.messages[place].id in self._unfolded

    # How messages become items

    def _items_of(
        self, place: int, old: dict[Part, list[Item]], *, unfolded: bool = False
    ) -> list[Item]:
        # Deferred, here and below: there is no block before the first paint.
        from tui_chat.widgets.transcript.blocks import START, State

        message = self.messages[place]
        unfolded = unfolded or self._is_unfolded(place)

        def one(part: Part) -> Item:
            return old[part][0] if part in old else Item(place, part)

        items = [one(Part.HEAD)]
        state = START
        if message.reasoning:
            items.append(one(Part.FOLD))
            if unfolded:
                items.extend(self._grown(place, Part.REASONING, old, state))
                state = State()
        if message.role == "assistant":
            items.extend(self._grown(place, Part.BODY, old, state))
        else:
            items.extend(self._typed(place, message.content, unfolded=unfolded))
        if message.status == "streaming" and not message.content and not message.reasoning:
            items.append(one(Part.WAITING))
        items.append(one(Part.FOOT))
        return items

    def _grown(
        self, place: int, part: Part, old: dict[Part, list[Item]], state: State
    ) -> Iterable[Item]:
        """The blocks of a text that may still grow; settled ones are kept."""
        from tui_chat.widgets.transcript.cuts import Cuts

        text = self._text(place, part)
        kept = [item for item in old.get(part, ()) if item.block and item.block.settled]
        if kept and kept[0].block and kept[0].block.before != state:
            kept = []
        last = kept[-1].block if kept else None
        at, state = (last.end, last.after) if last else (0, state)
        final = place != self._growing or self.messages[place].status != "streaming"
        self._cuts = self._cuts or Cuts()
        blocks = self._cuts.blocks((place, part), text, at, state, final=final)
        items = [*kept, *(Item(place, part, block) for block in blocks)]
        if items and items[-1].is_rest:
            self.uncut.add(place)
        return items

    def _text(self, place: int, part: Part) -> str:
        message = self.messages[place]
        return message.reasoning if part is Part.REASONING else message.content

    def _typed(self, place: int, text: str, *, unfolded: bool) -> Iterable[Item]:
        """The blocks of what a person wrote; a long text is folded."""
        from tui_chat.widgets.transcript.blocks import cut_plain

        at = None if unfolded else fold_at(text)
        shown = text.rstrip() if at is None else text[:at]
        items = [Item(place, Part.BODY, block) for block in cut_plain(shown)]
        return items if at is None else [*items, Item(place, Part.MORE)]

    def _rebuild(self, place: int, *, keep: bool, again: tuple[Part, ...] = ()) -> Item | None:
        """Cut a message again; with `keep`, what cannot have changed stays as it is."""
        start, stop = self.span(place)
        old = self.items[start:stop]
        if old[0].part is Part.CLOSED:
            self.heights.set(start, self._closed_height(self.messages[place]), exact=False)
            return old[0]
        parts: dict[Part, list[Item]] = {}
        for item in old if keep else ():
            if item.part not in again:
                parts.setdefault(item.part, []).append(item)
        new = self._items_of(place, parts)
        same = 0
        while same < min(len(old), len(new)) and old[same] is new[same]:
            same += 1
        end = 0
        while end < min(len(old), len(new)) - same and old[-1 - end] is new[-1 - end]:
            end += 1
        self._splice(start + same, stop - end, new[same : len(new) - end])
        return new[min(same, len(new) - 1)]

    def _splice(self, start: int, stop: int, items: list[Item]) -> None:
        for item in self.items[start:stop]:
            self._laid.pop(item, None)
        self.items[start:stop] = items
        self.heights.splice(start, stop, map(self._height, items))

    def _height(self, item: Item) -> int:
        if item.block is None:
            return 2 if item.part is Part.FOOT else 1
        if item.is_rest:
            return 2
        text = self._text(item.message, item.part)
        return estimate(text, item.block.start, item.block.end, self.width)

    def _closed_height(self, message: Message) -> int:
        return estimate(message.content, 0, len(message.content), self.width) + 2
