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
from tui_chat.core.price import Counts, Price

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation, TieredPrices
    from genai_prices.types import Usage as Priced

_APART = "api.x.ai"
_LATEST = 253_402_300_800_000  # the year 10000, past which datetime does not go


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
    counts = Counts.of(usage, apart=counts_apart(base_url))
    if counts is None:
        return None
    bill = _calculate(model, base_url, _priced(counts), created)
    return None if bill is None else bill.total_price


def price(model: str, base_url: str, created: int = 0) -> Price | None:
    """What this model's tokens cost, of short prompts where long ones cost more; None when not known.

    As slow as context_window().
    """
    from genai_prices import Usage as Priced

    found = _calculate(model, base_url, Priced(), created)
    if found is None:
        return None
    if not _sells_text(found):
        return Price(Decimal(0), Decimal(0)) if _is_free(found.model) else None
    of = found.model_price
    amounts = [_base(one) for one in (of.input_mtok, of.output_mtok, of.cache_read_mtok)]
    if amounts[0] is None or amounts[1] is None:
        return None
    return Price(amounts[0], amounts[1], amounts[2])


def counts_apart(base_url: str) -> bool:
    """Whether this server counts reasoning beside the completion, not as a part of it."""
    return urlsplit(base_url.strip()).hostname == _APART


def _base(amount: Decimal | TieredPrices | None) -> Decimal | None:
    base = getattr(amount, "base", amount)
    return base if isinstance(base, Decimal) else None


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


def _priced(counts: Counts) -> Priced:
    """The counts as genai-prices takes them."""
    from genai_prices import Usage as Priced

    return Priced(
        input_tokens=counts.prompt,
        cache_read_tokens=counts.cached,
        output_tokens=counts.completion,
        output_reasoning_tokens=counts.reasoning,
    )


def _sells_text(found: PriceCalculation) -> bool:
    price = found.model_price
    return price.input_mtok is not None and price.output_mtok is not None


def _is_free(model: ModelInfo) -> bool:
    """Whether no price means nothing to pay; for most models without one it means not known."""
    return model.id.endswith(":free")
