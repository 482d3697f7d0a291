"""Rows are read off the pages of real SQLite files as SQLite reads them, and off damaged ones as far as they go."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.nightly import NIGHTLY
from tui_chat.core.pages import Paged, Row, Value, rows

EXAMPLES = 2000 if NIGHTLY else 30
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from((0, 1, -1, 127, -128, 2**31, 2**47 - 1, -(2**47))),
    # A number without a fraction may be kept as an integer.
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: one != int(one)),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.integers(300, 9000).map(lambda length: "long" * length),
    st.integers(300, 9000).map(bytes),
)
TABLES = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=30)


def _file(of: list[tuple[Value, Value, Value]], size: int) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size={size}")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("CREATE TABLE t(a, b, c)")
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO t VALUES(?,?,?)", of)
            connection.execute("COMMIT")
        return path.read_bytes()


def _rows(raw: bytes) -> Iterator[Row]:
    file = Paged.of(raw[:100], len(raw), lambda at, length: raw[at : at + length])
    # Three values; SQLite's own table has five.
    return (row for _, row in rows(file, lambda shape: len(shape) == 3))


@settings(max_examples=EXAMPLES)
@given(TABLES, st.sampled_from((512, 1024, 4096)))
def test_every_row_of_a_sound_file_is_read(of: list[tuple[Value, Value, Value]], size: int) -> None:
    found = {row.key: row for row in _rows(_file(of, size))}
    assert [found[key].values for key in sorted(found)] == of
    assert all(row.whole for row in found.values())


@settings(max_examples=EXAMPLES)
@given(TABLES, st.sampled_from((512, 4096)), st.data())
def test_of_a_damaged_file_no_page_is_read_again_and_again_and_nothing_is_raised(
    of: list[tuple[Value, Value, Value]], size: int, data: st.DataObject
) -> None:
    raw = bytearray(_file(of, size))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=20)) * data.draw(st.integers(1, 60))
        raw[at : at + len(piece)] = piece[: len(raw) - at]
    del raw[data.draw(st.integers(len(raw) // 2, len(raw))) :]
    looks = 0

    def read(at: int, length: int) -> bytes:
        nonlocal looks
        looks += 1
        return bytes(raw[at : at + length])

    file = Paged.of(bytes(raw[:100]), len(raw), read)
    for shape, row in rows(file, lambda shape: True):
        assert len(row.values) == len(shape)
    assert looks <= 2 * file.count


@given(st.binary(max_size=3000), st.integers(0, 40))
def test_whatever_stands_on_a_page_that_seems_to_hold_rows_it_ends(raw: bytes, many: int) -> None:
    page = b"\x0d\0\0" + many.to_bytes(2, "big") + b"\0\0\0" + raw
    page = page[:512].ljust(512, b"\xff")
    for row in _rows(page * 3):
        assert len(row.values) == 3


def test_rows_that_all_lead_to_the_same_pages_do_not_have_them_read_each_time() -> None:
    raw = bytearray(_file([(1, "x" * 600_000, None)] * 4, 512))
    leaf = next(at for at in range(512, len(raw), 512) if raw[at] == 13)
    cell = int.from_bytes(raw[leaf + 8 : leaf + 10], "big")
    # One page that shows the same row as often as it can.
    raw[leaf + 3 : leaf + 5] = (80).to_bytes(2, "big")
    raw[leaf + 8 : leaf + 8 + 160] = cell.to_bytes(2, "big") * 80
    looks = 0

    def read(at: int, length: int) -> bytes:
        nonlocal looks
        looks += 1
        return bytes(raw[at : at + length])

    file = Paged.of(bytes(raw[:100]), len(raw), read)
    assert len(list(rows(file, lambda shape: len(shape) == 3))) >= 80
    assert looks <= 2 * file.count


def test_pages_of_the_largest_size_are_read_too() -> None:
    of: list[tuple[Value, Value, Value]] = [(1, "a" * 70_000, None), (2, "b", b"")]
    assert [row.values for row in _rows(_file(of, 65_536))] == of


def test_a_row_whose_end_is_lost_is_read_as_far_as_it_goes() -> None:
    raw = _file([(1, "b" * 20_000, "after")], 4096)
    (row,) = _rows(raw[: 4096 * 4])
    assert not row.whole
    first, text, after = row.values
    assert (first, after) == (1, None)
    assert isinstance(text, str)
    assert 4096 < len(text) < 20_000
    assert set(text) == {"b"}
