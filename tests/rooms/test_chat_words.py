"""The chat room's pure parts: captions, typed commands, what it remembers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.test_params import ANY_PARAMS
from tui_chat.core.conversation import Conversation, Refusal, Setup, Status, Usage, said
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.rooms.chat.commands import (
    COMMANDS,
    Typed,
    completions,
    parameter_value,
    read,
    written,
)
from tui_chat.rooms.chat.session import Session
from tui_chat.widgets.captions import caption
from tui_chat.widgets.meter import figure, short
from tui_chat.widgets.rows import bar, rows_for


def talk(**more: object) -> tuple[Conversation, str]:
    setup = Setup("lab", "m", params=Params({"temperature": 0.7, "top_p": 1}))
    question = said("user", "q")
    reply = replace(said("assistant", "a", question.id, setup=setup), **more)  # type: ignore[arg-type]  # its fields
    return Conversation(messages=[question, reply]), reply.id


def test_a_reply_says_how_it_was_made_and_what_it_took() -> None:
    conversation, reply = talk(usage=Usage(5, 12, first_token_seconds=0.1, seconds=0.4))
    words = caption(conversation.message(reply), conversation)
    assert (words.head, words.detail) == ("m", "temperature 0.7 · top p 1")
    assert words.foot == "12 tokens · 0.4 s · 40 tok/s · complete"
    assert words.position == words.error == ""


def test_a_reply_says_what_it_cost_and_what_was_cached() -> None:
    conversation, reply = talk(usage=Usage(5000, 12, 5, 4000, seconds=0.4))
    words = caption(conversation.message(reply), conversation, cost="$0.0012")
    assert words.foot == (
        "12 tokens (5 reasoning) · 4\u202f000 cached · 0.4 s · 30 tok/s · $0.0012 · complete"
    )


def test_a_reply_is_not_said_to_be_made_with_what_was_refused() -> None:
    refused = (Refusal("temperature", "no"), Refusal("top_p", "", "nucleus"))
    conversation, reply = talk(refused=refused)
    assert caption(conversation.message(reply), conversation).detail == "top p 1"


def test_an_estimate_is_marked_and_a_single_token_is_one() -> None:
    conversation, reply = talk(usage=Usage(5, 1, estimated=True), status="stopped")
    assert caption(conversation.message(reply), conversation).foot == "≈1 token · stopped"


def test_siblings_are_counted() -> None:
    conversation, reply = talk()
    conversation.add(replace(conversation.message(reply), id="other"))
    assert caption(conversation.message("other"), conversation).position == "‹ 2/2 ›"


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_f5_is_named_only_where_it_answers_again(status: Status) -> None:
    conversation, reply = talk(status=status)
    message = conversation.message(reply)
    assert "F5" in caption(message, conversation, last=True).foot
    assert caption(message, conversation).foot == status


def test_troubles_are_said_beneath() -> None:
    refused = (Refusal("seed", "no seeds"), Refusal("max_tokens", "", "max_completion_tokens"))
    conversation, reply = talk(status="failed", error="It broke.", refused=refused)
    words = caption(conversation.message(reply), conversation, last=True)
    assert words.error.splitlines() == [
        "It broke.",
        "Seed was refused: no seeds",
        "Max length was sent as max_completion_tokens.",
    ]
    assert "F5" in words.foot


@pytest.mark.parametrize(
    ("line", "name", "argument"),
    [
        ("/temperature 0.3", "temperature", "0.3"),
        ("/Max_Tokens 5", "max-tokens", "5"),
        ("/new", "new", ""),
        ("/system  You are brief. ", "system", "You are brief."),
    ],
)
def test_commands_are_read(line: str, name: str, argument: str) -> None:
    typed = read(line)
    assert isinstance(typed, Typed)
    assert (typed.command.name, typed.argument) == (name, argument)


def test_what_is_no_command_is_sent_or_said() -> None:
    assert read("plain") == "plain"
    assert read("//slash") == "/slash"
    assert read("/two\nlines") == "/two\nlines"
    with pytest.raises(ValueError, match="no command /nonsense"):
        read("/nonsense")


@given(text=st.text(st.characters(codec="utf-8"), min_size=1))
def test_what_was_sent_can_be_typed_again(text: str) -> None:
    assert read(written(text)) == text


def test_every_command_completes_from_its_first_letters() -> None:
    for command in COMMANDS:
        found = [line for line, _ in completions("/" + command.name[:3])]
        assert any(line.rstrip() == "/" + command.name for line in found)


def test_names_complete_after_their_command() -> None:
    assert completions("/endpoint l", {"endpoint": ["lab", "openai"]}) == [("/endpoint lab", "")]


def test_off_means_not_set() -> None:
    seed = next(command for command in COMMANDS if command.parameter == "seed")
    assert parameter_value(seed, "off") is None
    assert parameter_value(seed, "7") == 7


@given(params=ANY_PARAMS, shown=st.booleans())
def test_a_session_is_read_back(params: Params, shown: bool) -> None:
    session = Session(
        "c", Setup("e", "m", "s", params), "Chaos", (("http://h", "K"),), shown, not shown
    )
    assert Session.read(session.json()) == session


@given(
    text=st.none() | st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps)
)
def test_a_broken_session_is_a_first_start(text: str | None) -> None:
    assert Session.read(text) == Session()


def test_what_cannot_be_read_in_a_session_is_left_out() -> None:
    stored = '{"model":5,"params":{"temperature":9,"warmth":1,"seed":3},"sidebar":"yes"}'
    assert Session.read(stored) == Session(setup=Setup(params=Params({"seed": 3})))


@given(fraction=st.none() | st.floats(-1, 2), width=st.integers(0, 60))
def test_a_bar_is_as_wide_as_asked(fraction: float | None, width: int) -> None:
    assert len("".join(bar(fraction, width))) == (width if width >= 3 else 0)


def test_rows_are_in_the_declared_order_and_fold() -> None:
    folded = [row.key for row in rows_for(Setup(), None, {}, unfolded=False)]
    assert folded[:5] == ["endpoint", "model", "mode", "system", ""]
    assert folded[-1] == "more"
    unfolded = [row.key for row in rows_for(Setup(), None, {}, unfolded=True)]
    assert unfolded[-4:] == [one.name for one in PARAMETERS if one.more][-4:]


@pytest.mark.parametrize(
    ("number", "words"),
    [(None, "–"), (0, "0"), (1234, "1\u202f234")],
)
def test_counts_are_grouped(number: int | None, words: str) -> None:
    assert figure(number) == words


def test_large_windows_are_short() -> None:
    assert [short(size) for size in (8192, 128_000, 1_050_000)] == ["8\u202f192", "128k", "1.05M"]
