"""What is the model's in a text, what can be undone, and where a text stands in its tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.conversation import COMPLETION, Conversation, Setup, begun, said
from tui_chat.rooms.completion.history import LONGEST_STEP, MOST_STEPS, History, State
from tui_chat.rooms.completion.marks import difference, edited, grown, joined, read_off
from tui_chat.rooms.completion.session import Session
from tui_chat.rooms.completion.texts import ending_in, parted, pieces_of, text_of, untouched


@pytest.mark.parametrize(
    ("at", "removed", "inserted", "left"),
    [
        (0, 0, 2, ((7, 12),)),  # before
        (5, 0, 2, ((7, 12),)),  # at its beginning
        (10, 0, 2, ((5, 10),)),  # at its end
        (7, 0, 2, ((5, 7), (9, 12))),  # within
        (7, 1, 0, ((5, 9),)),  # a letter deleted
        (3, 4, 1, ((4, 7),)),  # over its beginning
        (8, 9, 0, ((5, 8),)),  # over its end
        (0, 20, 3, ()),  # all
    ],
)
def test_what_is_typed_is_never_the_models(
    at: int, removed: int, inserted: int, left: object
) -> None:
    assert edited(((5, 10),), at, removed, inserted) == left


@given(
    marks=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4),
    at=st.integers(0, 30),
    removed=st.integers(0, 10),
    inserted=st.integers(0, 10),
)
def test_each_letter_keeps_whose_it_is(
    marks: list[tuple[int, int]], at: int, removed: int, inserted: int
) -> None:
    parts = joined((min(one), max(one)) for one in marks)
    letters = [any(start <= place < end for start, end in parts) for place in range(50)]
    after = letters[:at] + [False] * inserted + letters[at + removed :]
    found = edited(parts, at, removed, inserted)
    assert [any(s <= place < e for s, e in found) for place in range(len(after))] == after
    wrote = letters[:at] + [True] * inserted + letters[at:]
    found = grown(parts, at, inserted)
    assert [any(s <= place < e for s, e in found) for place in range(len(wrote))] == wrote


@given(st.text("ab", max_size=8), st.text("ab", max_size=8))
def test_a_difference_is_what_is_between_two_equal_ends(old: str, new: str) -> None:
    start, end = difference(old, new)
    assert start + end <= min(len(old), len(new))
    assert old[:start] == new[:start]
    assert old[len(old) - end :] == new[len(new) - end :]


def test_a_text_that_was_changed_keeps_the_marks_around_the_change() -> None:
    pieces = [("Once", False), (" upon a time", True)]
    assert read_off(pieces, "Once upon a time") == ((4, 16),)
    assert read_off(pieces, "Once upon big a time") == ((4, 10), (14, 20))
    assert read_off(pieces, "Once upon a time!") == ((4, 16),)


def test_keys_in_one_go_are_one_step_and_a_pause_ends_it() -> None:
    history = History(State())
    for place, now in enumerate((0.0, 0.1, 0.2, 5.0)):
        history.take(State("x" * (place + 1)), "typing", now)
    assert [history.undo(), history.undo(), history.undo()] == [State("xxx"), State(), None]
    assert [history.redo(), history.redo(), history.redo()] == [State("xxx"), State("xxxx"), None]


def test_a_step_of_another_kind_begins_anew_and_ends_what_can_be_redone() -> None:
    history = History(State())
    history.take(State("a"), "typing", 0.0)
    history.take(State("a text"))
    history.take(State("a text"[:-1]), "deleting", 0.1)
    assert history.undo() == State("a text")
    history.take(State("other"))
    assert history.redo() is None
    assert history.undo() == State("a text")


def test_no_step_is_too_long_and_not_all_are_kept() -> None:
    history = History(State())
    for place in range(LONGEST_STEP + 1):
        history.take(State("x" * (place + 1)), "typing", 0.0)
    assert history.undo() == State("x" * LONGEST_STEP)
    for place in range(2 * MOST_STEPS):
        history.take(State(str(place)))
    steps = 0
    while history.undo():
        steps += 1
    assert steps == MOST_STEPS - 1


def tree() -> Conversation:
    """Once | upon | a time; and beside "upon", "more"."""
    conversation = Conversation()
    once = said("user", "Once")
    conversation.add(once)
    for text in (" upon", " more"):
        reply = begun(once.id, Setup("e", "m"), text, way=COMPLETION)
        conversation.add(reply)
    conversation.add(begun(conversation.children(once.id)[0], Setup(), " a time", way=COMPLETION))
    return conversation


def test_a_text_is_found_in_its_tree() -> None:
    conversation = tree()
    once, upon, more, time = (one.id for one in conversation.messages)
    assert text_of(conversation) == "Once upon a time"
    assert ending_in(conversation, "Once upon a time") == time
    assert ending_in(conversation, "Once more") == more
    assert ending_in(conversation, "Once upon") == upon
    assert ending_in(conversation, "Once") == once
    assert ending_in(conversation, "Once ") is None
    assert untouched(conversation, "Once") is None
    assert parted(conversation, "Once upon my")[1] == " my"
    assert [text for text, models in pieces_of(conversation) if models] == [" upon", " a time"]


def test_of_two_equal_continuations_the_one_being_read_is_meant() -> None:
    conversation = tree()
    once = conversation.messages[0].id
    twin = begun(once, Setup(), " more", way=COMPLETION)
    conversation.add(twin, follow=False)
    assert ending_in(conversation, "Once more") == twin.id
    first = conversation.children(once)[1]
    conversation.leaf = first
    assert ending_in(conversation, "Once more") == first


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '{"conversation":5,"cursor":"x"}'])
def test_a_broken_session_is_a_first_start(text: str | None) -> None:
    assert Session.read(text) == Session()
    assert Session.read(Session("c1", 4).json()) == Session("c1", 4)
