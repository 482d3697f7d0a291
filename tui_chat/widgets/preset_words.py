"""What is wrong with the file of a preset, said where the preset is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.core.errors import ChatError

if TYPE_CHECKING:
    from tui_chat.core.presets import Preset
    from tui_chat.widgets.setup_screen import SetupScreen


def tell_of_preset(screen: SetupScreen, preset: Preset, then: str = "") -> None:
    """Say what is wrong with its file, with each place, and in `then` what follows from that."""
    if preset.problem:
        then = then or f"The rest of the preset “{preset.name}” is used."
        screen.notify(f"{preset.problem} {then}", severity="warning", timeout=15, markup=False)


async def first_preset(screen: SetupScreen, named: Preset | None, last: str) -> Preset | None:
    """The preset that the command line named, else that of the last start; says what is wrong with it."""
    if named is not None:
        then = f"So the preset “{named.name}” was not used." if named.broken else ""
        tell_of_preset(screen, named, then)
        return None if named.broken else named
    if not last:
        return None
    try:
        preset = await screen.world.preset(last)
    except ChatError:
        return None  # Deleted since; the setup itself was kept.
    then = f"The setup is as it was, whatever the preset “{last}” says now."
    tell_of_preset(screen, preset, then)
    return preset
