"""Rows of our tables found on the pages of a damaged file, told apart by what they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_chat.core.pages import Paged, Value, rows

_LETTERS = {"INTEGER": "i", "TEXT": "t", "BLOB": "b"}


@dataclass(frozen=True)
class Column:
    """A column of a table, as it was declared."""

    name: str
    type: str
    required: bool
    default: bool
    """Whether it has one: rows from before it was added are shorter."""
    key: bool


@dataclass(frozen=True)
class Stranded:
    """A row that stands on a page of its own."""

    table: str
    key: int
    values: tuple[Value, ...]
    """In the order of the table's columns; None where there is none, or where it is lost."""
    whole: bool


def stranded(damaged: Path, tables: Mapping[str, Sequence[Column]]) -> Iterator[Stranded]:
    """The rows of these tables on all pages that hold rows, reachable or not, in no order. Reads the file, which
    may be damaged anywhere; OSError when it cannot be opened."""
    shapes = {table: re.compile(_shape(columns)) for table, columns in tables.items()}

    def table_of(shape: str) -> str | None:
        return next((one for one in tables if shapes[one].fullmatch(shape)), None)

    with damaged.open("rb") as file:

        def read(at: int, length: int) -> bytes:
            # Where the disk itself cannot be read, what is elsewhere still can.
            try:
                file.seek(at)
                return file.read(length)
            except OSError:
                return b""

        paged = Paged.of(read(0, 100), damaged.stat().st_size, read)
        for shape, row in rows(paged, table_of):
            table = table_of(shape)
            assert table is not None, "no others were wanted"
            columns = tables[table]
            values = row.values + (None,) * (len(columns) - len(row.values))
            if _is_number(columns[0]):
                values = (row.key, *values[1:])
            yield Stranded(table, row.key, values, row.whole)


def _shape(columns: Sequence[Column]) -> str:
    """A pattern for the shape of a row, as pages.rows() writes it."""
    least = 1 + max(
        place for place, one in enumerate(columns) if one.key or (one.required and not one.default)
    )
    letters = [_letter(one) for one in columns]
    # Added one after the other, and never to the rows that were there.
    later = "".join(f"(?:{letter}" for letter in letters[least:]) + ")?" * (len(letters) - least)
    return "".join(letters[:least]) + later


def _letter(column: Column) -> str:
    if _is_number(column):
        return "n"  # SQLite keeps it beside the row.
    letter = _LETTERS[column.type]
    return letter if column.required or column.key else f"[{letter}n]"


def _is_number(column: Column) -> bool:
    return column.key and column.type == "INTEGER"
