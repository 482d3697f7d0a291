"""A reply that is still arriving, seen from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tui_chat.core.conversation import Conversation, Setup, said
from tui_chat.core.store import Store


async def test_a_streaming_reply_is_read_with_what_was_written_of_it(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "conversations.db")
    question = said("user", "hi")
    reply = replace(said("assistant", "", question.id, setup=Setup("e", "m")), status="streaming")
    conversation = Conversation()
    await store.create(conversation, question)
    await store.add(conversation.id, reply)
    await store.append(reply.id, "half ", "because")
    await store.append(reply.id, "an answer")
    other = await Store.open(tmp_path / "conversations.db")
    found = await other.load(conversation.id)
    assert found is not None
    assert found.thread()[-1].content == "half an answer"
    assert found.thread()[-1].reasoning == "because"
    assert found.thread()[-1].status == "streaming"
    await store.close()
    await other.close()
