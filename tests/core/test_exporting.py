"""Taking conversations elsewhere: files that are whole or not there, names that are safe."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import tracemalloc
import unicodedata
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.stored import NASTY, by_hand, saved, texts
from tests.nightly import times
from tui_chat.core import exporting, files
from tui_chat.core.conversation import Conversation, Setup, said
from tui_chat.core.errors import ChatError
from tui_chat.core.exporting import FORMATS, Format, format_for, suggested_name, write
from tui_chat.core.store import Store
from tui_chat.core.text import HOSTILE

FORMAT_NAMES = sorted(FORMATS)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "config" / "conversations.db")
    yield store
    await store.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    place = tmp_path / "out"
    place.mkdir()
    return place


async def _answered(store: Store, *words: str) -> list[str]:
    """The ids of conversations, each with a question in these words and a reply."""
    return [(await saved(store, f"{one}?", f"{one}.")).id for one in words]


@pytest.mark.parametrize("name", FORMAT_NAMES)
async def test_a_file_has_the_conversations_that_were_asked_for(
    store: Store, out: Path, name: str
) -> None:
    first, _, third = await _answered(store, "Fish", "Bread", "Wine")
    path = out / suggested_name("Some", name)
    report = await write(store, [first, third, first], name, path)

    text = path.read_text("utf-8")
    assert (text.count("Fish."), text.count("Bread."), text.count("Wine.")) == (1, 0, 1)
    assert text.index("Fish.") < text.index("Wine.")
    assert (report.path, report.written, report.left_out) == (path, 2, 0)
    assert report.words == f"Written: {path} (2 conversations)."
    assert await exporting.text(store, [first, third], name) == text
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(out.iterdir()) == [path]


async def test_how_far_it_is_is_told(store: Store, out: Path) -> None:
    ids = await _answered(store, "Fish", "Bread", "Wine")
    told: list[tuple[int, int]] = []

    await write(store, ids, "jsonl", out / "a.jsonl", progress=lambda *far: told.append(far))

    assert told == [(1, 3), (2, 3), (3, 3)]


async def test_without_ids_all_but_the_trash_is_written(store: Store, out: Path) -> None:
    kept, archived, gone = await _answered(store, "Fish", "Bread", "Wine")
    await store.archive([archived])
    await store.delete([gone])
    await write(store, None, "jsonl", out / "a.jsonl")
    report = await write(store, [kept, gone, "unknown"], "html", out / "b.html")

    rows = [json.loads(line) for line in (out / "a.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == [kept, archived]
    assert (report.written, report.missing) == (1, 2)
    assert report.words.endswith("(1 conversation; 2 are gone or in the trash).")
    assert "Wine" not in (out / "b.html").read_text("utf-8")


async def test_what_has_no_reply_is_left_out_of_training_and_counted(
    store: Store, out: Path
) -> None:
    await _answered(store, "Fish")
    await saved(store, "Nobody answers")
    await saved(store, "Nobody answers this")
    report = await write(store, None, "finetuning", out / "a.jsonl")

    assert (report.written, report.left_out) == (1, 2)
    assert report.words.endswith("(1 conversation; 2 have no finished reply and were left out).")
    assert len((out / "a.jsonl").read_text("utf-8").splitlines()) == 1


@pytest.mark.parametrize("answered", [False, True])
async def test_where_there_is_nothing_to_write_no_file_is_made(
    store: Store, out: Path, answered: bool
) -> None:
    ids = [(await saved(store, "Nobody answers")).id] if answered else []
    words = "1 has no finished reply and was left out" if answered else "no conversation to write"

    with pytest.raises(ChatError, match=words):
        await write(store, ids, "finetuning", out / "a.jsonl")
    with pytest.raises(ChatError, match=words):
        await exporting.text(store, ids, "finetuning")
    assert list(out.iterdir()) == []


async def test_a_file_that_is_there_stays_unless_it_may_be_replaced(
    store: Store, out: Path
) -> None:
    ids = await _answered(store, "Fish")
    path = out / "a.md"
    path.write_text("mine")
    path.chmod(0o644)
    (out / "link.md").symlink_to(path)
    (out / "dangling.md").symlink_to(out / "nowhere")

    for name in ("a.md", "link.md", "dangling.md"):
        with pytest.raises(ChatError, match=r"is there already\."):
            await write(store, ids, "markdown", out / name)
    assert path.read_text() == "mine"

    await write(store, ids, "markdown", out / "link.md", overwrite=True)
    assert "Fish." in path.read_text("utf-8")
    assert (out / "link.md").is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert {one.name for one in out.iterdir()} == {"a.md", "link.md", "dangling.md"}


async def test_a_file_made_by_another_program_meanwhile_stays(
    store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await _answered(store, "Fish")
    path = out / "a.md"
    keep = files.NewFile.keep

    def late(file: files.NewFile) -> None:
        path.write_text("theirs")
        keep(file)

    monkeypatch.setattr(files.NewFile, "keep", late)
    with pytest.raises(ChatError, match=r"is there already\."):
        await write(store, ids, "markdown", path)
    assert path.read_text() == "theirs"
    assert list(out.iterdir()) == [path]


@pytest.mark.parametrize("overwrite", [False, True])
async def test_places_that_are_no_files_are_refused_in_words(
    store: Store, out: Path, overwrite: bool
) -> None:
    ids = await _answered(store, "Fish")
    os.mkfifo(out / "pipe")
    before = sorted(out.iterdir())
    table = {
        out: "is a directory. Name a file in it.",
        out
        / "missing"
        / "a.md": f"There is no directory {out / 'missing'}. Make it, or name another.",
        out / "pipe": "it is not a regular file.",
        Path("/dev/null"): "it is not a regular file.",
        out / ("n" * 300): "cannot be written: File name too long.",
        out / "a\0b": "is no name for a file. Name another.",
        out / "pipe" / "a.md": "There is no directory",
    }
    for path, words in table.items():
        with pytest.raises(ChatError) as caught:
            await write(store, ids, "markdown", path, overwrite=overwrite)
        assert words in str(caught.value)
        assert "\0" not in str(caught.value)
    assert sorted(out.iterdir()) == before


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The format `endless`; the event is set when it has begun to write."""
    begun = threading.Event()

    def pieces(conversation: Conversation, alone: bool) -> Iterator[str]:
        while True:
            yield "more " * 1000
            begun.set()

    monkeypatch.setitem(FORMATS, "endless", Format("", "", "", pieces))
    return begun


