"""The viewport: the text stands still while heights become true around it."""

from __future__ import annotations

import random

import pytest

from tests.widgets.transcript.sample import EVERYTHING, conversation, loaded, reply
from tui_chat.core.conversation import Message
from tui_chat.widgets.transcript.document import Document
from tui_chat.widgets.transcript.viewport import Viewport

HEIGHT = 40


def shown(document: Document, viewport: Viewport) -> list[str]:
    """The rows on the screen; an inexact item there fails."""
    rows: list[str] = []
    for row in range(viewport.top, min(viewport.top + viewport.height, document.heights.total)):
        index = document.heights.at(row)
        assert document.heights.is_exact(index)
        laid = document.laid(document.items[index])
        at = laid.rows[row - document.heights.top(index)]
        rows.append(laid.lines[at.line].text[at.start : at.stop])
    return rows


def viewport_on(messages: list[Message], height: int = HEIGHT) -> tuple[Document, Viewport]:
    document = loaded(messages)
    viewport = Viewport(document)
    viewport.height = height
    return document, viewport


def test_only_what_is_seen_is_opened() -> None:
    document, viewport = viewport_on(conversation(5_000))

    viewport.settle_at_end()
    viewport.jump(20_000)

    assert len(document.items) < 5_000 + 6 * HEIGHT
    assert viewport.top > 0


def test_scrolling_up_by_a_row_moves_the_text_by_a_row() -> None:
    document, viewport = viewport_on(conversation(500))
    viewport.settle_at_end()
    before = shown(document, viewport)

    for _ in range(200):
        viewport.scroll(viewport.top - 1)
        after = shown(document, viewport)
        assert after[1:] == before[:-1]
        before = after


@pytest.mark.parametrize("step", [1, -1])
def test_scrolling_by_a_row_from_the_middle_moves_the_text_by_a_row(step: int) -> None:
    document, viewport = viewport_on(conversation(500))
    viewport.jump(document.heights.total // 2)
    before = shown(document, viewport)

    for _ in range(200):
        viewport.scroll(viewport.top + step)
        after = shown(document, viewport)
        assert (after[:-1], after[1:])[step < 0] == (before[1:], before[:-1])[step < 0]
        before = after


def test_scrolling_by_a_screen_skips_and_repeats_nothing() -> None:
    document, viewport = viewport_on(conversation(300))
    viewport.jump(document.heights.total // 2)

    for _ in range(30):
        before = shown(document, viewport)
        viewport.scroll(viewport.top - HEIGHT)
        viewport.scroll(viewport.top + HEIGHT)
        assert shown(document, viewport) == before
        viewport.scroll(viewport.top - HEIGHT)


@pytest.mark.parametrize("step", [3, 17, HEIGHT - 1])
def test_scrolling_by_less_than_a_screen_keeps_the_rows_that_stay(step: int) -> None:
    document, viewport = viewport_on(conversation(300))
    viewport.jump(document.heights.total // 2)

    for _ in range(30):
        before = shown(document, viewport)
        viewport.scroll(viewport.top - step)
        assert shown(document, viewport)[step:] == before[:-step]


def test_a_jump_anywhere_shows_a_full_screen() -> None:
    document, viewport = viewport_on(conversation(300))
    generator = random.Random(7)

    for _ in range(50):
        viewport.jump(generator.randrange(document.heights.total + 100))
        assert len(shown(document, viewport)) == HEIGHT


def test_an_item_taller_than_the_screen_scrolls_by_single_rows() -> None:
    document, viewport = viewport_on([reply("```\n" + "line\n" * 900 + "```")])
    viewport.settle_at_end()

    tops = []
    for _ in range(100):
        viewport.scroll(viewport.top - 1)
        tops.append(viewport.top)
        assert len(shown(document, viewport)) == HEIGHT

    assert tops == list(range(tops[0], tops[0] - 100, -1))


@pytest.mark.parametrize("width", [20, 45, 59, 61, 100, 200])
def test_another_width_keeps_the_word_at_the_top(width: int) -> None:
    words = " ".join(f"word{n}" for n in range(3_000))
    document, viewport = viewport_on([reply(EVERYTHING), reply(words), reply(EVERYTHING)])
    viewport.jump(document.heights.total // 2)
    first = shown(document, viewport)[0].split()[0]

    spot = viewport.spot()
    document.resize(width)
    assert spot is not None
    viewport.show(spot)

    assert first in shown(document, viewport)[0].split()


def test_a_message_that_changes_above_does_not_move_the_text() -> None:
    messages = conversation(60)
    document, viewport = viewport_on(messages)
    viewport.jump(document.heights.total // 2)
    viewport.scroll(viewport.top - HEIGHT + 1)
    viewport.scroll(viewport.top + HEIGHT - 1)
    before = shown(document, viewport)
    place = document.items[document.heights.at(viewport.top)].message

    spot = viewport.spot()
    document.put(Message(messages[place - 1].id, None, "assistant", EVERYTHING * 3))
    assert spot is not None
    viewport.show(spot)

    assert shown(document, viewport) == before


def test_a_short_document_starts_at_the_top() -> None:
    document, viewport = viewport_on(conversation(1))

    viewport.settle_at_end()

    assert viewport.top == 0
    assert viewport.at_end
    assert shown(document, viewport)[0] == "You"


def test_an_empty_document_has_nothing_to_scroll() -> None:
    _, viewport = viewport_on([])

    viewport.settle_at_end()
    viewport.scroll(5)

    assert viewport.top == 0
