"""Our own lines read again: the same to the letter, and whatever a person made of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.formats.test_chatgpt import anything
from tests.core.stored import cleaned, messages, texts
from tui_chat.core.conversation import Conversation, Message, new_id
from tui_chat.core.formats import jsonl, jsonl_reading
from tui_chat.core.formats.foreign import Context, NotUnderstood
from tui_chat.core.records import LATEST
from tui_chat.core.shelves import tag_name
from tui_chat.core.text import clean


def read(item: object) -> Conversation:
    return jsonl_reading.conversation(item, Context(5, Counter()))


@st.composite
def trees(draw: st.DrawFn) -> Conversation:
    """Conversations with random branches, as the store may hold them."""
    found: list[Message] = []
    for message in draw(st.lists(messages, min_size=1, max_size=6)):
        parent = draw(st.none() | st.sampled_from([one.id for one in found])) if found else None
        status = "stopped" if message.status == "streaming" else message.status
        found.append(replace(cleaned(message), parent=parent, status=status))
    names = st.text(min_size=1, max_size=9).map(tag_name).filter(bool)
    return Conversation(
        new_id(),
        clean(draw(texts)),
        found,
        draw(st.sampled_from(found)).id,
        draw(st.integers(1, LATEST)),
        updated=draw(st.integers(1, LATEST)),
        archived=draw(st.booleans()),
        starred=draw(st.booleans()),
        tags=sorted(draw(st.sets(names, max_size=3))),
        preset=clean(draw(texts)),
    )


@settings(max_examples=60, deadline=None)
@given(trees())
def test_a_line_read_again_is_the_same_line(talk: Conversation) -> None:
    line = jsonl.line(talk)
    assert jsonl_reading.is_one(json.loads(line))
    assert jsonl.line(read(json.loads(line))) == line


def line(**more: object) -> dict[str, Any]:
    question = {"id": "q", "parent": None, "role": "user", "content": "?", "status": "complete"}
    return {"id": "talk", "title": "T", "leaf": "a", "messages": [question], **more}


def test_messages_before_their_parents_are_put_in_order() -> None:
    rows = [
        {"id": name, "parent": parent, "role": "user", "content": name}
        for name, parent in (
            ("c", "b"),
            ("b", "a"),
            ("a", None),
            ("x", "y"),
            ("y", "x"),
            ("z", "gone"),
        )
    ]
    talk = read(line(messages=rows))
    parents = {one.content: one.parent for one in talk.messages}
    assert parents == {"a": None, "b": "a", "c": "b", "x": None, "y": "x", "z": None}
    assert [one.content for one in talk.messages][:3] == ["a", "b", "c"]
    assert talk.leaf == "a"


@pytest.mark.parametrize("id", ["", "a b", "../x", "x" * 101, "\x1b[m", "é"])
def test_an_id_that_cannot_be_one_becomes_another_and_its_children_follow(id: str) -> None:
    rows = [
        {"id": id, "parent": None, "role": "user", "content": "a"},
        {"id": "b", "parent": id, "role": "assistant", "content": "b"},
    ]
    talk = read(line(id=id, messages=rows, leaf=id))
    first = talk.messages[0]
    assert len(first.id) == len(talk.id) == 13
    if id:
        assert talk.messages[1].parent == first.id
        assert talk.leaf == first.id
    assert [one.id for one in read(line(id=id, messages=rows)).messages] == [
        one.id for one in talk.messages
    ]


def test_two_messages_with_one_id_are_two() -> None:
    rows = [{"id": "a", "parent": None, "role": "user", "content": text} for text in "xy"]
    assert [one.content for one in read(line(messages=rows)).messages] == ["x", "y"]


def test_a_reply_that_was_arriving_is_one_that_was_interrupted() -> None:
    rows = [{"id": "a", "parent": None, "role": "assistant", "content": "x", "status": "streaming"}]
    assert read(line(messages=rows)).messages[0].status == "interrupted"


def test_values_out_of_range_are_left_out_and_the_rest_kept() -> None:
    reply = {
        "id": "a", "parent": None, "role": "assistant", "content": "x\x1b", "status": 5,
        "model": "m", "endpoint": None, "params": {"temperature": 9, "seed": 4, "x": 1},
        "usage": {"prompt_tokens": -1, "completion_tokens": 3, "seconds": "long"},
        "begun": 1, "way": "by magic",
        "created": "yesterday", "refused": {"seed": {"words": "no", "sent_as": 7}, "stop": 9},
    }  # fmt: skip
    talk = read(line(messages=[reply], updated="9999999-01-01", tags=["a", 5], created=None))
    (found,) = talk.messages
    assert found.setup is not None
    assert dict(found.setup.params) == {"seed": 4}
    assert (found.usage.completion_tokens, found.usage.prompt_tokens, found.usage.seconds) == (
        3,
        None,
        None,
    )
    assert (found.status, found.content, found.created) == ("interrupted", "x␛", 5)
    assert [(one.name, one.words, one.sent_as) for one in found.refused] == [
        ("seed", "no", ""),
        ("stop", "", ""),
    ]
    assert (found.begun, found.way) == (1, "")
    assert talk.tags == ("a",)


@given(
    st.fixed_dictionaries(
        {
            "messages": st.lists(
                st.fixed_dictionaries(
                    {
                        "role": st.sampled_from(["user", "assistant"]),
                        "content": st.text(max_size=5),
                    },
                    optional={
                        key: st.sampled_from("abc") | anything
                        for key in (
                            "id",
                            "parent",
                            "status",
                            "params",
                            "usage",
                            "refused",
                            "created",
                            "model",
                        )
                    },
                )
                | anything,
                max_size=4,
            )
            | anything
        },
        optional=dict.fromkeys(
            ("id", "title", "leaf", "created", "updated", "tags", "preset"), anything
        ),
    )
    | anything
)
def test_nothing_that_json_can_hold_is_more_than_not_understood(item: object) -> None:
    jsonl_reading.is_one(item)
    try:
        talk = read(item)
    except NotUnderstood:
        return
    json.loads(jsonl.line(talk))