async def test_an_export_that_is_cancelled_leaves_nothing(
    store: Store, out: Path, endless: threading.Event
) -> None:
    ids = await _answered(store, "Fish")
    path = out / "a.md"
    path.write_text("mine")
    running = asyncio.create_task(write(store, ids, "endless", path, overwrite=True))
    await asyncio.to_thread(endless.wait)
    assert len(list(out.iterdir())) == 2
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert path.read_text() == "mine"
    assert list(out.iterdir()) == [path]
    assert (await store.load(ids[0])) is not None


async def test_an_export_that_fails_leaves_nothing(
    store: Store, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await _answered(store, "Fish")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ChatError, match=r"cannot be written: No space left on device\."):
        await write(store, ids, "markdown", out / "a.md")
    assert list(out.iterdir()) == []


async def test_a_copy_that_is_too_large_is_refused_before_all_of_it_is_made(
    store: Store, endless: threading.Event
) -> None:
    ids = await _answered(store, "Fish")

    with pytest.raises(ChatError) as caught:
        await exporting.text(store, ids, "endless")
    assert str(caught.value) == (
        "This is more than 5 MB, too much to copy. Export it to a file instead."
    )


@pytest.mark.parametrize("name", FORMAT_NAMES)
async def test_a_message_of_many_megabytes_is_written(store: Store, out: Path, name: str) -> None:
    line = "<b>long</b> text é\n"
    length = times(5, 50) * 1_000_000
    size = length // len(line)
    found = await saved(store, "Say much")
    reply = said("assistant", line * size, found.messages[-1].id, setup=Setup("lab", "m"))
    await store.add(found.id, reply)
    path = out / "a"
    await write(store, [found.id], name, path)

    assert path.stat().st_size > length
    assert path.read_text("utf-8").count("long") == size


