"""The providers of the field as their documents describe them, each as the rules that a fake of it enforces."""

from __future__ import annotations

from collections.abc import Callable

from tests.fake_server import Answer, Body
from tests.rules import (
    ALWAYS,
    OPENAI,
    Rules,
    by_anthropic,
    cannot_find,
    extra_forbidden,
    field_and_value,
    in_backticks,
    in_pythons_words,
    invalid_input,
    never,
    not_with_this_model,
    of_upstream,
    property_unsupported,
    refused,
    too_great,
    unless,
    unrecognized,
    unsupported_parameter,
    unsupported_value,
    with_humps,
)

LOGPROBS = ("logprobs", "top_logprobs")
PENALTIES = ("frequency_penalty", "presence_penalty")
SAMPLERS = {"top_k", "min_p", "repetition_penalty"}
"""What engines of open models take besides OpenAI's fields, under their usual names."""


def _effort_is_none(body: Body) -> bool:
    return bool(body.get("reasoning_effort") == "none")


def _effort_is_none_or_unset(body: Body) -> bool:
    return "reasoning_effort" not in body or _effort_is_none(body)


def _supports_medium(name: str, value: object) -> Answer:
    message = f"Unsupported value: '{name}' does not support '{value}' with this model. Supported values are: 'medium'."  # fmt: skip
    return refused(message, name, "unsupported_value")


OPENAI_41 = Rules(
    OPENAI, unrecognized,
    (never(unrecognized, "reasoning_effort"), never(_supports_medium, "verbosity")),
)  # fmt: skip
"""gpt-4.1 and gpt-4o: they sample, and do not reason."""


def _reasoning(samples: Callable[[Body], bool] = lambda _: False) -> Rules:
    """An OpenAI model that reasons; it samples where a condition holds."""
    return Rules(
        OPENAI,
        unrecognized,
        (
            never(unsupported_parameter, "max_tokens"),
            unless(samples, unsupported_value, "temperature"),
            unless(samples, unsupported_parameter, "top_p", *LOGPROBS),
            never(unsupported_parameter, "stop", *PENALTIES),
        ),
    )


OPENAI_5 = _reasoning()
"""gpt-5, gpt-6-astra: they never sample as one wants."""
OPENAI_54 = _reasoning(_effort_is_none_or_unset)
"""gpt-5.1, 5.2, 5.4: their effort is none unless another is asked for."""
OPENAI_6 = _reasoning(_effort_is_none)
"""gpt-5.5, 5.6, 6-luna: they sample where effort none is asked for."""


def _anthropic(*names: str) -> Rules:
    """Fields that it does not know pass unread; `names` are deprecated."""

    def deprecated(name: str, _: object) -> Answer:
        return by_anthropic(f"{name} is deprecated for this model.")

    def blank_stop(body: Body) -> Answer | None:
        stops = body.get("stop") or []
        blank = any(not stop.strip() for stop in stops)
        return by_anthropic("stop_sequences: each stop sequence must contain non-whitespace") if blank else None  # fmt: skip

    return Rules(checks=(never(deprecated, *names), blank_stop))


def _not_both(body: Body) -> Answer | None:
    both = "temperature" in body and "top_p" in body
    words = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."  # fmt: skip
    return by_anthropic(words) if both else None


ANTHROPIC_45 = Rules(checks=(*_anthropic().checks, _not_both))
ANTHROPIC_5 = _anthropic("temperature")
GEMINI = Rules((OPENAI - {*PENALTIES, "seed", *LOGPROBS, "logit_bias", "verbosity"}), cannot_find)


def _meta_has_no_none(body: Body) -> Answer | None:
    none = _effort_is_none(body)
    return refused("'reasoning_effort' must not be none.", "reasoning_effort") if none else None


META = Rules(OPENAI - {"verbosity"}, unrecognized, (_meta_has_no_none,))
GROQ = Rules(
    OPENAI - {"logit_bias", "verbosity"}, property_unsupported,
    (never(not_with_this_model, *LOGPROBS, "reasoning_effort"),),
)  # fmt: skip
"""With a model that does not reason."""


def _counts_candidates(body: Body) -> Answer | None:
    is_number = type(body.get("logprobs", 0)) is int
    return None if is_number else invalid_input("logprobs", body["logprobs"])


TOGETHER = Rules(
    (OPENAI | SAMPLERS) - {"top_logprobs", "verbosity", "reasoning_effort"}, unrecognized,
    (_counts_candidates,),
)  # fmt: skip
FIREWORKS = Rules((OPENAI | SAMPLERS) - {"verbosity"}, field_and_value)
OPENROUTER = Rules()
MISTRAL = Rules(
    ALWAYS | {"temperature", "top_p", "max_tokens", "stop", "random_seed", *PENALTIES, "n", "safe_prompt"},
    extra_forbidden,
    (unless(lambda body: body["temperature"] <= 1.5, too_great, "temperature"),),
)  # fmt: skip


def _does_not_think(body: Body) -> bool:
    return bool(body.get("thinking") == {"type": "disabled"})


DEEPSEEK = Rules(checks=(unless(_does_not_think, in_backticks, *LOGPROBS),))
"""It thinks unless told otherwise; what it then does not heed it takes all the same, but for these."""


def _xai(*names: str) -> Rules:
    return Rules(OPENAI - {"verbosity"}, with_humps, (never(with_humps, *names),))


XAI_FAST = _xai(*PENALTIES, "reasoning_effort")
"""A model that does not reason."""
XAI_REASONS = _xai(*PENALTIES, "stop")
LETS_PASS = Rules()
"""Ollama, LM Studio and llama.cpp leave what they do not know unread."""


VLLM = Rules((OPENAI | SAMPLERS) - {"verbosity"}, in_pythons_words)
LITELLM = Rules(OPENAI, of_upstream, OPENAI_41.checks)
"""In front of a model that does not reason."""
