"""What a setup is chosen from: presets and models; endpoints are in endpoint_picker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui_chat.core.conversation import Setup
from tui_chat.core.errors import ChatError
from tui_chat.core.presets import Deleted, Preset, Presets, check_name
from tui_chat.core.text import one_line
from tui_chat.widgets.dialogs import LineDialog, YesDialog
from tui_chat.widgets.picker import KeepingPicker, Line, Picker


def without_mark(chosen: str) -> str:
    """What was chosen or typed, without the mark of typed text."""
    return chosen.removeprefix(Picker.FREE)


class PresetPicker(KeepingPicker[Preset, Deleted]):
    """Presets: apply, save the present setup under a name, rename, delete with undo."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save present setup", id="presets.save"),
        Binding("f2", "rename", "Rename", id="presets.rename"),
        Binding("ctrl+z", "undo", "Undo delete", id="presets.undo"),
    ]
    title_words = "Presets"

    def __init__(
        self,
        presets: Presets,
        setup: Setup,
        present: str,
        deleted: list[Deleted],
        changed: Callable[[str, Preset | None], None],
    ) -> None:
        """`changed` is told the name of a preset that was renamed or deleted, and what it is now."""
        super().__init__(deleted, at=present)
        self._presets = presets
        self._setup = setup
        self._present = present
        self._changed = changed
        self._by_name: dict[str, Preset] = {}

    async def find(self) -> Sequence[Preset]:
        return await asyncio.to_thread(self._presets.all)

    def lines_for(self, found: Sequence[Preset]) -> Sequence[Line]:
        self._by_name = {preset.name: preset for preset in found}
        return [_preset_line(preset, self._present, self._setup) for preset in found]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "rename":
            return self.can_remove()
        if action == "undo":
            return self.can_undo()
        return True

    def can_remove(self) -> bool:
        line = self.highlighted
        return super().can_remove() and line is not None and not self._by_name[line.key].shipped

    @work
    async def action_save(self) -> None:
        with self.acting() as alone:
            if alone:
                await self._save()

    async def _save(self) -> None:
        name, wrong = self.typed or self._present, ""
        while True:
            dialog = LineDialog("Save the present setup", "Under which name?", name, wrong)
            name = await self.asked(dialog) or ""
            if not name:
                return
            try:
                question, seen = await asyncio.to_thread(replacing, self._presets, name)
                if question is not None and await self.asked(question) is None:
                    wrong = ""
                    continue
                save = partial(self._presets.save, name, self._setup, expected=seen)
                saved = await asyncio.to_thread(save)
            except (ChatError, ValueError) as error:
                wrong = str(error)
                continue
            self.notify(f"Saved the preset “{saved.name}”.", markup=False)
            self.dismiss(saved.name)
            return

    @work
    async def action_rename(self) -> None:
        line = self.highlighted
        with self.acting() as alone:
            if alone and line is not None:
                await self._rename(line)

    async def _rename(self, line: Line) -> None:
        name, wrong = line.key, ""
        while True:
            name = await self.asked(LineDialog("Rename the preset", "", name, wrong)) or ""
            if not name or name == line.key:
                return
            try:
                await asyncio.to_thread(self._presets.rename, line.key, name)
                break
            except (ChatError, ValueError) as error:
                wrong = str(error)
        new = check_name(name)
        preset = self._by_name.get(line.key)
        self._told(line.key, replace(preset, name=new) if preset else None)
        await self.read(at=new)

    def _told(self, name: str, preset: Preset | None) -> None:
        if name == self._present:
            self._present = preset.name if preset else ""
        self._changed(name, preset)

    async def delete(self, key: str) -> Deleted:
        deleted = await asyncio.to_thread(self._presets.delete, key)
        self._told(key, None)
        return deleted

    async def restore(self, gone: Deleted) -> str:
        await asyncio.to_thread(self._presets.restore, gone)
        return gone.name


def replacing(presets: Presets, name: str) -> tuple[YesDialog | None, str]:
    """What to ask before a preset is saved under this name, None when it is free; and what stands in its
    file, for Presets.save.

    ValueError for a name that cannot be, ChatError for a file that cannot be read. Reads files.
    """
    name = check_name(name)
    seen, leads_to = presets.seen(name)
    there = next((one for one in presets.all() if one.name.casefold() == name.casefold()), None)
    if there is None:
        return None, seen
    note = "It is one of those that come along; yours takes its place." if there.shipped else ""
    if leads_to is not None:
        note = f"Its file is a link; what changes is {one_line(str(leads_to), 400)}."
    return YesDialog(f"Replace the preset “{there.name}”?", note), seen


def _preset_line(preset: Preset, present: str, setup: Setup) -> Line:
    facts = (preset.params.summary if not preset.problem else "broken",)
    here = preset.name == present
    name = f"{preset.name} *" if here and not preset.matches(setup) else preset.name
    return Line(preset.name, name, facts, preset.problem or _about(preset), here)


def _about(preset: Preset) -> str:
    """What a preset is for, and what it sets besides parameters."""
    sentences = [preset.about] if preset.about else []
    place = ", ".join(part for part in (preset.endpoint, preset.model) if part)
    if place:
        sentences.append(f"Sends to {place}.")
    if preset.system is not None:
        sentences.append("Sets a system prompt." if preset.system else "No system prompt.")
    return " ".join(sentences)
