"""The models that a server lists, with what its list tells of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tui_chat.core.price import MILLION, Price, price_of
from tui_chat.core.text import one_line

_SIZES = (
    "max_model_len",  # vLLM
    "context_length",  # OpenRouter, Together, Fireworks
    "context_window",  # Groq
    "max_context_length",  # Mistral, LM Studio
    "max_input_tokens",  # Anthropic
)
LARGEST = 10**9
"""Tokens; what a list says beyond this is no size."""
_CHATS = frozenset({"chat", "language", "code", "llm", "vlm", "text", "base", "fine-tuned"})
"""Types of models that answer, of Together, LM Studio and Mistral."""
_NO_CHATS = frozenset(
    {"embedding", "embeddings", "image", "video", "audio", "moderation", "rerank", "transcribe"}
)


@dataclass(frozen=True)
class ServedModel:
    """A model in a server's list; `context` and `vocabulary` in tokens, None when the list does not say."""

    id: str
    context: int | None = None
    owner: str = ""
    vocabulary: int | None = None
    takes: frozenset[str] | None = None
    """The fields of a request that it takes, where the list says that (OpenRouter's does)."""
    price: Price | None = None
    shutdown: str = ""
    """The day on which it is, or was, shut down, `2027-01-14`."""
    chats: bool | None = None
    """Whether it answers in words, where the list says that."""


def served_model(row: Mapping[str, Any]) -> ServedModel:
    """A row of a list; each fact stands where one server or the other puts it."""
    name, owner, meta = row.get("id"), row.get("owned_by"), _table(row, "meta")
    if not isinstance(owner, str):
        owner = row.get("organization")  # Together
    takes = row.get("supported_parameters")
    sizes = [meta.get("n_ctx"), *(row.get(place) for place in _SIZES)]
    sizes.append(_table(row, "top_provider").get("context_length"))
    return ServedModel(
        one_line(name) if isinstance(name, str) else "",
        next(filter(None, map(_size, sizes)), None),
        one_line(owner, 60) if isinstance(owner, str) else "",
        _size(meta.get("n_vocab")),
        frozenset(map(str, takes)) if isinstance(takes, list) else None,
        _price(_table(row, "pricing")),
        _shutdown(row),
        _chats(row),
    )


def _size(value: object) -> int | None:
    return value if type(value) is int and 0 < value <= LARGEST else None


def _table(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = row.get(key)
    return value if isinstance(value, Mapping) else {}


def _price(table: Mapping[str, Any]) -> Price | None:
    if "prompt" in table:  # OpenRouter: dollars per token
        per = int(MILLION)
        read = price_of(
            table["prompt"], table.get("completion"), table.get("input_cache_read"), per=per
        )
        # What a picture or a request costs besides is not counted here, so it may not be free.
        rest = (table.get(name) for name in ("request", "image"))
        return None if read is None or (read.free and any(map(_costs, rest))) else read
    # Together: dollars per million, and zeros where it is sold by the hour
    read = price_of(table.get("input"), table.get("output"), table.get("cached_input"))
    return None if read is None or (read.free and any(map(_costs, table.values()))) else read


def _costs(value: object) -> bool:
    return str(value) not in ("0", "0.0", "None")


def _shutdown(row: Mapping[str, Any]) -> str:
    """Of OpenAI `shutdown_date`, of OpenRouter `expiration_date`, of Mistral and Azure `deprecation`."""
    days = [row.get("shutdown_date"), row.get("expiration_date"), row.get("deprecation")]
    days.append(_table(row, "deprecation").get("inference"))
    return next(filter(None, map(_day, days)), "")


def _day(value: object) -> str:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value.strip()).date().isoformat()
        if type(value) is int and value > 0:
            return datetime.fromtimestamp(value, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        pass
    return ""


def _chats(row: Mapping[str, Any]) -> bool | None:
    """Of Together and LM Studio `type`, of Mistral and Azure `capabilities`, of Fireworks
    `supports_chat`, of OpenRouter what comes out of it."""
    abilities = _table(row, "capabilities")
    for told in (
        abilities.get("completion_chat"),
        abilities.get("chat_completion"),
        row.get("supports_chat"),
    ):
        if isinstance(told, bool):
            return told
    outputs = _table(row, "architecture").get("output_modalities")
    if isinstance(outputs, list) and outputs:
        return "text" in outputs
    kind = row.get("type")
    if not isinstance(kind, str):
        return None
    return False if kind in _NO_CHATS else True if kind in _CHATS else None


def listed(body: object) -> dict[str, ServedModel] | None:
    """The models of a list as a server answers it, by their ids, in its order; None where it is none."""
    rows = body.get("data") if isinstance(body, Mapping) else body
    if not isinstance(rows, list):
        return None
    served = [one for row in rows if isinstance(row, Mapping) and (one := _read(row)) is not None]
    first = {model.id: model for model in reversed(served) if model.id}
    return {name: first[name] for name in dict.fromkeys(one.id for one in served) if name}


def _read(row: Mapping[str, Any]) -> ServedModel | None:
    try:
        return served_model(row)
    except (ArithmeticError, TypeError, ValueError, RecursionError):
        return None  # One odd row takes no other away.


_ELSEWHERE = re.compile(
    r"(?:.*/)?(?:gpt-(?!oss|2|j|neo)\d|chatgpt-|o[134](?:-|$)|claude-|gemini-\d|grok-\d|command-a-0)",
    re.I,
)


def made_elsewhere(model: str) -> bool:
    """Whether only its maker serves a model of this name: whatever has it on this machine sends requests on."""
    return _ELSEWHERE.match(model) is not None
