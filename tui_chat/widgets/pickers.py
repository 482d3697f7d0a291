"""What a setup is chosen from: presets, endpoints, models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui_chat.core.conversation import Setup
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import key_source
from tui_chat.core.presets import Deleted, Preset, Presets
from tui_chat.core.provider import ServedModel
from tui_chat.core.world import World
from tui_chat.widgets.dialogs import LineDialog
from tui_chat.widgets.meter import figure
from tui_chat.widgets.picker import Line, Picker


def without_mark(chosen: str) -> str:
    """What was chosen or typed, without the mark of typed text."""
    return chosen.removeprefix(Picker.FREE)


class PresetPicker(Picker):
    """Presets: apply, save the present setup under a name, rename, delete with undo."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save present setup", id="presets.save"),
        Binding("f2", "rename", "Rename", id="presets.rename"),
        Binding("ctrl+z", "undo", "Undo delete", id="presets.undo"),
    ]
    title_words = "Presets"

    def __init__(self, presets: Presets, setup: Setup, present: str) -> None:
        super().__init__(at=present)
        self._presets = presets
        self._setup = setup
        self._present = present
        self._found: dict[str, Preset] = {}
        self._deleted: list[Deleted] = []

    def on_mount(self) -> None:
        super().on_mount()
        self.call_after_refresh(self._read)

    @work
    async def _read(self) -> None:
        found = await asyncio.to_thread(self._presets.all)
        self._found = {preset.name: preset for preset in found}
        self.show_lines([_preset_line(preset, self._present) for preset in found])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        own = self.can_remove()
        if action == "rename":
            return own
        if action == "undo":
            return bool(self._deleted)
        return True

    def can_remove(self) -> bool:
        line = self.highlighted
        return line is not None and line.key in self._found and not self._found[line.key].shipped

    @work
    async def action_save(self) -> None:
        name = await self.app.push_screen_wait(
            LineDialog("Save the present setup", "Under which name?", self.typed or self._present)
        )
        if name:
            await self._tried(self._presets.save, name, self._setup)
            if name in self._found:
                self.dismiss(name)

    @work
    async def action_rename(self) -> None:
        line = self.highlighted
        if line is None:
            return
        name = await self.app.push_screen_wait(LineDialog("Rename the preset", text=line.key))
        if name and name != line.key:
            await self._tried(self._presets.rename, line.key, name)

    @work
    async def action_remove(self) -> None:
        line = self.highlighted
        if line is None or not self.can_remove():
            return
        deleted = await self._tried(self._presets.delete, line.key)
        if isinstance(deleted, Deleted):
            self._deleted.append(deleted)
            self.notify(f"Deleted “{line.key}”. ctrl+z brings it back.", markup=False)

    @work
    async def action_undo(self) -> None:
        if self._deleted:
            await self._tried(self._presets.restore, self._deleted.pop())

    async def _tried(self, doing: object, *arguments: object) -> object:
        assert callable(doing)
        result: object = None
        try:
            result = await asyncio.to_thread(doing, *arguments)
        except (ChatError, ValueError) as error:
            self.notify(str(error), severity="error", markup=False)
        await self._read().wait()
        return result


def _preset_line(preset: Preset, present: str) -> Line:
    facts = (preset.params.summary if not preset.problem else "broken",)
    return Line(
        preset.name, preset.name, facts, preset.problem or preset.about, preset.name == present
    )


class EndpointPicker(Picker):
    """Endpoints that are known; a typed URL adds one."""

    title_words = "Endpoint"
    hint = "Choose one, or type the URL of a server: http://127.0.0.1:8080/v1"
    free_text = True

    def __init__(self, world: World, present: str) -> None:
        lines = [_endpoint_line(one, world, present) for one in world.endpoints]
        super().__init__(lines, at=present)


def _endpoint_line(endpoint: Endpoint, world: World, present: str) -> Line:
    address = endpoint.base_url or "on this machine"
    about = f"Key: {key_source(endpoint, world.environ)}"
    return Line(endpoint.name, endpoint.name, (address,), about, endpoint.name == present)


class ModelPicker(Picker):
    """The models an endpoint lists; any other name can be typed."""

    title_words = "Model"
    hint = "Type to narrow the list, or type any name"
    free_text = True
    nothing = "Asking the endpoint for its models…"

    def __init__(self, world: World, endpoint: str, present: str) -> None:
        super().__init__(_model_lines((), present), at=present)
        self._world = world
        self._endpoint = endpoint
        self._present = present

    def on_mount(self) -> None:
        super().on_mount()
        self._ask()

    @work
    async def _ask(self) -> None:
        try:
            provider = await self._world.provider(self._endpoint)
            served = await provider.models()
        except ChatError as error:
            self.nothing = str(error)
            self.notify(str(error), severity="warning", markup=False)
        else:
            self.nothing = "The endpoint lists no models; any name can be typed."
            self.show_lines(_model_lines(served, self._present))


def _model_lines(served: Iterable[ServedModel], present: str) -> Sequence[Line]:
    lines = [
        Line(
            model.id,
            model.id,
            (f"context {figure(model.context)}",) if model.context else (),
            marked=model.id == present,
        )
        for model in served
    ]
    if present and all(line.key != present for line in lines):
        lines.insert(0, Line(present, present, marked=True))
    return lines
