"""The endpoint dialog: who can be talked to, what is missing for the others, and how it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events, work
from textual.binding import Binding, BindingType

from tui_chat.core.endpoints import GGUF, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.key_store import PLACES
from tui_chat.core.keys import read_key, set_variable
from tui_chat.core.probing import Answered, probe
from tui_chat.core.readiness import (
    Found,
    Readiness,
    address,
    in_order,
    keys_kept,
    placed,
    readiness,
    title,
)
from tui_chat.core.text import one_line
from tui_chat.core.urls import url_of
from tui_chat.core.world import World
from tui_chat.widgets.dialogs import YesDialog
from tui_chat.widgets.key_dialog import renew, take_key
from tui_chat.widgets.keyless import KeylessPicker
from tui_chat.widgets.picker import Filter, Line

_ADD = "add:"
_LONGEST_ADDRESS = 30
_SHORTEST_ADDRESS = 15
"""Characters; where there is no room for so many, addresses are left out."""


class EndpointFilter(Filter):
    """The filter of the endpoints, where delete takes a kept key away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "delete", "delete_line", "Forget key", key_display="del", id="endpoints.forget_key"
        ),
    ]


class EndpointPicker(KeylessPicker):
    """Endpoints that are known, those that are ready first; a typed URL adds one."""

    DEFAULT_CSS = """
    EndpointPicker > Vertical { width: 104; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "give_key", "Give a key", id="endpoints.give_key"),
        Binding("f5", "try_out", "Test", id="endpoints.test"),
    ]
    title_words = "Endpoint"
    hint = "Type to narrow the list, or a server's URL: http://127.0.0.1:8080/v1"
    filter_kind = EndpointFilter
    where_keys_go = "Empty this line and choose whom it is for: it is asked for there."

    def __init__(self, world: World, present: str, *, by_key: bool = False) -> None:
        """`by_key`: only those that are used with a key."""
        self._world = world
        self._present = present
        self._by_key = by_key
        self._found = Found()
        self._answers: dict[str, Answered | None] = {}
        self._tried: dict[str, str] = {}
        self._ready: dict[str, Readiness] = {}
        self._room = _LONGEST_ADDRESS * 2
        """Characters for what stands beside the names."""
        lines = self._endpoint_lines()
        super().__init__(lines, at=self._first(lines))

    # The list

    @property
    def _endpoints(self) -> list[Endpoint]:
        everyone = self._world.endpoints
        if self._by_key:
            return [one for one in everyone if one.key_names and one.base_url and not one.local]
        return list(everyone)

    def _first(self, lines: Sequence[Line]) -> str:
        """Where the cursor begins: whoever opens the list wants another than the present one, and one
        whose key is there is it most likely."""
        keyed = (
            line.key
            for line in lines
            if line.key != self._present
            and line.key in self._ready
            and self._ready[line.key].rank == "keyed"
        )
        return next(keyed, self._present)

    def _endpoint_lines(self) -> Sequence[Line]:
        found = replace(self._found, answers=self._answers)
        endpoints = self._endpoints
        self._ready = {one.name: readiness(one, self._world, found) for one in endpoints}
        states = max((len(one.words) for one in self._ready.values()), default=0)
        room = min(_LONGEST_ADDRESS, max(_SHORTEST_ADDRESS, self._room - states - 2))
        addresses = {one.name: one_line(address(self._placed(one)), room) for one in endpoints}
        wide = max((len(words) for words in addresses.values()), default=0)
        lines = []
        for one in in_order(endpoints, self._ready, self._present):
            ready = self._ready[one.name]
            facts = (addresses[one.name].ljust(wide), ready.words.ljust(states))
            lines.append(
                Line(
                    one.name,
                    title(one),
                    facts,
                    self._about_one(one, ready),
                    one.name == self._present,
                    not ready.ready,
                    one.name,
                )
            )
        if not self._by_key:
            about = "It is tried at once. The path of a .gguf model can be typed too."
            lines.append(Line(_ADD, "Add a server by its URL…", (), about))
        return lines

    def _about_one(self, endpoint: Endpoint, ready: Readiness) -> str:
        facts = endpoint.note
        if endpoint.as_of and facts:
            facts = f"{facts} (As of {endpoint.as_of}.)"
        said = self._tried.get(endpoint.name, "") or ready.sentence
        return " ".join(part for part in (said, facts) if part)

    def _placed(self, endpoint: Endpoint) -> Endpoint:
        return placed(endpoint, self._answers.get(endpoint.name))

    def matching(self, typed: str) -> tuple[Line, ...]:
        return tuple(
            line for line in super().matching(typed) if not typed.strip() or line.key != _ADD
        )

    def offer(self, typed: str) -> str:
        if self._by_key or self.is_key(typed):
            return ""
        if typed.lower().endswith(GGUF):
            return f"Use the model file “{one_line(typed)}”"
        # What may hold a password is not shown.
        return f"Add the server “{one_line(typed)}”" if url_of(typed) and "@" not in typed else ""

    def on_mount(self) -> None:
        super().on_mount()
        self._fit()
        self._look_for_keys()
        if not self._by_key:
            self._probe()

    def on_resize(self, event: events.Resize) -> None:
        self._fit()

    def _fit(self) -> None:
        self._room = min(96, self.app.size.width - 10) * 3 // 5
        self._update()

    @work(group="keys")
    async def _look_for_keys(self) -> None:
        self._found = await keys_kept(self._world)
        self._update()

    @work(group="probe")
    async def _probe(self) -> None:
        async for endpoint, answered in probe(self._endpoints):
            self._answers[endpoint.name] = answered
            self._update()

    def _update(self) -> None:
        if self._known:
            self.show_lines(self._endpoint_lines())

    def _show_again(self) -> None:
        self.show_lines(self._endpoint_lines())

    # What is done with a line

    def choose(self, line: Line) -> None:
        if line.key == _ADD:
            self._add("")
        elif line.key.startswith(self.FREE):
            typed = line.key.removeprefix(self.FREE)
            if typed.lower().endswith(GGUF):
                self.dismiss(line.key)
            else:
                self._add(typed)
        elif self._ready[line.key].takes_key:
            self._take_key(line.key)
        elif not self._placed(self._world.endpoint(line.key)).base_url and self._unusable(line.key):
            self.notify(self._ready[line.key].sentence, severity="warning", markup=False)
        else:
            self._use(line.key)

    def _unusable(self, name: str) -> bool:
        return not self._world.endpoint(name).served_here

    def _use(self, name: str) -> None:
        """Answer with this endpoint, at the server that answers for it."""
        endpoints = self._world.endpoints
        endpoint = endpoints.find(name)
        used = self._placed(endpoint)
        if used != endpoint:
            typed = endpoint in endpoints.typed
            self._world.put(used, endpoints.with_one(used, typed=typed))
        self.dismiss(name)

    @work
    async def _add(self, typed: str) -> None:
        from tui_chat.widgets.adding import Adding

        with self.acting() as alone:
            name = await Adding(self._world, self.asked).run(typed) if alone else None
        if name is not None:
            self.dismiss(name)

    @work
    async def _take_key(self, name: str) -> None:
        with self.acting() as alone:
            endpoint = self._placed(self._world.endpoint(name))
            given = alone and await take_key(self._world, endpoint, self.asked)
        if given:
            self._use(name)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action not in ("give_key", "try_out"):
            return True
        endpoint = self._highlighted_endpoint
        if endpoint is None or endpoint.served_here or not endpoint.base_url:
            return False
        elsewhere = endpoint.key_command or set_variable(endpoint, self._world.environ)
        return action == "try_out" or not elsewhere

    @property
    def _highlighted_endpoint(self) -> Endpoint | None:
        line = self.highlighted
        there = line is not None and self._world.endpoints.has(line.key)
        return self._placed(self._world.endpoint(line.key)) if line and there else None

    def action_give_key(self) -> None:
        """Another key, or one for a server that did not ask for any."""
        endpoint = self._highlighted_endpoint
        if endpoint is not None and not self._acting:
            self._take_key(endpoint.name)

    def can_remove(self) -> bool:
        line = self.highlighted
        return line is not None and line.key in self._ready and bool(self._ready[line.key].kept)

    @work
    async def action_remove(self) -> None:
        """Forget the key that is kept for this line."""
        endpoint = self._highlighted_endpoint
        with self.acting() as alone:
            if not alone or endpoint is None or (kept := self._ready[endpoint.name].kept) is None:
                return
            note = (
                "It was given for this run only."
                if kept == "run"
                else f"It is kept in {PLACES[kept]}."
            )
            question = YesDialog(f"Forget the key for {title(endpoint)}?", note)
            if await self.asked(question) is None:
                return
            try:
                await asyncio.to_thread(self._world.keys.forget, endpoint.base_url)
            except ChatError as error:
                self.notify(str(error), severity="error", markup=False)
            renew(self._world, endpoint.base_url)
            self._tried.pop(endpoint.name, None)
            self._look_for_keys()

    @work(exclusive=True, group="try")
    async def action_try_out(self) -> None:
        """Ask the endpoint under the cursor for its models, and say what came."""
        from tui_chat.core.checking import check

        endpoint = self._highlighted_endpoint
        if endpoint is None:
            return
        self._say(endpoint.name, f"Asking {endpoint.base_url}…")
        try:
            key = await asyncio.to_thread(read_key, endpoint, self._world.environ, self._world.keys)
            self._say(endpoint.name, (await check(endpoint, key)).words)
        except ChatError as error:
            self._say(endpoint.name, str(error))

    def _say(self, name: str, words: str) -> None:
        self._tried[name] = words
        self._update()
