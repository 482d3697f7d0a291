"""What the built-in model told once, for pictures that show real probabilities: `python -m tests.make_told`.

Writes tests/looks/told.json: a chat's reply and a text's continuation with the candidates of each token,
and the likeliest 200 tokens that come next. Pictures must not change with the processor, so it is kept.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.local_model import model_file
from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.local.server import LocalServer
from tui_chat.core.looking import look
from tui_chat.core.parameter import Value
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

TOLD = Path(__file__).parent / "looks" / "told.json"
QUESTION = "What is the capital of Brazil?"
TEXT = "Era uma vez, um unicórnio"
HEAT = PARAMETERS[0].name


def entry(raw: bytes, logprob: float) -> dict[str, Any]:
    """As llama.cpp's server tells a token."""
    return {
        "token": raw.decode("utf-8", "replace"),
        "bytes": list(raw),
        "logprob": round(logprob, 5),
    }


def place(token: Token) -> dict[str, Any]:
    top = [entry(*one) for one in token.top]
    return {**entry(token.raw, token.logprob or 0.0), "top_logprobs": top}


async def _replied(provider: Provider, request: Request) -> list[dict[str, Any]]:
    tokens: list[Token] = []
    await provider.reply(replace(request, logprobs=20), tokens.append)
    return [place(token) | {"text": token.text} for token in tokens if token.logprob is not None]


async def _told() -> dict[str, Any]:
    known = next(one for one in known_endpoints() if one.name == BUILT_IN)
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        server = await LocalServer.start(model_file(), model_id="m", log=log)
        provider = Provider(replace(known, base_url=server.base_url), server.key)
        try:
            chosen: dict[str, Value] = {HEAT: 0.7, "seed": 6, "max_tokens": 60}
            chat = Request(Setup(BUILT_IN, "m", params=Params(chosen)), [said("user", QUESTION)])
            other = replace(chat.setup, params=Params({**chosen, "seed": 3}))
            text = Request(other, [said("user", TEXT)], completes=True)
            found = await look(provider, chat)
            continuation = await _replied(provider, text)
            written = TEXT + "".join(one["text"] for one in continuation)
            after = await look(provider, replace(text, thread=[said("user", written)]))
            assert found.place is not None
            assert after.place is not None
            return {
                "reply": await _replied(provider, chat),
                "continuation": continuation,
                "next": [entry(*Candidate(*one)) for one in found.place.candidates],
                "next_in_text": [entry(*Candidate(*one)) for one in after.place.candidates],
            }
        finally:
            await provider.close()
            await server.stop()


def main() -> None:
    TOLD.write_text(json.dumps(asyncio.run(_told()), ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
