"""The first start: what can be done when there is nothing to talk to yet.

Nothing is fetched without Enter, and Esc cancels a fetch without a trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, ProgressBar, Static
from textual.widgets.option_list import Option
from textual.worker import Worker

from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.errors import ChatError
from tui_chat.core.local.model import SMOLLM2, Progress
from tui_chat.core.world import World
from tui_chat.widgets.bars import Keyline
from tui_chat.widgets.dialogs import Modal
from tui_chat.widgets.tones import MUTED

_STEPS = {"fetching": "Fetching", "unpacking": "Unpacking", "checking": "Checking"}


@dataclass(frozen=True)
class Way:
    """One thing that can be done about having nobody to talk to."""

    key: str
    title: str
    words: str


def ways(fetched: bool) -> tuple[Way, ...]:
    """The ways, the built-in model first."""
    size = f"{SMOLLM2.download / 1e6:.0f} MB"
    built_in = (
        "It is on this machine already. No key, no account, no network."
        if fetched
        else f"{SMOLLM2.title}: {size}, fetched once; then no key, no account, no network."
    )
    return (
        Way("built-in", "Use the built-in model", built_in),
        Way(
            "server",
            "Point at a server",
            "Any that speaks the OpenAI API: llama.cpp, Ollama, vLLM …",
        ),
        Way(
            "key",
            "Use a key",
            "Of OpenAI, Anthropic, Google, Groq and others.",
        ),
    )


class Ways(OptionList):
    """The ways, as a list that takes Enter itself: after an arrow in a burst, it is for the line that the
    arrow led to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Choose", id="welcome.choose"),
    ]


class Welcome(Modal[str | None]):
    """Dismissed with the name of the endpoint to use, or None."""

    DEFAULT_CSS = """
    Welcome {
        align: center middle;
        & > Vertical {
            width: 72; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-color: $text; background: $surface; padding: 1 2 0 2;
        }
        & Static { width: 1fr; color: $text-muted; }
        & #words { color: $text; margin: 0 0 1 0; }
        & #trouble { max-height: 6; }
        & OptionList, & OptionList:focus { height: auto; border: none; background: $surface; padding: 0; }
        & #progress { display: none; height: auto; margin: 1 0 0 0; }
        & #progress ProgressBar { width: 1fr; }
        & #progress Bar { width: 1fr; }
        & #trouble { color: $text-error; margin: 1 0 0 0; display: none; }
        & Keyline { background: $surface; padding: 0; margin: 1 0 0 0; }
        &.-fetching { & #progress { display: block; } & OptionList { display: none; } }
        &.-trouble #trouble { display: block; }
        &.-low {
            & > Vertical { height: 100%; padding: 0 2; }
            & OptionList, & OptionList:focus { height: 1fr; min-height: 2; scrollbar-size-vertical: 1; }
            & #trouble { margin: 0; max-height: 4; }
            & Keyline { margin: 0; }
            &.-fetching > Vertical { height: auto; }
        }
    }
    """
    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (24, "-high")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="welcome.cancel", priority=True),
        Binding("escape", "dismiss(None)", "Back", id="welcome.back", priority=True),
    ]

    def __init__(self, world: World, *, in_use: bool = False) -> None:
        """`in_use`: whether there is an endpoint that questions go to already."""
        super().__init__()
        self._title = "Whom to talk to" if in_use else "Nobody to talk to yet"
        self._fetched = False
        self._world = world
        self._ways = ways(world.model_ready)
        self._fetching: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(self._title)
            yield Static(
                "Choose where your questions go. Nothing is sent or fetched before you do.",
                id="words",
            )
            yield Ways(*(Option(_prompt(way)) for way in self._ways), markup=False)
            with Vertical(id="progress"):
                yield Static("", id="step", markup=False)
                yield ProgressBar(total=None, show_eta=False)
            yield Static("", id="trouble", markup=False)
            yield Keyline()

    def on_resize(self, event: events.Resize) -> None:
        options = self.query_one(OptionList)
        for place, way in enumerate(self._ways):
            # Where there is little room, without a line between them.
            options.replace_option_prompt_at_index(place, _prompt(way, event.size.height >= 24))

    def on_screen_resume(self) -> None:
        if self._fetched:
            self.dismiss(BUILT_IN)  # It was fetched while something else was open over this.

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        if self._fetching is not None or not self.is_active:
            return
        self.remove_class("-trouble")
        match self._ways[event.option_index].key:
            case "built-in" if self._world.model_ready:
                self.dismiss(BUILT_IN)
            case "built-in":
                self._fetching = self._fetch()
                self.refresh_bindings()
            case "server":
                self._ask_for_server()
            case _:
                self._ask_for_key()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        fetching = self._fetching is not None
        return fetching if action == "cancel" else True

    def action_cancel(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()

    @work(exclusive=True, group="fetch")
    async def _fetch(self) -> None:
        self.add_class("-fetching")
        try:
            await self._world.fetch_model(self._progressed)
        except ChatError as error:
            self._trouble(str(error))
        else:
            self._fetched = True
            self.dismiss(BUILT_IN)
        finally:
            self._fetching = None
            self.remove_class("-fetching")
            # While it was hidden it could not have the focus; when the program leaves there is none.
            for options in self.query(OptionList):
                self.call_after_refresh(options.focus)
            self.refresh_bindings()

    def _progressed(self, progress: Progress) -> None:
        done, total = progress.done / 1e6, progress.total / 1e6
        step = f"{_STEPS[progress.step]} {SMOLLM2.title}   {done:.0f} of {total:.0f} MB"
        self.query_one("#step", Static).update(step)
        self.query_one(ProgressBar).update(total=progress.total, progress=progress.done)

    def _trouble(self, words: str) -> None:
        self.query_one("#trouble", Static).update(words)
        self.add_class("-trouble")

    @work(exclusive=True, group="server")
    async def _ask_for_server(self) -> None:
        from tui_chat.widgets.adding import Adding

        await self._used(await Adding(self._world, self.app.push_screen_wait).run())

    @work(exclusive=True, group="key")
    async def _ask_for_key(self) -> None:
        from tui_chat.widgets.endpoint_picker import EndpointPicker

        picker = EndpointPicker(self._world, "", by_key=True)
        await self._used(await self.app.push_screen_wait(picker))

    async def _used(self, name: str | None) -> None:
        if name is not None:
            self.dismiss(name)


def _prompt(way: Way, loose: bool = True) -> Content:
    return Content.assemble((way.title, "bold"), "\n", (way.words, MUTED), "\n" * loose)
