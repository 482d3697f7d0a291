"""Taking conversations elsewhere: to a file, whole or not at all, or as one text for the clipboard."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from tui_chat.core.conversation import Conversation, Headline, Shelf
from tui_chat.core.errors import ChatError
from tui_chat.core.files import NewFile
from tui_chat.core.formats import finetuning, html, jsonl, markdown
from tui_chat.core.text import clean, counted, one_line

MOST_TO_COPY = 5_000_000
"""Bytes; more than this no clipboard is given."""
_AT_ONCE = 200
_LONGEST_NAME = 60
_MOST_BYTES = 200
_EVERYTHING = Shelf(("kept", "archived"))

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Format:
    """A form in which conversations can be taken elsewhere."""

    label: str
    suffix: str
    """What the name of such a file ends with."""
    explanation: str
    pieces: Callable[[Conversation, bool], Iterator[str]] = field(repr=False)
    """A conversation in pieces, and whether it is the only one; no piece when it is left out."""
    between: str = ""


def _jsonl(conversation: Conversation, alone: bool) -> Iterator[str]:
    # Of which all was deleted, nothing is left that an import would bring back.
    if len(conversation):
        yield jsonl.line(conversation)
        yield "\n"


def _finetuning(conversation: Conversation, alone: bool) -> Iterator[str]:
    line = finetuning.line(conversation)
    if line is not None:
        yield line
        yield "\n"


def _markdown(conversation: Conversation, alone: bool) -> Iterator[str]:
    return markdown.pieces(conversation, alone=alone)


def _html(conversation: Conversation, alone: bool) -> Iterator[str]:
    return html.pieces(conversation)


FORMATS: Mapping[str, Format] = {
    "markdown": Format(
        "Markdown",
        ".md",
        "Reads well: the setup, then the thread being read.",
        _markdown,
        markdown.BETWEEN,
    ),
    "jsonl": Format(
        "JSON Lines",
        ".jsonl",
        "Everything, all branches; can be imported again.",
        _jsonl,
    ),
    "finetuning": Format(
        "Fine-tuning",
        ".finetuning.jsonl",
        "The threads being read, as OpenAI's fine-tuning takes them.",
        _finetuning,
    ),
    "html": Format("HTML", ".html", "One page for browsers that prints well.", _html),
}


def pieces(conversation: Conversation, format: str) -> Iterator[str]:
    """One conversation as a whole file in this format, in pieces; ChatError when it has nothing to write."""
    form = FORMATS[format]
    framed = form is FORMATS["html"]
    if framed:
        yield html.head(conversation.title)
    some = False
    for piece in form.pieces(conversation, True):
        some = True
        yield piece
    if framed:
        yield html.FOOT
    elif not some:
        raise ChatError("There is nothing to write: it has no finished reply.")


_SUFFIXES = {one.suffix: name for name, one in FORMATS.items()} | {
    ".markdown": "markdown",
    ".htm": "html",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


def format_for(path: Path) -> str | None:
    """The format whose suffix the name ends with; None where it says nothing."""
    name = path.name.lower()
    longest = sorted(_SUFFIXES, key=len, reverse=True)
    return next((_SUFFIXES[suffix] for suffix in longest if name.endswith(suffix)), None)


_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)", re.I)
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')


def suggested_name(title: str, format: str) -> str:
    """A name for a file in this format, made from a title: safe on every system, never a path."""
    text = _NOT_IN_NAMES.sub(" ", clean(title[: _LONGEST_NAME * 8]))
    seen = "".join(char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    # Last: what stood unseen between a letter and its accent is gone.
    seen = unicodedata.normalize("NFC", seen)
    # A name that begins with a dash is taken for a flag, with a tilde for a home directory.
    name = " ".join(seen.split()).lstrip(".-~ ")[:_LONGEST_NAME]
    name = name.encode()[:_MOST_BYTES].decode(errors="ignore").rstrip(". ")
    if _RESERVED.match(name):
        name = f"conversation {name}"[:_LONGEST_NAME].rstrip(". ")
    return (name or "conversation") + FORMATS[format].suffix


@dataclass(frozen=True)
class Report:
    """What became of an export."""

    path: Path
    written: int
    left_out: int = 0
    """Conversations that have nothing which this format takes."""
    missing: int = 0
    """Those that are no longer there, or in the trash."""

    @property
    def words(self) -> str:
        """One sentence for a notice."""
        parts = [
            counted(self.written, "conversation"),
            *left_out_words(self.left_out, self.missing),
        ]
        return f"Written: {one_line(str(self.path), 400)} ({'; '.join(parts)})."


def left_out_words(left_out: int, missing: int) -> list[str]:
    """What to say of those that were not written; empty when there are none."""
    words = []
    if left_out:
        one = left_out == 1
        words.append(
            f"{left_out:,} {'has' if one else 'have'} no finished reply and {'was' if one else 'were'} left out"
        )
    if missing:
        words.append(f"{missing:,} {'is' if missing == 1 else 'are'} gone or in the trash")
    return words


class Source(Protocol):
    """What has the conversations that are taken along; core.store.Store is one."""

    async def ids(self, shelf: Shelf) -> list[str]: ...
    async def headline(self, conversation_id: str) -> Headline | None: ...
    def conversations(self, ids: Sequence[str] | None = None) -> AsyncIterator[Conversation]: ...


class OnScreen:
    """One conversation as it is on the screen, also what of it is on no disk."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    async def ids(self, shelf: Shelf) -> list[str]:
        return [self._conversation.id]

    async def headline(self, conversation_id: str) -> Headline | None:
        shown = self._conversation
        return Headline(shown.id, shown.title, "", shown.updated, len(shown))

    async def conversations(self, ids: Sequence[str] | None = None) -> AsyncIterator[Conversation]:
        yield self._conversation


