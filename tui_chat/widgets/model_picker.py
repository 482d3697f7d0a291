"""The models of an endpoint: what each costs, reads and heeds, as far as that is known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical

from tui_chat.core import models
from tui_chat.core.choosing import begun_model, last_models
from tui_chat.core.conversation import Setup
from tui_chat.core.costs import Priced
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.params import BY_NAME
from tui_chat.core.served import ServedModel
from tui_chat.core.text import one_line
from tui_chat.core.urls import begins_as_key, holds_key
from tui_chat.core.world import World
from tui_chat.widgets.keyless import KeylessPicker
from tui_chat.widgets.meter import short
from tui_chat.widgets.picker import Line

if TYPE_CHECKING:
    from tui_chat.widgets.setup_screen import SetupScreen

_CONTEXT, _PRICE, _DAY = 5, 14, 16
"""The widths of the columns; they are known before what stands in them."""
_WIDE = 70
_ASKING = "Asking the endpoint for its models…"


class ModelPicker(KeylessPicker):
    """The models an endpoint lists; any other name can be typed.

    Prices are looked up for the lines on the screen only, on a thread.
    """

    title_words = "Model"
    hint = "Type to narrow the list, or type any name"
    free_text = True
    nothing = _ASKING

    def __init__(self, world: World, setup: Setup) -> None:
        self._served: dict[str, ServedModel] = {}
        self._setup = setup
        self._world = world
        self._today = date.today()
        self._last: Sequence[str] = ()
        self._prices: dict[str, Priced | None] = {}
        self._wanted: dict[str, None] = {}
        self._has = (False, False, False)
        """Whether there are sizes, days and prices in the list."""
        known = world.endpoints.has(setup.endpoint)
        self._endpoint = world.endpoint(setup.endpoint) if known else None
        present = (Line(setup.model, setup.model, marked=True),) if setup.model else ()
        super().__init__(present, at=setup.model)

    def is_key(self, typed: str) -> bool:
        return holds_key(typed, begins_as_key)

    def offer(self, typed: str) -> str:
        return "" if self.is_key(typed) else super().offer(typed)

    def on_mount(self) -> None:
        super().on_mount()
        if not self._lines:
            self._about.update(_ASKING)
        self._ask()

    @work
    async def _ask(self) -> None:
        name = self._setup.endpoint
        self._last = await last_models(self._world, name)
        try:
            provider = await self._world.provider(name)
            if provider.listed:
                await self._show(provider.listed)
            served = await provider.models()
        except ChatError as error:
            self.nothing = str(error)
            self.notify(str(error), severity="warning", markup=False)
            await self._show(())
        else:
            self.nothing = "The endpoint lists no models; any name can be typed."
            await self._show(served)

    async def _show(self, served: Sequence[ServedModel]) -> None:
        self.show_lines(await asyncio.to_thread(self._lines_of, served))
        columns = ("context", "shut down", "$ in / out per million tokens")
        heads = [words for words, there in zip(columns, self._has, strict=True) if there]
        if not self.leaving:
            # In a narrow window only the last column is drawn.
            shown = heads if self.size.width >= _WIDE else heads[-1:]
            self.query_one(Vertical).border_subtitle = " · ".join(shown)

    def _lines_of(self, served: Sequence[ServedModel]) -> Sequence[Line]:
        found, endpoint = models.offered(served, self._last, self._setup.model), self._endpoint
        if endpoint is not None and endpoint.openai:
            found = tuple(replace(one, shutdown=models.shutdown(endpoint, one)) for one in found)
        self._served = {one.id: one for one in found}
        self._has = (
            any(one.context for one in found),
            any(one.shutdown for one in found),
            self._sells(found),
        )
        return [
            Line(one.id, one.id, marked=one.id == self._setup.model, words=one.owner)
            for one in found
        ]

    def _sells(self, found: Sequence[ServedModel]) -> bool:
        """Whether there may be prices to show."""
        endpoint = self._endpoint
        if endpoint is None:
            return False
        own = bool(self._world.settings.prices)
        return own or not endpoint.free or any(one.price for one in found)

    # The columns

    def facts_of(self, line: Line) -> tuple[str, ...]:
        served = self._served.get(line.key)
        if served is None:
            return ()
        price = self._price(line.key) if self._has[2] else None
        size = short(served.context) if served.context else ""
        columns = (
            size.rjust(_CONTEXT),
            self._until(served.shutdown).ljust(_DAY),
            (str(price.price) if price else "").rjust(_PRICE),
        )
        return tuple(words for words, there in zip(columns, self._has, strict=True) if there)

    def _until(self, day: str) -> str:
        if not day:
            return ""
        return "shut down" if models.past(day, self._today) else f"until {day}"

    def _price(self, model: str) -> Priced | None:
        """The price, where it is known already; else it is looked up soon."""
        if model not in self._prices:
            if not self._wanted:
                self.call_later(self._look_up)
            self._wanted[model] = None
        return self._prices.get(model)

    @work(group="prices")
    async def _look_up(self) -> None:
        endpoint, wanted = self._endpoint, tuple(self._wanted)
        if endpoint is None:
            return
        price = partial(self._world.costs.price, endpoint)
        found = await asyncio.to_thread(lambda: {model: price(model) for model in wanted})
        self._prices |= found
        self._wanted = {model: None for model in self._wanted if model not in found}
        if self._wanted:
            self.call_later(self._look_up)
        if not self.leaving:
            self._options.redraw()
            if (line := self.highlighted) is not None:
                self._about.update(self.about_of(line))

    # The sentence beneath

    def about_of(self, line: Line) -> str:
        """All that is known of a model, the most important first."""
        served = self._served.get(line.key)
        if served is None:
            return line.about
        told = [self._end_of(served.shutdown), self._unheeded(served.id)]
        told.append("" if models.chats(served) else "It does not seem to be made for chats.")
        price = self._price(served.id)
        if price is not None and price.source == "local":
            told.append("Free: it runs on this machine.")
        elif price is not None:
            free = price.price.free
            told.append("Free." if free else f"{price.price.words}, per million tokens.")
        if served.context:
            told.append(f"Reads and writes up to {short(served.context)} tokens.")
        told.append(f"Owner: {served.owner}." if served.owner else "")
        return " ".join(words for words in told if words)

    def _end_of(self, day: str) -> str:
        if not day:
            return ""
        gone = models.past(day, self._today)
        return f"Was shut down on {day}." if gone else f"Will be shut down on {day}."

    def _unheeded(self, model: str) -> str:
        """Which of the parameters that are set now it is known not to heed."""
        heeds = self._world.heeds(replace(self._setup, model=model))
        names = [
            BY_NAME[name].label.lower()
            for name in self._setup.params
            if name in heeds and heeds[name].kind not in ("capped", "insisted")
        ]
        return f"Does not heed {one_line(', '.join(names), 200)}." if names else ""


def begin_with_model(screen: SetupScreen, endpoint: Endpoint) -> None:
    """Let the screen, which sends to this endpoint from now on, begin with the model that was used there
    last, else with its default, as soon as that is found; unless a person chose one meanwhile."""

    async def begin() -> None:
        model = await begun_model(screen.world, endpoint)
        setup = screen.setup
        if model and (setup.endpoint, setup.model) == (endpoint.name, endpoint.model):
            screen.use(replace(setup, model=model))

    screen.run_worker(begin, group="first model", exclusive=True)  # type: ignore[arg-type]  # Textual's union of kinds
