"""Markdown: every construct as lines, nothing hidden, nothing that controls the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_chat.core.text import HOSTILE
from tui_chat.widgets.transcript.code import Highlighter
from tui_chat.widgets.transcript.lines import Line, Span
from tui_chat.widgets.transcript.markdown import MarkdownRenderer, safe_url

WIDTH = 40


def lines(text: str, width: int = WIDTH) -> list[Line]:
    return MarkdownRenderer(Highlighter()).lines(text, width)


def shown(text: str, width: int = WIDTH) -> list[str]:
    return [
        "".join(span.text for span in line.lead) + line.text.rstrip() for line in lines(text, width)
    ]


def spans(text: str) -> list[Span]:
    return [span for line in lines(text) for span in line.spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# One\ntext", ["One", "", "text"]),
        ("first\nsecond", ["first", "second"]),
        ("- a\n- b\n  - c\n    - d", ["• a", "• b", "  ◦ c", "    ▪ d"]),
        ("3. a\n4. b\n\n   c", ["3. a", "", "4. b", "", "   c"]),
        ("0. a", ["0. a"]),
        ("- [ ] open\n- [x] done", ["• [ ] open", "• [x] done"]),
        ("- a\n\n- b", ["• a", "", "• b"]),
        ("-\n- b", ["• ", "• b"]),
        ("> a\n>\n> b\n> > c", ["▎ a", "▎ ", "▎ b", "▎ ", "▎ ▎ c"]),
        ("> - a\n>   b", ["▎ • a", "▎   b"]),
        ("- > a\n  > b", ["• ▎ a", "  ▎ b"]),
        ("1. a\n   ```\n   x\n\n   y\n   ```\n2. b", ["1. a", "   x", "   ", "   y", "2. b"]),
        ("a\n\n---", ["a", "", "─" * WIDTH]),
        ("    indented\n    code", ["indented", "code"]),
        ("a <b>c</b> <think>d</think>", ["a <b>c</b> <think>d</think>"]),
        ("<div>\nx\n</div>", ["<div>", "x", "</div>"]),
        ("<!-- hidden -->", ["<!-- hidden -->"]),
        ("[1]: https://a.example", ["[1]: https://a.example"]),
        ("![alt](https://i.example/p.png)", ["alt (https://i.example/p.png)"]),
        ("![](p.png)", ["image (p.png)"]),
        ("[text](page.md)", ["text (page.md)"]),
        ("[x](javascript:alert)", ["[x](javascript:alert)"]),
        ("a\\*b &amp; &copy;", ["a*b & ©"]),
        ("a\tb", ["a   b"]),
    ],
)
def test_each_construct_is_shown(text: str, expected: list[str]) -> None:
    assert [line.rstrip() for line in shown(text)] == [line.rstrip() for line in expected]


def test_words_carry_the_styles_of_their_marks() -> None:
    assert spans("a **b *c*** `d` ~~e~~") == [
        Span("a "),
        Span("b ", "strong"),
        Span("c", "strong em"),
        Span(" "),
        Span("d", "inline-code"),
        Span(" "),
        Span("e", "strike"),
    ]


def test_links_carry_their_true_address() -> None:
    text = "[a](https://x.example/?q=1) <mailto:b@x.example> https://c.example/d_e. ftp://f.example"

    links = [(span.text, span.link) for span in spans(text) if span.style]

    assert links == [
        ("a", "https://x.example/?q=1"),
        ("mailto:b@x.example", "mailto:b@x.example"),
        ("https://c.example/d_e", "https://c.example/d_e"),
    ]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "ftp://x", "page", "", "https://a b"]
)
def test_other_addresses_are_not_links(url: str) -> None:
    assert safe_url(url) == ""


@pytest.mark.parametrize(
    "code", ["&#27;", "&#x9b;", "&#12;", "&#13;", "&#x200b;", "&#x202e;", "&#x2066;"]
)
@pytest.mark.parametrize(
    "place", ["a{}b", "`{}`", "[a{}](https://x.example/{})", "![{}](u{})", "| {} |\n|-|"]
)
def test_character_references_do_not_bring_controls_back(code: str, place: str) -> None:
    found = spans(place.replace("{}", code))

    assert found
    for span in found:
        assert not HOSTILE.search(span.text + span.link)
        assert "\n" not in span.text + span.link


def test_a_language_nobody_knows_is_plain_code() -> None:
    (line,) = lines("```nosuchlanguage\nx = 1\n```")

    assert line.spans == (Span("x = 1", "code"),)


def test_code_is_coloured_in_its_language() -> None:
    (line,) = lines("```python\nreturn 'a'  # b\n```")

    styles = {span.text: span.style for span in line.spans}
    assert styles["return"] == "code code-keyword"
    assert styles["# b"] == "code code-comment"
    assert line.text == "return 'a'  # b"


def test_a_comment_at_the_end_of_code_is_coloured() -> None:
    (line,) = lines("```bash\nls  # all\n```")

    assert line.spans[-1] == Span("# all", "code code-comment")


def test_an_endless_line_of_code_is_not_coloured() -> None:
    (line,) = lines("```python\n" + "x=1;" * 500 + "\n```")

    assert {span.style for span in line.spans} == {"code"}


def test_columns_of_a_table_are_aligned() -> None:
    text = "| a | b | c |\n|:--|:-:|--:|\n| one | two | three |\n| `1` | 22 | 333 |"

    assert shown(text) == [
        "a   │  b  │     c",
        "────┼─────┼──────",
        "one │ two │ three",
        "1   │ 22  │   333",
    ]


def test_a_wide_table_shrinks_to_the_screen_and_its_rows_stay_apart() -> None:
    text = "| name | words |\n|--|--|\n| a | one two three four five six seven |\n| b | 日本語日本語日本語 |"

    assert shown(text, 20) == [
        "name │ words",
        "─────┼──────────────",
        "a    │ one two three",
        "     │ four five six",
        "     │ seven",
        "─────┼──────────────",
        "b    │ 日本語日本語",
        "     │ 日本語",
    ]


def test_a_table_with_more_columns_than_fit_shows_its_cells_in_lines() -> None:
    text = "|a|b|c|d|e|f|\n|-|-|-|-|-|-|\n|1|2|3|4|5|66|"

    assert shown(text, 8) == ["a │ b │ c │ d │ e │ f", "1 │ 2 │ 3 │ 4 │ 5 │ 66"]


@pytest.mark.parametrize("width", range(1, 30))
def test_a_table_fits_or_wraps_on_every_width(width: int) -> None:
    text = "| one | two |\n|--|--|\n| a long cell | 日本 |\n> end"

    found = lines(text, width)

    assert all(cell_len(line.text) <= width for line in found) or width < 7
    joined = "".join(line.text for line in found)
    assert all(character in joined for character in "alongcell日本")


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab *_`~[]()<>!#-+1.|:>\\&;\n\t \u202e"), max_size=80))
def test_no_text_breaks_the_parser_or_brings_newlines_into_a_line(text: str) -> None:
    for line in lines(text, 20):
        assert "\n" not in line.text
        assert "\t" not in line.text
