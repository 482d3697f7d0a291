"""A list in which a name can be typed, and a key that was pasted there by mistake is not shown."""

from __future__ import annotations

from tui_chat.core.urls import holds_key, pasted_key
from tui_chat.widgets.picker import Line, Picker


class KeylessPicker(Picker):
    """What looks like a key is masked in the filter, matches nothing, and cannot be chosen."""

    where_keys_go = ""
    """The sentence that says where a key is given; empty for the usual one."""

    def is_key(self, typed: str) -> bool:
        """Whether this is a key, or holds one: for lists whose names may look like keys."""
        return holds_key(typed)

    def _narrow(self) -> None:
        self._filter.password = self.is_key(self.typed)
        super()._narrow()

    def matching(self, typed: str) -> tuple[Line, ...]:
        return () if self.is_key(typed) else super().matching(typed)

    def _highlight(self, place: int) -> None:
        super()._highlight(place)
        if self.is_key(self.typed):
            said = pasted_key()
            self._about.update(f"{said.message} {self.where_keys_go or said.hint}")
