"""An app whose keys take effect in the order in which they came, however fast, from the first moment on."""

from __future__ import annotations

import asyncio
import gc
import re
from contextlib import suppress

from textual import events
from textual.binding import Binding

from tui_chat.core.pace import stays
from tui_chat.widgets.bars import shown_key
from tui_chat.widgets.keys import HeldKeys, renamed
from tui_chat.widgets.safe_app import SafeApp

KEY_SECONDS = 0.2
"""How long a key waits for those before it to be taken."""


class KeyedApp(SafeApp):
    """Subclasses call release_keys() once there is something to take the keys."""

    def __init__(self) -> None:
        super().__init__()
        self._held: HeldKeys | None = HeldKeys()

    def get_key_display(self, binding: Binding) -> str:
        return binding.key_display or shown_key(binding.key.split(",")[0])

    async def on_event(self, event: events.Event) -> None:
        if self._held is not None and self._held.take(event):
            return
        event = renamed(event)
        if isinstance(event, events.Key) and event.key == "escape" and not event.is_forwarded:
            # Before it does what else it does: what is said about that is still to be read.
            self.clear_notifications()
        if not isinstance(event, events.Key) or event.is_forwarded or not await self._acted(event):
            await super().on_event(event)

    async def _acted(self, event: events.Key) -> bool:
        """Run a key of the room or the house now; False for a key that is for the focused widget.

        By Textual's own way it would be run after the keys that follow it in a burst, as slow
        lines send them: those would still go to the widget that the key leads away from.
        """
        focused = self.screen.focused
        # Whose own keys are all bindings, and none is typed into it.
        at_once = getattr(focused, "keys_at_once", False)
        if event.is_printable:
            # A letter or a sign is a key only where it is not typed.
            if focused is None or focused.check_consume_key(event.key, event.character):
                return False
        elif not at_once and re.fullmatch(r"ctrl\+.+|f\d+|(shift\+)?tab", event.key) is None:
            return False
        bound = self.screen.active_bindings.get(event.key)
        if bound is None or not bound.enabled:
            return False
        leads_away = bound.binding.action.startswith(("app.", "screen."))
        # Signs may all be run here, so that they keep their order among themselves.
        here = at_once or event.is_printable or bound.node in (self.screen, self)
        if not here and not leads_away:
            return False
        if focused is not None:
            settled = asyncio.Event()
            focused.call_later(settled.set)
            with suppress(TimeoutError):
                await asyncio.wait_for(settled.wait(), KEY_SECONDS)
        return await self.run_action(bound.binding.action, bound.node)

    async def release_keys(self) -> None:
        """Keys typed before there was a prompt reach it now, in order."""
        stays("started")
        gc.enable()
        held, self._held = self._held, None
        for event in held.events if held else ():
            await self.on_event(event)
