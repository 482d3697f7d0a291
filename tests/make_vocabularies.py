"""Writes the shipped token vocabularies from the .tiktoken files that OpenAI publishes.

    python -m tests.make_vocabularies DIRECTORY

DIRECTORY holds cl100k_base.tiktoken and o200k_base.tiktoken under any names (tui_chat/data/README.md says
where they are published; tiktoken's own cache directory will do): a file is known by its SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import tui_chat.data
from tui_chat.core.vocabulary import SEPARATOR, VOCABULARIES

DATA = Path(tui_chat.data.__file__).parent


def tokens_of(published: bytes) -> list[bytes]:
    """The tokens of a .tiktoken file in the order of their ranks. ValueError unless these are 0, 1, 2 …"""
    tokens = []
    for rank, line in enumerate(published.splitlines()):
        token, number = line.split()
        if int(number) != rank:
            raise ValueError(f"rank {number!r} stands in line {rank + 1}")
        tokens.append(base64.b64decode(token))
    return tokens


def published_form(tokens: Iterable[bytes]) -> bytes:
    """The .tiktoken file of these tokens: in each line the token in base64, a space, its rank."""
    return b"".join(
        b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens)
    )


def packed(tokens: Sequence[bytes]) -> bytes:
    """The shipped form of these tokens. ValueError when a longer token contains the separator."""
    if any(SEPARATOR in token for token in tokens if token != SEPARATOR):
        raise ValueError("a token contains the separator")
    plain = SEPARATOR.join(b"" if token == SEPARATOR else token for token in tokens)
    return zlib.compress(plain, 9)


def main(directory: Path, to: Path = DATA) -> None:
    """Write every vocabulary from the published files in `directory`."""
    found = {
        hashlib.sha256(content).hexdigest(): content
        for content in (path.read_bytes() for path in directory.iterdir() if path.is_file())
    }
    for name, vocabulary in VOCABULARIES.items():
        if vocabulary.sha256 not in found:
            sys.exit(f"{directory} holds no file with the SHA-256 of {name}.tiktoken")
        target = to / f"{name}.zlib"
        target.write_bytes(packed(tokens_of(found[vocabulary.sha256])))
        sys.stdout.write(f"{target} {target.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
