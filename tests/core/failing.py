"""What the tests of the failures share: a key, errors as servers send them, a reply that fails."""

from __future__ import annotations

import pytest

from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.failures import Asked
from tui_chat.core.keys import Secret
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

KEY = "secret-key-0123456789"
ASKED = Asked(Endpoint("fake", "https://host/v1", key_env="FAKE_KEY"), "m-1", KEY)


def error(status: int, body: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, error=body, headers=named)


def openai(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


async def failing(server: FakeServer, **more: str) -> ChatError:
    """The error that a reply from this server ends with."""
    endpoint = Endpoint("fake", more.get("url", server.base_url), key_env="FAKE_KEY")
    provider = Provider(endpoint, Secret(KEY), read_seconds=0.4)
    tokens: list[Token] = []
    try:
        with pytest.raises(ChatError) as caught:
            await provider.reply(Request(Setup("fake", "m-1"), [said("user", "hi")]), tokens.append)
    finally:
        await provider.close()
    assert tokens == []
    return caught.value
