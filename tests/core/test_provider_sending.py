"""What a request holds and what stays out of it: settings, thread, key, and nothing of the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.core.wire import HI, SET, SETUP, provider_for, replied, text, with_params
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.params import PARAMETERS
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request


async def test_only_what_is_set_is_sent() -> None:
    with FakeServer() as server:
        await replied(server)
        assert server.chats == [
            {
                "model": "m-1",
                "messages": [{"role": "user", "content": "hi"}],
                "stream": True,
                "stream_options": {"include_usage": True},
            }
        ]


async def test_zero_is_a_value_and_none_is_not() -> None:
    with FakeServer() as server:
        await replied(server, with_params(temperature=0.0, top_p=None, presence_penalty=0, seed=0))
        (sent,) = server.chats
    assert sent["temperature"] == 0
    assert sent["presence_penalty"] == 0
    assert sent["seed"] == 0
    assert "top_p" not in sent


async def test_every_parameter_that_is_set_arrives_as_it_is() -> None:
    assert SET.keys() == {parameter.name for parameter in PARAMETERS}
    with FakeServer() as server:
        await replied(server, with_params(**SET))
        (sent,) = server.chats
    assert {name: sent[name] for name in SET} == SET


@pytest.mark.parametrize(
    ("accepts", "arrived"),
    [
        (None, {"top_k", "min_p", "repeat_penalty"}),
        (frozenset(), set()),
        (frozenset({"min_p"}), {"min_p"}),
    ],
)
async def test_an_extension_goes_only_where_it_may_be_known(
    accepts: frozenset[str] | None, arrived: set[str]
) -> None:
    with FakeServer() as server:
        await replied(server, with_params(**SET), accepts=accepts)
        assert set(server.chats[0]) & {"top_k", "min_p", "repeat_penalty"} == arrived


async def test_an_endpoint_gets_its_own_field_names() -> None:
    rename = {"max_tokens": "max_completion_tokens", "seed": "random_seed"}
    with FakeServer() as server:
        await replied(server, with_params(max_tokens=9, seed=4), rename=rename)
        (sent,) = server.chats
    assert (sent["max_completion_tokens"], sent["random_seed"]) == (9, 4)
    assert not {"max_tokens", "seed"} & set(sent)


async def test_the_thread_is_sent_without_reasoning_errors_or_empty_replies() -> None:
    thread = [
        said("user", "one"),
        replace(said("assistant", "uno"), reasoning="let me think", error="It was cut."),
        said("user", "two"),
        replace(said("assistant", ""), status="failed", error="Nothing answers."),
        said("user", "three \x00 \U0001f600"),
    ]
    with FakeServer() as server:
        await replied(server, replace(SETUP, system="Be brief."), thread)
        (sent,) = server.chats
    assert [(one["role"], one["content"]) for one in sent["messages"]] == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "uno"),
        ("user", "two"),
        ("user", "three \x00 \U0001f600"),
    ]
    assert all(one.keys() == {"role", "content"} for one in sent["messages"])


async def test_the_key_travels_in_its_header_stripped() -> None:
    with FakeServer(key="k-12345") as server:
        tokens, _ = await replied(server, key=" k-12345\n")
    assert text(tokens) == "Hello, world."


async def test_a_base_url_is_used_as_it_is_meant() -> None:
    with FakeServer() as server:
        await replied(server, base_url=f"  {server.base_url}/ ")
        assert [one.path for one in server.requests] == ["/v1/chat/completions"]


LEAKS = {
    "OPENAI_API_KEY": "sk-ambient-key",
    "OPENAI_ADMIN_KEY": "sk-ambient-admin",
    "OPENAI_ORG_ID": "org-ambient",
    "OPENAI_PROJECT_ID": "proj-ambient",
    "OPENAI_LOG": "debug",
}
PROGRAM = """
import asyncio, sys
from tui_chat.core.conversation import Setup, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

async def main():
    provider = Provider(Endpoint("fake", sys.argv[1]), None)
    await provider.reply(Request(Setup("fake", "m"), [said("user", "a private prompt")]), lambda token: None)
    await provider.models()
    await provider.close()

asyncio.run(main())
"""


def test_nothing_of_the_environment_or_the_machine_reaches_a_server() -> None:
    with FakeServer() as server, FakeServer() as trap:
        root = trap.base_url.removesuffix("/v1")
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), root)
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.base_url],
            env={**os.environ, **LEAKS, **proxies, "OPENAI_BASE_URL": trap.base_url},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stdout, done.stderr) == ("", "")
        assert not trap.requests, "a local endpoint is asked directly"
        assert len(server.requests) == 2
        for request in server.requests:
            assert request.headers["authorization"] == "Bearer none"
            assert "ambient" not in json.dumps(request.headers)
            assert not [name for name in request.headers if name.startswith(("x-", "openai-"))]


@pytest.mark.parametrize(
    ("host", "told"), [("api.openai.com", True), ("api.openai.com.evil.example", False)]
)
async def test_openais_account_is_named_to_openai_alone(
    monkeypatch: pytest.MonkeyPatch, host: str, told: bool
) -> None:
    with FakeServer() as proxy:
        for name in ("NO_PROXY", "no_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        for name, value in LEAKS.items():
            monkeypatch.setenv(name, value)
        await replied(proxy, base_url=f"http://{host}/v1")
        (request,) = proxy.requests
    named = {name: value for name, value in request.headers.items() if name.startswith("openai-")}
    account = {"openai-organization": "org-ambient", "openai-project": "proj-ambient"}
    assert named == (account if told else {})
    assert not [name for name in request.headers if name.startswith("x-")]


async def test_a_redirect_is_not_followed() -> None:
    with FakeServer() as other:
        away = {"location": f"{other.base_url}/chat/completions"}
        with FakeServer(Answer(status=307, error=b"", headers=away)) as server:
            server.listed = Answer(status=301, error=b"", headers=away)
            async with provider_for(server) as provider:
                with pytest.raises(ChatError, match="nothing was sent there"):
                    await provider.reply(Request(SETUP, HI), print)
                with pytest.raises(ChatError, match="nothing was sent there"):
                    await provider.models()
        assert not other.requests


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SSL_CERT_FILE", "/nowhere/at/all.pem", "certificates cannot be read"),
        ("ALL_PROXY", "socks5://user:password@127.0.0.1:1", "SOCKS"),
        ("HTTPS_PROXY", "junk://user:password@127.0.0.1:1", "is not a URL"),
        ("HTTPS_PROXY", "http://user:password@127.0.0.1:99999999", "failed"),
    ],
)
async def test_an_environment_that_cannot_work_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    provider = Provider(Endpoint("fake", "https://host.invalid/v1"), None)
    with pytest.raises(ChatError, match=told) as caught:
        await provider.reply(Request(SETUP, HI), print)
    assert "password" not in str(caught.value)
    await provider.close()
