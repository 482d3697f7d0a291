"""What a file is, told by its content; and what is said of one that is nothing to import."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from pathlib import Path

import pytest

from tests.core.formats.foreign_files import (
    SECOND,
    branched,
    chat,
    node,
    response,
    write_database,
    write_json,
    write_lines,
    write_zip,
)
from tui_chat.core.conversation import Conversation
from tui_chat.core.errors import ChatError
from tui_chat.core.formats import sources
from tui_chat.core.formats.foreign import Item, Unreadable
from tui_chat.core.formats.sources import opened
from tui_chat.core.schema import APPLICATION_ID

TUNED = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
SHARED = {"id": "s", "conversations": [{"from": "human", "value": "a"}]}
OURS = {
    "id": "o",
    "title": "t",
    "leaf": "m",
    "messages": [{"id": "m", "parent": None, "role": "user", "content": "a"}],
}


def read(path: Path) -> tuple[str, list[Item]]:
    with opened(path, path.parent, lambda _: None) as source:
        return source.format, list(source.items)


def kind(path: Path) -> str:
    named, found = read(path)
    assert len(found) == 1
    assert isinstance(found[0], Conversation)
    return named


@pytest.mark.parametrize(
    ("item", "format"),
    [
        (branched(), "ChatGPT export"),
        (TUNED, "fine-tuning data"),
        (SHARED, "ShareGPT"),
        (OURS, "tui-chat JSONL"),
    ],
)
def test_each_shape_is_known_in_an_array_in_lines_and_alone_whatever_its_name(
    tmp_path: Path, item: object, format: str
) -> None:
    path = tmp_path / "picture.png"
    assert kind(write_json(path, [item])) == format
    assert kind(write_lines(path, item)) == format
    path.write_text(json.dumps(item, indent=2), "utf-8")
    assert kind(path) == format
    path.write_bytes(b"\xef\xbb\xbf \r\n" + json.dumps([item]).encode())
    assert kind(path) == format


def test_a_first_line_that_is_broken_does_not_hide_what_the_others_are(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"messages": [\n\n' + json.dumps(TUNED) + "\n[1]\n", "utf-8")
    named, found = read(path)
    assert named == "fine-tuning data"
    assert [one.place for one in found if isinstance(one, Unreadable)] == ["line 1", "line 4"]
    assert isinstance(found[1], Conversation)


def test_places_are_items_of_an_array_and_the_end_of_one_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("[" + json.dumps(branched()) + ', {"mapping": 5}, {"a":', "utf-8")
    _, found = read(path)
    assert [(one.place, one.words) for one in found if isinstance(one, Unreadable)] == [
        ("item 2", "There is no “mapping” with messages in it."),
        ("after item 2", "The file breaks off here."),
    ]


def test_an_archive_is_read_in_the_order_of_its_numbers_and_nothing_is_unpacked(
    tmp_path: Path,
) -> None:
    files: dict[str, object] = {
        "conversations-010.json": [chat("c3", node("a", None, "user", "x")), 5],
        "conversations-002.json": [chat("c2", node("a", None, "user", "x"))],
        "../../conversations-001.json": [chat("c1", node("a", None, "user", "x"))],
        "user.json": {"email": "a@b"},
        "chat.html": "<html>",
    }
    path = write_zip(tmp_path / "export", files)
    named, found = read(path)
    assert named == "ChatGPT export"
    titles = [one.title for one in found if isinstance(one, Conversation)]
    assert titles == ["Chat c1", "Chat c2", "Chat c3"]
    assert [one.place for one in found if isinstance(one, Unreadable)] == [
        "conversations-010.json, item 2"
    ]
    assert [one.name for one in tmp_path.iterdir()] == ["export"]
    assert kind(write_zip(path, {"conversations.json": [branched()]})) == "ChatGPT export"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\x1f\x8b\x08\0", "compressed by gzip"),
        (b"%PDF-1.7", "is a PDF"),
        (b"\xff\xfe[\0", "UTF-16"),
        (b"\xef\xbb\xbf\n<!doctype html>", "is HTML"),
        (b"\x7fELF\0\0", "neither JSON nor a zip nor a database"),
        (b"hello", "is not JSON"),
        (b"[]", "no conversations of a known shape"),
        (b"{", "cut off or damaged"),
        (b'{"id": "x", "mess', "cut off or damaged"),
        (b'[{"a": 1}]', "no conversations of a known shape"),
        (b"[" * 100_000, "no conversations of a known shape"),
        (b"PK\x03\x04 and then nothing", "a zip, but damaged"),
        (b"SQLite format 3\0" + b"\1" * 100, "cannot be read as a database"),
    ],
)
def test_what_is_nothing_to_import_is_said_in_words(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "a\x1b[31m.json"
    path.write_bytes(raw)
    with pytest.raises(ChatError, match=words) as caught:
        read(path)
    assert "\x1b" not in str(caught.value)


def test_places_that_are_no_files_are_said_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (
        (".", "is a directory"),
        ("gone", "There is no file"),
        ("pipe", "is not a file"),
    ):
        with pytest.raises(ChatError, match=words):
            read(tmp_path / name)


def test_databases_that_are_not_llms_are_said_in_words(tmp_path: Path) -> None:
    ours = write_database(
        tmp_path / "a", f"PRAGMA application_id={APPLICATION_ID}; CREATE TABLE t(x);", {}
    )
    other = write_database(tmp_path / "b", "CREATE TABLE responses(x);", {})
    for path, words in ((ours, "tui-chat's own"), (other, "not llm's")):
        with pytest.raises(ChatError, match=words):
            read(path)
    assert kind(
        write_database(tmp_path / "c", SECOND, {"responses": [response("r", "c", "a", "b")]})
    )


def test_archives_that_would_fill_the_disk_or_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "a", {"conversations.json": b"[" + b" " * 3_000_000 + b"]"})
    monkeypatch.setattr(sources, "_SMALL", 1_000_000)
    with pytest.raises(ChatError, match=r"would unpack \d,\d+ bytes to 3,000,002"):
        read(path)
    with pytest.raises(ChatError, match=r"without a conversations\.json"):
        read(write_zip(tmp_path / "b", {"notes.json": [branched()]}))


def test_an_archive_that_lies_about_its_size_or_is_damaged_gives_what_is_whole(
    tmp_path: Path,
) -> None:
    many = [
        chat(f"c{number}", node("a", None, "user", os.urandom(9000).hex())) for number in range(40)
    ]
    path = write_zip(tmp_path / "a", {"conversations.json": many})
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 20] = b"\xff" * 20
    path.write_bytes(raw)
    _, found = read(path)
    assert isinstance(found[0], Conversation)
    assert isinstance(found[-1], Unreadable)
    assert "item" in found[-1].place

    short = write_zip(tmp_path / "b", {"conversations.json": many})
    raw = bytearray(short.read_bytes())
    with zipfile.ZipFile(short) as archive:
        size = archive.infolist()[0].file_size
    directory = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, directory + 24, size // 2)
    short.write_bytes(raw)
    _, found = read(short)
    assert isinstance(found[-1], Unreadable)


def test_an_encrypted_archive_is_said_in_words(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a", {"conversations.json": [branched()]})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(ChatError, match="is encrypted"):
        read(path)
