"""What the list of the review room shows: conversations, or the messages that a search found; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from tui_chat.core.conversation import Headline
from tui_chat.core.search import Hit
from tui_chat.core.store import TRASH_DAYS
from tui_chat.core.text import one_line
from tui_chat.widgets.tones import MUTED

WIDE = 66
"""Cells from which on a conversation is one row, and a hit two."""
_WHO = {"user": "You", "system": "System", "assistant": "Assistant"}
_MATCH = "bold underline"


@dataclass(frozen=True)
class Line:
    """One line of the list: a conversation, or one message of it that was found."""

    of: Headline | Hit

    @property
    def key(self) -> str:
        return self.of.message if isinstance(self.of, Hit) else self.of.id

    @property
    def mark(self) -> str:
        """Marks are of conversations, whichever of their messages was found, and of deleted branches."""
        return self.key if self.branch else self.conversation

    @property
    def branch(self) -> bool:
        """Whether a deleted branch of a conversation is meant, and not all of it."""
        return isinstance(self.of, Hit) and self.of.branch

    @property
    def conversation(self) -> str:
        """The id of the conversation."""
        return self.of.conversation if isinstance(self.of, Hit) else self.of.id

    @property
    def message(self) -> str | None:
        """The id of the message that was found; None for a conversation as a whole."""
        return self.of.message if isinstance(self.of, Hit) else None

    @property
    def title(self) -> str:
        return one_line(self.of.title) or "Untitled"


def rows_each(width: int, *, hits: bool) -> int:
    """How many rows a line takes in a list of this width."""
    wide = width >= WIDE
    return (2 if wide else 3) if hits else (1 if wide else 2)


def rows(line: Line, width: int, present: str, today: date) -> Sequence[Content]:
    """The rows of a line, each at most `width` cells; `present` is the conversation that is open."""
    if isinstance(line.of, Hit):
        return _hit_rows(line, line.of, width, present, today)
    one = line.of
    name = _name(line, present)
    time = when(one.updated, today)
    if width < WIDE:
        return [
            _spread(name, time.strip(), width),
            Content(" · ".join(_facts(one))).stylize(MUTED),
        ]
    facts = f"{one_line(one.model, 22):<22}  {time}  {one.messages:>5}"
    tags = " ".join([*(f"#{tag}" for tag in one.tags), *_where(one)])
    if tags:
        name = Content.assemble(name, "  ", (tags, MUTED))
    return [_spread(name, facts, width)]


def _name(line: Line, present: str) -> Content:
    """The title, after the signs of the open conversation and of the starred ones."""
    signs = (("● ", line.conversation == present), ("★ ", line.of.starred))
    return Content.assemble(*((sign, "$primary") for sign, on in signs if on), line.title)


def _facts(one: Headline) -> list[str]:
    count = "1 message" if one.messages == 1 else f"{one.messages} messages"
    tags = " ".join(f"#{tag}" for tag in one.tags)
    return [part for part in (*_where(one), one_line(one.model, 40), count, tags) if part]


def _where(one: Headline) -> list[str]:
    if one.state == "deleted":
        until = datetime.fromtimestamp(one.deleted / 1000) + timedelta(days=TRASH_DAYS)
        return [f"in the trash until {until:%Y-%m-%d}"]
    return ["archived"] if one.state == "archived" else []


def _hit_rows(line: Line, hit: Hit, width: int, present: str, today: date) -> Sequence[Content]:
    snippet = _snippet(hit, width)
    name, time = _name(line, present), when(hit.created, today)
    if width < WIDE:
        who = "".join(_who(hit, width))
        return [_spread(name, time.strip(), width), Content(who).stylize(MUTED), snippet]
    first, others = _who(hit, width - 36)
    least, wanted = cell_len(first) + 16, cell_len(first + others) + 16
    name = name.truncate(max(8, min(max(20, width - wanted), width - least)), ellipsis=True)
    beside = Content.assemble(name, "  ", (first + others, MUTED))
    return [_spread(beside, time, width), snippet]


def _who(hit: Hit, room: int) -> tuple[str, str]:
    """Who said it and how it was made: what must be seen, for which a model's name is cut to keep within
    `room`, and what may be cut off."""
    where = "deleted branch" if hit.branch else "" if hit.state == "kept" else hit.state
    status = hit.status if hit.status not in ("complete", "streaming") else ""
    if hit.setup is None:
        return _joined(where, _WHO[hit.role], status), ""
    first, _, others = hit.setup.params.summary.partition(" · ")
    beside = sum(cell_len(part) + 3 for part in (where, first, status) if part)
    made = _middle_cut(one_line(hit.setup.model or hit.setup.endpoint), max(10, room - beside))
    seen, rest = _joined(where, made, first), _joined(status, others)
    return seen, f" · {rest}" if rest else ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _middle_cut(text: str, room: int) -> str:
    """The text in so many cells, without its middle where it is longer: names differ at both ends."""
    if cell_len(text) <= room:
        return text
    head = set_cell_size(text, room // 2).rstrip()
    tail = text[-(room - room // 2 - 1) :]
    while cell_len(tail) > room - room // 2 - 1:
        tail = tail[1:]
    return f"{head}…{tail.lstrip()}"


def _snippet(hit: Hit, width: int) -> Content:
    """The words around the first match, from so far on that it can be seen in this width."""
    snippet = Content(hit.snippet)
    for start, end in hit.spans:
        snippet = snippet.stylize(_MATCH, start, end)
    first = hit.spans[0] if hit.spans else (0, 0)
    if cell_len(hit.snippet[: first[1]]) < width:
        return snippet
    return Content.assemble("…", snippet[max(0, first[0] - width // 4) :])


def _spread(left: Content, right: str, width: int) -> Content:
    """The left part, cut where it must be, and the right part dim at the right."""
    room = max(4, width - len(right) - 2)
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), "  ", (right, MUTED))


def when(milliseconds: int, today: date) -> str:
    """A time as lists show it, always 10 wide: the hour for today, else the date. Local time."""
    moment = datetime.fromtimestamp(milliseconds / 1000)
    return f"{moment:%H:%M}".rjust(10) if moment.date() == today else f"{moment:%Y-%m-%d}"
