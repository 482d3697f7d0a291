"""Rows that were edited, or written by another version, are read as far as they make sense."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stored import by_hand, cleaned, messages, params, saved
from tui_chat.core.conversation import Headline, Message, Refusal, Setup, Usage
from tui_chat.core.formats import jsonl, markdown
from tui_chat.core.params import Params
from tui_chat.core.records import Setups, intern_setup, message_from, message_values
from tui_chat.core.schema import MIGRATIONS, statements
from tui_chat.core.store import Store


def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in statements(MIGRATIONS[0]):
        connection.execute(statement)
    return connection


def read(usage: object = "", refused: object = "") -> tuple[Usage, tuple[Refusal, ...]]:
    """What is read from these two columns of a row."""
    row = (
        1,
        "id",
        None,
        "user",
        "hi",
        "complete",
        "",
        "",
        None,
        usage,
        refused,
        "",
        "",
        1,
        0,
        "",
        "",
        0,
    )
    message = message_from(row, {}, {})
    return message.usage, message.refused


@given(messages)
def test_a_message_is_read_from_its_own_values(drawn: Message) -> None:
    setups = {} if drawn.setup is None else {7: drawn.setup}

    row = (1, drawn.id, None, *message_values(drawn, 7 if setups else None))

    found = message_from(row, {}, setups)
    assert cleaned(found) == cleaned(drawn)


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        ("", Usage()),
        ("{", Usage()),
        ("null", Usage()),
        ("[1]", Usage()),
        ("[" * 100_000, Usage()),
        (
            '{"prompt_tokens":3,"seconds":1.5,"estimated":true,"colour":1}',
            Usage(3, None, None, None, True, None, 1.5),
        ),
        ('{"prompt_tokens":"3","completion_tokens":[],"seconds":"1"}', Usage()),
        ('{"prompt_tokens":2.5,"completion_tokens":-1,"seconds":-1}', Usage()),
        ('{"prompt_tokens":true,"estimated":1}', Usage()),
        ('{"seconds":NaN,"first_token_seconds":Infinity}', Usage()),
        ('{"seconds":1' + "0" * 400 + "}", Usage()),
        (b'{"prompt_tokens":3}', Usage(3)),
        (b"\xff", Usage()),
        (7, Usage()),
    ],
)
def test_usage_keeps_what_is_a_count_or_a_time(text: object, usage: Usage) -> None:
    assert read(usage=text)[0] == usage


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("", ()),
        ("{", ()),
        ('[1, [2], ["a"], ["a", 1]]', ()),
        ('[["seed","no"],["seed","never"]]', (Refusal("seed", "no"), Refusal("seed", "never"))),
        ('[["seed","\\u001b[31m"]]', (Refusal("seed", "\u241b[31m"),)),
        ("[" * 100_000, ()),
        (b"\xff", ()),
    ],
)
def test_refusals_keep_what_is_a_name_with_words(
    text: object, refused: tuple[Refusal, ...]
) -> None:
    assert read(refused=text)[1] == refused


@given(st.lists(st.builds(Setup, st.just("home"), st.text(), st.text(), params), max_size=4))
def test_equal_setups_share_one_row(drawn: list[Setup]) -> None:
    connection = database()

    rows = [intern_setup(connection, setup) for setup in [*drawn, *drawn]]

    count = connection.execute("SELECT count(*) FROM setup").fetchone()[0]
    assert rows[: len(drawn)] == rows[len(drawn) :]
    assert count == len(set(rows))
    connection.close()


@given(params)
def test_parameters_come_back_exactly(drawn: Params) -> None:
    connection = database()
    row = intern_setup(connection, Setup("home", "qwen3", "", drawn))

    found = Setups(connection)[row or 0]

    connection.close()
    assert found == Setup("home", "qwen3", "", drawn)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", {}),
        ("{", {}),
        ("[]", {}),
        ('{"temperature":0.5,"mood":1,"top_p":7,"seed":"x","stop":[1]}', {"temperature": 0.5}),
        ('{"temperature":NaN,"seed":1' + "0" * 400 + "}", {}),
        (b'{"seed":5}', {"seed": 5}),
        ("[" * 100_000, {}),
    ],
)
def test_parameters_that_no_longer_hold_are_left_out(text: object, kept: dict[str, object]) -> None:
    connection = database()
    row = intern_setup(connection, Setup("home", "qwen3", "", Params({"seed": 1})))
    connection.execute("UPDATE setup SET params=?", (text,))

    found = Setups(connection)[row or 0]

    connection.close()
    assert found == Setup("home", "qwen3", "", Params(kept))


TIMES = (-(2**63), -1, 2**63 - 1, 253_402_300_800_000, 1e300, "now", b"\xff", 1_700_000_000_000)


async def test_edited_times_are_dates_and_hide_no_line_of_a_list(path: Path) -> None:
    store = await Store.open(path)
    for number, _ in enumerate(TIMES):
        await saved(store, f"number {number}", "hi")
    await store.close()
    for seq, value in enumerate(TIMES, start=1):
        edit = "UPDATE conversation SET updated_at=?1, created_at=?1 WHERE seq=?2"
        by_hand(path, edit, given=(value, seq))
        edit = "UPDATE message SET created_at=?1 WHERE conversation=?2"
        by_hand(path, edit, given=(value, seq))

    store = await Store.open(path)
    exported = [each async for each in store.conversations()]
    listed: list[Headline] = []
    while page := await store.headlines(limit=1, after=listed[-1] if listed else None):
        listed += page
        assert len(listed) <= len(TIMES)
    await store.close()

    assert {each.title for each in listed} == {f"number {n}" for n, _ in enumerate(TIMES)}
    for each in exported:
        assert json.loads(jsonl.line(each))["id"] in markdown.document(each)
    moments = {each.updated for each in listed}
    moments |= {each.created for each in exported}
    moments |= {one.created for each in exported for one in each.messages}
    for moment in moments:
        # As lists show it, wherever they are read.
        for hours in (-23, 0, 23):
            assert datetime.fromtimestamp(moment / 1000, timezone(timedelta(hours=hours)))
