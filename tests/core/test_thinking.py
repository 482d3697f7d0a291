"""What a model thinks between marks is no part of what it says, however the text is cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.wire import replied
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Token
from tui_chat.core.thinking import Thinking


def split(pieces: list[str]) -> tuple[str, str]:
    """The reasoning and the content that come of these pieces."""
    found: list[Token] = []
    thinking = Thinking(found.append)
    for piece in pieces:
        thinking.take(Token(piece))
    thinking.end()
    return (
        "".join(one.text for one in found if one.reasoning),
        "".join(one.text for one in found if not one.reasoning),
    )


@pytest.mark.parametrize(
    ("reply", "thought", "said"),
    [
        ("<think>\nHm. 1 < 2.\n</think>\n\nTwo.", "Hm. 1 < 2.", "Two."),
        ("\n<think>a</think>b <think>c</think>", "a", "b <think>c</think>"),
        ("<think></think>\n\nAt once.", "", "At once."),
        ("<think>cut off </thi", "cut off </thi", ""),
        ("<thin", "", "<thin"),
        ("  <thinking is hard>", "", "  <thinking is hard>"),
        ("No marks, <think> in the middle", "", "No marks, <think> in the middle"),
        ("", "", ""),
    ],
)
def test_the_thought_is_told_apart_wherever_the_pieces_are_cut(
    reply: str, thought: str, said: str
) -> None:
    for size in (1, 2, 3, 5, 100):
        pieces = [reply[at : at + size] for at in range(0, len(reply), size)]
        assert split(pieces) == (thought, said)


@given(st.lists(st.text(alphabet="<think>/ a", max_size=6), max_size=12))
def test_a_reply_that_does_not_begin_with_the_mark_stays_as_it_is(pieces: list[str]) -> None:
    reply = "".join(pieces)
    if not reply.lstrip().startswith("<think>"):
        assert split(pieces) == ("", reply)


async def test_a_thought_in_a_stream_arrives_as_reasoning() -> None:
    with FakeServer(Answer(("<th", "ink>", "Hm.", "</think>", "\n\n", "Two", "."))) as server:
        tokens, ending = await replied(server)
    assert [(one.text, one.reasoning) for one in tokens if one.text] == [
        ("Hm.", True),
        ("Two", False),
        (".", False),
    ]
    assert ending.status == "complete"


async def test_a_text_that_is_continued_keeps_its_marks() -> None:
    with FakeServer(Answer(("<think>", "a", "</think>"))) as server:
        tokens, _ = await replied(server, completes=True)
    assert "".join(one.text for one in tokens) == "<think>a</think>"


def test_white_space_without_end_is_taken_as_it_comes() -> None:
    def cost(start: str, count: int) -> float:
        thinking, began = Thinking(lambda token: None), time.thread_time()
        thinking.take(Token(start))
        for _ in range(count):
            thinking.take(Token("\n"))
        thinking.end()
        return time.thread_time() - began

    for start in ("", "<think>", "<think>a</think>"):
        # It grows with their number, not with the square of it.
        assert cost(start, 40_000) < 40 * cost(start, 4_000)


def test_white_space_before_a_mark_is_still_none_of_the_thought() -> None:
    pieces = (
        ["\n"] * 500 + ["<think>"] + ["\n"] * 500 + ["Hm."] + ["\n"] * 500 + ["</think>", "Two."]
    )
    assert split(pieces) == ("Hm.", "Two.")


def test_nothing_is_lost_of_white_space_in_a_thought() -> None:
    thought = "Hm." + "\n" * 5_000 + "Well."
    assert split(["<think>", *thought, "</think>", "Two."]) == (thought, "Two.")