class Export:
    """Conversations on their way out, in the order of their ids, one at a time in memory.

    `ids` None is everything that is not in the trash.
    """

    def __init__(self, store: Source, ids: Sequence[str] | None, format: str) -> None:
        self._store = store
        self._ids = ids
        self._format = FORMATS[format]
        self._stopped = False
        self.total = 0
        """How many were asked for; known with the first part."""
        self.written = 0
        self.left_out = 0
        self.missing = 0

    async def parts(self) -> AsyncIterator[Iterable[str]]:
        """The pieces of one conversation after the other, each to be gone through before the next is
        asked for, and not on the event loop."""
        given = await self._store.ids(_EVERYTHING) if self._ids is None else self._ids
        ids = list(dict.fromkeys(given))
        self.total = len(ids)
        framed = self._format is FORMATS["html"]
        if framed:
            async for piece in self._head(ids):
                yield (piece,)
        found = 0
        async for conversation in self._store.conversations(ids):
            found += 1
            yield self._counted(self._format.pieces(conversation, len(ids) == 1))
        self.missing = len(ids) - found
        if framed:
            yield (html.FOOT,)

    async def _head(self, ids: Sequence[str]) -> AsyncIterator[str]:
        first = await self._store.headline(ids[0]) if len(ids) == 1 else None
        yield html.head(first.title if first is not None else "Conversations")
        if len(ids) == 1:
            return
        yield html.CONTENTS
        for start in range(0, len(ids), _AT_ONCE):
            lines = [await self._store.headline(one) for one in ids[start : start + _AT_ONCE]]
            there = (line for line in lines if line is not None and line.state != "deleted")
            yield "".join(map(html.entry, there))
        yield html.CONTENTS_END

    def _counted(self, pieces: Iterator[str]) -> Iterator[str]:
        some = False
        for piece in pieces:
            if self._stopped:
                return
            if not some and self.written:
                yield self._format.between
            some = True
            yield piece
        if some:
            self.written += 1
        else:
            self.left_out += 1

    async def off_loop(
        self, job: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
    ) -> _Result:
        """Run a job on a thread, to its end even when the caller is cancelled: what comes next may undo
        what it did."""
        running = asyncio.ensure_future(asyncio.to_thread(job, *given, **named))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._stopped = True
            await asyncio.wait([running])
            if not running.cancelled():
                running.exception()
            raise

    def check(self) -> None:
        """ChatError when nothing came out."""
        if self.written:
            return
        why = "; ".join(left_out_words(self.left_out, self.missing))
        if why:
            raise ChatError(f"There is nothing to write: {why}.")
        raise ChatError("There is no conversation to write.")


async def write(
    store: Source,
    ids: Sequence[str] | None,
    format: str,
    path: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Write these conversations to a file; its directory must be there. ChatError; on any error, and when
    cancelled, nothing is left behind and a file that was there is as it was.

    `progress` is told on the event loop, time and again, how many conversations of how many are done.
    """
    export = Export(store, ids, format)
    file = NewFile(path, overwrite=overwrite)
    try:
        await export.off_loop(file.open)
        async for part in export.parts():
            await export.off_loop(file.add, part)
            if progress is not None:
                progress(export.written + export.left_out, export.total)
        export.check()
        await export.off_loop(file.keep)
    finally:
        await export.off_loop(file.drop)
    return Report(path, export.written, export.left_out, export.missing)


async def text(store: Source, ids: Sequence[str] | None, format: str) -> str:
    """These conversations as one text. ChatError when there is nothing in it, or it is too much to copy."""
    export = Export(store, ids, format)
    pieces: list[str] = []
    size = 0

    def add(part: Iterable[str]) -> None:
        nonlocal size
        for piece in part:
            size += len(piece.encode())
            if size > MOST_TO_COPY:
                raise ChatError(
                    f"This is more than {MOST_TO_COPY // 1_000_000} MB, too much to copy.",
                    "Export it to a file instead.",
                )
            pieces.append(piece)

    async for part in export.parts():
        await export.off_loop(add, part)
    export.check()
    return "".join(pieces)
