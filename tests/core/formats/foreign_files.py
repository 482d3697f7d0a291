"""Files of other programs, made by hand in the shapes that they document or write."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NOON = 1_700_000_000
"""Seconds since the epoch, in which exports of ChatGPT's tell times."""


def node(
    id: str,
    parent: str | None,
    role: str = "user",
    *parts: object,
    children: Sequence[str] = (),
    time: float | None = None,
    kind: str = "text",
    **content: object,
) -> dict[str, Any]:
    """A node of a `mapping`; without parts and content, one without a message."""
    message: dict[str, Any] | None = None
    if parts or content:
        message = {
            "id": id,
            "author": {"role": role, "name": None, "metadata": {}},
            "create_time": NOON + 10 if time is None else time,
            "update_time": None,
            "content": {
                "content_type": kind,
                **({"parts": list(parts)} if parts else {}),
                **content,
            },
            "status": "finished_successfully",
            "end_turn": True,
            "weight": 1.0,
            "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {},
            "recipient": "all",
        }
    return {"id": id, "message": message, "parent": parent, "children": list(children)}


def chat(
    id: str, *nodes: Mapping[str, Any], leaf: str | None = None, **more: object
) -> dict[str, Any]:
    """One conversation of a conversations.json."""
    return {
        "title": f"Chat {id}",
        "create_time": NOON + 0.5,
        "update_time": NOON + 100.25,
        "mapping": {one["id"]: one for one in nodes},
        "moderation_results": [],
        "current_node": leaf,
        "conversation_id": id,
        "id": id,
        "default_model_slug": "gpt-4o",
        "is_archived": False,
        **more,
    }


def branched(id: str = "c1") -> dict[str, Any]:
    """A conversation with a root without a message, a hidden system message, and a reply made twice."""
    hidden = node("sys", "root", "system", "", children=["q"])
    hidden["message"]["weight"] = 0.0
    hidden["message"]["metadata"] = {"is_visually_hidden_from_conversation": True}
    return chat(
        id,
        node("root", None, children=["sys"]),
        hidden,
        node("q", "sys", "user", "What is “up”?", children=["a2", "a1"]),
        node("a1", "q", "assistant", "The sky.", time=NOON + 20),
        node("a2", "q", "assistant", "A direction.", children=["q2"], time=NOON + 30),
        node("q2", "a2", "user", "Thanks."),
        leaf="a1",
    )


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), "utf-8")
    return path


def write_lines(path: Path, *values: object) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")
    return path


def write_zip(path: Path, files: Mapping[str, object]) -> Path:
    """An archive of JSON files; texts and bytes go in as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in files.items():
            archive.writestr(name, value if isinstance(value, str | bytes) else json.dumps(value))
    return path


def write_database(path: Path, script: str, rows: Mapping[str, Sequence[Sequence[object]]]) -> Path:
    """A database with these tables, and rows by table."""
    connection = sqlite3.connect(path)
    connection.executescript(script)
    for table, found in rows.items():
        for row in found:
            connection.execute(f"INSERT INTO {table} VALUES({','.join('?' * len(row))})", row)
    connection.commit()
    connection.close()
    return path


FIRST = """
CREATE TABLE log(id INTEGER PRIMARY KEY, model TEXT, timestamp TEXT, prompt TEXT, system TEXT,
 response TEXT, chat_id INTEGER);
"""
SECOND = """
CREATE TABLE conversations(id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses(id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, prompt_json TEXT,
 options_json TEXT, response TEXT, response_json TEXT, conversation_id TEXT, duration_ms INTEGER,
 datetime_utc TEXT, input_tokens INTEGER, output_tokens INTEGER, token_details TEXT);
CREATE TABLE attachments(id TEXT PRIMARY KEY, type TEXT, path TEXT, url TEXT, content BLOB);
CREATE TABLE prompt_attachments(response_id TEXT, attachment_id TEXT, "order" INTEGER);
CREATE TABLE fragments(id INTEGER PRIMARY KEY, hash TEXT, content TEXT);
CREATE TABLE prompt_fragments(response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE system_fragments(response_id TEXT, fragment_id INTEGER, "order" INTEGER);
CREATE TABLE tool_calls(id INTEGER PRIMARY KEY, response_id TEXT, name TEXT, arguments TEXT);
CREATE TABLE tool_results(id INTEGER PRIMARY KEY, response_id TEXT, name TEXT, output TEXT);
"""
THIRD = """
CREATE TABLE messages(hash TEXT PRIMARY KEY, parent_hash TEXT, role TEXT, provider_metadata TEXT);
CREATE TABLE parts(id INTEGER PRIMARY KEY, message_hash TEXT, position INTEGER, type TEXT,
 tool_name TEXT, text TEXT, payload TEXT);
CREATE TABLE threads(id TEXT PRIMARY KEY, name TEXT, tip_message_hash TEXT, forked_from TEXT,
 datetime_utc TEXT);
CREATE TABLE turns(id TEXT PRIMARY KEY, thread_id TEXT, parent_message_hash TEXT,
 tip_message_hash TEXT, model TEXT, resolved_model TEXT, options_json TEXT, input_tokens INTEGER,
 output_tokens INTEGER, duration_ms INTEGER, datetime_utc TEXT);
"""
MORNING = "2026-03-01T08:00:00+00:00"


def response(id: str, talk: str | None, prompt: str, answer: str, **more: object) -> list[object]:
    """A row of the second shape's `responses`."""
    values: dict[str, object] = {
        "system": None, "options_json": None, "duration_ms": 1500,
        "datetime_utc": MORNING, "input_tokens": 7, "output_tokens": 3, **more,
    }  # fmt: skip
    return [
        id, "gpt-4o-mini", prompt, values["system"], None, values["options_json"], answer, None,
        talk, values["duration_ms"], values["datetime_utc"], values["input_tokens"],
        values["output_tokens"], None,
    ]  # fmt: skip


def shared_store() -> dict[str, list[list[object]]]:
    """The third shape's rows: a thread of two turns, and a fork after the first of them."""
    chain = (
        ("s", None, "system"),
        ("q", "s", "user"),
        ("a", "q", "assistant"),
        ("q2", "a", "user"),
        ("a2", "q2", "assistant"),
    )
    texts = {"s": "Be brief.", "q": "Why?", "a": "So.", "q2": "And then?"}
    call = json.dumps({"name": "look", "arguments": {"at": 1}, "tool_call_id": "t1"})
    parts: list[list[object]] = [
        [place, key, 0, "text", None, text, None]
        for place, (key, text) in enumerate(texts.items(), 1)
    ]
    parts += [
        [8, "a2", 0, "reasoning", None, "Hm.", None],
        [
            9,
            "a2",
            1,
            "text",
            None,
            None,
            json.dumps({"text_ref": [{"fragment": 1}, {"literal": "!"}]}),
        ],
        [10, "a2", 2, "tool_call", "look", None, call],
    ]
    return {
        "messages": [[key, parent, role, None] for key, parent, role in chain],
        "parts": parts,
        "fragments": [[1, "h", "The end"]],
        "threads": [["t1", "Why", "a2", None, MORNING], ["t2", "A fork", "a", "t1", MORNING]],
        "turns": [
            [
                "u1",
                "t1",
                "q",
                "a",
                "gpt",
                "gpt-5",
                '{"temperature": 0.5, "foo": 1}',
                5,
                6,
                250,
                MORNING,
            ],
            ["u2", "t1", "q2", "a2", "gpt", None, None, 9, 9, 100, "2026-03-01T08:05:00+00:00"],
        ],
    }
