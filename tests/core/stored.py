"""What the tests of the saved conversations share: texts that break things, messages, other processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis import strategies as st

from tui_chat.core.conversation import (
    COMPLETION,
    ROLES,
    STATUSES,
    Conversation,
    Message,
    Refusal,
    Setup,
    Usage,
    new_id,
)
from tui_chat.core.endpoints import WAYS
from tui_chat.core.parameter import Parameter, Value
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.records import LATEST
from tui_chat.core.store import Store
from tui_chat.core.text import clean

NASTY = "\x00\x1b]52;c;aGk=\x07 \x9b31m \ud83d lone \u202e 👩‍👩‍👧 é 漢字 \r\n\t\ufeff end"

texts = st.one_of(st.text(), st.text(st.characters(max_codepoint=0x9F)), st.just(NASTY))


def values_of(parameter: Parameter) -> st.SearchStrategy[Value]:
    """Values within the parameter's range."""
    if parameter.kind == "texts":
        return st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True).map(tuple)
    if parameter.kind == "integer":
        return st.integers(int(parameter.low), int(parameter.high))
    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
    return st.floats(parameter.low, parameter.high)


params = st.fixed_dictionaries(
    {}, optional={parameter.name: values_of(parameter) for parameter in PARAMETERS}
).map(Params)
setups = st.builds(Setup, texts, texts, texts, params)
counts = st.none() | st.integers(0, 2**40)
seconds = st.none() | st.floats(0, 1e6)
usages = st.builds(Usage, counts, counts, counts, counts, st.booleans(), seconds, seconds)


def _gone_on(message: Message, characters: int, way: str) -> Message:
    begun = min(characters, len(clean(message.content)))
    return replace(message, begun=begun, way=way if begun or way == COMPLETION else "")


_anew = st.builds(
    Message,
    id=st.builds(new_id),
    parent=st.none(),
    role=st.sampled_from(ROLES),
    content=texts,
    status=st.sampled_from(STATUSES),
    reasoning=texts,
    error=texts,
    setup=st.none() | setups,
    usage=usages,
    refused=st.lists(st.builds(Refusal, texts, texts, texts), max_size=4).map(tuple),
    finish_reason=texts,
    request_id=texts,
    created=st.integers(0, LATEST),
    suffix=texts,
    logprobs=st.integers(0, 50_000),
)
messages = st.builds(_gone_on, _anew, st.integers(0, 9), st.sampled_from(WAYS))


def cleaned(message: Message) -> Message:
    """The message as it may come back: its texts clean, what a person set as it was."""
    setup = message.setup
    return replace(
        message,
        content=clean(message.content),
        reasoning=clean(message.reasoning),
        error=clean(message.error),
        setup=setup
        and replace(
            setup,
            endpoint=clean(setup.endpoint),
            model=clean(setup.model),
            system=clean(setup.system),
        ),
        refused=tuple(
            Refusal(clean(each.name), clean(each.words), clean(each.sent_as))
            for each in message.refused
        ),
        finish_reason=clean(message.finish_reason),
        request_id=clean(message.request_id),
        suffix=clean(message.suffix),
    )


async def saved(store: Store, *texts: str, title: str = "") -> Conversation:
    """A conversation of these texts, by turns, in the store."""
    conversation = Conversation(title=title or texts[0])
    parent = None
    for place, text in enumerate(texts):
        role = ROLES[1 + place % 2]
        setup = Setup("home", "qwen3") if role == "assistant" else None
        message = Message(new_id(), parent, role, text, setup=setup, created=place + 1)
        conversation.add(message)
        if place == 0:
            await store.create(conversation, message)
        else:
            await store.add(conversation.id, message)
        parent = message.id
    return conversation


async def loaded(store: Store, conversation_id: str) -> Conversation:
    found = await store.load(conversation_id)
    assert found is not None
    return found


def by_hand(path: Path, *statements: str, given: Sequence[object] = ()) -> list[tuple[object, ...]]:
    """Change or ask a database behind the program's back; the rows of the last statement."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            rows = connection.execute(statement, given).fetchall()
        return rows
    finally:
        connection.close()


class Other:
    """Another Python process that runs a script, says `ready`, and waits to be told or killed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def running(cls, script: str, *arguments: str) -> Other:
        """Started, and past its `print("ready")`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        other = cls(process)
        assert await other.line() == "ready"
        return other

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    async def line(self) -> str:
        """The next line it prints; empty when it has ended."""
        assert self._process.stdout is not None
        raw = await asyncio.wait_for(self._process.stdout.readline(), 30)
        return raw.decode().strip()

    async def tell(self) -> None:
        """Let it go on from its `input()`."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()

    async def kill(self) -> None:
        """End it without a chance to tidy up."""
        # It may have come to its end by itself a moment ago.
        with suppress(ProcessLookupError):
            if self._process.returncode is None:
                os.kill(self._process.pid, signal.SIGKILL)
        await asyncio.wait_for(self._process.wait(), 30)
