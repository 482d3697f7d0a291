"""Markdown documents: front matter that any text keeps whole, messages that stay apart."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.core.stored import texts
from tui_chat.core.conversation import COMPLETION, Conversation, Setup, said
from tui_chat.core.formats import markdown
from tui_chat.core.params import Params
from tui_chat.core.text import clean


def _talk(title: str, reply: str = "An answer.", system: str = "") -> Conversation:
    talk = Conversation("c1", title, created=1_700_000_000_000)
    question = said("user", "Question?")
    talk.add(question)
    setup = Setup("lab", "m", system, Params({"temperature": 0.3}))
    talk.add(said("assistant", reply, question.id, setup=setup))
    return talk


def _front(text: str) -> dict[str, object]:
    """The front matter as it is read: the first rows between two lines of three dashes."""
    rows = text.split("\n")
    assert rows[0] == "---"
    facts = [row.partition(": ") for row in rows[1 : rows.index("---", 1)]]
    return {name: json.loads(value) for name, _, value in facts}


@given(texts | st.sampled_from(['"\n---\nid: x', "--- # no", "a: b", "'", "{}", "- x"]), texts)
def test_front_matter_keeps_any_title_and_system_prompt(title: str, system: str) -> None:
    facts = _front(markdown.document(_talk(title, system=system)))

    assert facts["title"] == title
    assert facts.get("system", "") == system
    assert (facts["id"], facts["endpoint"], facts["model"]) == ("c1", "lab", "m")
    assert facts["parameters"] == {"temperature": 0.3}


@given(texts)
def test_a_title_is_one_heading_and_opens_no_tag(title: str) -> None:
    body = markdown.document(_talk(title)).split("\n---\n", 1)[1]
    (heading,) = [row for row in body.split("\n") if row.startswith("# ")]

    assert len(heading) > 2
    assert "<" not in heading.replace(r"\<", "")


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        ("```py\nx", "```py\nx\n```\n"),
        ("~~~~\nx\n~~~", "~~~~\nx\n~~~\n~~~~\n"),
        ("````\n```\nx", "````\n```\nx\n````\n"),
        ("```\nx\n```", "```\nx\n```\n"),
        ("```\nx\n  `````  ", "`````  \n"),
        ("```a`b\nx", "```a`b\nx\n"),
        ("```\n```py\nx", "```\n```py\nx\n```\n"),
        ("    ```\nx", "    ```\nx\n"),
    ],
)
def test_code_that_was_left_open_does_not_swallow_what_follows(reply: str, end: str) -> None:
    talk = _talk("t", reply)
    talk.add(said("user", "Next question?", talk.leaf))

    assert f"{end}\n## You\n\nNext question?\n" in markdown.document(talk)


_PARTS = [
    "```", "~~~~", "`", "~", "\n", "\n\n", " ", "    ", "x", "py", "- ", "> ", "# y", "---", "<!--", "-->",
    "<pre>", "</pre>", "<Script", "</script>", "<?", "?>", "<!A", "<![CDATA[", "]]>", "<div>", ">",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(_PARTS), max_size=12).map("".join))
@example("<Script-->\n```\n")
@example("<div>\n```\n\n~~~~")
def test_whatever_a_message_leaves_open_what_follows_is_seen(reply: str) -> None:
    talk = _talk("t", reply)
    talk.add(said("user", "Next question?", talk.leaf))
    tokens = MarkdownIt("commonmark").parse(markdown.document(talk))

    headings = [
        tokens[place + 1].content
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.tag == "h2" and token.level == 0
    ]
    assert headings[-1] == "You"
    assert tokens[-2].content == "Next question?"


def test_among_several_the_facts_are_a_block_under_the_title() -> None:
    title = "One\n```\n---"
    text = "".join(markdown.pieces(_talk(title), alone=False))

    assert text.startswith(f"# One ``` ---\n\n```yaml\ntitle: {json.dumps(title)}\n")
    rows = text.split("\n")
    assert "---" not in rows
    assert [row for row in rows if row.startswith("```")] == ["```yaml", "```"]
    assert markdown.BETWEEN.startswith("\n---\n")


def test_a_failure_is_one_line_and_tags_are_told() -> None:
    talk = _talk("t")
    failed = said("assistant", "", talk.leaf, setup=Setup("e", "m\n# x"))
    talk.add(replace(failed, status="failed", error="a\n\n# b\x1b"))
    talk.tags = ("one", "two")
    text = markdown.document(talk)

    assert text == clean(text)
    assert "*failed: a # b␛*" in text
    assert "## Assistant (m # x)" in text
    assert _front(text)["tags"] == ["one", "two"]


def test_a_text_and_its_continuations_are_one_text() -> None:
    begun_by = said("user", "Once upon")
    reply = replace(
        said("assistant", " a time", begun_by.id, setup=Setup("e", "m")), way=COMPLETION
    )
    written = markdown.document(Conversation("t", "Once", [begun_by, reply], reply.id))
    assert written.endswith("\n# Once\n\nOnce upon a time\n")
    assert "## " not in written
