"""logs.db of llm in its three shapes, as its own migrations make them."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.core.formats.foreign_files import (
    FIRST,
    MORNING,
    SECOND,
    THIRD,
    response,
    shared_store,
    write_database,
)
from tui_chat.core.conversation import Conversation, Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.formats.foreign import Unreadable
from tui_chat.core.formats.sources import opened
from tui_chat.core.params import Params

EIGHT = 1_772_352_000_000


def read(path: Path) -> list[Conversation]:
    scratch = path.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    with opened(path, scratch, lambda _: None) as source:
        assert source.format == "llm logs"
        found = list(source.items)
    assert not any(isinstance(one, Unreadable) for one in found)
    return [one for one in found if isinstance(one, Conversation)]


def made(
    path: Path, script: str, rows: Mapping[str, Sequence[Sequence[object]]]
) -> list[Conversation]:
    return read(write_database(path / "logs.db", script, rows))


def texts(talk: Conversation) -> list[str]:
    return [message.content for message in talk.messages]


def test_the_first_shape_is_one_table(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        [1, "gpt-3.5-turbo", "2023-06-14 10:00:00.5", "One?", "Be brief.", "1.", None],
        [2, "gpt-3.5-turbo", "2023-06-14 11:00:00", "Else?", None, "E.", None],
        [3, "gpt-4", "2023-06-14 10:05:00", "Two?", None, "2.", 1],
    ]
    first, other = made(tmp_path, FIRST, {"log": rows})
    assert texts(first) == ["One?", "1.", "Two?", "2."]
    assert texts(other) == ["Else?", "E."]
    assert [one.setup for one in first.messages if one.role == "assistant"] == [
        Setup("llm", "gpt-3.5-turbo", "Be brief."),
        Setup("llm", "gpt-4", "Be brief."),
    ]
    assert first.title == "One?"
    assert first.created == 1_686_736_800_500


def test_the_second_shape_has_conversations_with_what_made_each_reply(tmp_path: Path) -> None:
    rows: dict[str, list[list[object]]] = {
        "conversations": [["c1", "Sums\nand more", "gpt-4o-mini"]],
        "responses": [
            response("r2", "c1", "And 3+3?", "6", datetime_utc="2026-03-01T09:00:00"),
            response(
                "r1", "c1", "2+2?", "4", system="Be brief.",
                options_json='{"temperature": 0.25, "seed": 7, "json_object": true, "top_p": 9}',
            ),
            response("r3", None, "Alone?", "Yes."),
        ],
    }  # fmt: skip
    talk, alone = made(tmp_path, SECOND, rows)
    assert texts(talk) == ["2+2?", "4", "And 3+3?", "6"]
    assert talk.title == "Sums and more"
    assert talk.leaf == talk.messages[-1].id
    reply = talk.messages[1]
    params = Params({"temperature": 0.25, "seed": 7})
    assert reply.setup == Setup("llm", "gpt-4o-mini", "Be brief.", params)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (7, 3)
    assert (reply.usage.seconds, reply.created) == (1.5, EIGHT)
    assert talk.updated == EIGHT + 3_600_000
    assert [one.parent for one in talk.messages] == [None, *(one.id for one in talk.messages[:-1])]
    assert texts(alone) == ["Alone?", "Yes."]


def test_fragments_attachments_and_tools_are_where_they_were_used(tmp_path: Path) -> None:
    rows: dict[str, list[list[object]]] = {
        "responses": [response("r1", "c", "Sum it up.", ""), response("r2", "c", "", "Done.")],
        "fragments": [[1, "h1", "A novel."], [2, "h2", "Speak French."]],
        "prompt_fragments": [["r1", 1, 0]],
        "system_fragments": [["r1", 2, 0]],
        "attachments": [["a", "image/png", None, None, b"x"]],
        "prompt_attachments": [["r1", "a", 0]],
        "tool_calls": [[1, "r1", "look", '{"at": 1}']],
        "tool_results": [[1, "r2", "look", "found"]],
    }
    (talk,) = made(tmp_path, SECOND, rows)
    assert texts(talk) == [
        "A novel.\n\nSum it up.\n\n[image/png]",
        '```\nlook({"at": 1})\n```',
        "```\nfound\n```",
        "Done.",
    ]
    assert talk.messages[3].setup == Setup("llm", "gpt-4o-mini", "Speak French.")
    assert talk.messages[2].setup is None


def test_the_third_shape_shares_messages_and_a_fork_is_a_conversation(tmp_path: Path) -> None:
    talk, fork = made(tmp_path, SECOND + THIRD, shared_store())
    assert texts(talk) == ["Why?", "So.", "And then?", 'The end!\n\n```\nlook({"at": 1})\n```']
    assert talk.messages[3].reasoning == "Hm."
    assert talk.messages[1].setup == Setup(
        "llm", "gpt-5", "Be brief.", Params({"temperature": 0.5})
    )
    assert talk.messages[3].setup == Setup("llm", "gpt", "Be brief.")
    assert talk.messages[1].usage.seconds == 0.25
    assert talk.updated == EIGHT + 300_000
    assert (texts(fork), fork.title) == (["Why?", "So."], "A fork")
    assert fork.messages[1].setup == talk.messages[1].setup
    assert not {one.id for one in fork.messages} & {one.id for one in talk.messages}


def test_a_conversation_of_both_shapes_is_read_once_with_what_made_its_old_replies(
    tmp_path: Path,
) -> None:
    rows = shared_store()
    rows["turns"] = rows["turns"][1:]
    rows["threads"] = rows["threads"][:1]
    rows["responses"] = [
        response("r1", "t1", "Why?", "So.", options_json='{"temperature": 1}'),
        response("u2", "t1", "And then?", "The end!"),
        response("r9", "old", "Old?", "Old."),
    ]
    old, talk = made(tmp_path, SECOND + THIRD, rows)
    assert texts(old) == ["Old?", "Old."]
    assert texts(talk)[:2] == ["Why?", "So."]
    assert talk.messages[1].setup == Setup(
        "llm", "gpt-4o-mini", "Be brief.", Params({"temperature": 1})
    )


def test_turns_that_went_two_ways_are_branches(tmp_path: Path) -> None:
    rows = shared_store()
    rows["messages"].append(["b2", "a", "user", None])
    rows["parts"].append([20, "b2", 0, "text", None, "Or else?", None])
    rows["turns"].append(["u3", "t1", "a", "b2", "gpt", None, None, 1, 1, 1, "2026-03-02"])
    talk = made(tmp_path, SECOND + THIRD, rows)[0]
    ids = {one.content: one.id for one in talk.messages}
    assert talk.siblings(ids["Or else?"]) == (ids["And then?"], ids["Or else?"])
    assert talk.thread()[-1].content.startswith("The end!")


def test_circles_missing_messages_and_wrong_types_lose_no_other_message(tmp_path: Path) -> None:
    rows = shared_store()
    rows["messages"] = [
        ["s", "a2", "system", None], ["q", "s", "user", None], ["a", "q", "assistant", b"\xff"],
        ["q2", "a", "user", None], ["a2", "q2", "assistant", None], ["x", "gone", "user", None],
    ]  # fmt: skip
    rows["parts"] += [[30, "x", 0, "text", None, 7, b"\xff"], [31, "x", 1, "text", None, "x", "{"]]
    rows["threads"] = [
        ["t1", b"\xff", "a2", None, 5],
        ["t2", None, "x", None, None],
        ["t3", "", 5, None, ""],
    ]
    rows["responses"] = [
        ["r", 5, b"\xff\x00", 7, None, "[1", None, None, "c", "long", "never", -1, 2**62, None]
    ]  # fmt: skip
    rows["turns"].append(["u9", "t2", 5, None, None, None, "[[", "x", 1.5, -3, 9])
    found = made(tmp_path, SECOND + THIRD, rows)
    assert {"Why?", "So.", "And then?"} <= set(texts(found[0]))
    assert texts(found[1]) == ["7\n\nx"]


def test_a_log_that_is_being_written_is_read_whole_and_nothing_is_made_beside_it(
    tmp_path: Path,
) -> None:
    place = tmp_path / "llm"
    place.mkdir()
    path = write_database(place / "logs.db", SECOND, {"responses": [response("r1", "c", "a", "b")]})
    writing = sqlite3.connect(path)
    writing.execute("PRAGMA journal_mode=WAL")
    writing.execute("UPDATE responses SET response='newer'")
    writing.commit()
    kept = tmp_path / "kept"
    kept.mkdir()
    for one in place.iterdir():
        if not one.name.endswith("-shm"):
            shutil.copy(one, kept)
    writing.close()

    before = {one.name: one.read_bytes() for one in kept.iterdir()}
    assert "logs.db-wal" in before
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with opened(kept / "logs.db", scratch, lambda _: None) as source:
        (talk,) = source.items
    assert isinstance(talk, Conversation)
    assert texts(talk) == ["a", "newer"]
    assert {one.name: one.read_bytes() for one in kept.iterdir()} == before


def test_a_log_that_is_damaged_says_from_where_on(tmp_path: Path) -> None:
    rows = [
        response(f"r{number:03}", f"c{number:03}", "q" * 3000, "a" * 3000) for number in range(60)
    ]
    path = write_database(tmp_path / "logs.db", SECOND, {"responses": rows})
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 60_000] = b"\xff" * 60_000
    path.write_bytes(raw)
    with opened(path, tmp_path, lambda _: None) as source:
        found = list(source.items)
    assert isinstance(found[-1], Unreadable)
    assert found[-1].words.startswith("The database is damaged from here on")


def test_a_view_is_no_table_of_llm(tmp_path: Path) -> None:
    script = "CREATE VIEW responses AS SELECT 1 AS id, 2 AS prompt;"
    with (
        pytest.raises(ChatError, match=r"not llm's logs\.db"),
        opened(write_database(tmp_path / "logs.db", script, {}), tmp_path, lambda _: None),
    ):
        pass


def test_a_conversation_has_the_same_ids_each_time(tmp_path: Path) -> None:
    rows = {"responses": [response("r1", "c", "a", "b")]}
    (one,), (again,) = made(tmp_path, SECOND, rows), read(tmp_path / "logs.db")
    assert one.id == again.id
    assert [message.id for message in one.messages] == [message.id for message in again.messages]
    assert MORNING.startswith("2026")