async def test_memory_does_not_grow_with_how_many_are_written(store: Store, out: Path) -> None:
    async def peak(count: int, path: Path) -> int:
        tracemalloc.start()
        try:
            await write(store, ids[:count], "html", path)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    ids = [(await saved(store, "Say", "word " * 20_000)).id for _ in range(20)]
    await peak(1, out / "warm.html")
    few, many = await peak(2, out / "few.html"), await peak(20, out / "many.html")
    assert (out / "many.html").stat().st_size > 9 * (out / "few.html").stat().st_size
    assert many < 1.5 * few


@pytest.mark.parametrize("name", FORMAT_NAMES)
async def test_rows_that_someone_edited_are_written_without_harm(
    store: Store, out: Path, name: str, tmp_path: Path
) -> None:
    found = await saved(store, NASTY, NASTY, NASTY, NASTY)
    database = tmp_path / "config" / "conversations.db"
    # Parents in a circle, a leaf that is not there, times before the world.
    by_hand(database, "UPDATE message SET parent=seq+1, created_at=-9e18")
    by_hand(database, "UPDATE conversation SET leaf=999, title=?", given=("../../x\x1b\n---",))
    path = out / "a"
    await write(store, [found.id], name, path)

    written = path.read_text("utf-8")
    assert "end" in written
    assert not HOSTILE.search(written)


# Names

titles = texts | st.text("/\\.-~ :\x00\x1b\n\u202eCONcomLPT1é漢", max_size=80)


@given(titles, st.sampled_from(FORMAT_NAMES))
def test_a_name_made_from_any_title_is_a_plain_name(title: str, name: str) -> None:
    made = suggested_name(title, name)
    suffix = FORMATS[name].suffix
    stem = made.removesuffix(suffix)

    assert made.endswith(suffix)
    assert 0 < len(stem) <= 60
    assert len(made.encode()) < 250
    assert stem[0] not in ".-~ "
    assert stem[-1] not in ". "
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in made)
    for path in (PurePosixPath("d") / made, PureWindowsPath("d") / made):
        assert path.name == made
        assert path.parent == type(path)("d")
    assert not PureWindowsPath(made).is_reserved()
    assert format_for(Path(made)) == name
    assert unicodedata.is_normalized("NFC", made)
    assert suggested_name(stem, name) == made


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("What is a fish?", "What is a fish"),
        ("../../etc/passwd", "etc passwd"),
        ("/etc/passwd", "etc passwd"),
        (r"C:\Windows\x", "C Windows x"),
        ("~root", "root"),
        ("--help", "help"),
        (".bashrc", "bashrc"),
        ("con", "conversation con"),
        ("aux.txt", "conversation aux.txt"),
        ("e\u0301te\u0301", "été"),
        ("e\u200d\u0301te\u2060\u0301", "été"),
        ("\x1b]0;x\x07", "␛]0;x␇"),
        ("", "conversation"),
        ("...", "conversation"),
        ("a" * 100, "a" * 60),
    ],
)
def test_a_name_is_the_title_as_far_as_it_can_be(title: str, name: str) -> None:
    assert suggested_name(title, "markdown") == f"{name}.md"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.md", "markdown"),
        ("A.MARKDOWN", "markdown"),
        ("a.html", "html"),
        ("a.htm", "html"),
        ("a.jsonl", "jsonl"),
        ("a.finetuning.jsonl", "finetuning"),
        ("a.txt", None),
        ("md", None),
    ],
)
def test_a_suffix_says_the_format(path: str, name: str | None) -> None:
    assert format_for(Path(path)) == name


async def test_a_title_that_is_a_path_stays_in_the_directory(store: Store, out: Path) -> None:
    ids = await _answered(store, "Fish")
    await store.rename(ids[0], "../../outside")
    line = await store.headline(ids[0])
    assert line is not None
    path = out / suggested_name(line.title, "html")
    await write(store, ids, "html", path)

    assert [one.name for one in out.iterdir()] == ["outside.html"]
    assert "../../outside" in path.read_text("utf-8")


def test_a_report_counts_in_words() -> None:
    report = exporting.Report(Path("/p"), 37, 2)
    assert (
        report.words
        == "Written: /p (37 conversations; 2 have no finished reply and were left out)."
    )
    assert replace(report, written=1, left_out=1, missing=1).words == (
        "Written: /p (1 conversation; 1 has no finished reply and was left out; 1 is gone or in the trash)."
    )
