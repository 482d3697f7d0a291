"""The models that a server lists, with what its list tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui_chat.core.text import one_line


@dataclass(frozen=True)
class ServedModel:
    """A model in a server's list; `context` and `vocabulary` in tokens, None when the list does not say."""

    id: str
    context: int | None = None
    owner: str = ""
    vocabulary: int | None = None
    takes: frozenset[str] | None = None
    """The fields of a request that it takes, where the list says that (OpenRouter's does)."""


def served_model(row: Mapping[str, Any]) -> ServedModel:
    """A row of a list; its context window stands where llama.cpp, vLLM or others put it."""
    name, owner, meta = row.get("id"), row.get("owned_by"), row.get("meta")
    meta = meta if isinstance(meta, Mapping) else {}
    vocabulary = meta.get("n_vocab")
    takes = row.get("supported_parameters")
    sizes = [meta.get("n_ctx")]
    sizes += [row.get(place) for place in ("max_model_len", "context_length", "context_window")]
    return ServedModel(
        one_line(name) if isinstance(name, str) else "",
        next((size for size in sizes if isinstance(size, int) and size > 0), None),
        one_line(owner, 60) if isinstance(owner, str) else "",
        vocabulary if isinstance(vocabulary, int) and vocabulary > 0 else None,
        frozenset(map(str, takes)) if isinstance(takes, list) else None,
    )
