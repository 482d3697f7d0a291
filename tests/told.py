"""Conversations with real probabilities, and a server that tells what the built-in model once told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fake_server import Answer, Body, FakeServer
from tests.make_told import QUESTION, TEXT, TOLD
from tui_chat.core.chunks import candidates
from tui_chat.core.conversation import COMPLETION, Conversation, Message, Setup, Token, Usage
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.probabilities import packed
from tui_chat.core.store import Store

NAME = "llama.cpp"
MODEL = "smollm2-135m-instruct"
NOON = 1_772_971_200_000
"""Of a day in March 2026."""
SETUP = Setup(NAME, MODEL, params=Params({PARAMETERS[0].name: 0.7}))


def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TOLD.read_text("utf-8"))
    return found


def tokens(rows: list[dict[str, Any]]) -> list[Token]:
    return [
        Token(row["text"], row["logprob"], candidates(row), own=bytes(row["bytes"])) for row in rows
    ]


def server() -> FakeServer:
    """One that knows nothing but what was told: looks, and no replies."""
    known = told()

    def answers(body: Body) -> Answer:
        top = known["next_in_text" if "prompt" in body else "next"]
        most = body.get("top_logprobs") or body.get("logprobs") or 0
        return Answer((top[0]["token"],), logprobs=[{**top[0], "top_logprobs": top[:most]}])

    made = FakeServer(models=(MODEL,), context=8192)
    made.answers = answers
    return made


async def keep(config: Path, base_url: str) -> None:
    """A chat and a text that the server is to have answered, and settings that know it."""
    config.mkdir(parents=True, exist_ok=True)
    (config / "settings.toml").write_text(
        f'endpoint = "{NAME}"\n[endpoints."{NAME}"]\nbase_url = "{base_url}"\nmodel = "{MODEL}"\n'
        'engine = "llamacpp"\n',
        "utf-8",
    )
    known = told()
    store = await Store.open(config / "conversations.db")
    for name, text, rows, way in (
        ("chat", QUESTION, known["reply"], ""),
        ("text", TEXT, known["continuation"], COMPLETION),
    ):
        asked = Message(f"{name}-q", None, "user", text, created=NOON)
        made = tokens(rows)
        reply = Message(
            f"{name}-a",
            asked.id,
            "assistant",
            "".join(token.text for token in made),
            status="complete",
            setup=SETUP,
            usage=Usage(37, len(made), first_token_seconds=0.1, seconds=0.7),
            finish_reason="stop",
            created=NOON + 1,
            way=way,
            logprobs=20,
        )
        conversation = Conversation(name, text, [asked, reply], reply.id, NOON)
        await store.create(conversation, asked)
        await store.add(conversation.id, reply, packed(made))
    session = {"conversation": "chat", "endpoint": NAME, "model": MODEL}
    params = {"params": dict(SETUP.params)}
    await store.set_state("chat", json.dumps(session | params))
    await store.set_state("completion", '{"conversation": "text"}')
    await store.close()
