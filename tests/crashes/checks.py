"""What must hold after a blow: of the database, of what was said and written, of processes, of the next start."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.crashes.blows import Fault
from tests.crashes.scenes import CTRL_Q, F8, SECONDS, Scene, Stage
from tui_chat.core.conversation import Conversation
from tui_chat.core.store import Store

LOST_SECONDS = 0.25
"""What the program promises: at most this much of a reply is lost, by the server's clock."""
DRAFT_SECONDS = 1.0
"""How old a draft on disk may be."""
TRANSPORT_SECONDS = 0.05
"""Allowed besides for the way from the server's clock through the kernel and the client to the program."""


MOST = 40


@dataclass
class Figures:
    """What one run has measured; None where there was nothing to measure."""

    lost: float | None = None
    """Seconds from the first token that is not on disk to the blow."""
    draft: float | None = None
    """Seconds from the first character of the draft that is not on disk to the blow."""
    waited: float = 0
    """For how many of those seconds the program was not let run by the machine."""
    faults: list[str] = field(default_factory=list)


def rows(database: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(question).fetchall()


def check_sound(stage: Stage) -> int:
    """The database as SQLite itself sees it, by a copy: the program's own repair is tried afterwards.
    How many replies were arriving."""
    config = stage.home / "config"
    if not (config / "conversations.db").exists():
        return 0
    copy = stage.home / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(config, copy)
    database = copy / "conversations.db"
    if (said := rows(database, "PRAGMA integrity_check")) != [("ok",)]:
        raise Fault(f"the database is not sound: {said}")
    if said := rows(database, "PRAGMA foreign_key_check"):
        raise Fault(f"the database refers to what is not there: {said}")
    if not rows(database, "SELECT 1 FROM sqlite_master WHERE name='message'"):
        return 0
    (number,) = rows(database, "SELECT count(*) FROM message WHERE status='streaming'")[0]
    return int(str(number))


def children(home: Path) -> list[str]:
    """The processes that were begun from this home and still run: all of them have its name with them."""
    marker = f"HOME={home}".encode()
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if marker in (process / "environ").read_bytes().split(b"\0"):
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found.append(f"{process.name} {command}")
    return found


def check_alone(home: Path) -> None:
    """No process is left; each has a second to be gone."""
    deadline = time.monotonic() + 1
    while left := children(home):
        if time.monotonic() > deadline:
            raise Fault(f"processes are left: {left}")
        time.sleep(0.01)


def check_next_start(stage: Stage, scene: Scene, streaming: int) -> None:
    """It starts, shows what was broken off as that, sends nothing, and leaves nothing behind."""
    before = len(stage.asked)
    with stage.start() as terminal:
        terminal.wait_for(stage.ready, SECONDS)
        if scene.room == "text" and streaming:
            terminal.forget()
            terminal.type(F8)
        if streaming:
            terminal.wait_for("interrupted", SECONDS)
        terminal.type(CTRL_Q)
        if (code := terminal.wait_end(SECONDS)) != 0:
            raise Fault(f"the next start ends with {code}: {terminal.text[-2000:]}")
        if "Traceback" in terminal.text:
            raise Fault(f"the next start fails: {terminal.text[-3000:]}")
    if len(stage.asked) != before:
        raise Fault("the next start has sent something by itself")
    if left := leftovers(stage.home):
        raise Fault(f"the next start leaves {left}")


def leftovers(home: Path) -> list[str]:
    """Files that are of use only to a program that runs."""
    signs = (".lock", ".part", "-journal", "-wal", "-shm")
    everything = [
        path
        for path in home.rglob("*")
        if "copy" not in path.relative_to(home).parts
        and "installer" not in path.relative_to(home).parts
    ]
    return [
        str(path.relative_to(home))
        for path in everything
        if path.name.endswith(signs) or ".fetching-" in path.name or _is_fresh(path)
    ]


def _is_fresh(path: Path) -> bool:
    """A file that was to replace another: `.name.` and twelve hexadecimal digits."""
    last = path.name.rpartition(".")[2]
    return path.name.startswith(".") and len(last) == 12 and not set(last) - set("0123456789abcdef")


def saved(home: Path) -> list[Conversation]:
    """The conversations that were added to last, more than any scene makes, by the program's own loader."""

    async def load() -> list[Conversation]:
        store = await Store.open(home / "config" / "conversations.db")
        try:
            found = [await store.load(one.id) for one in await store.headlines(limit=MOST)]
            return [conversation for conversation in found if conversation is not None]
        finally:
            await store.close()

    return asyncio.run(load()) if (home / "config" / "conversations.db").exists() else []


def check_said(stage: Stage, conversations: list[Conversation]) -> None:
    """What the server was asked is there, and of what it said only what it said."""
    messages = [message for one in conversations for message in one.messages]
    threads = ["".join(one.content for one in found.thread()) for found in conversations]
    said = {message.content for message in messages if message.role == "user"}
    for body in stage.asked:
        if "prompt" in body:
            there = any(text.startswith(body["prompt"]) for text in threads)
        else:
            there = body["messages"][-1]["content"] in said
        if not there:
            raise Fault(f"the prompt of a request is not there: {body}")
    for number in range(1, len(stage.asked) + 1):
        sent = "".join(token for _, token in stage.server.sent if token.startswith(f"r{number}w"))
        for reply in _replies(conversations, number):
            if not sent.startswith(reply):
                raise Fault(f"a reply is not what was sent: {reply[-60:]!r} of {sent[-60:]!r}")
    if any(message.status == "streaming" for message in messages):
        raise Fault("a reply still seems to arrive")


def _replies(conversations: list[Conversation], number: int) -> list[str]:
    return [
        message.content
        for one in conversations
        for message in one.messages
        if message.role == "assistant" and message.content.startswith(f"r{number}w")
    ]


def lost_seconds(stage: Stage, conversations: list[Conversation], struck: float) -> float | None:
    """For how long before the blow nothing of the last reply is on disk, by the server's clock."""
    number = len(stage.asked)
    sent = [(at, token) for at, token in stage.server.sent if token.startswith(f"r{number}w")]
    before = [at for at, _ in sent if at < struck]
    if not before:
        return None
    kept = max(_replies(conversations, number), key=len, default="")
    count = kept.count(" ")
    return struck - before[count] if count < len(before) else 0.0


def draft_seconds(stage: Stage, scene: Scene, struck: float) -> float | None:
    """For how long before the blow nothing of what was typed is on disk; `copy` is as it was at the blow."""
    if not stage.typed:
        return None
    full = "".join(character for _, character in stage.typed)
    database = stage.home / "copy" / "conversations.db"
    question = (
        "SELECT value FROM state WHERE key='completion.text'"
        if scene.room == "text"
        else "SELECT content FROM draft"
    )
    kept = max((str(row[0]) for row in rows(database, question)), key=len, default="")
    if not full.startswith(kept):
        raise Fault(f"the draft is not what was typed: {kept!r} of {full!r}")
    return struck - stage.typed[len(kept)][0] if len(kept) < len(full) else 0.0
