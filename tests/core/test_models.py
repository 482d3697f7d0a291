"""The model that an endpoint begins with: listed, alive, for chats, and steerable where there is one."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.models import begun_with, chats, default_model, offered, past, shutdown
from tui_chat.core.served import ServedModel

KNOWN = {endpoint.name: endpoint for endpoint in known_endpoints()}
TODAY = date(2026, 11, 23)


def served(*names: str) -> tuple[ServedModel, ...]:
    return tuple(ServedModel(name) for name in names)


@pytest.mark.parametrize(
    ("endpoint", "listed", "expected"),
    [
        ("openai", "gpt-3.5-turbo gpt-4o gpt-4.1-mini-2025-04-14 gpt-4.1-mini gpt-6-astra", "gpt-4.1-mini"),
        ("openai", "gpt-6.2-sol gpt-4o-2024-11-20 gpt-6-astra", "gpt-4o-2024-11-20"),
        ("openai", "whisper-1 gpt-6.2-sol dall-e-3 gpt-5.4-mini", "gpt-5.4-mini"),
        ("openai", "gpt-4o-mini-tts gpt-4o-transcribe gpt-4o-audio-preview gpt-6-astra", "gpt-6-astra"),
        ("openai", "gpt-3.5-turbo", "gpt-3.5-turbo"),
        ("openai", "gpt-3.5-turbo gpt-6.2-sol", "gpt-6.2-sol"),
        ("openai", "text-embedding-3-small", "text-embedding-3-small"),
        ("anthropic", "claude-opus-5 claude-sonnet-5-20260801 claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"),
        ("anthropic", "claude-opus-5 claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-opus-5 claude-sonnet-5", "claude-sonnet-5"),
        ("gemini", "models/embedding-001 models/gemini-2.5-flash-preview-tts models/gemini-2.5-pro models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("gemini", "models/gemini-2.0-flash-live-001 models/gemini-2.5-flash-image models/gemini-2.5-pro", "models/gemini-2.5-pro"),
        ("groq", "whisper-large-v3 llama-guard-4-12b playai-tts openai/gpt-oss-20b llama-3.3-70b-versatile", "llama-3.3-70b-versatile"),
        ("groq", "meta-llama/llama-prompt-guard-2-22m openai/gpt-oss-20b", "openai/gpt-oss-20b"),
        ("together", "black-forest-labs/FLUX.1-dev meta-llama/Llama-3.3-70B-Instruct-Turbo", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("fireworks", "accounts/fireworks/models/flux-1-dev accounts/fireworks/models/llama-v3p3-70b-instruct", "accounts/fireworks/models/llama-v3p3-70b-instruct"),
        ("openrouter", "a/x anthropic/claude-opus-5 openai/gpt-4.1-mini", "openai/gpt-4.1-mini"),
        ("mistral", "mistral-embed mistral-ocr-latest mistral-small-2409 mistral-small-latest", "mistral-small-latest"),
        ("deepseek", "deepseek-v4-pro deepseek-flash", "deepseek-flash"),
        ("xai", "grok-4-0709 grok-4-fast-non-reasoning grok-2-image", "grok-4-fast-non-reasoning"),
        ("ollama", "nomic-embed-text:latest qwen3:8b llama3.2:3b", "llama3.2:3b"),
        ("llamacpp", "/models/some.gguf", "/models/some.gguf"),
        ("vllm", "org/model org/other", "org/model"),
        ("lmstudio", "text-embedding-nomic qwen2.5-7b-instruct", "qwen2.5-7b-instruct"),
    ],
)  # fmt: skip
def test_an_endpoint_begins_with(endpoint: str, listed: str, expected: str) -> None:
    assert default_model(KNOWN[endpoint], served(*listed.split()), TODAY) == expected


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_decide_among_favourites(order: random.Random) -> None:
    names = ["gpt-4o", "gpt-4.1", "gpt-4.1-mini", "gpt-6-astra", "gpt-4.1-mini-2025-04-14", "o3"]
    order.shuffle(names)
    assert default_model(KNOWN["openai"], served(*names), TODAY) == "gpt-4.1-mini"


def test_after_their_end_models_are_not_begun_with() -> None:
    listed = served("gpt-4.1-mini", "gpt-4o", "gpt-5.4")
    assert default_model(KNOWN["openai"], listed, date(2027, 1, 13)) == "gpt-4.1-mini"
    assert default_model(KNOWN["openai"], listed, date(2027, 1, 14)) == "gpt-5.4"


def test_the_servers_own_word_on_types_and_ends_counts_first() -> None:
    listed = (
        ServedModel("gpt-4.1-mini", shutdown="2026-01-01"),
        ServedModel("my-audio-llm", chats=True),
        ServedModel("gpt-4o", chats=False),
    )
    assert default_model(KNOWN["openai"], listed, TODAY) == "my-audio-llm"


def test_a_model_whose_list_says_that_it_takes_the_parameters_is_preferred() -> None:
    listed = (
        ServedModel("a/thinker", takes=frozenset(["max_tokens"])),
        ServedModel("b/talker", takes=frozenset(["temperature", "top_p"])),
    )
    assert default_model(Endpoint("lab"), listed, TODAY) == "b/talker"


def test_nothing_listed_is_nothing_to_begin_with() -> None:
    assert default_model(KNOWN["openai"], (), TODAY) == ""


@pytest.mark.parametrize("name", ["gpt-4o", "olive-7b", "clipper", "deepseek-chat", "lively-3b", "imagery-7b", "phi-4", "mistral-large", "stable-beluga"])  # fmt: skip
def test_names_that_only_look_like_those_of_other_models_are_for_chats(name: str) -> None:
    assert chats(ServedModel(name))


def test_known_ends_are_those_of_openai_alone() -> None:
    model = ServedModel("gpt-4o")
    assert shutdown(KNOWN["openai"], model) == "2027-01-14"
    assert shutdown(KNOWN["azure"], model) == ""
    assert shutdown(KNOWN["openai"], ServedModel("gpt-4o", shutdown="2028-01-01")) == "2028-01-01"
    assert past("2026-11-23", TODAY)
    assert not past("2026-11-24", TODAY)
    assert not past("", TODAY)


# What was used last


@pytest.mark.parametrize(
    ("listed", "last", "expected"),
    [
        ("", "b a", "b"),
        ("a b", "b", "b"),
        ("a c", "b a", "a"),
        ("c d", "b", "c"),
        ("", "", ""),
    ],
)
def test_an_endpoint_begins_with_what_was_used_there_last_if_it_is_still_there(
    listed: str, last: str, expected: str
) -> None:
    found = begun_with(Endpoint("lab"), served(*listed.split()), last.split(), TODAY)
    assert found == expected


def test_its_own_model_comes_after_the_last_one() -> None:
    lab = Endpoint("lab", model="own")
    assert begun_with(lab, (), (), TODAY) == "own"
    assert begun_with(lab, served("other"), (), TODAY) == "other"
    assert begun_with(lab, served("other", "own"), (), TODAY) == "own"
    assert begun_with(lab, (), ("last",), TODAY) == "last"


def test_a_deployment_need_not_be_in_the_catalogue() -> None:
    assert (
        begun_with(KNOWN["azure"], served("gpt-4o"), ("my-deployment",), TODAY) == "my-deployment"
    )


def test_those_used_last_are_offered_first_and_the_present_one_always() -> None:
    found = offered(served("a", "b", "c"), ["c", "gone"], "typed")
    assert [one.id for one in found] == ["c", "typed", "a", "b"]
    assert [one.id for one in offered(served("a", "b"), ["b"], "b")] == ["b", "a"]
