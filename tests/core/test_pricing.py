"""What the tables know is priced as the provider bills it; what they do not know has no price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from genai_prices import Usage as Priced
from genai_prices import calc_price

from tui_chat.core.conversation import Usage
from tui_chat.core.price import show_cost
from tui_chat.core.pricing import context_window, cost

OPENAI = "https://api.openai.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai/"
XAI = "https://api.x.ai/v1"
OPENROUTER = "https://openrouter.ai/api/v1"
USED = Usage(prompt_tokens=1000, completion_tokens=500)


def billed(model: str, base_url: str, **tokens: int) -> Decimal:
    """What genai-prices itself makes of these counts."""
    return calc_price(Priced(**tokens), model, provider_api_url=base_url).total_price


def cost_of(usage: Usage, model: str = "gpt-4o", base_url: str = OPENAI) -> Decimal | None:
    return cost(model, base_url, usage, local=False)


# The context window


@pytest.mark.parametrize(
    ("model", "base_url", "expected"),
    [
        ("gpt-4o", OPENAI, 128_000),
        ("gpt-4o-mini-2024-07-18", OPENAI, 128_000),
        ("GPT-4o", " HTTPS://API.OpenAI.com:443/v1/ ", 128_000),
        ("gpt-3.5-turbo-instruct", OPENAI, 16_385),
        ("models/gemini-2.5-flash", GOOGLE, 1_048_576),
        ("gemini-2.5-flash", GOOGLE, 1_048_576),
        ("openai/gpt-4o", OPENROUTER, 128_000),
        ("claude-haiku-4-5-20251001", "https://api.anthropic.com/v1", 200_000),
        ("openai/gpt-oss-20b", "https://api.groq.com/openai/v1", 131_072),
        ("no-such-model", OPENAI, None),
        ("gpt-4o", "http://localhost:8000/v1", None),
        ("gpt-4o", "http://127.0.0.1:1/v1", None),
        ("gpt-4o", "", None),
        ("gpt-4o", "api.openai.com/v1", None),
        ("gpt-4o", "http://[not-an-address/v1", None),
        ("", OPENAI, None),
    ],
)
def test_a_context_window_is_known_or_none(model: str, base_url: str, expected: int | None) -> None:
    assert context_window(model, base_url) == expected


# The cost


def test_a_reply_costs_its_prompt_and_its_completion() -> None:
    assert cost_of(USED) == billed("gpt-4o", OPENAI, input_tokens=1000, output_tokens=500) > 0


def test_cached_tokens_are_part_of_the_prompt_and_cheaper() -> None:
    cached = cost_of(Usage(1000, 500, cached_tokens=400))
    expected = billed("gpt-4o", OPENAI, input_tokens=1000, cache_read_tokens=400, output_tokens=500)
    plain = cost_of(USED)
    assert plain is not None
    assert cached == expected < plain


def test_reasoning_is_part_of_the_completion() -> None:
    assert cost_of(Usage(1000, 500, reasoning_tokens=300)) == cost_of(USED)


@pytest.mark.parametrize(
    ("model", "base_url", "reasoning"), [("grok-4", XAI, 300), ("gpt-4o", OPENAI, 700)]
)
def test_reasoning_counted_beside_the_completion_is_paid_too(
    model: str, base_url: str, reasoning: int
) -> None:
    whole = billed(model, base_url, input_tokens=1000, output_tokens=500 + reasoning)
    assert cost_of(Usage(1000, 500, reasoning_tokens=reasoning), model, base_url) == whole


def test_reasoning_with_a_price_of_its_own_is_paid_at_that_price() -> None:
    model, base_url = "sonar-deep-research", "https://api.perplexity.ai"
    expected = billed(
        model, base_url, input_tokens=1000, output_tokens=500, output_reasoning_tokens=300
    )
    assert cost_of(Usage(1000, 500, reasoning_tokens=300), model, base_url) == expected


@pytest.mark.parametrize(
    ("created", "expected"),
    [(1_735_689_600_000, "0.03"), (1_767_225_600_000, "0.006")],  # o3 became cheaper in June 2025
)
def test_a_reply_is_paid_at_the_price_of_its_day(created: int, expected: str) -> None:
    assert cost("o3", OPENAI, USED, local=False, created=created) == Decimal(expected)


@pytest.mark.parametrize("created", [-1, 2**63])
def test_an_impossible_day_counts_as_today(created: int) -> None:
    assert cost("gpt-4o", OPENAI, USED, local=False, created=created) == cost_of(USED)


def test_a_local_endpoint_costs_nothing() -> None:
    assert cost("anything", "http://127.0.0.1:9/v1", Usage(), local=True) == 0


def test_a_model_offered_for_free_costs_nothing() -> None:
    assert cost_of(USED, "meta-llama/llama-3.3-70b-instruct:free", OPENROUTER) == 0


@pytest.mark.parametrize(
    ("model", "base_url", "usage"),
    [
        ("no-such-model", OPENAI, USED),
        ("gpt-4o", "https://models.example.org/v1", USED),
        ("gpt-4o", "http://[not-an-address/v1", USED),
        ("text-embedding-3-small", OPENAI, USED),  # sells no replies
        ("omni-moderation-latest", OPENAI, USED),  # in the tables, without a price
        ("gpt-4o", OPENAI, Usage()),
        ("gpt-4o", OPENAI, Usage(prompt_tokens=5)),
        ("gpt-4o", OPENAI, Usage(completion_tokens=5)),
        ("gpt-4o", OPENAI, Usage(prompt_tokens=-5, completion_tokens=5)),
    ],
)
def test_what_is_not_known_has_no_price(model: str, base_url: str, usage: Usage) -> None:
    assert cost_of(usage, model, base_url) is None


def test_more_cached_tokens_than_the_prompt_has_are_all_of_it() -> None:
    assert cost_of(Usage(1000, 500, cached_tokens=5000)) == cost_of(
        Usage(1000, 500, cached_tokens=1000)
    )


# What a person reads


@pytest.mark.parametrize(
    ("dollars", "expected"),
    [
        ("0", "$0"),
        ("0.00", "$0"),
        ("0.00000002", "<$0.000001"),
        ("0.000001", "$0.000001"),
        ("0.0000123", "$0.000012"),
        ("0.0004", "$0.0004"),
        ("0.00040", "$0.0004"),
        ("0.000416", "$0.00042"),
        ("0.0042", "$0.0042"),
        ("0.00999", "$0.01"),
        ("0.01", "$0.01"),
        ("0.0149", "$0.01"),
        ("0.1", "$0.10"),
        ("1.236", "$1.24"),
        ("1234.5", "$1234.50"),
    ],
)
def test_dollars_are_shown_as_people_read_them(dollars: str, expected: str) -> None:
    assert show_cost(Decimal(dollars)) == expected


def test_an_unknown_price_is_not_shown_as_nothing_to_pay() -> None:
    assert show_cost(None) == "price unknown"
