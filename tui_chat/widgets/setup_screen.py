"""A screen that owns a setup: its sidebar and meter, and all ways to change it but typing.

The screen's value is the one that is sent. The sidebar, a preset, a dialog and a typed command
all change it through use(), so each change is live everywhere at once. Dialogs are imported when
they are first opened, to keep the first paint early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message as Event
from textual.reactive import reactive, var
from textual.widget import Widget
from textual.widgets import Static

from tui_chat.core.conversation import Refusal, Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line
from tui_chat.core.world import World
from tui_chat.widgets.backdrop import Frame
from tui_chat.widgets.meter import Meter
from tui_chat.widgets.preset_words import tell_of_preset
from tui_chat.widgets.rows import MODE
from tui_chat.widgets.sidebar import Sidebar
from tui_chat.widgets.sized_screen import SizedScreen
from tui_chat.widgets.storing_app import complain

if TYPE_CHECKING:
    from tui_chat.core.presets import Deleted, Preset


class SetupScreen(SizedScreen):
    """Subclasses compose `yield from self.compose_side()` and may override `setup_used`."""

    DEFAULT_CSS = """
    SetupScreen {
        & #side {
            width: 42; border: round $foreground 20%; border-title-color: $text-muted;
            &.-focused { border: round $primary; border-title-color: $text; }
            & #explanation {
                height: auto; min-height: 2; max-height: 4; padding: 0 1;
                color: $text-muted; border-top: solid $foreground 20%;
                &.-wrong { color: $text-warning; }
            }
            &.-with-next Sidebar { height: auto; max-height: 70%; }
            & Meter { border-top: solid $foreground 20%; height: 3; }
        }
        &.-narrow #side { width: 36; }
        &.-high #side { & #explanation { max-height: 6; } & Meter.-priced { height: 4; } }
        &.-no-sidebar #side { display: none; }
        &.-overlay, &.-too-narrow {
            layers: base over;
            & #side { layer: over; dock: right; display: none; background: $surface; margin: 1 0; }
            &.-sidebar-over #side { display: block; }
        }
        &.-middle #side.-with-next {
            & #explanation { display: none; border-top: none; max-height: 3; }
            & Meter { border-top: none; height: 2; }
            &.-focused #explanation { display: block; }
            &.-focused Meter { display: none; }
        }
        &.-low #side {
            & NextToken { display: none; }
            & #explanation { max-height: 4; }
            &.-with-next Sidebar { height: auto; max-height: 70%; }
            & Meter { border-top: none; height: 2; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f2",
            "toggle_sidebar",
            "Parameters",
            tooltip="To the parameters, and back",
            id="setup.parameters",
        ),
        Binding(
            "f6",
            "choose_preset",
            "Presets",
            tooltip="Presets: apply, save, rename, delete",
            id="setup.presets",
        ),
    ]

    completes: ClassVar[bool] = False
    """Whether it is for texts, not for chats."""

    @dataclass(eq=False, repr=False)
    class ModeTurned(Event):
        """The other mode is wanted, which is another room: the house leads there."""

    setup: reactive[Setup] = reactive(Setup(), init=False)
    preset: reactive[Preset | None] = reactive(None, init=False)
    sidebar_shown: var[bool] = var(True, init=False)

    sidebar = getters.query_one(Sidebar)
    meter = getters.query_one(Meter)

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self._deleted_presets: list[Deleted] = []

    def compose_side(self, *, filled: bool = True) -> ComposeResult:
        """The column at the right: parameters, what the focused one means, tokens. Where it is not to be
        `filled` yet, there is its frame until fill_side()."""
        self.set_size_classes()
        yield Frame(*(self._side_parts() if filled else ()), id="side")

    def _side_parts(self) -> Sequence[Widget]:
        sidebar = Sidebar(completes=self.completes).data_bind(SetupScreen.setup)
        return sidebar, Static("", id="explanation", markup=False), Meter()

    async def fill_side(self) -> None:
        """Put into the column what belongs there."""
        side = self.query_one("#side")
        if not side.children:
            await side.mount_all(self._side_parts())
            self._fit_side()

    # The setup

    def use(self, setup: Setup) -> None:
        """Make this the present setup."""
        self.setup = setup

    def take_over(self, before: SetupScreen) -> None:
        """Go on with what was set in another room, in the place where one was there."""
        self._deleted_presets = before._deleted_presets
        self.preset = before.preset
        self.use(before.setup)
        here, there = self.sidebar, before.sidebar
        here.unfolded, here.cursor = there.unfolded, there.cursor
        self.sidebar_shown = before.sidebar_shown
        if before.focused is there:
            self.set_class(before.has_class("-sidebar-over"), "-sidebar-over")
            self.set_focus(here)
        else:
            self.leave_sidebar()

    def use_endpoint(self, endpoint: Endpoint) -> None:
        """Send to this endpoint from now on, beginning with the model that was used there last."""
        from tui_chat.widgets.model_picker import begin_with_model

        self.world.in_doubt = False
        self.use(replace(self.setup, endpoint=endpoint.name, model=endpoint.model))
        begin_with_model(self, endpoint)

    def take_setup(self, setup: Setup) -> None:
        """Use the setup of a saved reply; where its endpoint is not known any more, the rest of it."""
        if self.world.endpoints.has(setup.endpoint):
            self.use(setup)
            return
        here = self.setup
        self.use(replace(setup, endpoint=here.endpoint, model=here.model))
        if not setup.endpoint:
            return  # Imported from a program that tells none.
        words = f"“{one_line(setup.endpoint, 60)}” is not known any more; here is the rest of its setup."
        self.notify(words, severity="warning", timeout=8, markup=False)

    def watch_setup(self) -> None:
        self.sidebar.endpoint = self.endpoint
        # Not before the first paint, which need not wait for what is known of models.
        self.call_after_refresh(self.show_heeds)
        self._show_side_title()
        self.setup_used()

    def watch_preset(self) -> None:
        self._show_side_title()
        self.setup_used()

    def setup_used(self) -> None:
        """The setup or the preset is another one now: for subclasses."""

    @property
    def endpoint(self) -> Endpoint | None:
        """The setup's endpoint, None when it is not known (any more)."""
        try:
            return self.world.endpoint(self.setup.endpoint)
        except ChatError:
            return None

    def remember_refusal(self, refusal: Refusal) -> None:
        """The present model refused a parameter: its row says so."""
        self.show_heeds()

    def show_heeds(self) -> None:
        """Say on the rows which parameters the model does not heed."""
        self.sidebar.heeds = self.world.heeds(self.setup, completes=self.completes)

    @on(Sidebar.Insisted)
    def _insist(self, event: Sidebar.Insisted) -> None:
        self.world.insist(self.setup, event.name)
        self.show_heeds()
        self.setup_used()

    def as_learned(self, endpoint: Endpoint, setup: Setup) -> tuple[Endpoint, Setup]:
        """The endpoint and the setup as the next request is made of them, after what was refused."""
        from tui_chat.core.wire import after_refusals

        return after_refusals(endpoint, setup, self.world.refusals(setup, completes=self.completes))

    # What the column shows

    def _show_side_title(self) -> None:
        side = self.query_one("#side")
        room = side.outer_size.width - 6
        left = "Parameters"
        if self.preset is None or room < 16:
            side.border_title = Content(left)
            return
        name = self.preset.name + ("" if self.preset.matches(self.setup) else " *")
        words = f"preset: {name}"
        right = Content(words if len(words) <= room - 14 else name)
        right = right.truncate(room - 14, ellipsis=True)
        line = "─" * (room - len(left) - 2 - right.cell_length)
        side.border_title = Content.assemble(left, " ", (line, "$foreground 20%"), " ", right)

    def on_screen_suspend(self) -> None:
        self.refresh_bindings()

    def on_screen_resume(self) -> None:
        self.refresh_bindings()

    def on_resize(self) -> None:
        # Over the room it would cover the line at the bottom: on a layer, docked lines take no room.
        self.query_one("#side").styles.max_height = max(1, self.size.height - 2)
        self.call_after_refresh(self._show_side_title)
        self._fit_side()

    def _fit_side(self) -> None:
        for sidebar in self.query(Sidebar):
            sidebar.compact = not self.has_class("-high")

    @on(Sidebar.Changed)
    def _take_setup(self, event: Sidebar.Changed) -> None:
        self.use(event.setup)

    @on(Sidebar.Explained)
    def _explain(self, event: Sidebar.Explained) -> None:
        explanation = self.query_one("#explanation", Static)
        explanation.update(event.text)
        explanation.set_class(event.wrong, "-wrong")

    @on(Sidebar.Opened)
    async def _open_part(self, event: Sidebar.Opened) -> None:
        await self.open_dialog(event.part)

    async def open_dialog(self, name: str) -> None:
        """Let a part of the setup, or a preset, be chosen."""
        if name == MODE:
            self.post_message(self.ModeTurned())
            return
        dialogs = {
            "endpoint": self.action_choose_endpoint,
            "model": self.action_choose_model,
            "system": self.action_edit_system,
            "preset": self.action_choose_preset,
        }
        await dialogs[name]()

    @property
    def in_parameters(self) -> bool:
        """Whether keys act on the parameters."""
        return self.focused is not None and self.focused in self.query("#side *")

    def on_descendant_focus(self) -> None:
        focused = self.in_parameters
        self.query_one("#side").set_class(focused, "-focused")
        if not focused:
            self.remove_class("-sidebar-over")

    # Actions

    @property
    def _over(self) -> bool:
        return self.has_class("-overlay") or self.has_class("-too-narrow")

    def action_toggle_sidebar(self) -> None:
        """Go to the parameters; from there, back to where one writes."""
        if self.focused is self.sidebar:
            self.leave_sidebar()
            return
        self.sidebar_shown = True
        self.add_class("-sidebar-over")
        self.set_focus(self.sidebar)

    def leave_sidebar(self) -> None:
        """Back to where one writes: subclasses focus that."""
        self.remove_class("-sidebar-over")
        self.focus_next()

    def action_hide_sidebar(self) -> None:
        """Hide or show the column."""
        self.sidebar_shown = not self.sidebar_shown
        if not self.sidebar_shown and self.focused is self.sidebar:
            self.leave_sidebar()

    def watch_sidebar_shown(self) -> None:
        self.set_class(not self.sidebar_shown, "-no-sidebar")

    async def action_choose_preset(self) -> None:
        from tui_chat.widgets.pickers import PresetPicker

        if not self.is_active:
            return  # Asked for twice, say by a typed command and a key after it.
        present = self.preset.name if self.preset else ""

        async def take(chosen: str | None) -> None:
            try:
                if chosen:
                    await self.use_preset(chosen)
            except ChatError as error:
                self.complain(error)  # Its file was taken away meanwhile.

        def changed(name: str, preset: Preset | None) -> None:
            if self.preset is not None and self.preset.name == name:
                self.preset = preset

        presets, deleted = self.world.presets, self._deleted_presets
        await self.app.push_screen(
            PresetPicker(presets, self.setup, present, deleted, changed), take
        )

    async def use_preset(self, name: str) -> None:
        """Apply the preset with this name; ChatError names those there are, or what is wrong with its file."""
        preset = await self.world.preset(name)
        if preset.broken:
            raise ChatError(preset.problem, f"So the preset “{preset.name}” was not used.")
        self.preset = preset
        self.use(preset.applied_to(self.setup))
        tell_of_preset(self, preset)

    async def save_preset(self, name: str) -> None:
        """Save the present setup under this name, and ask before one is replaced: for workers.

        ChatError or ValueError in words, also when it shall not be replaced.
        """
        from tui_chat.widgets.pickers import replacing

        question, seen = await asyncio.to_thread(replacing, self.world.presets, name)
        if question is not None and await self.app.push_screen_wait(question) is None:
            raise ChatError(f"The preset “{one_line(name, 60)}” stays as it was.")
        self.preset = await self.world.save_preset(name, self.setup, seen)

    async def action_choose_endpoint(self) -> None:
        from tui_chat.widgets.endpoint_picker import EndpointPicker

        def take(chosen: str | None) -> None:
            if chosen:
                self.take_endpoint(chosen.removeprefix(EndpointPicker.FREE))

        await self.app.push_screen(EndpointPicker(self.world, self.setup.endpoint), take)

    def take_endpoint(self, words: str) -> None:
        """Use the endpoint of this name, at this URL or of this model file; says so when there is none."""
        try:
            self.use_endpoint(self.world.endpoint_for(words))
        except ChatError as error:
            self.complain(error)

    async def action_choose_model(self) -> None:
        from tui_chat.widgets.model_picker import ModelPicker
        from tui_chat.widgets.pickers import without_mark

        def take(chosen: str | None) -> None:
            if chosen:
                self.use(replace(self.setup, model=without_mark(chosen)))

        await self.app.push_screen(ModelPicker(self.world, self.setup), take)

    async def action_edit_system(self) -> None:
        from tui_chat.widgets.dialogs import TextDialog

        def take(text: str | None) -> None:
            if text is not None:
                self.use(replace(self.setup, system=text.strip()))

        note = "What the model is told before the conversation begins."
        await self.app.push_screen(TextDialog("System prompt", note, self.setup.system), take)

    def complain(self, error: Exception, *, awaited: bool = False) -> None:
        """As storing_app.complain()."""
        complain(self, error, awaited=awaited)
