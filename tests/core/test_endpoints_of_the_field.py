"""Every endpoint of the field: a request with everything set arrives, with the fields that its provider
takes and the notices that are due; the fakes enforce what the providers' documents say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests import providers
from tests.core.wire import HI, text
from tests.fake_server import Answer, Body, FakeServer
from tests.rules import ALWAYS, Rules, refused
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Setup, Token
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.keys import Secret
from tui_chat.core.params import PARAMETERS, Params
from tui_chat.core.provider import Provider
from tui_chat.core.wire import Request

KNOWN = {endpoint.name: endpoint for endpoint in known_endpoints()}
ALL: Mapping[str, Any] = {
    "temperature": 0.75, "top_p": 0.5, "max_tokens": 64, "stop": ["END"], "frequency_penalty": 0.5,
    "presence_penalty": 0.25, "seed": 7, "top_k": 40, "min_p": 0.125, "repeat_penalty": 1.25,
    "reasoning_effort": "low", "verbosity": "low",
}  # fmt: skip
COUNTED = {"stream_options": {"include_usage": True}}
PROBABLE = {"logprobs": True, "top_logprobs": 5}
STANDARD = {name: value for name, value in ALL.items() if not {name} & {
    "top_k", "min_p", "repeat_penalty", "reasoning_effort", "verbosity",
}} | COUNTED | PROBABLE  # fmt: skip
"""What a server gets that takes OpenAI's fields, those that older models have."""
UNKNOWN = "does not know it"


def fields(*left_out: str, **more: Any) -> Body:
    """The usual fields without some and with others."""
    return {name: value for name, value in STANDARD.items() if name not in left_out} | more


def samplers(name: str = "repeat_penalty") -> Body:
    """What engines of open models take besides; the last under the name that they give it."""
    return {"top_k": ALL["top_k"], "min_p": ALL["min_p"], name: ALL["repeat_penalty"]}


def unknown(*names: str) -> dict[str, str]:
    """The notices for parameters that an endpoint is known not to know."""
    return dict.fromkeys(names, UNKNOWN)


