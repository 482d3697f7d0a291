"""Copied text: lines as they are, parts of messages, and messages by the thousand."""

from __future__ import annotations

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from tests.widgets.transcript.sample import EVERYTHING, drawn, loaded, reply
from tui_chat.core.conversation import said
from tui_chat.widgets.transcript.document import Document, message_key
from tui_chat.widgets.transcript.selection import selected_text


def whole(document: Document, first: int, last: int) -> str:
    return selected_text(
        document, Selection(Offset(0, message_key(first)), Offset(0, message_key(last + 1)))
    )


def test_everything_a_message_shows_is_copied_without_breaks() -> None:
    document = loaded([reply(EVERYTHING), said("user", "next")], width=20)

    copied = whole(document, 0, 0)

    assert "The bold and slanted text with code, struck and a link, long enough to wrap" in copied
    assert (
        "\n1. first\nls  # in a list\n\npwd\n2. second\n   - nested\n     - deeper, and" in copied
    )
    assert "\n> quoted\n> text\n" in copied
    assert "def f(x: int) -> int:\n    return x + 1\n\n\nprint(f(1))\n" in copied
    assert "one" in copied
    assert copied.endswith("complete")
    assert "next" not in copied


def test_a_copy_does_not_depend_on_the_width() -> None:
    text = EVERYTHING.split("| Name")[0]

    copies = {
        whole(loaded([reply(text)], width=width), 0, 0).split("\n", 1)[1] for width in (9, 50, 300)
    }

    assert len(copies) == 1


def test_copying_opens_nothing() -> None:
    document = loaded([reply(EVERYTHING)] * 5)

    whole(document, 1, 3)

    assert len(document.items) == 5


def test_a_part_of_a_line_is_copied() -> None:
    document = loaded([said("user", "first\nsecond\nthird")])
    drawn(document)
    body = document.items[1]

    def copied(start: tuple[int, int], end: tuple[int, int]) -> str:
        return selected_text(
            document,
            Selection(Offset(start[1], body.key(start[0])), Offset(end[1], body.key(end[0]))),
        )

    assert copied((0, 2), (0, 4)) == "rs"
    assert copied((0, 2), (2, 3)) == "rst\nsecond\nthi"


def test_a_line_cut_for_its_length_is_copied_in_one() -> None:
    line = "word " * 4_000 + "end"

    assert whole(loaded([reply(line)]), 0, 0).split("\n")[1] == line
    assert whole(loaded([reply(f"```\n{line}\n```")]), 0, 0).split("\n")[1] == line


def test_a_selection_without_ends_is_all_that_was_written() -> None:
    document = loaded([said("user", "**one**"), reply("# two")])

    assert selected_text(document, Selection(None, None)) == "You\n**one**\n\nmodel · 0.7\n# two"


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(None, 0, "You\none"), (1, None, "You\ntwo")]
)
def test_a_selection_with_one_end_reaches_the_other_end(
    start: int | None, end: int | None, expected: str
) -> None:
    document = loaded([said("user", "one"), said("user", "two")])

    selection = Selection(
        None if start is None else Offset(0, message_key(start)),
        None if end is None else Offset(0, message_key(end + 1)),
    )

    assert selected_text(document, selection) == expected


def test_thousands_of_messages_are_copied_as_they_were_written() -> None:
    document = loaded([said("user", f"*message* {n}") for n in range(3_000)])

    copied = whole(document, 0, 2_999)

    assert copied.startswith("You\n*message* 0\n\nYou\n*message* 1\n\n")
    assert copied.endswith("You\n*message* 2998\n\nYou\n*message* 2999")
    assert len(document.items) == 3_000


def test_an_empty_transcript_has_nothing_to_copy() -> None:
    assert selected_text(loaded([]), Selection(None, None)) == ""
