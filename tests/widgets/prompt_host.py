"""A room of the smallest kind around the prompt, and the fingers that type into it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.pilot import Pilot
from textual.widgets import Button, Static, TextArea

from tui_chat.widgets.completion import Completions
from tui_chat.widgets.prompt import Prompt

COMMANDS = (
    ("/help", "Show keys."),
    ("/model ", "name · Choose [b]the[/x] model."),
    ("/mood ", "word · Nothing."),
    *((f"/zoo-{number}", "An animal.") for number in range(9)),
)
MODELS = ("gpt-4o", "gpt-4o-mini", "\x1b[31mred")
GLOBAL_KEYS = (
    *(f"f{number}" for number in range(1, 9)),
    *("ctrl+c", "ctrl+p", "ctrl+n", "ctrl+o", "ctrl+r", "ctrl+q"),
    *("escape", "pageup", "pagedown"),
)
BIG = "abc def ghi jkl mno\n" * 50_000


def commands(typed: str) -> Sequence[tuple[str, str]]:
    name, space, argument = typed.partition(" ")
    if space:
        models = [model for model in MODELS if argument in model and argument != model]
        return [(f"/model {model}", "") for model in models] if name == "/model" else []
    return [pair for pair in COMMANDS if pair[0].startswith(name)]


class Host(App[None]):
    """A room of the smallest kind: it takes what is sent, unless it is busy."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [Binding(key, f"reached({key!r})") for key in GLOBAL_KEYS]
    CSS = "#room { height: 1fr; } #transcript { height: 1fr; } Prompt { border-top: solid white; }"

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []
        self.drafts: list[Prompt.DraftChanged] = []
        self.reached: list[str] = []
        self.busy = False

    def compose(self) -> ComposeResult:
        with Vertical(id="room"):
            yield Static("", id="transcript")
            yield Prompt()
        yield Button("After the prompt")

    def on_mount(self) -> None:
        self.prompt.focus()
        self.prompt.commands = commands

    @property
    def prompt(self) -> Prompt:
        return self.query_one(Prompt)

    @property
    def shown(self) -> str:
        """The document of the prompt, with its chips as they are shown."""
        return self.query_one(TextArea).text.replace("\u00a0", " ")

    @property
    def offered(self) -> list[str]:
        """The rows of the list of commands; none when it is closed."""
        found = self.query_one(Completions)
        return (
            [str(row).rstrip() for row in str(found.render()).split("\n")] if found.display else []
        )

    def action_reached(self, key: str) -> None:
        self.reached.append(key)

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        assert event.control is self.prompt
        self.sent.append(event.text)
        if self.busy:
            event.prompt.keep_draft()
        else:
            event.prompt.remember(event.text)
            event.prompt.clear_draft()

    def on_prompt_draft_changed(self, event: Prompt.DraftChanged) -> None:
        self.drafts.append(event)


@asynccontextmanager
async def host(size: tuple[int, int] = (60, 30)) -> AsyncIterator[tuple[Host, Pilot[None]]]:
    app = Host()
    async with app.run_test(size=size) as pilot:
        yield app, pilot


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        await pilot.pause()


async def paste(pilot: Pilot[None], text: str) -> None:
    """Paste the text and wait for the prompt to have it."""
    told = len(pilot.app.drafts) if isinstance(pilot.app, Host) else 0
    pilot.app.post_message(events.Paste(text))
    await until(pilot, lambda: isinstance(pilot.app, Host) and len(pilot.app.drafts) > told)


def burst(app: App[None], *keys: str) -> None:
    """Keys that arrive all at once, as after a pause of the program."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press the keys, fast, and wait until all of them have acted."""
    burst(pilot.app, *keys[:-1])
    await pilot.press(keys[-1])