@dataclass(frozen=True)
class Row:
    """A model of an endpoint, how its provider behaves, and what must come of a request."""

    endpoint: str
    model: str
    rules: Rules
    wire: Mapping[str, Any]
    """All fields of the request that was answered, but for the model, the messages and the stream."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """All notices: which parameter was not sent, and what the words for it hold."""
    requests: int = 1
    """More than one where the server itself must refuse, because nobody could know."""
    changed: Mapping[str, Any] = field(default_factory=dict)
    """Values other than those of ALL."""


NO_PROBABILITIES = {"logprobs": "no probabilities"}
SHORT = {"max_completion_tokens": 64}
EXTENSIONS = ("top_k", "min_p", "repeat_penalty")
NO_REASONING = {"reasoning_effort": "it does not reason", "verbosity": "it does not reason"}
ONLY_REASONS = {
    "stop": "no stop sequences", "frequency_penalty": "no penalties", "presence_penalty": "no penalties",
}  # fmt: skip
ROWS = {
    "built-in": Row(
        "built-in", "smollm2", providers.LETS_PASS, fields(**samplers()),
        unknown("reasoning_effort", "verbosity"),
    ),
    "OpenAI, a model that samples": Row(
        "openai", "gpt-4.1-mini", providers.OPENAI_41, fields("max_tokens", **SHORT),
        unknown(*EXTENSIONS) | NO_REASONING,
    ),
    "OpenAI, a model that only reasons": Row(
        "openai", "gpt-5-mini", providers.OPENAI_5,
        {**SHORT, **COUNTED, "seed": 7, "reasoning_effort": "low", "verbosity": "low"},
        unknown(*EXTENSIONS) | ONLY_REASONS
        | {"temperature": "only the default", "top_p": "does not take it", "logprobs": "does not take it"},
    ),
    "OpenAI, effort none by itself": Row(
        "openai", "gpt-5.4", providers.OPENAI_54,
        {**SHORT, **COUNTED, **PROBABLE, "temperature": 0.75, "top_p": 0.5, "seed": 7, "verbosity": "low"},
        unknown(*EXTENSIONS) | ONLY_REASONS, changed={"reasoning_effort": None},
    ),
    "OpenAI, effort none asked for": Row(
        "openai", "gpt-6-luna", providers.OPENAI_6,
        {**SHORT, **COUNTED, **PROBABLE, "temperature": 0.75, "top_p": 0.5, "seed": 7,
         "reasoning_effort": "none", "verbosity": "low"},
        unknown(*EXTENSIONS) | ONLY_REASONS, changed={"reasoning_effort": "none"},
    ),
    "OpenAI, a model that reasons unless told": Row(
        "openai", "gpt-6-luna", providers.OPENAI_6,
        {**SHORT, **COUNTED, "seed": 7, "reasoning_effort": "low", "verbosity": "low"},
        unknown(*EXTENSIONS) | ONLY_REASONS
        | dict.fromkeys(("temperature", "top_p", "logprobs"), "only with reasoning effort none"),
    ),
    "OpenAI, a model that nobody knows yet": Row(
        "openai", "gpt-9", providers.OPENAI_5,
        {**SHORT, **COUNTED, "seed": 7, "reasoning_effort": "low", "verbosity": "low"},
        unknown(*EXTENSIONS) | {"temperature": "Only the default (1) value"}
        | dict.fromkeys(("top_p", "logprobs", "stop", "frequency_penalty", "presence_penalty"),
                        "is not supported with this model."),
        requests=7,
    ),
    "Azure, a name that tells nothing": Row(
        "azure", "my-deployment", providers.OPENAI_41, fields("max_tokens", **SHORT),
        unknown(*EXTENSIONS)
        | {"reasoning_effort": "Unrecognized request argument", "verbosity": "Supported values are"},
        requests=3,
    ),
    "Anthropic, not both": Row(
        "anthropic", "claude-haiku-4-5", providers.ANTHROPIC_45,
        fields("top_p", *PROBABLE, reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity") | NO_PROBABILITIES | {"top_p": "temperature and top p together"},
    ),
    "Anthropic, no temperature": Row(
        "anthropic", "claude-opus-5", providers.ANTHROPIC_5,
        fields("temperature", *PROBABLE, reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity") | NO_PROBABILITIES | {"temperature": "deprecated for this model"},
    ),
    "Anthropic, a stop of white space": Row(
        "anthropic", "claude-haiku-4-5", providers.ANTHROPIC_45,
        fields("top_p", "stop", *PROBABLE, reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity") | NO_PROBABILITIES | {"stop": "white space"},
        changed={"stop": ["\n"], "top_p": None},
    ),
    "Gemini": Row(
        "gemini", "models/gemini-3-flash", providers.GEMINI,
        fields("frequency_penalty", "presence_penalty", "seed", *PROBABLE, reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity")
        | {"frequency_penalty": "does not know penalties", "presence_penalty": "does not know penalties",
           "seed": "did not know it", "logprobs": "no probabilities"},
    ),
    "Meta": Row(
        "meta", "muse-spark-1", providers.META, fields(reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity"),
    ),
    "Meta, effort none": Row(
        "meta", "muse-spark-1", providers.META, fields(),
        unknown(*EXTENSIONS, "verbosity") | {"reasoning_effort": "does not take none"},
        changed={"reasoning_effort": "none"},
    ),
    "Groq": Row(
        "groq", "llama-3.3-70b-versatile", providers.GROQ, fields(*PROBABLE),
        unknown(*EXTENSIONS, "verbosity")
        | {"logprobs": "no probabilities", "reasoning_effort": "does not reason"},
    ),
    "Together": Row(
        "together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", providers.TOGETHER,
        fields(*PROBABLE, logprobs=5, **samplers("repetition_penalty")),
        unknown("reasoning_effort", "verbosity"),
    ),
    "Fireworks": Row(
        "fireworks", "accounts/fireworks/models/llama-v3p3-70b-instruct", providers.FIREWORKS,
        fields(**samplers("repetition_penalty")), unknown("reasoning_effort", "verbosity"),
    ),
    "OpenRouter": Row(
        "openrouter", "openai/gpt-4o-mini", providers.OPENROUTER,
        fields(**samplers("repetition_penalty"), reasoning_effort="low", verbosity="low"),
    ),
    "Mistral": Row(
        "mistral", "mistral-small-latest", providers.MISTRAL,
        fields("seed", *PROBABLE, *COUNTED, random_seed=7),
        unknown(*EXTENSIONS, "reasoning_effort", "verbosity")
        | {"logprobs": "no probabilities"},
    ),
    "Mistral, too hot": Row(
        "mistral", "mistral-small-latest", providers.MISTRAL,
        fields("seed", "temperature", *PROBABLE, *COUNTED, random_seed=7),
        unknown(*EXTENSIONS, "reasoning_effort", "verbosity")
        | {"logprobs": "no probabilities", "temperature": "0 to 1.5"},
        changed={"temperature": 1.75},
    ),
    "DeepSeek, thinking": Row(
        "deepseek", "deepseek-flash", providers.DEEPSEEK, fields(*PROBABLE, reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity") | {"logprobs": "while it thinks"},
    ),
    "DeepSeek, not thinking": Row(
        "deepseek", "deepseek-flash", providers.DEEPSEEK, fields(thinking={"type": "disabled"}),
        unknown(*EXTENSIONS, "verbosity"), changed={"reasoning_effort": "none"},
    ),
    "xAI, a model that does not reason": Row(
        "xai", "grok-4.20-0309-non-reasoning", providers.XAI_FAST,
        fields("frequency_penalty", "presence_penalty"),
        unknown(*EXTENSIONS, "verbosity")
        | {"frequency_penalty": "presence penalty", "presence_penalty": "takes no penalties",
           "reasoning_effort": "does not reason"},
    ),
    "xAI, a model that reasons": Row(
        "xai", "grok-4.6", providers.XAI_REASONS,
        fields("frequency_penalty", "presence_penalty", "stop", *PROBABLE, reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity")
        | {"frequency_penalty": "presence penalty", "presence_penalty": "takes no penalties",
           "stop": "do not take it", "logprobs": "no probabilities"},
    ),
    "Ollama": Row(
        "ollama", "qwen3:8b", providers.LETS_PASS, fields(reasoning_effort="low"),
        unknown(*EXTENSIONS, "verbosity"),
    ),
    "LM Studio": Row(
        "lmstudio", "qwen3-8b", providers.LETS_PASS, fields(top_k=40, repeat_penalty=1.25),
        unknown("min_p", "reasoning_effort", "verbosity"),
    ),
    "llama.cpp": Row(
        "llamacpp", "smollm2", providers.LETS_PASS, fields(**samplers()),
        unknown("reasoning_effort", "verbosity"),
    ),
    "vLLM": Row(
        "vllm", "Qwen/Qwen3-8B", providers.VLLM,
        fields(**samplers("repetition_penalty"), reasoning_effort="low"), unknown("verbosity"),
    ),
    "LiteLLM": Row(
        "litellm", "small", providers.LITELLM, fields(),
        dict.fromkeys(EXTENSIONS, "does not support parameters")
        | {"reasoning_effort": "Unrecognized request argument", "verbosity": "Supported values are"},
        requests=6,
    ),
}  # fmt: skip


def setup_of(row: Row) -> Setup:
    values = {name: value for name, value in {**ALL, **row.changed}.items() if value is not None}
    return Setup(row.endpoint, row.model, params=Params(values))


async def asked(
    provider: Provider, setup: Setup, logprobs: int = 5
) -> tuple[str, Ending, list[str]]:
    """The text of a reply, its ending, and which refusals were told at once."""
    tokens: list[Token] = []
    told: list[str] = []
    request = Request(setup, HI, logprobs=logprobs)
    ending = await provider.reply(request, tokens.append, notice=lambda one: told.append(one.name))
    return text(tokens), ending, told


@asynccontextmanager
async def provider_for(
    endpoint: Endpoint, rules: Rules
) -> AsyncIterator[tuple[Provider, FakeServer]]:
    """The program's client for an endpoint whose provider enforces these rules."""
    with FakeServer() as server:
        server.answers = rules
        provider = Provider(replace(endpoint, base_url=server.base_url), Secret("key-0123456789"))
        try:
            yield provider, server
        finally:
            await provider.close()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
