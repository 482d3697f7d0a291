"""Hits as lists show them: a message that was found, where it stands, and a piece of its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.core.conversation import Role, Setup, State, Status
from tui_chat.core.database import Connection
from tui_chat.core.moments import Moment
from tui_chat.core.query import Query
from tui_chat.core.records import MESSAGE_COLUMNS, Setups, message_from, text_of
from tui_chat.core.text import clean

SNIPPET = 160
"""Characters of a message that a hit shows."""
_BEFORE = 50
_LOOKED_AT = 200_000
"""Characters of a message in which a piece to show is looked for first."""
_MOST = 8_000_000
"""Characters of all messages together that are looked at beyond that."""
_AROUND = 1_000
"""Characters on either side of a match in a long message that its piece is made of."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One message that was found, with the conversation it stands in."""

    conversation: str
    title: str
    state: State
    """"deleted" also for a deleted message of a conversation that is not."""
    starred: bool
    message: str
    role: Role
    created: int
    """Milliseconds since the epoch, UTC."""
    setup: Setup | None
    status: Status
    snippet: str
    """About 160 characters around the first match, on one line, clean."""
    spans: tuple[tuple[int, int], ...]
    """Where the words stand in the snippet."""
    place: Moment
    """Its place in the order of time."""
    branch: bool = False
    """Whether it is in the trash without its conversation, with the branch it stands in."""


@dataclass(frozen=True, slots=True)
class Found:
    """Some hits, and where to go on."""

    hits: tuple[Hit, ...] = ()
    more: bool = False
    """Whether there may be others: the limit was reached, or the time was up."""
    indexed: bool = True
    """Whether they were found by the index; without it, messages are read."""
    place: Moment = (0, 0)
    """Where to go on, when there may be more."""


def hits(connection: Connection, query: Query, rows: Sequence[Moment]) -> tuple[Hit, ...]:
    """These messages as hits, in this order; without those that are gone by now."""
    columns = [f"m.{name}" for name in MESSAGE_COLUMNS.split(",")]
    for place, name in enumerate(columns):
        if name in ("m.content", "m.reasoning"):
            columns[place] = f"substr({name},1,{_LOOKED_AT})"
    found = connection.execute(
        f"SELECT m.seq, m.id, NULL, {','.join(columns)}, c.id, c.title, c.archived, c.starred,"
        " c.deleted_at IS NOT NULL OR m.deleted_at IS NOT NULL, c.deleted_at IS NULL"
        " FROM message m CROSS JOIN conversation c ON c.seq=m.conversation"
        f" WHERE m.seq IN ({','.join(str(seq) for _, seq in rows)})"
    ).fetchall()
    setups = Setups(connection)
    made = {}
    left = _MOST
    places = {seq: (created, seq) for created, seq in rows}
    for row in found:
        message = message_from(row[:-6], {}, setups)
        name, title, archived, starred, deleted, alone = row[-6:]
        text, spans = snippet(query, clean(message.content), clean(message.reasoning))
        cut_off = _LOOKED_AT in (len(message.content), len(message.reasoning))
        if cut_off and query.words and not spans and left > 0:
            whole = connection.execute(
                "SELECT content, reasoning FROM message WHERE seq=?", (row[0],)
            ).fetchone()
            left -= sum(map(len, map(text_of, whole)))
            piece = _around(query, *map(text_of, whole))
            text, spans = snippet(query, clean(piece)) if piece else (text, spans)
        made[row[0]] = Hit(
            text_of(name),
            text_of(title),
            "deleted" if deleted else "archived" if archived else "kept",
            bool(starred),
            message.id,
            message.role,
            message.created,
            message.setup,
            message.status,
            text,
            spans,
            places[row[0]],
            bool(deleted and alone),
        )
    return tuple(made[seq] for _, seq in rows if seq in made)


def _around(query: Query, *texts: str) -> str:
    """What stands around the first match in one of these; empty where there is none."""
    for text in texts:
        if (place := query.first(text)) is not None:
            start, end = place
            begin = max(0, start - _AROUND)
            # The beginning of a word: the end of one could be taken for a match.
            begin = begin and max(begin, text.find(" ", begin, start - _AROUND // 2))
            return text[begin : end + _AROUND]
    return ""


def snippet(
    query: Query, content: str, reasoning: str = ""
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A piece of a text around the first match, on one line, and where the words stand in it."""
    text, first = content or reasoning, query.first(content)
    if first is None and reasoning and (found := query.first(reasoning)):
        text, first = reasoning, found
    start, end = first or (0, 0)
    begin = max(0, start - _BEFORE)
    if begin > 0:
        # At the beginning of a word, where there is one.
        space = text.find(" ", begin, start)
        begin = space + 1 if space >= 0 else begin
    stop = max(begin + SNIPPET, min(end + _BEFORE, begin + 3 * SNIPPET))
    # More than is shown, for spaces that are joined.
    line = " ".join(text[begin : stop + 200].split())
    shown = line[: stop - begin].rstrip()
    cut = len(shown) < len(line) or stop + 200 < len(text)
    whole = f"{'…' if begin else ''}{shown}{'…' if cut else ''}"
    return whole, tuple(query.spans(whole))
