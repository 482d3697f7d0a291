"""Headers of an endpoint's own: read with care, sent with each request, shown in its code, and never a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core.formats.test_code import run_curl, run_python
from tests.core.wire import HI, SETUP, provider_for
from tests.fake_server import FakeServer
from tui_chat.core.endpoint_tables import endpoint_from
from tui_chat.core.formats import code
from tui_chat.core.keys import Named
from tui_chat.core.settings import load_settings
from tui_chat.core.wire import Request

OWN = {
    "anthropic-workspace-id": "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ",
    "X-Title": 'it\'s "mine" $HOME `x` \\ %s; @file',
    "OpenAI-Beta": "assistants=v2",
    "x-stainless-lang": "none",
}


def endpoint_with(headers: object) -> Any:
    return endpoint_from("lab", {"base_url": "https://lab.example/v1", "headers": headers})


def test_they_are_read_for_an_endpoint_of_ones_own_and_a_known_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        '[endpoints.lab]\nbase_url = "https://lab.example/v1"\nheaders = {X-Team = "a b"}\n'
        '[endpoints.anthropic.headers]\nanthropic-workspace-id = "wrkspc_01"\n'
    )
    settings = load_settings(path)
    assert not settings.problems
    lab, anthropic = settings.endpoints
    assert dict(lab.headers) == {"X-Team": "a b"}
    assert dict(anthropic.headers) == {"anthropic-workspace-id": "wrkspc_01"}
    assert anthropic.base_url.startswith("https://api.anthropic.com")


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ("X-Team: a", "table"),
        ({"X-Team": 3}, "text"),
        ({"X Team": "a"}, "no name of a header"),
        ({"": "a"}, "no name of a header"),
        ({"X-Team:": "a"}, "no name of a header"),
        ({"X-Té": "a"}, "no name of a header"),
        ({"X-Team": ""}, "plain characters"),
        ({"X-Team": " a"}, "plain characters"),
        ({"X-Team": "a\r\nCookie: x"}, "plain characters"),
        ({"X-Team": "é"}, "plain characters"),
        ({"X-Team": "a" * 2_000}, "plain characters"),
        ({"X-Team": "a", "x-team": "b"}, "twice"),
        ({"X-Author": ""}, "plain characters"),
        ({"Host": "other.example"}, "itself"),
        ({"Content-Type": "text/plain"}, "itself"),
        ({"Content-Length": "3"}, "itself"),
        ({"Transfer-Encoding": "chunked"}, "itself"),
        ({"Connection": "close"}, "itself"),
    ],
)
def test_what_is_no_header_is_said(headers: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        endpoint_with(headers)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "api-key",
        "X-API-Key",
        "x-goog-api-key",
        "Ocp-Apim-Subscription-Key",
        "ApiKey",
        "X_API_KEY",
        "Helicone-Auth",
        "X-Auth-Token",
        "cf-aig-authorization",
        "CF-Access-Client-Secret",
        "X-Password",
        "X-Amz-Security-Token",
    ],
)
def test_a_key_does_not_belong_in_a_header_and_is_not_repeated(name: str) -> None:
    with pytest.raises(ValueError, match="a key does not belong here") as caught:
        endpoint_with({name: "canary-0123456789"})
    assert "canary" not in str(caught.value)


def test_a_key_in_the_place_of_a_name_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="a key does not belong here") as caught:
        endpoint_with({"sk-canary-0123456789": "x"})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("value", ["sk-canary-0123456789", "Bearer sk-canary-0123456789"])
def test_a_value_that_is_a_key_is_refused_under_any_name(value: str) -> None:
    with pytest.raises(ValueError, match="a key does not belong here") as caught:
        endpoint_with({"X-Team": value})
    assert "canary" not in str(caught.value)


async def test_they_are_sent_with_every_request_and_by_the_code_of_it(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with provider_for(server, headers=OWN) as provider:
            await provider.models()
            await provider.reply(Request(SETUP, HI), lambda _: None)
            await provider.reply(Request(SETUP, HI, completes=True), lambda _: None)
        lab = endpoint_from("lab", {"base_url": server.base_url, "headers": OWN})
        program, command = code.parted(code.snippets(lab, Request(SETUP, HI), Named()))
        run_python(program, tmp_path)
        run_curl(command, tmp_path)
        assert len(server.requests) == 5
        for request in server.requests:
            sent = {name: request.headers.get(name.lower()) for name in OWN}
            assert sent == OWN
            assert "cookie" not in request.headers
    assert server.chats[0] == server.chats[1] == server.chats[2]


async def test_without_any_only_what_was_sent_before_is_sent() -> None:
    with FakeServer() as server:
        async with provider_for(server) as provider:
            await provider.models()
        (request,) = server.requests
    assert not [name for name in request.headers if name.startswith("x-")]
