"""The shape of the database: what it refuses, what it indexes, and how its steps are cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from tui_chat.core.conversation import ROLES, STATUSES
from tui_chat.core.schema import APPLICATION_ID, MIGRATIONS, statements


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    for step in MIGRATIONS:
        for statement in statements(step):
            connection.execute(statement)
    connection.execute("INSERT INTO conversation(id,created_at,updated_at) VALUES('c',1,1)")
    yield connection
    connection.close()


def insert(database: sqlite3.Connection, role: str, status: str, content: object = "hi") -> None:
    database.execute(
        "INSERT INTO message(id,conversation,role,status,content,created_at) VALUES(?,1,?,?,?,1)",
        (f"{role} {status}", role, status, content),
    )


def test_every_role_and_every_status_can_be_stored(database: sqlite3.Connection) -> None:
    for role in ROLES:
        for status in STATUSES:
            insert(database, role, status)

    count = database.execute("SELECT count(*) FROM message").fetchone()[0]
    assert count == len(ROLES) * len(STATUSES)


@pytest.mark.parametrize(
    ("role", "status", "content"),
    [
        ("oracle", "complete", "hi"),
        ("user", "dreaming", "hi"),
        ("user", "complete", b"hi"),
        ("user", "complete", None),
    ],
)
def test_what_is_no_message_is_refused(
    database: sqlite3.Connection, role: str, status: str, content: object
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert(database, role, status, content)


@pytest.mark.parametrize(
    ("question", "index"),
    [
        (
            "SELECT id FROM conversation WHERE deleted_at IS NULL ORDER BY updated_at DESC, seq DESC",
            "conversation_recent",
        ),
        ("SELECT * FROM message WHERE conversation=1 ORDER BY seq", "message_conversation"),
        ("SELECT DISTINCT owner FROM message WHERE status='streaming'", "message_streaming"),
        ("SELECT seq FROM conversation WHERE deleted_at<5", "conversation_deleted"),
        ("SELECT seq, setup FROM message WHERE deleted_at<5", "message_deleted"),
        ("SELECT 1 FROM message WHERE setup=1", "message_setup"),
        # Asked for each message that is purged.
        ("SELECT 1 FROM conversation WHERE leaf=1", "conversation_leaf"),
        ("SELECT content FROM piece WHERE message=1 ORDER BY seq", "piece_message"),
    ],
)
def test_what_is_asked_often_needs_no_scan_and_no_sorting(
    database: sqlite3.Connection, question: str, index: str
) -> None:
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {question}")]

    assert len(plan) == 1
    assert index in plan[0]


def test_the_header_says_whose_file_it_is() -> None:
    assert APPLICATION_ID.to_bytes(4, "big") == b"TUIC"


def test_a_step_is_cut_into_statements_that_run_one_by_one() -> None:
    assert statements("\nCREATE TABLE a(x);\n CREATE TABLE b(x) ;;\n") == [
        "CREATE TABLE a(x)",
        "CREATE TABLE b(x)",
    ]
    assert statements("") == []
