"""A key, taken from a person: masked while it is typed, and kept where they say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual import events, on
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.key_store import Where
from tui_chat.core.readiness import title
from tui_chat.core.secrets import Secret, typed_key
from tui_chat.core.urls import origin
from tui_chat.core.world import World
from tui_chat.widgets.choosing import Ask, WaitDialog
from tui_chat.widgets.dialogs import Dialog, LineInput

_WORDS: Mapping[Where, str] = {
    "run": "Only for this run: it is written nowhere",
    "keyring": "In the keyring of this system",
    "file": "In the file keys.toml, which only you can read",
}


class KeyInput(LineInput):
    """Shows a dot for each character, and gives nothing away: what is in it cannot be copied."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.move(-1)", "Where it is kept", key_display="↑ ↓", id="key.up"),
        Binding("down", "screen.move(1)", "Where it is kept", show=False, id="key.down"),
    ]

    def __init__(self) -> None:
        super().__init__(password=True, select_on_focus=False)

    def _on_paste(self, event: events.Paste) -> None:
        # An input takes only the first line of a paste, which may be empty, or a part of what is no key.
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(" ".join(event.text.strip().splitlines()))

    def action_copy(self) -> None:
        """Keys are not copied from here: ctrl+c does what it does elsewhere."""
        raise SkipAction

    def action_cut(self) -> None:
        """As action_copy."""


class KeyDialog(Dialog):
    """Takes a key. Dismissed with "given" once `key` and `where` are there."""

    DEFAULT_CSS = """
    KeyDialog {
        & OptionList { height: auto; max-height: 3; border: none; background: $surface; padding: 0; margin: 0 0 1 0; }
    }
    """

    def __init__(
        self,
        endpoint: Endpoint,
        places: Sequence[Where],
        wrong: str = "",
        *,
        environ: Mapping[str, str] | None = None,
        where: Where = "run",
    ) -> None:
        """`environ`: where a variable that holds the key may be named instead."""
        whom = f"It is sent to {origin(endpoint.base_url)} and to nobody else."
        if environ is not None:
            whom += " $NAME stands for the environment variable of that name."
        super().__init__(f"Key for {title(endpoint)}", whom, wrong=wrong)
        self._places = tuple(places)
        self._environ = environ
        self.key: Secret | None = None
        self.where: Where = where if where in places else "run"
        self.variable = ""
        """The variable that was named instead of a key."""

    def content(self) -> Iterator[Widget]:
        yield KeyInput()
        options = OptionList(*(Option(self._prompt(one)) for one in self._places), markup=False)
        options.can_focus = False
        yield options

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = self._places.index(self.where)

    def _prompt(self, where: Where) -> str:
        return f"{'●' if where == self.where else '○'} {_WORDS[where]}"

    def action_move(self, steps: int) -> None:
        options = self.query_one(OptionList)
        last = len(self._places) - 1
        options.highlighted = max(0, min(last, (options.highlighted or 0) + steps))

    @on(OptionList.OptionHighlighted)
    def _marked(self, event: OptionList.OptionHighlighted) -> None:
        if self.leaving:
            return
        self.where = self._places[event.option_index]
        for place, where in enumerate(self._places):
            event.option_list.replace_option_prompt_at_index(place, self._prompt(where))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        try:
            if self._environ is not None and typed.startswith("$"):
                self.variable = _variable(typed, self._environ)
            else:
                self.key = typed_key(typed)
        except ChatError as error:
            self.trouble(str(error))
            return
        # The list's word of the last move may come after this.
        self.where = self._places[self.query_one(OptionList).highlighted or 0]
        self.query_one(KeyInput).value = ""
        self.dismiss("given")


def _variable(typed: str, environ: Mapping[str, str]) -> str:
    name = typed[1:].strip("{}")
    if not name.isidentifier() or not environ.get(name, "").strip():
        raise ChatError("No such environment variable is set.", "Or give the key itself.")
    return name


async def take_key(world: World, endpoint: Endpoint, ask: Ask) -> bool:
    """Have a key given for the endpoint, try it, and keep it; whether it was given: for workers.

    One that the server refuses is not kept.
    """
    from tui_chat.core.checking import check

    places, wrong = await asyncio.to_thread(world.keys.places), ""
    where: Where = "run"
    while True:
        dialog = KeyDialog(endpoint, places, wrong, where=where)
        if await ask(dialog) is None or (key := dialog.key) is None:
            return False
        where = dialog.where

        async def trial(key: Secret = key) -> str:
            found = await check(endpoint, key)
            return found.words_for_key if found.refuses_key else ""

        waiting = WaitDialog(f"Key for {title(endpoint)}", "Trying it…", trial)
        if await ask(waiting) is None:
            wrong = ""
            continue
        wrong = str(waiting.problem or waiting.found or "")
        if wrong:
            continue
        try:
            await asyncio.to_thread(world.keys.keep, endpoint.base_url, key, dialog.where)
        except ChatError as error:
            wrong = str(error)
            continue
        renew(world, endpoint.base_url)
        return True


def renew(world: World, base_url: str) -> None:
    """Have those that a key counts for asked with the key they have now."""
    for one in world.endpoints:
        if one.base_url and origin(one.base_url) == origin(base_url):
            world.put(one, world.endpoints)
