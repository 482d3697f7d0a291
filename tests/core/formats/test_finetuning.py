"""Fine-tuning files: what a model should learn, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stored import messages
from tui_chat.core.conversation import Conversation, Message, Role, Setup, Status, said
from tui_chat.core.formats import finetuning
from tui_chat.core.text import HOSTILE

SETUP = Setup("lab", "m", "Be brief.")


def _talk(
    *turns: tuple[Role, str] | tuple[Role, str, Status], setup: Setup | None = None
) -> Conversation:
    talk = Conversation("c")
    for role, content, *status in turns:
        made = setup if role == "assistant" else None
        message = said(role, content, talk.leaf, setup=made)
        talk.add(replace(message, status=status[0]) if status else message)
    return talk


def _spoken(talk: Conversation) -> list[tuple[str, str]]:
    line = finetuning.line(talk)
    assert line is not None
    row = json.loads(line)
    assert list(row) == ["messages"]
    assert all(list(one) == ["role", "content"] for one in row["messages"])
    return [(one["role"], one["content"]) for one in row["messages"]]


def test_a_line_is_the_thread_with_the_system_prompt_first() -> None:
    talk = _talk(
        ("user", "q\n“é”"), ("assistant", "a"), ("user", "r"), ("assistant", "b"), setup=SETUP
    )
    other = said("assistant", "not read", talk.messages[0].id, setup=SETUP)
    talk.add(other, follow=False)

    assert _spoken(talk) == [
        ("system", "Be brief."),
        ("user", "q\n“é”"),
        ("assistant", "a"),
        ("user", "r"),
        ("assistant", "b"),
    ]
    assert "\n" not in (finetuning.line(talk) or "")


def test_the_system_prompt_is_that_of_the_last_reply_that_is_kept() -> None:
    talk = _talk(("user", "q"), ("assistant", "a"), ("user", "r"), setup=SETUP)
    failed = said("assistant", "", talk.leaf, setup=Setup("lab", "m", "Other."))
    talk.add(replace(failed, status="failed"))

    assert _spoken(talk) == [("system", "Be brief."), ("user", "q"), ("assistant", "a")]


def test_a_system_message_that_says_the_same_is_not_doubled() -> None:
    same = _talk(("system", "Be brief."), ("user", "q"), ("assistant", "a"), setup=SETUP)
    other = _talk(("system", "Be long."), ("user", "q"), ("assistant", "a"), setup=SETUP)

    assert _spoken(same) == [("system", "Be brief."), ("user", "q"), ("assistant", "a")]
    assert _spoken(other)[:2] == [("system", "Be brief."), ("system", "Be long.")]


@pytest.mark.parametrize("status", ["failed", "cut", "filtered", "interrupted", "streaming"])
@pytest.mark.parametrize("place", [0, 1])
def test_a_reply_that_went_wrong_goes_with_its_question(status: Status, place: int) -> None:
    turns = [("user", "good"), ("assistant", "answer")]
    bad = [("user", "bad"), ("assistant", "half of an", status)]
    both = [*bad, *turns] if place == 0 else [*turns, *bad]

    assert _spoken(_talk(*both)) == turns  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["complete", "length", "stopped"])
def test_a_reply_that_ended_as_it_was_wanted_is_kept(status: Status) -> None:
    talk = _talk(("user", "q"), ("assistant", "a", status), ("user", "never answered"))

    assert _spoken(talk) == [("user", "q"), ("assistant", "a")]


def test_what_a_system_message_says_outlives_a_failed_reply() -> None:
    talk = _talk(
        ("system", "s"),
        ("user", "q"),
        ("assistant", "", "failed"),
        ("user", "r"),
        ("assistant", "a"),
    )

    assert _spoken(talk) == [("system", "s"), ("user", "r"), ("assistant", "a")]


@pytest.mark.parametrize(
    "talk",
    [
        _talk(),
        _talk(("user", "q")),
        _talk(("system", "s"), ("user", "q")),
        _talk(("user", "q"), ("assistant", "  \n")),
        _talk(("user", "q"), ("assistant", "half", "failed"), setup=SETUP),
    ],
)
def test_without_a_reply_there_is_no_line(talk: Conversation) -> None:
    assert finetuning.line(talk) is None


@given(st.lists(messages, max_size=6))
def test_any_thread_makes_a_line_that_can_be_learned_from_or_none(thread: list[Message]) -> None:
    talk = Conversation("c")
    for message in thread:
        talk.add(replace(message, parent=talk.leaf))
    line = finetuning.line(talk)

    if line is None:
        return
    assert not HOSTILE.search(line)
    assert len(line.splitlines()) == 1
    rows = json.loads(line)["messages"]
    assert rows[-1]["role"] == "assistant"
    assert all(row["content"] for row in rows)
