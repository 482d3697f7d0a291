"""What replies cost, and what the next one may: by a person's own prices, the server's list, or the tables.

Tables are read from the package at the first question that needs them: all but known() and
counted are for a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from tui_chat.core import pricing
from tui_chat.core.conversation import Message, Setup, Usage
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.price import Price, dollars, show_cost
from tui_chat.core.served import made_elsewhere

if TYPE_CHECKING:
    from tui_chat.core.world import World

Source = Literal["own", "listed", "tables", "local"]
FREE = Price(Decimal(0), Decimal(0))
_AT_HOME = ("llamacpp", "ollama", "vllm")
"""Engines that run what they serve, and send nothing on."""


@dataclass(frozen=True)
class Priced:
    """A price and who says so."""

    price: Price
    source: Source


@dataclass(frozen=True)
class Bill:
    """What one reply cost, and by which price; None where it is not known."""

    cost: Decimal | None
    priced: Priced | None


@dataclass(frozen=True)
class Next:
    """What the next request may cost, in dollars."""

    asked: Decimal
    """For the prompt."""
    answered: Decimal | None
    """At most, for the reply; None where its length is not bounded."""
    per_million: Decimal
    """What a million tokens of a reply cost."""
    tokens: int
    most: int | None

    @property
    def short(self) -> str:
        """`≈$0.0034 + ≤$0.01`; without a bound `≈$0.0034 + the reply`."""
        more = "the reply" if self.answered is None else f"≤{show_cost(self.answered)}"
        return f"≈{show_cost(self.asked)} + {more}"

    @property
    def words(self) -> str:
        """In a sentence."""
        begin = f"The next request: about {show_cost(self.asked)} for {self.tokens:,} tokens in"
        if self.answered is None:
            return f"{begin}, and {dollars(self.per_million)} for each million tokens of the reply."
        return f"{begin}, and at most {show_cost(self.answered)} for {self.most:,} tokens out."


class Costs:
    """Reckons each reply once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Decimal | None] = {}
        self._unsure = set[str]()
        """The replies of which it was not known whether they cost anything."""
        self._prices: dict[tuple[str, str], Priced | None] = {}
        self.counted = 0
        """How many replies were found to cost something, so that whoever shows costs sees what is new."""

    # Replies

    def known(self, message: Message) -> str:
        """What a reply cost, to show; empty while that is not reckoned, not known, or nothing."""
        cost = self._known.get(message.id)
        return ("≈" if message.usage.estimated else "") + show_cost(cost) if cost else ""

    def waits(self, message: Message) -> bool:
        """Whether it is worth reckoning: it is a reply that took tokens, and was not reckoned yet."""
        ended = message.setup is not None and message.status != "streaming"
        return ended and bool(message.usage.completion_tokens) and not self._reckoned(message)

    def _reckoned(self, message: Message) -> bool:
        if message.id not in self._unsure:
            return message.id in self._known
        endpoint = self._endpoint(message.setup)
        return endpoint is None or self._may_have_cost(endpoint, message.created)

    def reply(self, message: Message) -> Decimal | None:
        """What a reply cost; None where that is not known."""
        if not self._reckoned(message):
            endpoint = self._endpoint(message.setup)
            unsure = endpoint is not None and self._may_have_cost(endpoint, message.created)
            cost = self.bill(message).cost
            # In this order: other threads reckon too.
            self._known[message.id] = cost
            (self._unsure.add if unsure else self._unsure.discard)(message.id)
            self.counted += bool(cost)
        return self._known[message.id]

    def bill(self, message: Message) -> Bill:
        """What a reply cost, and by which price."""
        setup, usage = message.setup, message.usage
        endpoint = self._endpoint(setup)
        if setup is None or endpoint is None:
            return Bill(None, None)
        priced = self.price(endpoint, setup.model, message.created)
        return Bill(self._cost(endpoint, setup.model, usage, priced, message.created), priced)

    # Models

    def price(self, endpoint: Endpoint, model: str, created: int = 0) -> Priced | None:
        """What a model's tokens cost there; `created` is the time of a reply, in milliseconds, 0 for now."""
        own = self._world.settings.prices
        for name in (f"{endpoint.name}/{model}", model, model.removeprefix("models/")):
            if name in own:
                return Priced(own[name], "own")
        provider = self._world.asked(endpoint.name)
        served = provider.served(model) if provider else None
        if served is not None and served.price is not None:
            return Priced(served.price, "listed")
        if self._world.is_free(endpoint.name) and not (
            made_elsewhere(model) and not endpoint.served_here
        ):
            return None if self._may_have_cost(endpoint, created) else Priced(FREE, "local")
        place = (endpoint.base_url, model)
        if created or place not in self._prices:
            found = pricing.price(model, endpoint.base_url, created)
            priced = None if found is None else Priced(found, "tables")
            if created:
                return priced
            self._prices[place] = priced
        return self._prices[place]

    def _may_have_cost(self, endpoint: Endpoint, created: int) -> bool:
        """Whether a reply from before this run may have cost something although it came from this machine:
        what served it may send requests on, which only its list of models tells."""
        known = endpoint.served_here or endpoint.ports or not self._world.is_free(endpoint.name)
        if known or not 0 < created < self._world.began:
            return False
        provider = self._world.asked(endpoint.name)
        at_home = self._world.engine(endpoint.name).name in _AT_HOME
        return not at_home and (provider is None or not provider.listed)

    def next(self, setup: Setup, prompt: int, most: int | None) -> Next | None:
        """What a request of so many tokens costs, with a reply of at most `most`; None where it is not
        known, or nothing."""
        endpoint = self._endpoint(setup)
        if endpoint is None:
            return None
        priced = self.price(endpoint, setup.model)
        if priced is None or priced.price.free:
            return None
        asked = Usage(prompt, 0)
        cost = self._cost(endpoint, setup.model, asked, priced)
        if cost is None:
            return None
        if most is None:
            return Next(cost, None, priced.price.output, prompt, most)
        whole = self._cost(endpoint, setup.model, Usage(prompt, most), priced)
        return Next(
            cost, None if whole is None else whole - cost, priced.price.output, prompt, most
        )

    def _endpoint(self, setup: Setup | None) -> Endpoint | None:
        try:
            return None if setup is None else self._world.endpoint(setup.endpoint)
        except ChatError:
            return None

    def _cost(
        self,
        endpoint: Endpoint,
        model: str,
        usage: Usage,
        priced: Priced | None,
        created: int = 0,
    ) -> Decimal | None:
        if priced is None or priced.source == "tables":
            # The tables know more than one price: long prompts, thoughts, hours of the day.
            return pricing.cost(
                model,
                endpoint.base_url,
                usage,
                local=priced is not None and priced.source == "local",
                created=created,
            )
        if priced.price.free:
            return Decimal(0)
        return priced.price.of(usage, apart=pricing.counts_apart(endpoint.base_url))
