"""What is typed into a search is read as a query: any text is one, and says what was wrong with it."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stored import texts
from tui_chat.core.conversation import ROLES, Setup, Shelf
from tui_chat.core.filters import BY_NAME, FILTERS, whole_words
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.query import MOST_WORDS, Known, Query, completions, help_line, parse
from tui_chat.core.words import Phrase

TODAY = date(2026, 3, 15)
pieces = st.sampled_from(
    [
        "role:",
        "-",
        '"',
        "temperature",
        ">",
        "<=",
        ":",
        "is:",
        "2026-",
        "7d",
        "foo",
        " ",
        "model:",
        "*",
    ]
    + [f"{one.typed}1" for one in FILTERS]
)
typed = st.lists(st.one_of(pieces, texts), max_size=8).map("".join)


def midnight(*day: int) -> int:
    return int(datetime(*day).timestamp() * 1000)  # type: ignore[arg-type]  # year, month, day


def words(query: Query) -> list[tuple[str, bool]]:
    return [(" ".join(one.words), one.whole) for one in query.words]


@given(typed, st.integers(0, 100))
def test_any_text_is_a_query(text: str, cursor: int) -> None:
    query = parse(text, today=TODAY)

    assert query == parse(text, today=TODAY)
    assert hash(query) == hash(parse(text, today=TODAY))
    assert query.trouble or not query.impossible
    assert "\n" not in query.trouble
    query.matches("some text")
    query.suits(Setup("home", "m"))
    assert query.shelf.states or query.impossible
    assert "\n" not in help_line(text, cursor, 116)
    for one in completions(text, cursor, Known(("a b", 'q"'), ("e",), ("t",), ("p",))):
        assert 0 <= one.start <= cursor
        assert one.start < one.end <= len(text)


def test_words_are_beginnings_and_phrases_are_whole() -> None:
    query = parse('Ação "de  Graças" x -java http://x?y')

    assert words(query) == [("acao", False), ("de gracas", True), ("x", True), ("http x y", True)]
    assert query.without == (Phrase(("java",), True),)
    assert query.of_messages
    assert query.matches("No dia de graças: http://x?y ações X. Javascript, ação")
    assert not query.matches("No dia de graças: http://x?y X. Java, ação")


@pytest.mark.parametrize("text", ["", " ", "-", "...", "role:", "temperature>", 'tag:""', "-is:"])
def test_what_says_nothing_yet_has_no_effect(text: str) -> None:
    query = parse(text)

    assert query.empty
    assert not query.of_messages
    assert query.trouble == ""
    assert query.shelf == Shelf(("kept",))
    assert parse(f"{text} word").words == parse("word").words


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("role:user", "roles", ("user",)),
        ("ROLE:Us", "roles", ("user",)),
        ("role:user role:system", "roles", ("system", "user")),
        ("-role:user", "roles", ("system", "assistant")),
        ("status:interrupted", "statuses", ("interrupted",)),
        ("status:c", "statuses", ("complete", "cut")),
        ("tag:Work tag:x", "tags", ("Work", "x")),
        ('title:"my own" title:Plan', "title", "my own Plan"),
        ("preset:Cour*", "preset", "Cour*"),
        ("is:starred", "starred", True),
        ("-is:starred", "starred", False),
        ("is:archived", "states", ("archived",)),
        ("is:kept is:deleted", "states", ("kept", "deleted")),
        ("-is:archived", "states", ("kept",)),
        ("after:2026-01-31", "after", midnight(2026, 1, 31)),
        ("after:2026-1", "after", midnight(2026, 1, 1)),
        ("before:2026", "before", midnight(2026, 1, 1)),
        ("after:today", "after", midnight(2026, 3, 15)),
        ("before:yesterday", "before", midnight(2026, 3, 14)),
        ("after:7d", "after", midnight(2026, 3, 8)),
        ("after:2w after:7d", "after", midnight(2026, 3, 8)),
        ("before:2026-02 before:2026-01", "before", midnight(2026, 1, 1)),
    ],
)
def test_filters_are_read(text: str, attribute: str, value: object) -> None:
    query = parse(text, today=TODAY)

    assert getattr(query, attribute) == value
    assert query.trouble == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("role:king", "“king”"),
        ("is:lost", "starred, archived"),
        ("status:streaming", "status:"),
        ("before:2026-13", "“2026-13”"),
        ("after:never", "2026-01-31"),
        ("after:9999999d", "“9999999d”"),
        ("temperature>hot", "“hot”"),
        ("seed:nan", "“nan”"),
        ("seed:1e999", "“1e999”"),
        ("-tag:x", "minus"),
        ("is:starred -is:starred", "starred"),
        ("role:user -role:user", "role:"),
        ("preset:a preset:b", "one preset"),
    ],
)
def test_what_nothing_can_be_finds_nothing_and_says_why(text: str, words: str) -> None:
    query = parse(f"{text} word", today=TODAY)

    assert query.impossible
    assert words in query.trouble
    assert query.trouble.endswith(".")
    assert query.shelf.states == ()


@pytest.mark.parametrize("half", ["20", "2026-", "2026-0", "2026-01-", "2026-01-0", "to", "yester"])
def test_half_a_date_has_no_effect(half: str) -> None:
    assert parse(f"before:{half}").trouble == ""
    assert parse(f"before:{half}").before is None


@pytest.mark.parametrize(
    ("text", "suits"),
    [
        ("model:gpt", True),
        ("model:GPT*", True),
        ("model:4o*", False),
        ("model:*4o", True),
        ("model:g[p]t*", False),
        ("model:g?t*", False),
        ("-model:gpt", False),
        ("endpoint:open", True),
        ("endpoint:*router", False),
        ("temperature>1", False),
        ("temperature>=1", True),
        ("temperature<1,5", True),
        ("temperature:1", True),
        ("temperature=1.0", True),
        ("-temperature:1", False),
        ("seed:9007199254740993", True),
        ("seed:9007199254740992", False),
        ("top-p>0", False),
        ("top_p<=1 temperature:1", False),
    ],
)
def test_replies_are_told_by_their_setup(text: str, suits: bool) -> None:
    params = Params({"temperature": 1, "seed": 9007199254740993})

    assert parse(text).suits(Setup("openai", "gpt-4o", params=params)) is suits
    assert not parse(text).suits(None)


def test_every_number_that_is_declared_is_a_filter_under_both_its_names() -> None:
    numbers = [one for one in PARAMETERS if one.is_number]

    for one in numbers:
        assert BY_NAME[one.name] is BY_NAME[one.flag[2:]]
        assert parse(f"{one.name}>{one.low}").of_messages
    assert len([one for one in FILTERS if one.kind == "number"]) == len(numbers)


def test_dates_alone_ask_for_conversations_and_with_words_for_messages() -> None:
    assert not parse("after:2026-01 tag:x").of_messages
    assert parse("after:2026-01", today=TODAY).shelf.after == midnight(2026, 1, 1)
    assert parse("after:2026-01 word").of_messages


def test_a_search_also_looks_into_the_archive() -> None:
    assert parse("tag:x").shelf.states == ("kept", "archived")
    assert parse("is:deleted").shelf.states == ("deleted",)


def test_words_beyond_the_most_are_not_looked_at_and_it_is_said() -> None:
    query = parse("word" + " x" * 40)

    assert str(MOST_WORDS) in query.trouble
    assert not query.impossible
    assert parse("x " * 100_000).words == (Phrase(("x",), True),)


KNOWN = Known(("gpt-4o", "mini gpt", "llama"), ("openai",), ("work",), ("My own",))


@pytest.mark.parametrize(
    ("text", "replacements"),
    [
        ("ro", ["role:"]),
        ("word -ro", ["-role:"]),
        ("temp", ["temperature>"]),
        ("role:", [f"role:{role}" for role in ROLES]),
        ("role:u", ["role:user"]),
        ("role:user", []),
        ("model:gp", ["model:gpt-4o", 'model:"mini gpt"']),
        ("endpoint:", ["endpoint:openai"]),
        ("tag:w", ["tag:work"]),
        ("preset:my", ['preset:"My own"']),
        ("before:y", ["before:yesterday"]),
        ("is:arch", ["is:archived"]),
        ("nothing", []),
        ('"ro', []),
        ("temperature>", []),
    ],
)
def test_filters_are_completed(text: str, replacements: list[str]) -> None:
    found = completions(text, len(text), KNOWN)

    assert [one.replacement for one in found] == replacements
    for one in found:
        assert text[: one.start] + one.replacement == text[: one.start] + one.replacement.strip()
        assert one.end == len(text)


def test_names_are_explained_and_only_the_word_at_the_cursor_is_completed() -> None:
    (found,) = completions("sta word", 3, KNOWN)

    assert (found.start, found.end, found.replacement) == (0, 3, "status:")
    assert found.words
    assert completions("ro word", 7, KNOWN) == []
    assert completions("", 0, KNOWN) == ()


def test_the_help_says_what_the_filter_at_the_cursor_means() -> None:
    assert "role:" in help_line("", 0, 116)
    assert help_line("word role:u", 11, 116).startswith("role: ")
    assert help_line("word role:u", 3, 116) == help_line("", 0, 116)
    assert "phrase" in help_line('"some words', 5, 116)


def test_the_help_names_every_filter_where_there_is_room_and_one_parameter() -> None:
    line = help_line("", 0, 116)
    assert line.startswith("Words, “a phrase”, -not, role:")
    filters = {one.typed for one in FILTERS if not one.parameter} | {"temperature>"}
    assert set(line.split()) - {"Words,", "“a", "phrase”,", "-not,"} == filters


@pytest.mark.parametrize("text", ["", "before:2", "“", '"some words', "status:"])
@pytest.mark.parametrize("width", [56, 60, 76, 79, 80, 90, 115])
def test_the_help_is_never_cut_within_a_word(text: str, width: int) -> None:
    line, whole = help_line(text, len(text), width), help_line(text, len(text), 500)
    assert len(line) <= width
    if line != whole:
        words = line.removesuffix(" …  F1 lists all").rstrip("…").split()
        assert len(words) > 3
        assert set(words) <= {
            "Filters:",
            *whole.split(),
            *(word.rstrip(",:;") for word in whole.split()),
        }
        assert "…" in line
    assert (
        width < 76 or width > 99 or text or "role: model: temperature> before: after: tag:" in line
    )


def test_words_that_do_not_fit_are_left_out_whole() -> None:
    assert whole_words("takes a day: 2026-01-31", 30) == "takes a day: 2026-01-31"
    assert whole_words("takes a day: 2026-01-31", 20) == "takes a day…"
    assert whole_words("incomprehensibilities", 8) == "incompr…"
    assert whole_words("word", 0) == "…"


def test_words_of_the_query_are_found_in_a_text() -> None:
    query = parse('acao "em breve" -x role:user')

    text = "Ação x em breve, ações"
    assert [text[start:end] for start, end in query.spans(text)] == ["Ação", "em breve"]
    assert query.spans(text, 1) == [(0, 4)]
