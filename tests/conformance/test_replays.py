"""What the documents of servers show, read through the program: text, status, counts and words come out right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.replay import FILES, Expected, Replay, read
from tests.fake_server import FakeServer
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

KEY = "sk-replayed-0123456789"
COUNTS = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens")


async def _asked(
    replay: Replay, endpoint: Endpoint, tokens: list[Token]
) -> tuple[Ending | None, list[str], str]:
    """How the reply ended, which refusals were told at once, and the words of the error if there was one."""
    provider = Provider(endpoint, Secret(KEY))
    setup = Setup(endpoint.name, replay.model, params=Params(replay.params))
    completes = replay.asks == "completion"
    request = Request(setup, [said("user", "Hello")], completes=completes, logprobs=replay.logprobs)
    told: list[str] = []
    try:
        if replay.asks == "models":
            served = await provider.models()
            assert [model.id for model in served] == replay.expect.models
            contexts = {model.id: model.context for model in served if model.context}
            assert contexts == replay.expect.context
            return None, told, ""
        notice = told.append
        ending = await provider.reply(request, tokens.append, notice=lambda one: notice(one.name))
        return ending, told, ""
    except ChatError as error:
        return None, told, str(error)
    finally:
        await provider.close()


def _check_reply(expect: Expected, ending: Ending, tokens: list[Token]) -> None:
    assert "".join(token.text for token in tokens if not token.reasoning) == expect.text
    assert "".join(token.text for token in tokens if token.reasoning) == expect.reasoning
    assert ending.status == expect.status
    assert expect.finish in (None, ending.finish_reason)
    assert expect.request_id in (None, ending.request_id)
    assert expect.model in (None, ending.model)
    counts = {name: getattr(ending.usage, name) for name in COUNTS}
    assert {name: count for name, count in counts.items() if count is not None} == expect.usage
    refused = {one.name: one for one in ending.refused}
    assert refused.keys() == expect.refused.keys()
    for name, words in expect.refused.items():
        assert words in refused[name].words
        assert refused[name].sent_as == expect.sent_as.get(name, "")
    probable = [token for token in tokens if token.logprob is not None]
    assert [token.logprob for token in probable] == expect.logprobs
    if expect.bytes:
        assert [list(token.raw) for token in probable] == expect.bytes
    assert bool(ending.error) == bool(expect.says)
    for words in expect.says:
        assert words in ending.error


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_what_a_document_shows_is_read_as_it_is_meant(path: Path) -> None:
    replay, tokens = read(path), list[Token]()
    expect = replay.expect
    with FakeServer() as server:
        replay.serve(server)
        endpoint = replay.placed(server.base_url)
        ending, told, failure = await _asked(replay, endpoint, tokens)
        requests = server.requests
    assert replay.source.startswith("https://")
    assert len(requests) == len(replay.answers), "each answer is asked for once"
    assert bool(failure) == bool(expect.fails), failure
    for words in expect.fails:
        assert words in failure
    if ending is not None:
        _check_reply(expect, ending, tokens)
        # What was known before is not told anew; what the server refused is told at once.
        assert set(told) <= expect.refused.keys()
    last = requests[-1].body or {}
    assert {name: last.get(name) for name in expect.sent} == expect.sent
    assert not set(expect.unsent) & last.keys()
    shown = f"{failure} {ending}"
    for words in (KEY, *expect.silent_on):
        assert words not in shown


def test_there_are_replays_of_every_kind_of_server() -> None:
    named = {read(path).endpoint for path in FILES}
    assert named >= {
        "openai", "anthropic", "gemini", "ollama", "vllm", "openrouter",
        "deepseek", "groq", "mistral", "azure",
    }  # fmt: skip
