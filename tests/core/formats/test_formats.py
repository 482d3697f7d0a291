"""Conversations and requests as files and programs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tui_chat.core.conversation import Conversation, Refusal, Setup, Usage, said
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.formats import jsonl, markdown
from tui_chat.core.params import Params
from tui_chat.core.text import HOSTILE, clean
from tui_chat.core.wire import wire_fields, wire_messages

SETUP = Setup("lab", "m", "Be “brief”.", Params({"temperature": 0.3, "stop": ["\n"], "top_k": 9}))
LAB = Endpoint("lab", "https://lab.example/v1", "LAB_KEY")


def conversation() -> Conversation:
    talk = Conversation("c1", "A title: with colon", created=1_700_000_000_000)
    question = said("user", 'It\'s a "test"\nof lines')
    reply = replace(
        said("assistant", "An *answer*.", question.id, setup=SETUP),
        usage=Usage(7, 3, seconds=0.5),
        refused=(Refusal("seed", "no"),),
        reasoning="hm",
    )
    other = replace(reply, id="other", content="Another.", status="stopped")
    for message in (question, reply, other):
        talk.add(message)
    return talk


def test_a_line_has_the_whole_tree_under_the_documented_keys() -> None:
    talk = conversation()
    text = jsonl.line(talk)
    assert "\n" not in text
    row = json.loads(text)
    assert list(row)[:3] == ["id", "title", "created"]
    assert row["created"] == "2023-11-14T22:13:20.000Z"
    assert len(row["messages"]) == 3
    question, reply, other = row["messages"]
    keys = ["id", "parent", "role", "content", "status", "model", "endpoint", "params", "usage"]
    assert list(question)[:10] == [*keys, "created"]
    assert question["parent"] is None
    assert question["params"] == {}
    assert reply["parent"] == other["parent"] == question["id"]
    assert reply["params"] == {"temperature": 0.3, "stop": ["\n"], "top_k": 9}
    assert reply["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "seconds": 0.5}
    assert reply["system"] == "Be “brief”."
    assert other["status"] == "stopped"


def test_a_document_has_front_matter_and_the_thread_being_read() -> None:
    text = markdown.document(conversation())
    head, body = text.removeprefix("---\n").split("\n---\n")
    assert 'title: "A title: with colon"' in head
    assert 'parameters: {"temperature": 0.3, "stop": ["\\n"], "top_k": 9}' in head
    assert "Another." in body
    assert "An *answer*." not in body
    assert "*stopped*" in body


HOSTILE_TEXTS = [
    "\x00\x1b]0;t\x07",
    "\x9b31m",
    "\u202e\u2066\u061c",
    "a\u2028b\u2029c",
    "\U000e0041\U000e007f",
    "\ufeff\u200b\u2060\x7f",
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_what_could_control_a_terminal_is_escaped_in_a_line_and_not_lost(text: str) -> None:
    line = jsonl.line(_edited(text))

    assert not HOSTILE.search(line)
    assert len(line.splitlines()) == 1
    row = json.loads(line)
    reply = row["messages"][1]
    assert row["title"] == reply["content"] == reply["system"] == reply["error"] == text
    assert reply["params"] == {"stop": [text]}


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_what_could_control_a_terminal_is_not_in_a_document(text: str) -> None:
    document = markdown.document(_edited(text))

    assert document == clean(document)
    # The front matter ends where it did.
    rows = document.split("\n---\n")[0].splitlines()[1:]
    names = ["title", "id", "created", "endpoint", "model", "system", "parameters"]
    assert [row.partition(":")[0] for row in rows] == names


def _edited(text: str) -> Conversation:
    """A conversation with this text wherever a row can hold one."""
    talk = Conversation("c1", text, created=1_700_000_000_000)
    setup = Setup(text, text, text, Params({"stop": [text]}))
    question = said("user", text)
    reply = replace(said("assistant", text, question.id, setup=setup), status="cut", error=text)
    for message in (question, reply):
        talk.add(message)
    return talk


def test_a_renamed_field_is_as_on_the_wire() -> None:
    openai = known_endpoints()[1]
    setup = Setup("openai", "gpt", params=Params({"max_tokens": 5, "top_k": 1}))
    assert wire_fields(openai, setup) == ({"max_completion_tokens": 5}, {"top_k": 1})


def test_reasoning_empty_replies_and_errors_are_never_sent() -> None:
    failed = replace(said("assistant", ""), status="failed", error="boom")
    thought = replace(said("assistant", "answer"), reasoning="secret thought")
    thread = [said("user", "q"), failed, thought]
    assert wire_messages(Setup("e", "m"), thread) == [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "answer"},
    ]
