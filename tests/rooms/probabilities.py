"""What the tests of probabilities share: answers with logprobs, as servers tell them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fake_server import Answer, Body

LLAMA = Answer(
    raw=json.dumps({"data": [{"id": "fake-1", "owned_by": "llamacpp"}]}).encode(),
    content_type="application/json",
)
"""A list of models as llama.cpp's server answers it."""


def entry(raw: bytes | str, chances: Mapping[str, float]) -> Body:
    """One place: the token that stands there, and what could have stood there."""
    own = raw.encode() if isinstance(raw, str) else raw

    def of(token: bytes, chance: float) -> dict[str, Any]:
        text = token.decode("utf-8", "replace")
        return {"token": text, "bytes": list(token), "logprob": math.log(chance)}

    chance = chances.get(own.decode("utf-8", "replace"), 0.01)
    return {**of(own, chance), "top_logprobs": [of(one.encode(), p) for one, p in chances.items()]}


def answer(places: Sequence[tuple[str, Mapping[str, float]]], **more: Any) -> Answer:
    """A reply of these tokens, each with its candidates."""
    return Answer(
        tuple(token for token, _ in places),
        logprobs=[entry(token, chances) for token, chances in places],
        **more,
    )


CAPITAL = answer(
    [
        ("The", {"The": 0.6, "It": 0.3}),
        (" capital", {" capital": 0.95, " city": 0.04}),
        (" is", {" is": 0.99}),
        (" Rio", {" Bras": 0.7, " Rio": 0.02}),
        (".", {".": 0.55, ",": 0.4}),
    ]
)
"""`The capital is Rio.`, with one token that was unlikely."""
