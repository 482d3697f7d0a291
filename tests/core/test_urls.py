"""What is taken for a server's URL, or for a key that was pasted in a wrong place, and what never is."""

from __future__ import annotations

import pytest

from tui_chat.core.urls import begins_as_key, holds_key, looks_like_key, url_of

WITH_PREFIX = (
    "sk-0123456789abcdef0123456789abcdef",
    "sk-proj-Ab3dEf6hIj9kLm-No2pQr5tUv8xYz_Bc4eFg7iJk",
    "sk-svcacct-Ab3dEf6hIj9kLmNo2pQr5tUv8xYz",
    "sk-ant-api03-Ab3dEf6hIj9kLm-No2pQr5tUv8xYz-AA",
    "sk-or-v1-0123456789abcdef0123456789abcdef0123456789abcdef",
    "gsk_Ab3dEf6hIj9kLmNo2pQr5tUv8xYzBc4eFg7iJkWGdyb3FY",
    "xai-Ab3dEf6hIj9kLmNo2pQr5tUv8xYzBc4eFg7iJk",
    "hf_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGh",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "pplx-0123456789abcdef0123456789abcdef0123456789abcdef",
    "r8_Ab3dEf6hIj9kLmNo2pQr5tUv8xYzBc4eFg7iJk",
    "key-0123456789abcdef0123456789abcdef",
    "csk-0123456789abcdefghijklmnopqrstuvwxyz0123456789ab",
    "fw_3ZAbCdEfGhIjKlMnOpQrStUv",
    "nvapi-Ab3dEf6hIj9kLm-No2pQr5tUv8xYz_Bc4eFg7iJk",
    "tgp_v1_Ab3dEf6hIj9kLmNo2pQr5tUv8xYzBc4eFg7iJk",
    "github_pat_11ABCDEFG0abcdefghij_KLMNOPQRST",
    "ghp_Ab3dEf6hIj9kLmNo2pQr5tUv8xYzBc4eFg7",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
)
WITHOUT = (
    "0123456789abcdef0123456789abcdef",
    "0123456789ABCDEF0123456789ABCDEF",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "Ab3dEf6hIj9kLmNo2pQr5tUv8xYzBc4e",
    "b4f0c1d2-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
)
NO_KEYS = (
    "gpt-4o-mini-2024-07-18",
    "gpt-4o-realtime-preview-2025-06-03",
    "gpt-5.2-chat-latest",
    "o4-mini-deep-research-2025-06-26",
    "chatgpt-4o-latest",
    "ft:gpt-4o-mini-2024-07-18:my-org:custom_suffix:9aBcD3fG",
    "computer-use-preview-2025-03-11",
    "claude-opus-4-1-20250805",
    "claude-3-5-sonnet-20241022",
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "models/gemini-2.5-flash-preview-native-audio-dialog",
    "gemini-2.5-flash-lite-preview-09-2025",
    "deepseek-v4-pro-20260801",
    "deepseek-r1-distill-llama-70b",
    "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
    "accounts/fireworks/models/llama-v3p3-70b-instruct",
    "accounts/fireworks/models/qwen3-235b-a22b-instruct-2507",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
    "Meta-Llama-3-1-405B-Instruct-Turbo",
    "Llama-3_1-Nemotron-Ultra-253B-v1",
    "nvidia/llama-3_3-nemotron-super-49b-v1_5",
    "mistralai/Mixtral-8x22B-Instruct-v0-1",
    "mistral-small-3-2-24b-instruct-2506",
    "open-mixtral-8x7b-instruct-20240101",
    "Qwen3-Coder-480B-A35B-Instruct-FP8-Dynamic",
    "qwen2-5-vl-72b-instruct-awq",
    "qwen3:30b-a3b-instruct-2507-q4_K_M",
    "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
    "moonshotai/kimi-k2-instruct-0905",
    "smollm2-135m-instruct",
    "keyword-extractor-large-2024",
    "xai/grok-4-1-fast-non-reasoning",
    "grok-4-fast-reasoning-20251119",
    "ai21-jamba-large-1-7-20250801",
    "text-embedding-3-large",
    "phi-3-5-mini-128k-instruct-onnx",
    "OPENAI_API_KEY_FOR_PROJECT_2",
    "my_own_variable_for_lab_2_key",
    "127.0.0.1:8080",
    "lab",
)


@pytest.mark.parametrize("text", WITH_PREFIX)
def test_a_key_is_known_by_its_beginning(text: str) -> None:
    assert begins_as_key(text)
    assert looks_like_key(text)
    for around in (f"Bearer {text}", f"“{text}”", f"OPENAI_API_KEY='{text}'", f"my key {text},"):
        assert holds_key(around)


@pytest.mark.parametrize("text", WITHOUT)
def test_a_key_without_a_beginning_of_its_own_is_known_where_no_model_is_named(text: str) -> None:
    assert looks_like_key(text)
    assert holds_key(f"key {text}")
    assert not begins_as_key(text)


@pytest.mark.parametrize("text", NO_KEYS)
def test_the_name_of_a_model_or_a_variable_is_no_key(text: str) -> None:
    assert not looks_like_key(text)
    assert not begins_as_key(text)
    assert not holds_key(f"name {text}")


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (" https://h/v1 ", "https://h/v1"),
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("127.0.0.1/v1", "http://127.0.0.1/v1"),
        ("[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("10.0.0.7:8000/v1", "http://10.0.0.7:8000/v1"),
        ("api.example.com/v1", "https://api.example.com/v1"),
        ("groq", ""),
        ("gpt-4.1 mini", ""),
        ("~/models/a.gguf", ""),
        ("/models/a.gguf", ""),
        ("", ""),
        ("me:sk-canary-0123456789@h.example", ""),
        ("[", ""),
        ("[::1", ""),
        ("//[x", ""),
    ],
)
def test_what_looks_like_a_server_is_one(typed: str, url: str) -> None:
    assert url_of(typed) == url
