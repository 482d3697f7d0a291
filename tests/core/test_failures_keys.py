"""A key is never repeated, and one that is wrong is told by where it came from."""

from __future__ import annotations

import json
import traceback

import pytest

from tests.core.failing import KEY, error, failing, openai
from tests.fake_server import Answer, FakeServer
from tui_chat.core import failures
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.failures import Asked
from tui_chat.core.keys import Secret
from tui_chat.core.provider import Provider


@pytest.mark.parametrize(
    "answer",
    [
        error(400, openai(f"bad key {KEY} here")),
        error(400, openai("x" * 290 + KEY)),
        error(401, {"detail": f"Bearer {KEY}"}),
        error(302, b"", location=f"https://elsewhere.example/?key={KEY}"),
        Answer(raw=f"you sent {KEY}".encode(), content_type="text/plain"),
        Answer(raw=json.dumps({"error": KEY}).encode(), content_type="application/json"),
        Answer(raw=f'event: error\ndata: {{"message":"{KEY}"}}\n\n'.encode()),
    ],
)
async def test_a_key_in_a_servers_words_is_not_repeated(answer: Answer) -> None:
    with FakeServer(answer) as server:
        told = await failing(server)
    shown = "".join(traceback.format_exception(told))
    assert KEY not in shown
    assert KEY[:10] not in str(told)


def test_keys_of_a_known_form_are_hidden_even_when_they_are_not_ours() -> None:
    body = openai("Incorrect API key provided: sk-proj-abcdefghijkl.")
    assert failures.server_words(body) == "Incorrect API key provided: ***."


@pytest.mark.parametrize("key", ["two words\n", "schlüssel", "a\x00b", "", "line\nbreak"])
async def test_a_key_that_no_header_can_carry_is_told_by_its_source(key: str) -> None:
    with FakeServer() as server:
        provider = Provider(Endpoint("fake", server.base_url, key_env="FAKE_KEY"), Secret(key))
        with pytest.raises(ChatError, match="What FAKE_KEY holds cannot be a key") as caught:
            await provider.models()
        assert not server.requests
    shown = "".join(traceback.format_exception(caught.value))
    assert not key.strip() or key.strip() not in shown


@pytest.mark.parametrize(
    ("endpoint", "key", "words"),
    [
        (Endpoint("e", "http://h", key_env="E_KEY"), "k1234", "refused the key from E_KEY (401)"),
        (Endpoint("e", "http://h", key_env="E_KEY"), "", "wants a key, and E_KEY is not set (401)"),
        (Endpoint("e", "http://h", key_command=("pass", "x")), "k1234", "from the command pass"),
        (Endpoint("e", "http://h"), "", "refused a request without a key (401)"),
        (Endpoint("e", "http://h"), "k1234", "refused its key (401)"),
    ],
)
def test_a_refused_key_is_told_by_where_it_came_from(
    endpoint: Endpoint, key: str, words: str
) -> None:
    assert words in failures.from_status(401, None, {}, Asked(endpoint, "m", key)).message
