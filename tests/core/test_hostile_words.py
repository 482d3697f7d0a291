"""A server's words that mean harm: they keep nobody waiting, and give no key away."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.core.wire import SETUP
from tui_chat.core import failures, overflow


def test_a_page_of_comments_is_told_apart_at_once() -> None:
    # In a process of its own: what takes for ever can only be ended with it.
    code = "from tui_chat.core.failures import is_page; is_page('<!---->' * 60 + 'x')"
    subprocess.run([sys.executable, "-c", code], timeout=10, check=True)


@pytest.mark.parametrize(
    ("body", "page"),
    [
        ("<!-- a --> <?xml version='1.0'?>\n<!DOCTYPE html><html>", True),
        ("  <HTML lang=en>", True),
        ("<!-- a --> text", False),
        ("<!-- a <html>", False),
        ("<?xml version='1.0'?><error/>", False),
        ("<header>", False),
        ("", False),
    ],
)
def test_a_page_is_known_by_how_it_begins(body: str, page: bool) -> None:
    assert failures.is_page(body) == page


TOO_LARGE = (
    "'max_tokens' is too large: {wanted}. This model's maximum context length is {room} tokens and your"
    " request has {used} input tokens"
)


@pytest.mark.parametrize(
    ("wanted", "room", "used"),
    [(999_999_999_999, 999_999_999_998, 500), (4_000_000, 3_000_000, 1), (10**11, 10**11, 10**10)],
)
def test_a_shorter_length_that_is_offered_can_be_set(wanted: int, room: int, used: int) -> None:
    over = overflow.told({}, TOO_LARGE.format(wanted=wanted, room=room, used=used))
    assert over is not None
    found = overflow.remedies_for(over, 0, 3, [500, 10, 10], ["user", "assistant", "user"])
    assert found.shorter
    for length in filter(None, (found.shorter, found.length)):
        assert overflow.length_of(overflow.with_length(SETUP, length)) == length


def test_a_length_that_is_needed_besides_can_be_set() -> None:
    over = overflow.Overflow(9_000_000, 5_000_000, 4_999_000)
    roles = ["user", "assistant", "user"]
    found = overflow.remedies_for(over, 0, 0, [8_000_000, 900_000, 100_000], roles)
    assert found.left_out
    assert found.length
    assert overflow.with_length(SETUP, found.length)


@pytest.mark.parametrize("figure", [10**400, True, -1, 1.5], ids=lambda one: str(one)[:9])
def test_a_count_that_is_none_is_no_count(figure: object) -> None:
    over = overflow.told({"n_prompt_tokens": figure, "n_ctx": 4096, "code": "x"}, "")
    assert over is None
    assert overflow.told({"n_prompt_tokens": 5000, "n_ctx": figure, "code": "x"}, "") is None
