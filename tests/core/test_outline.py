"""The tree of a conversation as lines."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.outline import outline

TREES = st.lists(st.integers(-1, 30), max_size=30).map(
    lambda parents: [
        Message(f"m{place}", f"m{parent}" if 0 <= parent < place else None, "user", "")
        for place, parent in enumerate(parents)
    ]
)


def tree(leaf: str, **parents: str) -> Conversation:
    messages = [Message(name, parent or None, "user", name) for name, parent in parents.items()]
    return Conversation("c", "", messages, leaf)


def lines(conversation: Conversation) -> list[str]:
    return [
        f"{limb.guide}{'*' if limb.read else ''}{limb.message.id}" for limb in outline(conversation)
    ]


def test_a_straight_run_is_flat() -> None:
    assert lines(tree("c", a="", b="a", c="b")) == ["*a", "*b", "*c"]


def test_branches_hang_off_where_they_leave_what_is_read() -> None:
    conversation = tree("d", a="", b="a", b2="b", c="a", d="c", e="a")
    assert lines(conversation) == ["*a", "├─ b", "│  b2", "├─ e", "*c", "*d"]


def test_branches_of_branches_are_indented_under_theirs() -> None:
    conversation = tree("z", a="", b="a", x="b", y="b", y2="y", z="a")
    assert lines(conversation) == ["*a", "├─ b", "│  ├─ x", "│  y", "│  y2", "*z"]


def test_several_beginnings_are_branches_too() -> None:
    assert lines(tree("b", a="", b="")) == ["├─ a", "*b"]


def test_nothing_said_has_no_lines() -> None:
    assert outline(Conversation()) == []


@given(TREES, st.integers(0, 29))
def test_every_message_is_there_once_after_its_parent(messages: list[Message], leaf: int) -> None:
    conversation = Conversation("c", "", messages, f"m{leaf}")
    shown = [limb.message.id for limb in outline(conversation)]
    assert sorted(shown) == sorted(message.id for message in messages)
    for message in messages:
        if message.parent is not None:
            assert shown.index(message.parent) < shown.index(message.id)
    read = [limb.message.id for limb in outline(conversation) if limb.read]
    assert read == [message.id for message in conversation.thread()]
    assert all(not limb.guide for limb in outline(conversation) if limb.read)


def test_a_tree_of_ten_thousand_is_quick_however_deep_it_branches() -> None:
    # Each message was answered again after all: the first answers hang off one in the other.
    spine = [Message(f"m{n}", f"m{n - 1}" if n else None, "user", "") for n in range(5_000)]
    again = [Message(f"n{n}", f"m{n}", "user", "") for n in range(5_000)]
    conversation = Conversation("c", "", [*spine, *again], "n0")
    started = time.perf_counter()
    found = outline(conversation)
    assert time.perf_counter() - started < 2
    assert len(found) == 10_000
    assert max(len(limb.guide) for limb in found) < 200
