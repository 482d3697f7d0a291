"""The tree of messages: threads, siblings, and trees that cannot be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.conversation import (
    Conversation,
    Message,
    Setup,
    Usage,
    new_id,
    said,
    title_from,
)


def message(id: str, parent: str | None, role: str = "user") -> Message:
    return replace(said("user" if role == "user" else "assistant", id, parent), id=id)


def branched() -> Conversation:
    tree = [message("q", None), message("a1", "q"), message("a2", "q"), message("q2", "a1")]
    return Conversation(messages=tree)


def test_a_thread_is_the_path_from_the_first_message_to_the_leaf() -> None:
    conversation = branched()
    assert [one.id for one in conversation.thread("q2")] == ["q", "a1", "q2"]
    assert [one.id for one in conversation.thread("a2")] == ["q", "a2"]


def test_the_leaf_is_the_last_message_until_another_is_read() -> None:
    conversation = branched()
    assert conversation.leaf == "q2"
    conversation.leaf = "a2"
    assert conversation.thread()[-1].id == "a2"


def test_siblings_are_the_children_of_one_parent_oldest_first() -> None:
    conversation = branched()
    assert conversation.siblings("a2") == ("a1", "a2")
    assert conversation.siblings("q") == ("q",)


def test_the_deepest_leaf_follows_the_latest_children() -> None:
    assert branched().deepest("a1") == "q2"
    assert branched().deepest("a2") == "a2"


def test_a_streaming_reply_is_replaced_by_its_later_self() -> None:
    conversation = branched()
    conversation.add(replace(conversation.message("a2"), content="longer"), follow=False)
    assert conversation.message("a2").content == "longer"
    assert conversation.siblings("a2") == ("a1", "a2")
    assert len(conversation) == 4


def test_a_message_whose_parent_is_missing_is_shown_as_a_root() -> None:
    conversation = Conversation(messages=[message("b", "never"), message("c", "b")])
    assert [one.id for one in conversation.thread("c")] == ["b", "c"]
    assert conversation.siblings("b") == ("b",)


@given(parents=st.lists(st.integers(0, 7), min_size=8, max_size=8))
def test_no_tree_however_tangled_makes_a_loop(parents: list[int]) -> None:
    tree = [message(str(number), str(parent)) for number, parent in enumerate(parents)]
    conversation = Conversation(messages=tree)
    for one in tree:
        thread = conversation.thread(one.id)
        assert thread[-1].id == one.id
        assert len({each.id for each in thread}) == len(thread)
        assert one.id in conversation.siblings(one.id)


def test_the_latest_setup_is_that_of_the_last_reply_on_the_thread() -> None:
    first, second = Setup("e", "one"), Setup("e", "two")
    conversation = Conversation()
    conversation.add(message("q", None))
    conversation.add(replace(message("a", "q"), setup=first))
    conversation.add(replace(message("b", "q"), setup=second))
    assert conversation.latest_setup() == second
    conversation.leaf = "a"
    assert conversation.latest_setup() == first


@pytest.mark.parametrize(
    ("usage", "rate"),
    [
        (Usage(completion_tokens=5, first_token_seconds=0.5, seconds=0.5034), None),
        (Usage(completion_tokens=5, first_token_seconds=0.5, seconds=0.4), None),
        (Usage(completion_tokens=5, seconds=0.09), None),
        (Usage(completion_tokens=5, first_token_seconds=0.5, seconds=1.0), 10),
        (Usage(completion_tokens=0, seconds=1.0), None),
        (Usage(completion_tokens=5), None),
    ],
)
def test_a_rate_needs_a_time_that_can_be_measured(usage: Usage, rate: float | None) -> None:
    assert usage.tokens_per_second == rate


def test_ids_are_short_plain_and_different() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(one) == 13 and one.isascii() and one.isalnum() for one in ids)


def test_a_title_is_the_first_words_on_one_line() -> None:
    assert title_from("  Hello\n  world ") == "Hello world"
    assert len(title_from("word " * 100)) <= 60
