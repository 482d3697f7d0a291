"""What is computed of probabilities agrees with what the built-in model draws from, in its own words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from tests.core.local.processes import client
from tui_chat.core.candidates import Candidate
from tui_chat.core.engines import LLAMA_CPP
from tui_chat.core.local.server import LocalServer
from tui_chat.core.params import Params
from tui_chat.core.places import Place
from tui_chat.core.sampling import distribution

VOCABULARY = 49_152
TEXTS = (
    "Cats are animals. Dogs are animals. Birds are",
    "Um, dois, três, quatro, cinco,",
)
GRID: list[dict[str, float]] = [
    {"temperature": heat, "top_p": nucleus, "frequency_penalty": often, "presence_penalty": once}
    for heat, nucleus, (often, once) in itertools.product(
        (0.1, 0.4, 0.7, 1.0, 1.4, 2.0), (0.1, 0.5, 0.9, 1.0), ((0.0, 0.0), (1.5, 0.0), (-1.0, 0.5))
    )
] + [
    {"temperature": heat, "min_p": floor, "top_k": rank, "presence_penalty": 1.0}
    for heat, floor, rank in itertools.product((0.3, 1.2), (0.02, 0.3), (0, 5, 40))
]
"""84 combinations, each at two places."""


@dataclass
class Told:
    """What the model tells of one place."""

    text: str
    whole: Place
    part: Place
    """The same as an endpoint tells it that gives twenty candidates."""


@pytest.fixture
def server(lasting_server: LocalServer) -> LocalServer:
    """These tests only ask: none of them needs a server of its own."""
    return lasting_server


def _raw(entry: dict[str, Any]) -> bytes:
    return bytes(entry["bytes"]) or b"special %d" % entry["id"]


async def _posted(server: LocalServer, path: str, body: dict[str, Any]) -> Any:
    root = server.base_url.removesuffix("/v1")
    async with client(server) as asking:
        return await asking.with_options(base_url=root).post(path, cast_to=object, body=body)


async def _told(server: LocalServer, text: str) -> Told:
    body = {"prompt": text, "max_tokens": 1, "logprobs": VOCABULARY, "ignore_eos": True}
    answer = await _posted(server, "/v1/completions", body)
    entries = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    pieces = await _posted(server, "/tokenize", {"content": text, "with_pieces": True})
    prompt = [
        piece.encode() if isinstance(piece := one["piece"], str) else bytes(piece)
        for one in pieces["tokens"]
    ]
    counts = LLAMA_CPP.counts(prompt, [])
    candidates = [Candidate(_raw(entry), entry["logprob"]) for entry in entries]
    numbers = [entry["id"] for entry in entries]
    by_number = [one for _, one in sorted(zip(numbers, candidates, strict=True))]
    return Told(
        text,
        Place(by_number, vocabulary=VOCABULARY, counts=counts, in_32_bits=True),
        Place(candidates[:20], vocabulary=VOCABULARY, counts=counts),
    )


@pytest.mark.parametrize("text", TEXTS)
async def test_it_agrees_to_a_millionth_and_twenty_candidates_bound_it(
    server: LocalServer, text: str
) -> None:
    """Over the whole grid in one test: a server is started and the place is told once."""
    assert len(GRID) >= 60
    told = await _told(server, text)
    for params in GRID:
        drawn = await _drawn(server, told.text, params)
        found = distribution(told.whole, Params(params), LLAMA_CPP, most=1000)
        true = {share.candidate.raw: share.after.low for share in found.shares}
        assert true.keys() >= drawn.keys()
        off = max(abs(chance - drawn.get(raw, 0.0)) for raw, chance in _likely(true))
        assert off < 1e-6, params

        bounds = distribution(told.part, Params(params), LLAMA_CPP)
        named = 0.0
        for share in bounds.shares:
            truth = true[share.candidate.raw]
            assert share.after.low - 1e-9 <= truth <= share.after.high + 1e-9, params
            named += truth
        assert bounds.others.low - 1e-9 <= 1 - named <= bounds.others.high + 1e-9, params
        assert bounds.entropy.low - 1e-9 <= found.entropy.low <= bounds.entropy.high + 1e-9, params


async def _drawn(server: LocalServer, text: str, params: dict[str, float]) -> dict[bytes, float]:
    """What it draws from after all its samplers, as it says itself."""
    body = {"prompt": text, "n_predict": 1, "n_probs": 200, "post_sampling_probs": True, **params}
    answer: Any = {}
    for seed in range(50):
        answer = await _posted(server, "/completion", {**body, "seed": seed})
        if "completion_probabilities" in answer:
            break  # Where it draws the end of the text, it tells nothing.
    return {
        _raw(entry): entry["prob"] for entry in answer["completion_probabilities"][0]["top_probs"]
    }


def _likely(true: dict[bytes, float], most: int = 200) -> Sequence[tuple[bytes, float]]:
    return sorted(true.items(), key=lambda one: -one[1])[:most]
