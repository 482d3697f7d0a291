"""A server's words that mean harm: they keep nobody waiting, and give no key away."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tui_chat.core import failures


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
