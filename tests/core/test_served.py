"""Each server's list of models is read as its documents show it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tui_chat.core.price import Price
from tui_chat.core.served import ServedModel, served_model

OPENROUTER = {
    "id": "openai/gpt-4.1-mini",
    "canonical_slug": "openai/gpt-4.1-mini-2025-04-14",
    "name": "OpenAI: GPT-4.1 Mini",
    "created": 1744651381,
    "context_length": 1047576,
    "architecture": {
        "modality": "text+image->text",
        "input_modalities": ["text", "image"],
        "output_modalities": ["text"],
        "tokenizer": "GPT",
    },
    "pricing": {
        "prompt": "0.0000004",
        "completion": "0.0000016",
        "request": "0",
        "image": "0",
        "input_cache_read": "0.0000001",
    },
    "top_provider": {"context_length": 1047576, "max_completion_tokens": 32768},
    "per_request_limits": None,
    "supported_parameters": ["temperature", "top_p", "max_tokens"],
    "expiration_date": None,
}
TOGETHER = {
    "id": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
    "object": "model",
    "created": 1733462400,
    "type": "chat",
    "organization": "Meta",
    "context_length": 131072,
    "pricing": {"hourly": 0, "input": 0.88, "output": 0.88, "base": 0, "finetune": 0},
}
MISTRAL = {
    "id": "mistral-small-2409",
    "object": "model",
    "created": 1727000000,
    "owned_by": "mistralai",
    "capabilities": {"completion_chat": True, "completion_fim": False, "vision": False},
    "max_context_length": 32768,
    "aliases": [],
    "deprecation": "2026-11-30T12:00:00Z",
    "deprecation_replacement_model": "mistral-small-latest",
    "default_model_temperature": 0.7,
    "type": "base",
}
AZURE = {
    "status": "succeeded",
    "capabilities": {"fine_tune": False, "inference": True, "chat_completion": False},
    "lifecycle_status": "generally-available",
    "deprecation": {"fine_tune": 1677662127, "inference": 1709284527},
    "id": "curie",
    "created_at": 1646126127,
    "object": "model",
}
ROWS: list[tuple[dict[str, Any], ServedModel]] = [
    (
        {"id": "gpt-4o", "object": "model", "owned_by": "system", "shutdown_date": "2027-01-14"},
        ServedModel("gpt-4o", owner="system", shutdown="2027-01-14"),
    ),
    (
        {"id": "gpt-5.2", "object": "model", "owned_by": "system", "shutdown_date": None},
        ServedModel("gpt-5.2", owner="system"),
    ),
    (
        OPENROUTER,
        ServedModel(
            "openai/gpt-4.1-mini",
            1047576,
            takes=frozenset(["temperature", "top_p", "max_tokens"]),
            price=Price(Decimal("0.4"), Decimal("1.6"), Decimal("0.1")),
            chats=True,
        ),
    ),
    (
        TOGETHER,
        ServedModel(
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            131072,
            "Meta",
            price=Price(Decimal("0.88"), Decimal("0.88")),
            chats=True,
        ),
    ),
    (
        {"id": "whisper-large-v3", "owned_by": "OpenAI", "active": True, "context_window": 448},
        ServedModel("whisper-large-v3", 448, "OpenAI"),
    ),
    (
        MISTRAL,
        ServedModel("mistral-small-2409", 32768, "mistralai", shutdown="2026-11-30", chats=True),
    ),
    (
        {"id": "claude-haiku-4-5-20251001", "type": "model", "display_name": "Claude Haiku 4.5"},
        ServedModel("claude-haiku-4-5-20251001"),
    ),
    (
        {"id": "models/gemini-2.5-flash", "object": "model", "owned_by": "google"},
        ServedModel("models/gemini-2.5-flash", owner="google"),
    ),
    (
        {
            "id": "accounts/fireworks/models/flux-1-dev",
            "owned_by": "fireworks",
            "kind": "FLUMINA_BASE_MODEL",
            "supports_chat": False,
            "context_length": 0,
        },
        ServedModel("accounts/fireworks/models/flux-1-dev", owner="fireworks", chats=False),
    ),
    (
        {
            "id": "smollm2",
            "owned_by": "llamacpp",
            "meta": {"n_vocab": 49152, "n_ctx": 4096, "n_ctx_train": 8192},
        },
        ServedModel("smollm2", 4096, "llamacpp", 49152),
    ),
    (
        {"id": "org/model", "owned_by": "vllm", "root": "org/model", "max_model_len": 8192},
        ServedModel("org/model", 8192, "vllm"),
    ),
    (AZURE, ServedModel("curie", shutdown="2024-03-01", chats=False)),
    (
        {"id": "BAAI/bge-base", "type": "embedding", "pricing": {"input": 0.008, "output": 0}},
        ServedModel(
            "BAAI/bge-base", price=Price(Decimal("0.008"), Decimal("0")), chats=False
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), ROWS, ids=lambda one: getattr(one, "id", ""))
def test_a_row_is_read_as_its_server_means_it(row: dict[str, Any], expected: ServedModel) -> None:
    assert served_model(row) == expected


@pytest.mark.parametrize(
    "pricing",
    [
        {"prompt": "-1", "completion": "-1"},  # OpenRouter's word for a model that it picks itself
        {"prompt": "0", "completion": "0", "request": "0.01"},
        {"prompt": "0", "completion": "0", "image": "0.04"},
        {"input": 0, "output": 0, "hourly": 2.5},
        {"prompt": "much", "completion": "0.1"},
        {"prompt": "NaN", "completion": "Infinity"},
        {"prompt": "1e99", "completion": "1"},
        {"input": True, "output": True},
        {"input": [1], "output": {}},
        {},
        "free",
        None,
    ],
)
def test_what_is_no_price_is_none_and_not_free(pricing: object) -> None:
    assert served_model({"id": "m", "pricing": pricing}).price is None


def test_a_model_that_the_list_gives_away_is_free() -> None:
    price = served_model({"id": "m:free", "pricing": {"prompt": "0", "completion": "0"}}).price
    assert price is not None
    assert price.free
    assert str(price) == "free"


@pytest.mark.parametrize("day", ["soon", "", 0, -5, 10**30, "2026-13-45", ["2026-01-01"], True])
def test_what_is_no_day_is_none(day: object) -> None:
    assert served_model({"id": "m", "shutdown_date": day, "deprecation": day}).shutdown == ""
