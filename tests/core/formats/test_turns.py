"""Lists of turns: fine-tuning data and ShareGPT's, from either's many spellings."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.formats.test_chatgpt import anything
from tests.core.formats.test_jsonl_reading import trees
from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.formats import finetuning as export
from tui_chat.core.formats import turns
from tui_chat.core.formats.foreign import Context, NotUnderstood

TIME = 1_700_000_000_000


def context() -> Context:
    return Context(TIME, Counter())


def tuned(*messages: dict[str, object], **more: object) -> Conversation:
    return turns.finetuning({"messages": list(messages), **more}, context())


def shared(*said: tuple[str, object], **more: object) -> Conversation:
    values = [{"from": by, "value": value} for by, value in said]
    return turns.sharegpt({"conversations": values, **more}, context())


def plain(talk: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in talk.messages]


def test_a_first_system_message_is_the_system_prompt_of_the_replies() -> None:
    talk = tuned(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "So.", "weight": 0},
    )
    assert plain(talk) == [("user", "Why?"), ("assistant", "So.")]
    assert talk.messages[1].setup is not None
    assert talk.messages[1].setup.system == "Be brief."
    assert talk.messages[0].setup is None
    assert (talk.title, talk.created, talk.updated) == ("Why?", TIME, TIME)
    assert talk.leaf == talk.messages[1].id


def test_a_system_message_further_down_or_without_a_reply_is_a_message() -> None:
    alone = tuned(
        {"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Why?"}
    )
    assert plain(alone) == [("system", "Be brief."), ("user", "Why?")]
    later = tuned(
        {"role": "user", "content": "a"},
        {"role": "system", "content": "b"},
        {"role": "assistant", "content": "c"},
    )
    assert plain(later) == [("user", "a"), ("system", "b"), ("assistant", "c")]


def test_parts_and_tools_have_texts() -> None:
    parts = [{"type": "text", "text": "See:"}, {"type": "image_url", "image_url": {"url": "x"}}, 5]
    call = {"function": {"name": "look", "arguments": '{"at": 1}'}}
    talk = tuned(
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [call, 5]},
        {"role": "tool", "content": "found"},
    )
    assert [text for _, text in plain(talk)] == [
        "See:\n\n[image]", '```\nlook({"at": 1})\n```', "```\nfound\n```",
    ]  # fmt: skip


def test_the_many_names_of_a_role() -> None:
    talk = shared(
        ("human", "a"), ("gpt", "b"), ("User", "c"), ("bard", "d"), ("observation", "e"), ("x", "f")
    )
    assert [role for role, _ in plain(talk)] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "assistant",
    ]
    spelled = {"conversations": [{"role": "user", "content": "a"}]}
    assert plain(turns.sharegpt(spelled, context())) == [("user", "a")]


def test_the_same_content_twice_in_a_file_is_two_conversations_and_the_same_two_again() -> None:
    def ids() -> list[str]:
        same = context()
        item = {"conversations": [{"from": "human", "value": "a"}]}
        return [turns.sharegpt(item, same).id for _ in range(2)]

    assert len(set(ids())) == 2
    assert ids() == ids()


def test_an_id_that_two_files_use_makes_no_messages_the_same_but_a_longer_version_does() -> None:
    one = shared(("human", "a"), ("gpt", "b"), id="identity_0")
    longer = shared(("human", "a"), ("gpt", "b"), ("human", "c"), id="identity_0")
    other = shared(("human", "x"), ("gpt", "b"), id="identity_0")
    assert one.id == longer.id == other.id
    assert [message.id for message in longer.messages[:2]] == [
        message.id for message in one.messages
    ]
    assert not {message.id for message in other.messages} & {message.id for message in one.messages}


def test_which_is_which() -> None:
    assert turns.is_finetuning({"messages": [{"role": "user", "content": ""}]})
    assert turns.is_sharegpt({"conversations": [{"from": "human", "value": ""}]})
    assert not turns.is_sharegpt({"messages": [{"role": "user"}]})
    assert not turns.is_finetuning({"messages": [1]})
    assert not turns.is_finetuning({"messages": "role"})
    assert not turns.is_sharegpt([])


@given(
    st.lists(
        st.fixed_dictionaries(
            {"from": st.sampled_from(["human", "gpt", "system", "tool"]) | anything},
            optional={
                "value": st.text(max_size=9) | anything,
                "content": anything,
                "tool_calls": anything,
            },
        )
        | anything,
        max_size=4,
    )
    | anything,
    anything,
)
def test_nothing_that_json_can_hold_is_more_than_not_understood(value: object, id: object) -> None:
    for reader, key in ((turns.sharegpt, "conversations"), (turns.finetuning, "messages")):
        try:
            talk = reader({key: value, "id": id}, context())
        except NotUnderstood:
            continue
        assert len(talk) >= 1


@settings(max_examples=60, deadline=None)
@given(trees(), st.booleans())
def test_fine_tuning_data_that_was_exported_is_the_same_when_it_is_exported_again(
    talk: Conversation, repeat: bool
) -> None:
    if repeat and talk.messages[0].setup is not None:
        system = talk.messages[0].setup.system
        for place in range(2):
            talk.add(Message(f"s{place}", talk.leaf, "system", system))
        talk.add(Message("r", talk.leaf, "assistant", "x", setup=talk.messages[0].setup))
    line = export.line(talk)
    if line is not None:
        again = turns.finetuning(json.loads(line), context())
        assert export.line(again) == line


@pytest.mark.parametrize(
    "item", [None, [], {}, {"messages": None}, {"messages": [{"role": "user"}]}]
)
def test_what_says_nothing_is_not_understood(item: object) -> None:
    with pytest.raises(NotUnderstood):
        turns.finetuning(item, context())
