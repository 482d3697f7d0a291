"""What servers of each kind do alike: how they draw, how they go on, what they tell and what they refuse.

An endpoint names its engine, or its server does, as the owner of the models that it lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line

Step = Literal["penalties", "temperature", "top_k", "top_p", "min_p"]


@dataclass(frozen=True)
class Sampler:
    """How an engine gets from scores to a token."""

    order: tuple[Step, ...]
    counts_prompt: bool = False
    """Whether penalties count the tokens of the prompt too, or only those of the reply."""
    window: int = 0
    """How many tokens back penalties count; 0 for all."""
    known: bool = True
    """False where nobody tells how it is done, and this is the usual way."""

    def counts(self, prompt: Sequence[bytes], reply: Sequence[bytes]) -> Mapping[bytes, int]:
        """How often each token stands in what penalties count, after these."""
        seen = [*prompt, *reply] if self.counts_prompt else list(reply)
        return Counter(seen[-self.window :] if self.window else seen)


LLAMA_CPP = Sampler(("penalties", "top_k", "top_p", "min_p", "temperature"), True, 64)
"""Its default chain, `repeat_last_n` at its default (llama.cpp, tools/server/README.md)."""
VLLM = Sampler(("penalties", "temperature", "min_p", "top_k", "top_p"))
"""vLLM from V1 on (docs.vllm.ai, SamplingParams)."""
OLLAMA = Sampler(("penalties", "temperature", "top_k", "top_p", "min_p"), True, 64)
"""Its own runner (ollama, sample/samplers.go)."""
USUAL = Sampler(("penalties", "temperature", "top_k", "top_p", "min_p"), known=False)
"""OpenAI's documents tell the penalties' formula, and that they count sampled tokens; not the order."""


@dataclass(frozen=True)
class Engine:
    """One kind of server."""

    name: str
    title: str
    sampler: Sampler
    continues: str = ""
    """How it is asked to go on with a reply, one of endpoints.WAYS_TO_CONTINUE; empty when it cannot."""
    completions: bool | None = None
    """Whether it continues plain texts (`/completions`); None when that is not known."""
    suffix: bool = False
    """Whether it heeds a text that is to follow the completion."""
    whole_vocabulary: bool = False
    """Whether it tells the logprobs of all tokens at once, where it is asked for them."""
    owners: tuple[str, ...] = ()
    """What its list of models names as their owner."""


ENGINES = {
    one.name: one
    for one in (
        Engine(
            "llamacpp",
            "llama.cpp",
            LLAMA_CPP,
            continues="prefill",
            completions=True,
            whole_vocabulary=True,
            owners=("llamacpp",),
        ),
        Engine(
            "vllm",
            "vLLM",
            VLLM,
            continues="continue_final_message",
            completions=True,
            owners=("vllm",),
        ),
        Engine("ollama", "Ollama", OLLAMA, completions=True, suffix=True, owners=("library",)),
        Engine("openai", "OpenAI", USUAL, completions=False),
    )
}
UNKNOWN = Engine("", "", USUAL)
"""A server of which nothing is known."""
CONTINUE_TEXTS = (
    "the built-in model, llama.cpp, vLLM, Ollama, LM Studio, Together, Fireworks and OpenRouter"
)
"""Whoever is known to have completions (their documents, November 2026)."""


def completions_problem(
    engine: Engine, endpoint: str, apis: Collection[str] | None = None
) -> ChatError | None:
    """Why an endpoint of this kind, with these APIs (Endpoint.apis), continues no texts, and who does; None
    unless that is known."""
    without = apis is not None and "completions" not in apis
    if engine.completions is not False and not without:
        return None
    return ChatError(
        f"{one_line(endpoint, 60)} continues no texts, it only chats.",
        f"Those that do: {CONTINUE_TEXTS}.",
    )


def owned_by(owners: Iterable[str]) -> Engine:
    """The engine whose server names such owners; UNKNOWN when none does."""
    named = {owner.lower() for owner in owners}
    return next((one for one in ENGINES.values() if named & set(one.owners)), UNKNOWN)
