"""What the tests of a kept reply share: a question asked in a store, and the reply as the disk has it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.core.stored import by_hand, loaded
from tests.fake_server import FakeServer
from tui_chat.core.conversation import Conversation, Message, Refusal, Setup, Token, new_id, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.reply import Keep, Recorder, ask
from tui_chat.core.store import Store

SETUP = Setup("fake", "m-1", "Be brief.", Params({"temperature": 0.5}))


@dataclass
class Scene:
    """A question that waits for its reply, and all that came of asking it."""

    provider: Provider
    conversation: Conversation
    question: Message
    reply: Message
    tokens: list[Token] = field(default_factory=list)
    troubles: list[ChatError] = field(default_factory=list)
    notices: list[Refusal] = field(default_factory=list)

    async def asked(
        self,
        keep: Keep | None = None,
        *,
        logprobs: int = 0,
        sink: Callable[[Token], None] | None = None,
    ) -> Message:
        record = keep and Recorder(keep, self.conversation.id, self.troubles.append)
        return await ask(
            self.provider,
            [self.question],
            replace(self.reply, logprobs=logprobs),
            sink=sink or self.tokens.append,
            notice=self.notices.append,
            record=record or None,
        )

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "".join(token.text for token in self.tokens if not token.reasoning)


@asynccontextmanager
async def scene(
    server: FakeServer, store: Store | None = None, *, read_seconds: float | None = None
) -> AsyncIterator[Scene]:
    provider = Provider(Endpoint("fake", server.base_url), None, read_seconds=read_seconds)
    conversation, question = Conversation(), said("user", "hi")
    if store is not None:
        await store.create(conversation, question)
    reply = replace(said("assistant", "", question.id, setup=SETUP), status="streaming")
    try:
        yield Scene(provider, conversation, question, reply)
    finally:
        await provider.close()


async def row(store: Store, scene: Scene) -> Message:
    """The reply as the database holds it."""
    return (await loaded(store, scene.conversation.id)).message(scene.reply.id)


def on_disk(path: Path, scene: Scene) -> tuple[str, str, str]:
    """The reply's status, content and reasoning in the file, with what was added to its row."""
    found = by_hand(
        path,
        "SELECT m.status, m.content || coalesce(group_concat(p.content, ''), ''),"
        " m.reasoning || coalesce(group_concat(p.reasoning, ''), '') FROM message m"
        " LEFT JOIN (SELECT * FROM piece ORDER BY seq) p ON p.message=m.seq WHERE m.id=? GROUP BY m.seq",
        given=[scene.reply.id],
    )
    status, content, reasoning = found[0] if found else ("", "", "")
    return str(status), str(content), str(reasoning)


async def after_a_crash(path: Path, scene: Scene) -> Message:
    """The reply as the next start finds it, were the program killed now."""
    copy = path.parent / new_id() / path.name
    copy.parent.mkdir(0o700)
    with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as copied:
        live.backup(copied)
    store = await Store.open(copy)
    try:
        return await row(store, scene)
    finally:
        await store.close()
