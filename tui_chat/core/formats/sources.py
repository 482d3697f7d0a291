"""Files to import: what one is, by its content and never by its name, and its conversations one by one."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

from tui_chat.core.conversation import Conversation
from tui_chat.core.database import Error, connected_to_read, decoded
from tui_chat.core.errors import ChatError
from tui_chat.core.formats import chatgpt, cutting, jsonl_reading, turns
from tui_chat.core.formats.cutting import CHUNK, LARGEST_ITEM, Broken, Read
from tui_chat.core.formats.foreign import Context, Item, NotUnderstood, Unreadable
from tui_chat.core.formats.llm_logs import LlmLogs
from tui_chat.core.records import time_of
from tui_chat.core.schema import APPLICATION_ID
from tui_chat.core.text import one_line

UNDERSTOOD = (
    "What can be imported: ChatGPT's export (the zip or a conversations.json), logs.db of llm,"
    " fine-tuning JSONL, ShareGPT, and tui-chat's own JSONL."
)
LARGEST_ARCHIVE = 20_000_000_000
"""Bytes of conversations in one archive, unpacked."""
DENSEST = 200
"""How many times its size an archive's text may have; text in a real one has five to ten times."""
_SMALL = 100_000_000
_BOM = b"\xef\xbb\xbf"
_FIRST_ITEMS = 50
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_CONVERSATIONS = re.compile(r"(?:.*/)?conversations(?:[-_](\d+))?\.json", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be imported: what it is, in words, and its items, to be read once."""

    format: str
    total: int
    """Bytes that reading it through will count."""
    items: Iterator[Item]


@dataclass(frozen=True, slots=True)
class _Kind:
    words: str
    is_one: Callable[[object], bool]
    conversation: Callable[[object, Context], Conversation]


_KINDS = (
    _Kind("tui-chat JSONL", jsonl_reading.is_one, jsonl_reading.conversation),
    _Kind("ChatGPT export", chatgpt.is_one, chatgpt.conversation),
    _Kind("ShareGPT", turns.is_sharegpt, turns.sharegpt),
    _Kind("fine-tuning data", turns.is_finetuning, turns.finetuning),
)


@dataclass(frozen=True, slots=True)
class _Cutter:
    place: str
    cut: Callable[[Read], Iterator[tuple[int, bytes | None]]]


def _whole(read: Read) -> Iterator[tuple[int, bytes | None]]:
    kept = bytearray()
    while chunk := read(CHUNK):
        kept += chunk
        if len(kept) > LARGEST_ITEM:
            yield 1, None
            return
    yield 1, bytes(kept)


_ITEMS = _Cutter("item", cutting.array_items)
_LINES = _Cutter("line", cutting.lines)
_ONE = _Cutter("item", _whole)


@contextmanager
def opened(path: Path, scratch: Path, count: Callable[[int], None]) -> Iterator[Source]:
    """The file as a source. ChatError, in words, when it is none; OSError when it cannot be read.

    `count` is told of every so many bytes that were read, and may raise to end the reading. `scratch` is
    an empty private directory for the time being. Reading blocks.
    """
    shown = one_line(path.name)
    if path.is_dir():
        raise ChatError(f"{shown} is a directory.", "Name the conversations.json in it.")
    if not path.exists():
        raise ChatError(f"There is no file {one_line(str(path))}.")
    if not path.is_file():
        raise ChatError(f"{shown} is not a file.", UNDERSTOOD)
    context = Context(time_of(int(path.stat().st_mtime * 1000)), Counter())
    with path.open("rb") as file, ExitStack() as held:
        head = file.read(CHUNK)
        file.seek(0)
        if head.startswith(b"PK\x03\x04"):
            yield _archive(held, file, shown, context, count)
        elif head.startswith(b"SQLite format 3\0"):
            yield _database(held, path, head, scratch, context, count)
        elif head.removeprefix(_BOM).lstrip()[:1] in (b"[", b"{") and head.strip():
            kind, cutter = _recognized([lambda: _reader(path.open("rb"), held, _nothing)], shown)
            items = _read(cutter, kind, _reader(file, held, count), "", context)
            yield Source(kind.words, path.stat().st_size, items)
        else:
            raise ChatError(f"{shown} {_looks_like(head)}.", UNDERSTOOD)


def _looks_like(head: bytes) -> str:
    """What a file is that holds no conversations, from how it begins."""
    if not head.strip():
        return "is empty"
    known = {
        b"\x1f\x8b": "is compressed by gzip; unpack it first",
        b"%PDF": "is a PDF",
        b"\xff\xfe": "is UTF-16 text; save it as UTF-8",
        b"\xfe\xff": "is UTF-16 text; save it as UTF-8",
        b"<": "is HTML, which cannot be imported; beside ChatGPT's is a conversations.json",
    }
    for start, words in known.items():
        if head.removeprefix(_BOM).lstrip().startswith(start):
            return words
    return "is neither JSON nor a zip nor a database" if b"\0" in head else "is not JSON"


def _nothing(_: int) -> None:
    """Counts nothing: what is only looked at is no progress."""


def _reader(file: IO[bytes], held: ExitStack, count: Callable[[int], None]) -> Read:
    """Reads on in the file, past a byte order mark at its start, and counts."""
    held.enter_context(file)
    first = True

    def read(size: int) -> bytes:
        nonlocal first
        chunk = file.read(size)
        count(len(chunk))
        if first:
            first = False
            chunk = chunk.removeprefix(_BOM) or file.read(size)
        return chunk

    return read


def _recognized(readers: Iterable[Callable[[], Read]], shown: str) -> tuple[_Kind, _Cutter]:
    """What a text holds and how it is cut, by the first of its items that says so."""
    sound, damaged = False, False
    for reader in readers:
        start = reader()(CHUNK).lstrip()[:1]
        for cutter in (_ITEMS,) if start == b"[" else (_LINES, _ONE):
            for _, raw in islice(_unbroken(cutter.cut(reader())), _FIRST_ITEMS):
                try:
                    item = cutting.decoded(raw)
                except Broken:
                    damaged = True
                    continue
                sound = True
                for kind in _KINDS:
                    if kind.is_one(item):
                        return kind, cutter
    if damaged and not sound:
        raise ChatError(f"{shown} begins like JSON, but is cut off or damaged.", UNDERSTOOD)
    raise ChatError(f"{shown} is JSON, but it holds no conversations of a known shape.", UNDERSTOOD)


def _unbroken(cut: Iterator[tuple[int, bytes | None]]) -> Iterator[tuple[int, bytes | None]]:
    try:
        yield from cut
    except (Broken, *_DAMAGED):
        return


def _read(cutter: _Cutter, kind: _Kind, read: Read, where: str, context: Context) -> Iterator[Item]:
    """The items of a text, each as a conversation or with the reason why it is none."""
    number = 0
    try:
        for number, raw in cutter.cut(read):
            place = f"{where}{cutter.place} {number}"
            try:
                yield kind.conversation(cutting.decoded(raw), context)
            except (Broken, NotUnderstood) as error:
                yield Unreadable(place, str(error))
            except RecursionError:
                yield Unreadable(place, "It is nested too deep.")
    except Broken as error:
        yield Unreadable(f"{where}after {cutter.place} {number}", str(error))
    except _DAMAGED:
        yield Unreadable(f"{where}after {cutter.place} {number}", "The archive is damaged here.")


def _archive(
    held: ExitStack, file: IO[bytes], shown: str, context: Context, count: Callable[[int], None]
) -> Source:
    """ChatGPT's export as it is sent: read in place, nothing of it is unpacked to disk."""
    try:
        archive = held.enter_context(zipfile.ZipFile(file))
    except (*_DAMAGED, ValueError) as error:
        raise ChatError(f"{shown} is a zip, but damaged.", "Fetch it again.") from error
    entries = [one for one in archive.infolist() if _CONVERSATIONS.fullmatch(one.filename)]
    if not entries:
        raise ChatError(f"{shown} is a zip without a conversations.json in it.", UNDERSTOOD)
    entries.sort(key=lambda one: _number(one.filename))
    size = sum(one.file_size for one in entries)
    packed = sum(one.compress_size for one in entries)
    if size > LARGEST_ARCHIVE or (size > _SMALL and size > DENSEST * packed):
        raise ChatError(
            f"{shown} would unpack {packed:,} bytes to {size:,}, so it was not read.",
            "No export of conversations is like that.",
        )
    if any(one.flag_bits & 1 for one in entries):
        raise ChatError(
            f"{shown} is encrypted.", "Unpack it first, and name its conversations.json."
        )

    def reader(entry: zipfile.ZipInfo, told: Callable[[int], None]) -> Read:
        return _reader(archive.open(entry), held, told)

    try:
        looked_at = (partial(reader, entry, _nothing) for entry in entries)
        kind, cutter = _recognized(looked_at, shown)
    except _DAMAGED as error:
        raise ChatError(f"{shown} is a zip, but damaged.", "Fetch it again.") from error

    def items() -> Iterator[Item]:
        for entry in entries:
            where = f"{one_line(Path(entry.filename).name)}, " if len(entries) > 1 else ""
            try:
                read = reader(entry, count)
            except _DAMAGED:
                yield Unreadable(f"{where}item 1", "The archive is damaged here.")
                continue
            yield from _read(cutter, kind, read, where, context)

    return Source(kind.words, size, items())


def _number(file_name: str) -> tuple[int, str]:
    found = _CONVERSATIONS.fullmatch(file_name)
    digits = found[1] if found else None
    return int(digits[:9]) if digits else 0, file_name


def _database(
    held: ExitStack,
    path: Path,
    head: bytes,
    scratch: Path,
    context: Context,
    count: Callable[[int], None],
) -> Source:
    """llm's logs.db, opened so that neither it nor anything beside it is written."""
    shown = one_line(path.name)
    if int.from_bytes(head[68:72]) == APPLICATION_ID:
        raise ChatError(
            f"{shown} is a database of tui-chat's own.",
            "Import what “tui-chat export” wrote of it.",
        )
    size = path.stat().st_size
    if head[18:20] != b"\1\1":
        # Opening one with a write-ahead log makes files beside it, even to read.
        path = _copied(path, scratch)
    try:
        connection = held.enter_context(closing(connected_to_read(path)))
        connection.text_factory = decoded
        for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "query_only=ON"):
            connection.execute(f"PRAGMA {pragma}")
        logs = LlmLogs(connection, context)
        if not logs.is_one:
            raise ChatError(f"{shown} is a database, but not llm's logs.db.", UNDERSTOOD)
    except Error as error:
        raise ChatError(f"{shown} cannot be read as a database: {one_line(str(error))}.") from error
    return Source("llm logs", size, _conversations(logs, count))


def _conversations(logs: LlmLogs, count: Callable[[int], None]) -> Iterator[Item]:
    last = "the beginning"
    try:
        for conversation in logs.items():
            # How far the file itself was read, SQLite does not say.
            count(sum(len(one.content) + len(one.reasoning) for one in conversation.messages))
            last = f"“{conversation.title}”"
            yield conversation
    except Error as error:
        words = f"The database is damaged from here on: {one_line(str(error))}."
        yield Unreadable(f"after {last}", words)


def _copied(path: Path, scratch: Path) -> Path:
    copy = scratch / "logs.db"
    shutil.copyfile(path, copy)
    log = path.with_name(path.name + "-wal")
    if log.is_file():
        shutil.copyfile(log, scratch / "logs.db-wal")
    return copy
