"""A program for tests: everything that is written, on a disk with no room, then with a page more, until it is done.

`python -m tests.core.full_disk DIRECTORY MODE`: with `full` the directory becomes a small file system, which only
who may mount can do; with `limit` no file may grow beyond a size, which the system reports as an error of the
disk. It ends with 0 when each refusal was a sentence and cost nothing, and prints how often each thing was refused.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.core.broken import contents, filled, pages_of, places_in, spoil
from tui_chat.core import backups, exporting
from tui_chat.core.conversation import Conversation, Message, Setup, said
from tui_chat.core.diagnosis import diagnosed
from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places, private_directory
from tui_chat.core.importing import import_file
from tui_chat.core.key_store import KeyStore
from tui_chat.core.learned import Lessons
from tui_chat.core.presets import Presets
from tui_chat.core.query import parse
from tui_chat.core.repairing import repair
from tui_chat.core.schema import MIGRATIONS
from tui_chat.core.search import Search
from tui_chat.core.secrets import Secret
from tui_chat.core.settings import load_settings, remember_setting
from tui_chat.core.store import Store

PAGE = 4096
MEGABYTES = 8
SENTENCES = ("The disk is full", "The disk did not do", "cannot be written", "cannot be made")
Deed = Callable[[], Awaitable[object]]
Room = Callable[[int | None], None]
"""Leaves room for so many pages, or all the room there is."""


@contextmanager
def mounted(directory: Path) -> Iterator[Room]:
    size = f"size={MEGABYTES}m,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", directory], check=True)
    ballast = directory / "ballast"

    def room(pages: int | None) -> None:
        ballast.unlink(missing_ok=True)
        if pages is None:
            return
        free = shutil.disk_usage(directory).free
        with ballast.open("wb") as file:
            file.write(bytes(max(0, free - pages * PAGE)))

    try:
        yield room
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@contextmanager
def limited() -> Iterator[Room]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def room(pages: int | None) -> None:
        most = resource.RLIM_INFINITY if pages is None else pages * PAGE
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))

    yield room
    room(None)


class Trial:
    """One thing after the other is written, with ever more room."""

    def __init__(self, places: Places, room: Room, steps: Sequence[int]) -> None:
        self.places = places
        self.room = room
        self.steps = steps
        self.refusals: list[str] = []
        """What was said."""
        self.known: set[str] = set()
        """The texts that were saved, and must always be there."""

    async def until_done(
        self, name: str, deed: Deed, *, silent: Callable[[], bool] | None = None
    ) -> None:
        """Do it until it is done; `silent` says so of what raises nothing."""
        refused = 0
        for pages in self.steps:
            self.room(pages)
            try:
                await deed()
                done = silent is None or silent()
            except ChatError as error:
                done = False
                self.refusals.append(str(error))
            self.room(None)
            found = diagnosed(self.places.database)
            assert found.fault is None, (name, found.words)
            if self.known:
                assert self.known <= set(contents(self.places.database)), name
            if done:
                break
            refused += 1
        assert done, name
        sys.stdout.write(f"{name} {refused}\n")
        assert refused, f"{name} was never refused"


async def said_and_kept(trial: Trial, store: Store) -> None:
    conversation = Conversation(title="new")
    first = said("user", "first " + "x" * 20_000)
    await trial.until_done("create", lambda: store.create(conversation, first))
    trial.known.add(first.content)
    second = said("user", "second " + "y" * 20_000, first.id)
    await trial.until_done("send", lambda: store.add(conversation.id, second))
    trial.known.add(second.content)
    reply = replace(said("assistant", "", second.id), status="streaming")
    await trial.until_done("begin", lambda: store.add(conversation.id, reply))
    await trial.until_done("checkpoint", lambda: store.append(reply.id, "z" * 9000))
    whole = replace(reply, status="complete", content="z" * 30_000)
    await trial.until_done("finish", lambda: store.finish(whole))
    trial.known.add(whole.content)
    await trial.until_done("draft", lambda: store.save_draft(conversation.id, "d" * 9000))
    await trial.until_done("rename", lambda: store.rename(conversation.id, "t" * 9000))
    await trial.until_done("session", lambda: store.set_state("chat", "s" * 9000))
    found = await store.load(conversation.id)
    assert found is not None
    assert [_shape(one) for one in found.thread()] == [
        _shape(one) for one in (first, second, whole)
    ]


def _shape(message: Message) -> tuple[str, str]:
    return message.content, message.status


async def carried(trial: Trial, store: Store, outside: Path) -> None:
    places = trial.places
    target = places.config / "export.jsonl"
    target.write_text("old")

    async def export() -> None:
        try:
            await exporting.write(store, None, "jsonl", target, overwrite=True)
        except ChatError:
            assert target.read_text() == "old"
            raise

    await trial.until_done("export", export)
    target.unlink()

    async def bring() -> None:
        before = await store.count()
        try:
            await import_file(store, outside, places.importing, progress=lambda _: None)
        except ChatError:
            assert await store.count() == before
            raise
        assert await store.count() == before + 5

    await trial.until_done("import", bring)


async def set_by_hand(trial: Trial) -> None:
    places = trial.places
    long = "w" * 9000
    presets, setup = Presets(places.presets), Setup("home", "m", "old")
    presets.save("Mine", setup)
    remember_setting(places.settings, "theme", "nord")
    places.settings.write_text(f"{places.settings.read_text()}# {long}\n")

    async def preset() -> None:
        try:
            presets.save("Mine", replace(setup, system=long))
        except ChatError:
            assert presets.named("Mine").system == "old"
            raise

    await trial.until_done("preset", preset)

    async def setting() -> None:
        try:
            remember_setting(places.settings, "theme", "gruvbox")
        except ChatError:
            assert load_settings(places.settings).theme == "nord"
            raise

    await trial.until_done("settings", setting)
    keys = KeyStore(places.keys)
    keys.keep("https://one.example", Secret("old"), "file")

    async def key() -> None:
        try:
            KeyStore(places.keys).keep("https://one.example", Secret("k" * 9000), "file")
        except ChatError:
            kept = KeyStore(places.keys).find("https://one.example")
            assert kept is not None
            assert kept.key.reveal() == "old"
            raise

    await trial.until_done("key", key)


async def learned(trial: Trial) -> None:
    """What models refused, which nobody is told of when it cannot be kept: what was known before stays."""
    path = trial.places.lessons
    before = Lessons(path)
    before.of("https://one", "m", False).forget("seed", "seed", "unsupported")
    before.save()
    known = path.read_text()

    async def learn() -> None:
        more = Lessons(path)
        more.of("https://one", "n", False).forget("top_k", "top_k", "unsupported " + "w" * 9000)
        more.save()

    def kept() -> bool:
        trial.room(None)
        now = path.read_text()
        assert now == known or '"n"' in now
        return now != known

    await trial.until_done("learned", learn, silent=kept)


async def made_again(trial: Trial) -> None:
    """What is made of the database: copies, an index, a newer shape, a repaired one."""
    places = trial.places
    backups.no_space_for = lambda database: ""

    for days in range(2, 40):
        made = datetime.now(UTC) - timedelta(days=days)
        old = private_directory(places.backups) / f"conversations-{made:%Y%m%d-%H%M%S}.db"
        old.touch()

    async def backup() -> None:
        before = set(places.backups.glob("*"))
        try:
            assert backups.back_up(places) is not None
        except ChatError:
            assert set(places.backups.glob("*")) == before
            raise
        assert len(list(places.backups.glob("*.db"))) <= backups.DAYS + backups.WEEKS

    await trial.until_done("backup", backup)
    search = Search(places.database, places.index)

    async def index() -> None:
        await search.build()
        assert len((await search.hits(parse("word"), within=None)).hits) > 0

    def indexed() -> bool:
        search._indexing.impossible = False  # As at the next start.
        return search.complete

    await trial.until_done("index", index, silent=indexed)
    await search.close()
    places.index.unlink()

    async def migrate() -> None:
        more = "CREATE TABLE more AS SELECT content FROM message"
        await (await Store.open(places.database, (*MIGRATIONS, more))).close()
        trial.room(None)
        places.database.write_bytes(before)

    before = places.database.read_bytes()
    await trial.until_done("migration", migrate)
    spoil(places.database, pages_of(places.database, "conversation")[0])

    async def mend() -> None:
        raw = places.database.read_bytes()
        try:
            repair(places, "salvage")
        except ChatError:
            assert places.database.read_bytes() == raw
            raise

    await until_mended(trial, mend)


async def until_mended(trial: Trial, mend: Deed) -> None:
    for pages in trial.steps[::4]:
        trial.room(pages)
        try:
            await mend()
        except ChatError as error:
            trial.refusals.append(str(error))
        else:
            break
        finally:
            trial.room(None)
    assert trial.known <= set(contents(trial.places.database))
    sys.stdout.write(f"repair {pages}\n")


async def all_of_it(directory: Path, outside: Path, room: Room, steps: Sequence[int]) -> None:
    places = places_in(directory)
    filled(places, conversations=3)
    trial = Trial(places, room, steps)
    trial.known = set(contents(places.database))
    store = await Store.open(places.database)
    await said_and_kept(trial, store)
    await carried(trial, store, outside)
    await store.close()
    await set_by_hand(trial)
    await learned(trial)
    await made_again(trial)
    odd = {one for one in trial.refusals if not any(words in one for words in SENTENCES)}
    assert not odd


async def exported(path: Path) -> None:
    """Conversations to be imported, in a file beside the small disk."""
    scratch = places_in(path.parent / "scratch")
    filled(scratch, conversations=5)
    store = await Store.open(scratch.database)
    await exporting.write(store, None, "jsonl", path)
    await store.close()


def main(directory: Path, mode: str) -> None:
    directory.mkdir()
    outside = directory.with_name("outside.jsonl")
    asyncio.run(exported(outside))
    os.environ["TMPDIR"] = str(directory)
    full = mode == "full"
    # A journal is a file of its own, which a limit bars at its first page.
    steps = [*range(20), *range(20, 400, 8)] if full else [0, 1, 3, *range(10, 400, 20)]
    with mounted(directory) if full else limited() as room:
        asyncio.run(all_of_it(directory, outside, room, steps))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
