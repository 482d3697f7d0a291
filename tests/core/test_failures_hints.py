"""What a failure advises is something that can help there: no question is asked whose answer is known."""

from __future__ import annotations

import pytest

from tests.core.failing import openai
from tests.core.wire import HI, SETUP, provider_for, with_params
from tests.fake_server import Answer, FakeServer
from tui_chat.core.conversation import Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.wire import Request

PAGE = b"<!DOCTYPE html><html><body>Welcome</body></html>"
WRONG_PLACES = {
    "a page": Answer(raw=PAGE, content_type="text/html"),
    "another service": Answer(raw=b'{"hello": "world"}', content_type="application/json"),
    "a text": Answer(raw=b"It works!", content_type="text/plain"),
    "nothing there": Answer(status=404, error={"detail": "Not Found"}),
    "a page that is not there": Answer(status=404, error=PAGE),
    "no such method": Answer(status=405, error={}),
}


async def failed(server: FakeServer, base_url: str, setup: Setup = SETUP) -> ChatError:
    async with provider_for(server, base_url=base_url) as provider:
        with pytest.raises(ChatError) as caught:
            await provider.reply(Request(setup, HI), lambda token: None)
    return caught.value


@pytest.mark.parametrize("answer", WRONG_PLACES.values(), ids=WRONG_PLACES.keys())
async def test_whether_the_base_url_ends_in_v1_is_asked_only_where_it_does_not(
    answer: Answer,
) -> None:
    with FakeServer(answer) as server:
        bare = server.base_url.removesuffix("/v1")
        for base_url, asked in ((bare, True), (bare + "/v1", False), (bare + "/v1/", False)):
            told = await failed(server, base_url)
            assert ("end in /v1?" in told.hint) == asked
            assert told.hint


async def test_parameters_are_looked_at_only_where_some_are_set() -> None:
    for status in (400, 409, 422):
        for error in (openai("Bad thing."), {"odd": [1]}, b""):
            with FakeServer(Answer(status=status, error=error)) as server:
                none = await failed(server, server.base_url)
                some = await failed(server, server.base_url, with_params(temperature=0.5))
            assert some.hint == "Look at the parameters that are set."
            assert "parameters" not in none.hint
            assert none.hint == ("" if "It says" in none.message else "It tells no more.")


async def test_a_list_of_models_that_is_refused_has_no_parameters() -> None:
    with FakeServer() as server:
        server.listed = Answer(status=400, error=openai("Bad thing."))
        async with provider_for(server) as provider:
            with pytest.raises(ChatError) as caught:
                await provider.models()
    assert "parameters" not in caught.value.hint
