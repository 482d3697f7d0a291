"""What goes over the wire when somebody means harm: no secret of another's, and no more than fits in memory."""

from __future__ import annotations

import pytest

from tests.core.wire import provider_for, replied
from tests.fake_server import FakeServer

KEY = "sk-canary-0123456789"
OTHERS = (
    "Authorization: Bearer secret-of-another\nX-Gateway-Key: secret-of-another\n"
    "Host: secret-of-another\nUser-Agent: secret-of-another\nAccept: secret-of-another\n"
    "Content-Type: secret-of-another\nOpenAI-Organization: secret-of-another"
)


@pytest.mark.parametrize("key", [KEY, ""])
async def test_headers_of_the_environment_go_to_nobody(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", OTHERS)
    with FakeServer() as server:
        await replied(server, key=key, headers={"X-Team": "ours", "OpenAI-Beta": "b"})
        async with provider_for(server, key=key) as provider:
            await provider.models()
            await provider.beside("/tokenize", {"content": "x"})
    assert len(server.requests) == 3
    for request in server.requests:
        assert request.headers["authorization"] == f"Bearer {key or 'none'}"
        assert "secret-of-another" not in str(request.headers)
    assert server.requests[0].headers["x-team"] == "ours"
    assert server.requests[0].headers["openai-beta"] == "b"
