"""What a reply costs and how much a model can read, from the tables of genai-prices.

The tables come with that package and are never fetched. What they do not know is None: an unknown
price is never shown as nothing to pay.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui_chat.core.conversation import Usage
from tui_chat.core.reading import UNKNOWN_COST

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation
    from genai_prices.types import Usage as Priced

_LATEST = 253_402_300_800_000  # the year 10000, past which datetime does not go
_SMALLEST = Decimal("0.000001")
_CENT = Decimal("0.01")


def context_window(model: str, base_url: str) -> int | None:
    """How many tokens this model reads and writes at most; None when the tables do not say.

    The first call of a process loads the tables (0.02 s once openai is imported, else 0.3 s): for a thread.
    """
    from genai_prices import Usage as Priced

    found = _calculate(model, base_url, Priced())
    return found.model.context_window if found else None


def cost(
    model: str, base_url: str, usage: Usage, *, local: bool, created: int = 0
) -> Decimal | None:
    """What a reply with this usage costs in US dollars; 0 for a local endpoint, None when not known.

    `created` is when it was made, in milliseconds since the epoch: prices change; 0 means now.
    """
    if local:
        return Decimal(0)
    from genai_prices import Usage as Priced

    found = _calculate(model, base_url, Priced(), created)
    if found is None or usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    if not _sells_text(found):
        return Decimal(0) if _is_free(found.model) else None
    priced = _priced(usage, apart=found.provider.id == "x-ai")
    if priced is None or (bill := _calculate(model, base_url, priced, created)) is None:
        return None
    return bill.total_price


def _calculate(
    model: str, base_url: str, usage: Priced, created: int = 0
) -> PriceCalculation | None:
    from genai_prices import calc_price

    # Gemini lists its models as models/NAME; the tables know NAME.
    name = model.strip().removeprefix("models/")
    when = datetime.fromtimestamp(created / 1000, UTC) if 0 < created < _LATEST else None
    try:
        parts = urlsplit(base_url.strip())
        address = f"{parts.scheme}://{parts.hostname}{parts.path}"
        return calc_price(usage, name, provider_api_url=address, genai_request_timestamp=when)
    except (LookupError, ValueError):  # not in the tables; no address
        return None


def _priced(usage: Usage, *, apart: bool) -> Priced | None:
    """The usage as genai-prices counts: cached tokens are part of the input, reasoning of the output.

    `apart` says that this server counts reasoning beside the completion, as xAI does (genai-prices,
    extractors of x-ai). None when the server sent numbers that are no counts.
    """
    from genai_prices import Usage as Priced

    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    reasoning, cached = usage.reasoning_tokens or 0, usage.cached_tokens or 0
    if min(prompt, completion, reasoning, cached) < 0:
        return None
    if apart or reasoning > completion:
        completion += reasoning
    return Priced(
        input_tokens=prompt,
        cache_read_tokens=min(cached, prompt),
        output_tokens=completion,
        output_reasoning_tokens=reasoning,
    )


def _sells_text(found: PriceCalculation) -> bool:
    price = found.model_price
    return price.input_mtok is not None and price.output_mtok is not None


def _is_free(model: ModelInfo) -> bool:
    """Whether no price means nothing to pay; for most models without one it means not known."""
    return model.id.endswith(":free")


def show_cost(cost: Decimal | None) -> str:
    """Dollars as people read them: `$1.24`, `$0.0042`, `<$0.000001`, `$0`, or `price unknown`.

    Whole cents from one cent up; two significant digits below.
    """
    if cost is None:
        return UNKNOWN_COST
    if cost == 0:
        return "$0"
    if cost < _SMALLEST:
        return f"<${_SMALLEST:f}"
    if cost < _CENT:
        cost = cost.quantize(Decimal(1).scaleb(cost.adjusted() - 1))
    if cost < _CENT:
        return f"${cost:f}".rstrip("0")
    return f"${cost:.2f}"
