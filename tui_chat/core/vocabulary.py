"""The token vocabularies shipped with the program: their tokens, split patterns and special tokens.

Each vocabulary is, token for token, the one that OpenAI publishes with tiktoken (the SHA-256 is of that
published file), so counts equal OpenAI's own and nothing is ever downloaded.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from tui_chat.core.errors import ChatError

SEPARATOR = b"\xff"
"""Stands between two tokens in a shipped file; as a token itself it is written as nothing."""

_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


@dataclass(frozen=True)
class Vocabulary:
    """One encoding: all that its tokenizer is built from, but the tokens themselves."""

    name: str
    sha256: str
    """Of the published .tiktoken file."""
    pattern: str
    """Cuts a text into the pieces within which tokens are merged (Rust regex syntax)."""
    special: Mapping[str, int]


VOCABULARIES: Mapping[str, Vocabulary] = {
    vocabulary.name: vocabulary
    for vocabulary in (
        Vocabulary(
            "cl100k_base",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
            r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
            {
                "<|endoftext|>": 100257,
                "<|fim_prefix|>": 100258,
                "<|fim_middle|>": 100259,
                "<|fim_suffix|>": 100260,
                "<|endofprompt|>": 100276,
            },
        ),
        Vocabulary(
            "o200k_base",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}"
            rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTION}"
            r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
        ),
    )
}


def read_ranks(name: str) -> dict[bytes, int]:
    """The tokens of a vocabulary with their ranks, as a dict the caller may consume.

    Reads the shipped file (18 to 40 ms): for a thread. ChatError when it is missing or damaged.
    """
    from importlib.resources import files  # 10 ms at import, and only needed here

    try:
        packed = files("tui_chat.data").joinpath(f"{name}.zlib").read_bytes()
        tokens = zlib.decompress(packed).split(SEPARATOR)
    except (OSError, zlib.error) as error:
        raise ChatError(
            f"The token vocabulary {name} that belongs to tui-chat is missing or damaged.",
            "Install tui-chat again; until then token counts are estimates.",
        ) from error
    ranks = dict(zip(tokens, range(len(tokens)), strict=True))
    ranks[SEPARATOR] = ranks.pop(b"")
    return ranks
