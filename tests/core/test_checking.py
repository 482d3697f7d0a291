"""An endpoint tried out: what it lists, what is wrong with it in words, and what may mend it."""

from __future__ import annotations

import re

import pytest

from tests.fake_server import Answer, FakeServer
from tui_chat.core.checking import check, one_token
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.secrets import typed_key

CANARY = "sk-canary-0123456789"
PAGE = b"<!doctype html><html><body>Welcome</body></html>"
ALERT = b"\x15\x03\x03\x00\x02\x02\x16"
"""What a server that speaks TLS sends to one who does not."""


def at(base_url: str) -> Endpoint:
    return Endpoint("lab", base_url)


async def test_what_answers_tells_its_models() -> None:
    with FakeServer(models=["a", "b"]) as server:
        found = await check(at(server.base_url), None)
    assert [model.id for model in found.models] == ["a", "b"]
    assert re.fullmatch(r"It answers: 2 models, \d+\.\d s\.", found.words)
    assert (found.problem, found.lengthened, found.other) == (None, False, "")
    assert server.count("/models") == 1


@pytest.mark.parametrize(
    "listed", [Answer(status=404, error={"detail": "Not Found"}), Answer(raw=PAGE, content_type="text/html")]
)  # fmt: skip
async def test_a_missing_path_is_added_and_said(listed: Answer) -> None:
    with FakeServer() as server:
        server.by_path["/models"] = listed
        found = await check(at(server.base_url.removesuffix("/v1")), None)
    assert found.endpoint.base_url == server.base_url
    assert found.lengthened
    assert "/v1 was missing in the address, and was added." in found.words
    assert [one.path for one in server.requests] == ["/models", "/v1/models"]


async def test_a_path_is_added_once_and_the_first_failure_is_told() -> None:
    with FakeServer(models=None) as server:
        base_url = server.base_url.removesuffix("/v1")
        found = await check(at(base_url), None)
        assert [one.path for one in server.requests] == ["/models", "/v1/models"]
        assert found.endpoint.base_url == base_url
        assert f"There is no API at {base_url} (404)." in found.words
        await check(at(server.base_url), None)
        assert server.count("/models") == 3


async def test_a_key_that_is_wanted_or_refused_is_told_and_not_repeated() -> None:
    with FakeServer(key=CANARY) as server:
        without = await check(at(server.base_url), None)
        wrong = await check(at(server.base_url), Secret(f"{CANARY}-x", "the key dialog"))
        right = await check(at(server.base_url), Secret(CANARY))
    assert without.wants_key
    assert "without a key (401)" in without.words
    assert wrong.wants_key
    assert "refused the key from the key dialog (401)" in wrong.words
    assert CANARY not in wrong.words
    assert not right.wants_key
    assert right.problem is None


async def test_where_a_key_is_taken_nobody_is_sent_elsewhere_to_give_it() -> None:
    with FakeServer(key=CANARY) as server:
        without = await check(at(server.base_url), None)
        wrong = await check(at(server.base_url), typed_key(f"{CANARY}-x"))
        server.listed = Answer(status=403, error={"error": {"message": "Not you."}})
        barred = await check(at(server.base_url), typed_key(CANARY))
    assert "lab refused this key (401)." in wrong.words
    assert wrong.words_for_key.startswith("lab refused this key (401).")
    assert without.words_for_key.startswith("lab refused a request without a key (401).")
    for found in (without, wrong):
        assert "/endpoint" not in found.words_for_key
        assert "Is it the right key" not in found.words_for_key
    assert barred.words_for_key == barred.words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://no-such-host.invalid/v1", "There is no host of that name"),
        ("http://127.0.0.1:9/v1", "Nothing answers at"),
    ],
)
async def test_what_cannot_be_reached_is_said(url: str, words: str) -> None:
    found = await check(at(url), None)
    assert words in found.words
    assert not found.wants_key
    assert found.other == ""


async def test_the_other_scheme_is_offered_where_it_is_meant() -> None:
    with FakeServer() as server:
        secure = server.base_url.replace("http:", "https:")
        assert (await check(at(secure), None)).other == server.base_url
        for answer in (
            Answer(wire=ALERT),
            Answer(status=400, error=b"Client sent an HTTP request to an HTTPS server.\n"),
            Answer(status=400, error=b"<html>The plain HTTP request was sent to HTTPS port</html>"),
        ):
            server.listed = answer
            found = await check(at(server.base_url), None)
            assert found.other == secure, found.words
        server.listed = Answer(status=400, error={"error": {"message": "No."}})
        assert (await check(at(server.base_url), None)).other == ""


async def test_one_token_is_asked_for_as_a_test() -> None:
    with FakeServer(Answer(["Hello"])) as server:
        words = await one_token(at(server.base_url), None, "fake-1")
        assert re.fullmatch(r"fake-1 answered with “Hello”, \d+\.\d s\.", words)
        assert server.requests[-1].body["max_tokens"] == 1
        server.answer = Answer(status=402, error={"error": {"message": "Pay."}})
        with pytest.raises(ChatError, match="wants to be paid first"):
            await one_token(at(server.base_url), None, "fake-1")
