"""What an endpoint tells beside replies: its list of models, and how many tokens a thread has."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.core.wire import HI, SETUP, provider_for
from tests.fake_server import Answer, FakeServer
from tui_chat.core.errors import ChatError
from tui_chat.core.served import ServedModel


async def test_the_models_are_listed_in_the_servers_order() -> None:
    with FakeServer(models=("b", "a", "c"), context=4096) as server:
        async with provider_for(server) as provider:
            models = await provider.models()
        assert server.count("/v1/models") == 1
    assert models == tuple(ServedModel(name, 4096, "us") for name in ("b", "a", "c"))


async def test_odd_lists_of_models_are_read_as_far_as_they_go() -> None:
    rows = [
        {"id": "good", "max_model_len": 8192},
        {"id": "evil\x1b[2J\n[bold]", "context_length": 10, "owned_by": {"a": 1}},
        {"id": "good", "max_model_len": 1},
        {"id": ""},
        {"id": 7},
        "text",
        None,
        {"id": "zero", "meta": {"n_ctx": 0}, "context_window": 99},
        {"id": "bare", "meta": None, "max_model_len": "much"},
    ]
    expected = (
        ServedModel("good", 8192),
        ServedModel("evil␛[2J [bold]", 10),
        ServedModel("zero", 99),
        ServedModel("bare"),
    )
    for body in ({"data": rows}, rows):
        raw = json.dumps(body).encode()
        with FakeServer() as server:
            server.listed = Answer(raw=raw, content_type="application/json")
            async with provider_for(server) as provider:
                assert await provider.models() == expected


async def test_a_list_of_many_models_is_read_whole() -> None:
    with FakeServer(models=[f"vendor/model-{number}" for number in range(3_000)]) as server:
        async with provider_for(server) as provider:
            models = await provider.models()
    assert len(models) == 3_000
    assert models[-1].id == "vendor/model-2999"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(raw=b"<html><body>hi", content_type="text/html"), "is a web page"),
        (Answer(raw=b"<html><body>hi", content_type="application/json"), "not in the API's form"),
        (Answer(raw=b"{}", content_type="application/json"), "not an API answer"),
        (
            Answer(raw=b'{"error": "no models here"}', content_type="application/json"),
            "answered with an error: no models here",
        ),
        (Answer(raw=b'{"data": {"a": 1}}', content_type="application/json"), "not an API answer"),
        (Answer(raw=b"hello", content_type="text/plain"), "It begins: hello"),
        (Answer(raw=b"", content_type=""), "not an API answer"),
        (Answer(status=404, error={"detail": "Not Found"}), "There is no API"),
        (Answer(status=500, error=b""), "fault of its own"),
        (Answer(wire=b""), "closed the connection"),
    ],
)
async def test_a_list_that_cannot_be_had_is_told(answer: Answer, message: str) -> None:
    with FakeServer() as server:
        server.listed = answer
        async with provider_for(server) as provider:
            with pytest.raises(ChatError) as caught:
                await provider.models()
    assert message in caught.value.message


async def test_an_endpoint_that_counts_is_asked_for_what_would_be_sent() -> None:
    setup = replace(SETUP, system="Be brief.")
    with FakeServer(counted=31) as server:
        async with provider_for(server, counts_tokens=True) as provider:
            assert await provider.count(setup, HI) == 31
        (request,) = server.requests
    assert request.path == "/v1/chat/completions/input_tokens"
    assert request.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
    ]


async def test_an_endpoint_that_cannot_count_counts_nothing() -> None:
    with FakeServer() as server:
        async with provider_for(server) as provider:
            assert await provider.count(SETUP, HI) is None
            assert not server.requests
        async with provider_for(server, counts_tokens=True) as provider:
            assert await provider.count(SETUP, HI) is None
            assert len(server.requests) == 1


@pytest.mark.parametrize("listed", ["models/gemini-2.5-flash", "gemini-2.5-flash"])
async def test_a_model_is_found_in_the_list_with_and_without_its_prefix(listed: str) -> None:
    with FakeServer(models=[listed], context=1000) as server:
        async with provider_for(server) as provider:
            assert provider.served(listed) is None
            await provider.models()
            for name in ("models/gemini-2.5-flash", "gemini-2.5-flash"):
                found = provider.served(name)
                assert found is not None
                assert found.context == 1000
            assert provider.served("gemini") is None