async def test_a_request_with_everything_set_arrives(row: Row) -> None:
    async with provider_for(KNOWN[row.endpoint], row.rules) as (provider, server):
        said, ending, told = await asked(provider, setup_of(row))
        sent = {name: value for name, value in server.requests[-1].body.items() if name not in ALWAYS}  # fmt: skip
        assert len(server.requests) == row.requests
    assert said == "Hello, world."
    assert sent == row.wire
    assert {one.name for one in ending.refused} == row.refused.keys()
    for one in ending.refused:
        assert row.refused[one.name] in one.words
    # What was known before is in the ending alone; what the server refused is told at once, too.
    assert len(told) <= row.requests - 1


async def test_a_switch_is_sent_where_a_number_of_candidates_is_refused() -> None:
    """As newer models of Together want it (inspect_ai, issue 5149)."""

    def answer(body: Body) -> Answer:
        if type(body.get("logprobs")) is int:
            return refused("Input validation error: expected a boolean")
        return Answer()

    async with provider_for(KNOWN["together"], Rules()) as (provider, server):
        server.answers = answer
        setup = Setup("together", "new-model")
        for requests in (2, 3):
            said, ending, _ = await asked(provider, setup)
            assert (said, ending.refused) == ("Hello, world.", ())
            assert len(server.requests) == requests
        assert server.requests[-1].body["logprobs"] is True
        assert server.requests[-1].body["top_logprobs"] == 5


def test_each_known_endpoint_is_tried() -> None:
    assert {row.endpoint for row in ROWS.values()} == KNOWN.keys()
    assert ALL.keys() == {parameter.name for parameter in PARAMETERS}


# Those that refuse a field by itself, whatever else is sent.
STRICT = {
    name: rules
    for name, rules in vars(providers).items()
    if isinstance(rules, Rules)
    and rules not in (providers.LETS_PASS, providers.OPENROUTER, providers.ANTHROPIC_45)
}


@pytest.mark.parametrize("rules", STRICT.values(), ids=STRICT.keys())
async def test_where_nothing_is_known_each_refusal_is_understood(rules: Rules) -> None:
    """One parameter at a time, each of a model of its own, of a server that is known by its URL alone."""
    alone: list[tuple[str, Body, int]] = [(name, {name: value}, 0) for name, value in ALL.items()]
    alone.append(("logprobs", PROBABLE, 5))
    tried = [row for row in alone if rules({"model": "m", "messages": [], **row[1]}).status != 200]
    assert tried
    async with provider_for(Endpoint("server", ""), rules) as (provider, server):
        for name, body, logprobs in tried:
            params = Params({} if logprobs else body)
            said, ending, told = await asked(
                provider, Setup("server", name, params=params), logprobs
            )
            assert said == "Hello, world."
            assert name in [one.name for one in ending.refused]
            assert told == [name]
            assert name not in server.requests[-1].body
