"""JSON cut into its items: the same at every size of chunk, and one broken item costs itself alone."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.formats import cutting
from tui_chat.core.formats.cutting import Broken, array_items, decoded, lines

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Pieces:
    """A file that gives a few bytes at a time."""

    def __init__(self, raw: bytes, size: int) -> None:
        self._file = io.BytesIO(raw)
        self._size = size

    def __call__(self, size: int) -> bytes:
        return self._file.read(min(size, self._size))


@given(st.lists(values, max_size=6), st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_an_array_is_cut_into_its_items_wherever_the_chunks_end(
    items: list[object], size: int, indent: int | None, ascii: bool
) -> None:
    raw = b" \n" + json.dumps(items, indent=indent, ensure_ascii=ascii).encode() + b" "
    found = list(array_items(Pieces(raw, size)))
    assert [decoded(item) for _, item in found] == items
    assert [number for number, _ in found] == list(range(1, len(items) + 1))


@given(st.lists(values, max_size=6), st.integers(1, 9), st.sampled_from(["\n", "\r\n", "\n \n\n"]))
def test_lines_are_counted_as_an_editor_counts_them(
    items: list[object], size: int, end: str
) -> None:
    raw = end.join(json.dumps(item) for item in items).encode()
    found = list(lines(Pieces(raw, size)))
    assert [decoded(item) for _, item in found] == items
    assert [number for number, _ in found] == [
        1 + place * end.count("\n") for place in range(len(items))
    ]


def test_an_item_that_is_no_json_costs_itself_alone() -> None:
    raw = b'[{"a": NaN}, {"a" 1}, "\xff", [1e999], ' + b"[" * 100_000 + b"]" * 100_000 + b", 7]"
    reasons = []
    for _, item in array_items(Pieces(raw, 1 << 16)):
        try:
            decoded(item)
        except Broken as error:
            reasons.append(str(error))
        else:
            reasons.append("")
    assert reasons[0] == reasons[3] == reasons[5] == ""
    assert reasons[1].startswith("It is not whole JSON: Expecting ':' delimiter, at character")
    assert reasons[2] == "It is not UTF-8 text."
    assert reasons[4] == "It is nested too deep."


@pytest.mark.parametrize("raw", [b'[1, {"a": 2', b'[1, "a', b"[1, ", b"[1, 2"])
def test_an_array_that_breaks_off_gives_its_whole_items_and_says_so(raw: bytes) -> None:
    found = array_items(Pieces(raw, 4))
    assert next(found) == (1, b"1")
    with pytest.raises(Broken, match="breaks off"):
        list(found)


def test_what_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "LARGEST_ITEM", 100)
    long = json.dumps("x" * 500).encode()
    assert list(array_items(Pieces(b"[1," + long + b",2]", 60))) == [
        (1, b"1"),
        (2, None),
        (3, b"2"),
    ]
    assert list(lines(Pieces(b"1\n" + long + b"\n2", 60))) == [(1, b"1"), (2, None), (3, b"2")]
    with pytest.raises(Broken, match="larger than"):
        decoded(None)
