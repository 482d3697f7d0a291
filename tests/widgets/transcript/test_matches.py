"""What is found in a document: where in drawn lines, and in which order one goes from match to match."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tests.widgets.transcript.host import lines
from tests.widgets.transcript.sample import conversation, finished, loaded, reply, streaming
from tui_chat.core.conversation import said
from tui_chat.core.query import parse
from tui_chat.widgets.transcript.document import Document
from tui_chat.widgets.transcript.matches import Find, Match, Matches, advance


def word(*words: str) -> Find:
    pattern = re.compile("|".join(words))
    return lambda text: [match.span() for match in pattern.finditer(text)]


def matches(document: Document, find: Find) -> Matches:
    found = Matches(document)
    found.find = find
    return found


def marked(document: Document, found: Matches) -> list[str]:
    """The texts of all marks on the rows of the document, all of it opened."""
    texts: list[str] = []
    index = 0
    while index < len(document.items):
        document.make_exact(index)
        index += document.heights.is_exact(index)
    for item in document.items:
        laid = document.laid(item)
        for row in laid.rows:
            for start, stop, _ in found.on_row(item, row):
                texts.append(laid.lines[row.line].text[start:stop])
    return texts


def walk(found: Matches, place: int, step: int) -> list[Match]:
    """All matches from a message on, one after the other as the key goes through them."""
    way: list[Match] = []
    beyond: Match | None = None
    while True:
        match, over = advance(found.search(place, step, beyond), 60)
        assert over
        if match is None:
            return way
        way.append(match)
        place, beyond = match.item.message, match


def texts(document: Document, way: Sequence[Match]) -> list[str]:
    """The lines in which these matches stand, from where they begin."""
    return [
        document.lines(match.item)[match.line].text[match.character :][:9].strip() for match in way
    ]


def test_a_match_within_marks_is_found_where_the_marks_are_not_drawn() -> None:
    document = loaded([reply("the **lazy** dog and [lazy](https://x.example) `dogs`")])
    assert marked(document, matches(document, parse('"lazy dog"').spans)) == ["lazy dog"]
    assert marked(document, matches(document, word("lazy"))) == ["lazy", "lazy"]


def test_a_match_across_rows_is_marked_on_both_of_them() -> None:
    document = loaded([said("user", "one two three four")], width=9)
    assert marked(document, matches(document, word("two three"))) == ["two ", "three"]


def test_a_phrase_goes_on_in_the_next_line_of_its_paragraph() -> None:
    document = loaded([reply("the lazy\ndog sleeps")])
    assert marked(document, matches(document, parse('"lazy dog"').spans)) == ["lazy", "dog"]


def test_words_are_found_in_tables_lists_quotes_and_code() -> None:
    text = "- hit a\n- b\n\n> hit c\n\n| hit | d |\n|-|-|\n| e | hit |\n\n```py\nhit = 1\n```\n"
    document = loaded([reply(text)])
    found = matches(document, word("hit"))
    assert marked(document, found) == ["hit"] * 5
    assert len(walk(found, 0, 1)) == 5


def test_captions_are_not_looked_at() -> None:
    document = loaded([said("user", "hello"), reply("hello")])
    found = matches(document, word("You", "model", "complete"))
    assert marked(document, found) == []
    assert walk(found, 0, 1) == []


def test_one_goes_through_all_matches_down_and_up_in_the_same_places() -> None:
    document = loaded([m for m in conversation(40) if m.role == "assistant"])
    found = matches(document, word("answer", "wrap", "thought"))
    down = walk(found, 0, 1)
    up = walk(found, len(document.messages) - 1, -1)
    assert [m.order for m in down] == [m.order for m in reversed(up)]
    assert [m.order for m in down] == sorted(m.order for m in down)
    assert texts(document, down).count("thought") == 20
    assert sum(text.startswith("answer") for text in texts(document, down)) == 20


def test_what_is_folded_is_gone_through_too_and_says_that_it_is() -> None:
    long = said("user", lines("row", 100) + "\nhit")
    thinking = reply("no", "deep hit")
    plain = reply("hit here")
    document = loaded([long, thinking, plain])
    way = walk(matches(document, word("hit")), 0, 1)
    assert [(match.item.message, match.folded) for match in way] == [
        (0, True),
        (1, True),
        (2, False),
    ]
    assert len(document.items) == 3


def test_a_match_in_what_is_not_drawn_leads_to_the_head_of_its_message() -> None:
    document = loaded([reply("a [link](https://hidden.example/x)\n\ntext"), reply("hidden")])
    way = walk(matches(document, word("hidden")), 0, 1)
    assert [(match.item.message, match.item.part, match.start) for match in way] == [
        (0, 0, 0),
        (1, 3, 0),
    ]


def test_a_growing_reply_is_looked_at_again() -> None:
    document = loaded([])
    message = streaming()
    document.begin(message)
    found = matches(document, word("hit"))
    assert walk(found, 0, 1) == []
    document.grow("one hit", "")
    assert len(walk(found, 0, 1)) == 1
    assert marked(document, found) == ["hit"]
    document.grow(" and **hit", "")
    assert marked(document, found) == ["hit", "hit"]
    document.end(finished(message, "hit hit hit"))
    assert marked(document, found) == ["hit"] * 3


def test_only_lines_laid_out_anew_are_looked_at_again() -> None:
    asked: list[str] = []

    def find(text: str) -> list[tuple[int, int]]:
        asked.append(text)
        return []

    document = loaded([reply("text")])
    found = matches(document, find)
    marked(document, found)
    marked(document, found)
    assert asked == ["text"]
    document.resize(30)
    marked(document, found)
    assert asked == ["text", "text"]


def test_no_piece_of_the_work_is_large_and_a_word_across_two_pieces_is_found() -> None:
    sizes: list[int] = []

    def find(text: str) -> list[tuple[int, int]]:
        sizes.append(len(text))
        return [match.span() for match in re.finditer("needle", text)]

    document = loaded([said("user", "x " * 9_998 + "needle" + " y" * 500_000)])
    match, _ = advance(matches(document, find).search(0, 1), 60)
    assert match
    assert max(sizes) <= 20_200


def test_a_search_out_of_time_goes_on_where_it_was() -> None:
    document = loaded([*(said("user", "hay") for _ in range(50)), said("user", "needle")])
    search = matches(document, word("needle")).search(0, 1)
    steps = 1
    while not (step := advance(search, -1))[1]:
        steps += 1
    assert step[0] is not None
    assert step[0].item.message == 50
    assert steps > 50


def test_places_that_are_none_are_passed_over() -> None:
    document = loaded([reply("text")])
    assert marked(document, matches(document, lambda text: [(-1, 2), (2, 2), (3, 99), (0, 1)])) == [
        "t"
    ]
