"""HTML files: one page that fetches nothing, runs nothing and loses nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given

from tests.core.stored import NASTY, messages, texts
from tui_chat.core.conversation import Conversation, Headline, Message, Setup, said
from tui_chat.core.formats import html
from tui_chat.core.params import Params
from tui_chat.core.text import HOSTILE

MARKUP = "</pre></style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&<!--"
TAGS = {
    "a", "article", "blockquote", "body", "br", "code", "details", "div", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "head", "header", "hr", "html", "li", "meta", "nav", "ol", "p", "pre", "s", "section", "span",
    "strong", "style", "summary", "table", "tbody", "td", "th", "thead", "time", "title", "tr", "ul",
}  # fmt: skip
VOID = {"meta", "hr", "br"}
ATTRIBUTES = {
    "charset", "http-equiv", "content", "name", "id", "class", "href", "dir", "datetime", "rel", "start"
}  # fmt: skip


class _Page(HTMLParser):
    """What a page consists of; asserts that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def harmless(self) -> None:
        """Only what this program writes, and links that go to where links may go."""
        assert {tag for tag, _ in self.tags} <= TAGS
        for _, attributes in self.tags:
            assert set(attributes) <= ATTRIBUTES
            href = attributes.get("href")
            assert href is None or re.match(r"https?://|mailto:|#c-", href, re.I)


def _page(*talks: Conversation) -> _Page:
    parts = [html.head(talks[0].title), html.CONTENTS]
    parts += [html.entry(Headline(one.id, one.title, "", one.updated, 2)) for one in talks]
    parts.append(html.CONTENTS_END)
    for one in talks:
        parts += html.pieces(one)
    text = "".join([*parts, html.FOOT])
    assert not HOSTILE.search(text)
    page = _Page(text)
    page.harmless()
    return page


def _talk(
    reply: str, *, asked: str = "Question?", setup: Setup | None = None, title: str = "Title"
) -> Conversation:
    talk = Conversation("c1", title, created=1_700_000_000_000)
    question = said("user", asked)
    talk.add(question)
    talk.add(said("assistant", reply, question.id, setup=setup))
    return talk


def test_a_page_lets_nothing_be_fetched_or_run() -> None:
    head = html.head("t")
    style = head.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in head
    assert '<meta name="referrer" content="no-referrer">' in head
    assert "@media print" in style
    assert "prefers-color-scheme: dark" in style
    assert "url(" not in style
    assert "@import" not in style


def test_a_page_has_what_was_said_and_how_it_was_made() -> None:
    setup = Setup("lab", "m1", "Be <brief>.", Params({"temperature": 0.3}))
    talk = _talk("An *answer* with `code`.", asked="A  <b>question</b>\n  #1", setup=setup)
    last = talk.messages[-1]
    talk.add(replace(said("user", "More?", last.id)))
    late = said("assistant", "Half", talk.leaf, setup=setup)
    talk.add(replace(late, status="cut", error="It <broke>.", reasoning="Hm & so"))
    talk.tags = ("a<b",)
    page = _page(talk)

    for words in (
        "A  <b>question</b>\n  #1",
        "lab · m1 · temperature 0.3",
        "An answer with code.",
        "Hm & so",
        "cut: It <broke>.",
        "2023-11-14 · 4 messages · #a<b",
    ):
        assert words in page.text
    assert page.text.count("Be <brief>.") == 1
    assert page.text.index("Be <brief>.") < page.text.index("A  <b>question")
    assert len(page.named("em")) == 1


def test_several_conversations_have_a_table_of_contents() -> None:
    second = _talk("Two")
    second.id, second.title = 'c"2 <é', "Second <i>"
    page = _page(_talk("One"), second)

    assert page.named("a") == [{"href": "#c-c1"}, {"href": "#c-c%222%20%3C%C3%A9"}]
    assert [one["id"] for one in page.named("section")] == ["c-c1", 'c-c"2 <é']
    assert page.text.count("Second <i>") == 2


@pytest.mark.parametrize(
    ("written", "href"),
    [
        ("[a](https://x.example/?a&b)", "https://x.example/?a&b"),
        ("<http://x.example>", "http://x.example"),
        ("[a](mailto:me@x.example)", "mailto:me@x.example"),
        ("[a](javascript:alert(1))", None),
        ("[a](JaVaScRiPt:alert(1))", None),
        ("[a](data:text/html,x)", None),
        ("[a](file:///etc/passwd)", None),
        ("[a](//x.example)", None),
        ("<vbscript:x>", None),
        ("[a](&#106;avascript:x)", None),
    ],
)
def test_only_links_to_the_web_and_to_mail_are_links(written: str, href: str | None) -> None:
    page = _Page(html.rendered(written))

    links = page.named("a")
    assert links == ([] if href is None else [{"href": href, "rel": "noopener noreferrer"}])
    if href is None:
        # What is no link stays to be read.
        assert page.text.strip() == written.replace("&#106;", "j")


def test_an_image_is_told_and_not_fetched() -> None:
    page = _Page(
        html.rendered(
            '![a "<cat>"](http://x.example/c.png?a&b "t") and [![b](https://y/z)](https://l)'
        )
    )

    assert page.named("img") == []
    assert page.text.strip() == 'a "<cat>" (http://x.example/c.png?a&b) and b (https://y/z)'


def test_markdown_is_drawn_below_the_headings_of_the_page() -> None:
    text = html.rendered(
        "# A\n\n###### B\n\n|a|b|\n|:-:|--:|\n|1|2|\n\n```py\nx < 1\n```\n\n[r]: http://x\n"
    )

    assert "<h4>A</h4>" in text
    assert "<h6>B</h6>" in text
    assert '<th class="center">a</th>' in text
    assert '<td class="right">2</td>' in text
    assert '<pre><code class="language-py">x &lt; 1\n</code></pre>' in text
    assert "[r]: http://x" in text


@pytest.mark.parametrize(
    "hostile", [MARKUP, NASTY, "&#x202e;&#27;", "`" * 3 + f'x"{MARKUP}\n{MARKUP}']
)
def test_foreign_texts_are_only_texts_wherever_they_stand(hostile: str) -> None:
    setup = Setup(hostile, hostile, hostile, Params({"stop": [hostile.replace("\ud83d", "")]}))
    talk = _talk(hostile, asked=hostile, setup=setup, title=hostile)
    failed = replace(said("assistant", "", talk.leaf, setup=setup), status="failed")
    talk.add(replace(failed, error=hostile, reasoning=hostile))
    talk.id, talk.tags = hostile, (hostile,)
    page = _page(talk)

    if hostile == MARKUP:
        assert page.text.count("alert(1)") >= 2 * 8


@pytest.mark.parametrize(
    "piece",
    [">", "[", "*", "- ", "`", "![", "<", "|a", "&", "\\", "~~", "a_", "](", "1. ", "[a](b)"],
)
def test_markdown_made_to_be_slow_is_drawn(piece: str) -> None:
    _Page(html.rendered(piece * (20_000 // len(piece)))).harmless()


def test_a_very_long_message_stands_as_it_was_written() -> None:
    short, long = "*a* " * (html.LONGEST // 4), "*a* " * (html.LONGEST // 4 + 1)

    assert len(_page(_talk(short)).named("em")) == html.LONGEST // 4
    page = _page(_talk(long))
    assert page.named("em") == []
    assert long in page.text


@given(texts, messages)
def test_any_message_makes_a_harmless_page(title: str, message: Message) -> None:
    talk = Conversation("c", title)
    talk.add(message)
    _page(talk)
