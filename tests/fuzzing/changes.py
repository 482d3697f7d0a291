"""Bytes changed at random, as a search without a guide does it; the same seed makes the same changes."""

from __future__ import annotations

import random
from collections.abc import Sequence

PIECES = (
    b"\x00", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"\x1b]0;x\x07", b"\xc2\x9b", b"\r",
    b"\n\n", b"\n", b"data: ", b"[DONE]", b"event: error\n", b"id: 1\n", b": \n", b"null", b"true", b"-1", b"1e999",
    b"NaN", b"Infinity", b"9" * 400, b"[" * 200, b"{" * 200, b'{"a":' * 60, b"]", b"}", b'"', b"\\", b"\\ud800",
    b"\\u0000", b"'''", b'"""', b"=", b"[[a]]\n", b"[a.b]\n", b"[/]", b"[red]", b"1979-05-27T07:32:00Z", b"inf",
    b'"choices":[]', b'"delta":null', b'"usage":{}', b'"error":{"message":1}', b'"index":7', b'"logprobs":1',
    b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"<think>", b"</think>",
)  # fmt: skip
MOST = 200_000


def changed(seeds: Sequence[bytes], source: random.Random) -> bytes:
    """One of the seeds with a few changes: bytes flipped, pieces put in, parts cut out, doubled, or mixed in."""
    data = bytearray(source.choice(seeds))
    for _ in range(source.choice((1, 1, 2, 3, 5, 9))):
        at = source.randint(0, len(data))
        to = min(len(data), at + source.choice((1, 2, 8, 40, 400)))
        kind = source.randrange(6)
        if kind == 0 and data:
            data[min(at, len(data) - 1)] = source.randrange(256)
        elif kind == 1:
            data[at:at] = source.choice(PIECES)
        elif kind == 2:
            del data[at:to]
        elif kind == 3:
            data[at:at] = data[at:to] * source.choice((1, 2, 30))
        elif kind == 4:
            other = source.choice(seeds)
            start = source.randint(0, len(other))
            data[at:to] = other[start : start + source.choice((4, 40, 400))]
        else:
            data[at:to] = source.choice(PIECES)
    return bytes(data[:MOST])
