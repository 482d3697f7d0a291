"""ChatGPT's export: its trees, its kinds of content, and whatever else a mapping can hold."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.formats.foreign_files import NOON, branched, chat, node
from tui_chat.core.conversation import Conversation, Setup
from tui_chat.core.formats import chatgpt
from tui_chat.core.formats.foreign import Context, NotUnderstood
from tui_chat.core.records import LATEST
from tui_chat.core.text import clean


def read(item: object) -> Conversation:
    return chatgpt.conversation(item, Context(5, Counter()))


def texts(talk: Conversation) -> list[str]:
    return [message.content for message in talk.messages]


def test_a_tree_keeps_its_branches_in_order_and_the_one_being_read() -> None:
    talk = read(branched())
    question, second, thanks, first = talk.messages
    assert texts(talk) == ["What is “up”?", "A direction.", "Thanks.", "The sky."]
    assert question.parent is None
    assert second.parent == first.parent == question.id
    assert thanks.parent == second.id
    assert talk.siblings(first.id) == (second.id, first.id)
    assert talk.leaf == first.id
    assert first.setup == Setup("chatgpt", "gpt-4o")
    assert question.setup is None
    assert (talk.title, talk.created) == ("Chat c1", NOON * 1000 + 500)
    assert talk.updated == NOON * 1000 + 100_250
    assert [one.created for one in (question, second, first)] == [
        (NOON + 10) * 1000, (NOON + 30) * 1000, (NOON + 20) * 1000,
    ]  # fmt: skip


def test_the_same_conversation_has_the_same_ids_and_another_has_others() -> None:
    again, other = read(branched()), read(branched("c2"))
    assert [one.id for one in read(branched()).messages] == [one.id for one in again.messages]
    assert not {one.id for one in other.messages} & {one.id for one in again.messages}
    assert other.id != again.id
    assert len(again.id) == 13


def test_shelves_come_along() -> None:
    talk = read(branched() | {"is_archived": True, "is_starred": True})
    assert (talk.archived, talk.starred) == (True, True)
    assert (read(branched()).archived, read(branched()).starred) == (False, False)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"kind": "text", "parts": ["one", "two"]}, "one\n\ntwo"),
        (
            {"kind": "multimodal_text", "parts": [{"content_type": "image_asset_pointer"}, "See?"]},
            "[image]\n\nSee?",
        ),
        (
            {
                "kind": "multimodal_text",
                "parts": [{"content_type": "audio_transcription", "text": "hi"}],
            },
            "hi",
        ),
        ({"kind": "multimodal_text", "parts": [{"content_type": "new_thing"}]}, "[new_thing]"),
        ({"kind": "code", "language": "python", "text": "1 + 1"}, "```python\n1 + 1\n```"),
        ({"kind": "code", "language": "x`\n", "text": "a ``` b"}, "````x\na ``` b\n````"),
        ({"kind": "system_error", "name": "E", "text": "It broke."}, "It broke."),
        ({"kind": "tether_quote", "title": "T", "text": "quoted"}, "T\n\nquoted"),
        ({"kind": "never_heard_of", "result": "found"}, "found"),
        ({"kind": "text", "parts": ["\x1b[31mred\x00", 7, None]}, "␛[31mred�"),
    ],
)
def test_each_kind_of_content_has_a_text(content: dict[str, Any], text: str) -> None:
    parts = content.pop("parts", ())
    answer = node("a", "q", "assistant", *parts, **content)
    talk = read(chat("c", node("q", None, "user", "?", children=["a"]), answer))
    assert texts(talk) == ["?", text]


def test_what_a_tool_put_out_is_a_block_of_code_and_not_a_reply_of_the_model() -> None:
    tool = node("t", "q", "tool", kind="execution_output", text="4\n", children=["a"])
    talk = read(
        chat(
            "c",
            node("q", None, "user", "2+2?", children=["t"]),
            tool,
            node("a", "t", "assistant", "4."),
        )
    )
    assert texts(talk) == ["2+2?", "```\n4\n```", "4."]
    assert [one.setup is None for one in talk.messages] == [True, True, False]


def test_thoughts_are_the_reasoning_of_what_follows() -> None:
    thoughts = [{"summary": "Sums", "content": "Two and two."}]
    talk = read(
        chat(
            "c",
            node("q", None, "user", "2+2?", children=["t"]),
            node("t", "q", "assistant", kind="thoughts", thoughts=thoughts, children=["r"]),
            node(
                "r",
                "t",
                "assistant",
                kind="reasoning_recap",
                content="Thought for 2 s",
                children=["a"],
            ),
            node("a", "r", "assistant", "4."),
        )
    )
    assert texts(talk) == ["2+2?", "4."]
    assert talk.messages[1].reasoning == "Sums\n\nTwo and two.\n\nThought for 2 s"
    assert talk.messages[1].parent == talk.messages[0].id


@pytest.mark.parametrize("follow", [[], [node("q2", "t", "user", "Well?")]])
def test_thoughts_after_which_nothing_was_said_are_kept(follow: list[dict[str, Any]]) -> None:
    thought = node("t", "q", "assistant", kind="thoughts", thoughts=[{"content": "Hm."}])
    talk = read(chat("c", node("q", None, "user", "?", children=["t"]), thought, *follow))
    assert [one.reasoning for one in talk.messages][:2] == ["", "Hm."]
    assert [one.role for one in talk.messages] == ["user", "assistant", "user"][: 2 + len(follow)]
    assert [one.parent for one in talk.messages[1:]] == [one.id for one in talk.messages[:-1]]


def test_hidden_messages_are_left_out_and_files_named() -> None:
    hidden = node(
        "h", None, "user", kind="user_editable_context", user_profile="secret", children=["q"]
    )
    question = node("q", "h", "user", "Read this.")
    question["message"]["metadata"] = {"attachments": [{"name": "a\nb.pdf"}, 5]}
    assert texts(read(chat("c", hidden, question))) == ["Read this.\n\n[file: a b.pdf]"]


def test_how_a_reply_ended_is_kept() -> None:
    cut = node("a", "q", "assistant", "And so")
    cut["message"]["metadata"]["finish_details"] = {"type": "max_tokens"}
    waiting = node("b", "q", "assistant", "And")
    waiting["message"]["status"] = "in_progress"
    talk = read(chat("c", node("q", None, "user", "?", children=["a", "b"]), cut, waiting))
    assert [one.status for one in talk.messages] == ["complete", "length", "interrupted"]
    assert talk.messages[1].finish_reason == "max_tokens"


def test_children_alone_and_parents_alone_make_the_same_tree() -> None:
    whole = branched()
    for key, empty in (("children", []), ("parent", None)):
        half = json.loads(json.dumps(whole))
        for one in half["mapping"].values():
            one[key] = empty
        talk = read(half)
        parents = {one.content: one.parent for one in talk.messages}
        ids = {one.content: one.id for one in talk.messages}
        assert parents["A direction."] == parents["The sky."] == ids["What is “up”?"]
        assert parents["Thanks."] == ids["A direction."]


def test_a_circle_a_missing_parent_and_a_missing_leaf_lose_no_message() -> None:
    talk = read(
        chat(
            "c",
            node("a", "c", "user", "a", children=["b"]),
            node("b", "a", "assistant", "b", children=["c"]),
            node("c", "b", "user", "c", children=["a"]),
            node("d", "d", "user", "d", children=["d"]),
            node("e", "gone", "user", "e"),
            leaf="nowhere",
        )
    )
    assert sorted(texts(talk)) == ["a", "b", "c", "d", "e"]
    assert len(talk.thread()) >= 1
    assert sum(one.parent is None for one in talk.messages) == 3


@pytest.mark.parametrize("time", [1e300, -1, "noon", None, [], 10**400, True, LATEST])
def test_times_that_are_none_are_those_of_the_conversation(time: object) -> None:
    question = node("q", None, "user", "?")
    question["message"]["create_time"] = time
    assert read(chat("c", question)).messages[0].created == NOON * 1000 + 500


def test_a_title_stays_on_one_line_and_is_made_where_there_is_none() -> None:
    question = node("q", None, "user", "What\nis it?")
    assert read(chat("c", question, title="../../etc\n\x1b]0;x\x07")).title == "../../etc ␛]0;x␇"
    assert read(chat("c", question, title=None)).title == "What is it?"


@pytest.mark.parametrize(
    "item", [{}, {"mapping": {}}, {"mapping": {"a": None}}, [], None, chat("c")]
)
def test_what_says_nothing_is_not_understood(item: object) -> None:
    with pytest.raises(NotUnderstood):
        read(item)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
names = st.sampled_from(["a", "b", "c", "d"])
contents = st.fixed_dictionaries(
    {},
    optional={
        "content_type": st.sampled_from(["text", "code", "thoughts", "multimodal_text"]) | anything,
        "parts": st.lists(st.text(max_size=5) | anything, max_size=3) | anything,
        "text": anything,
        "thoughts": anything,
    },
)
strange_messages = anything | st.fixed_dictionaries(
    {},
    optional={
        "author": st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "tool", "assistant"]) | anything}
        )
        | anything,
        "content": contents | anything,
        "create_time": anything,
        "metadata": anything,
        "weight": anything,
        "status": anything,
    },
)
strange_nodes = anything | st.fixed_dictionaries(
    {},
    optional={
        "message": strange_messages,
        "parent": names | anything,
        "children": st.lists(names | anything, max_size=3) | anything,
    },
)
strange_chats = st.fixed_dictionaries(
    {"mapping": st.dictionaries(names, strange_nodes, max_size=4)},
    optional=dict.fromkeys(("title", "current_node", "create_time", "update_time", "id"), anything),
)


@given(strange_chats | anything)
def test_nothing_that_json_can_hold_is_more_than_not_understood(item: object) -> None:
    try:
        talk = read(item)
    except NotUnderstood:
        return
    seen: set[str] = set()
    for message in talk.messages:
        assert message.parent is None or message.parent in seen
        assert clean(message.content) == message.content
        assert 0 <= message.created <= LATEST
        seen.add(message.id)
