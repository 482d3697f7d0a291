"""Giants are cut in turns, of which each is short, and end up cut like any text."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from tests.widgets.transcript.sample import drawn, finished, loaded, reply, streaming
from tui_chat.widgets.transcript import blocks
from tui_chat.widgets.transcript.blocks import LIMIT, START, cut
from tui_chat.widgets.transcript.cuts import TURN_LINES, Cuts
from tui_chat.widgets.transcript.document import Document, message_key
from tui_chat.widgets.transcript.selection import selected_text

GIANTS = {
    "quotes": "> \n" * 25_000 + "end",
    "table": "|a|b|\n|-|-|\n" + "|a|b|\n" * 20_000,
    "paragraphs": "x\n\n" * 20_000 + "end",
    "fence": "```py\n" + "x\n" * 20_000,
}


@pytest.mark.parametrize("text", GIANTS.values(), ids=GIANTS.keys())
def test_a_giant_is_cut_in_short_turns_to_the_same_blocks(text: str) -> None:
    cuts, before, turns = Cuts(), 0, 0
    while True:
        found = cuts.blocks("key", text, 0, START, final=True)
        turns += 1
        rest = found[-1].start if found[-1].kind == "rest" else len(text)
        assert text.count("\n", before, rest) <= TURN_LINES + LIMIT
        if rest == len(text):
            break
        assert rest > before
        before = rest
    assert turns > 1
    assert found == cut(text, final=True)


def test_from_some_place_on_short_paragraphs_share_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a *b*\n\n- one\n- two\n\nc\n\n```\nx\n```\n\n1. d\n\n   e\n\n    f\n\n" * 60
    apart, rows = cut(text, final=True), drawn(loaded([reply(text)]))
    monkeypatch.setattr(blocks, "FAR", 0)
    together = cut(text, final=True)
    assert len(together) < len(apart)
    assert drawn(loaded([reply(text)])) == rows


def opened(text: str) -> Document:
    document = loaded([reply("first"), reply(text), reply("last")])
    document.make_exact(1)
    return document


def cut_to_its_end(document: Document) -> list[str]:
    turns = 0
    while document.uncut:
        document.cut_on()
        turns += 1
    assert turns
    return drawn(document)


def test_what_is_not_cut_yet_is_said_in_one_line_and_then_shown() -> None:
    text = GIANTS["quotes"]
    document = opened(text)
    assert document.uncut == {1}
    assert any("more characters, being read" in row for row in drawn(document))
    rows = cut_to_its_end(document)
    assert not any("being read" in row for row in rows)
    assert any(row.endswith("end") for row in rows)


def test_a_giant_that_arrives_at_once_looks_like_a_loaded_one() -> None:
    text = "- one\n" * 20_000 + "end"
    message = streaming()
    document = loaded([])
    document.begin(message)
    document.make_exact(0)
    document.grow(text[:100], "")
    document.grow(text[100:], "")
    assert document.uncut
    document.end(finished(message, text))
    grown = cut_to_its_end(document)
    whole = loaded([finished(message, text)])
    whole.make_exact(0)
    assert grown == cut_to_its_end(whole)


def test_all_of_a_giant_is_copied_also_what_is_not_cut_yet() -> None:
    text = "".join(f"line {number}\n" for number in range(30_000))
    document = opened(text)
    copied = selected_text(
        document, Selection(Offset(0, message_key(1)), Offset(0, message_key(2)))
    )
    assert [row for row in copied.split("\n") if row.startswith("line ")] == text.split("\n")[:-1]
