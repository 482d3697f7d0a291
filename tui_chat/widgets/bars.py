"""The line at the top, which says where one is, and the line at the bottom, which says what keys do."""

from __future__ import annotations

from textual.binding import Binding
from textual.content import Content
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from tui_chat.core.text import one_line
from tui_chat.core.unsaved import Unsaved

TOO_SMALL = "This window is too small.\n60 × 16 is enough."
"""What a room shows below that size."""
_NAMES = {
    "escape": "esc",
    "delete": "del",
    "pageup": "page up",
    "pagedown": "page down",
    "up": "↑",
    "down": "↓",
}


_RARE = ("chat.make_room",)
"""The ids of bindings that are there only when they are what helps."""
_SELDOM = frozenset({"chat.messages", "review.back", "saved.order", "saved.view"})
"""The keys that go first where not all fit: what people try unasked, or need seldom."""


def shown_key(keys: str) -> str:
    """Keys as people read them: `F5 ^R` for `f5,ctrl+r`."""
    shown = []
    for key in keys.split(","):
        name = _NAMES.get(key, key)
        if name.startswith("f") and name[1:].isdigit():
            name = name.upper()
        elif name.startswith("ctrl+"):
            name = "^" + name[5:].upper()
        shown.append(name)
    return " ".join(shown)


class Topline(Widget):
    """The conversation's title at the left; endpoint, model, what is not saved, and the state at the right."""

    DEFAULT_CSS = """
    Topline { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    """

    title: reactive[str] = reactive("")
    place: reactive[str] = reactive("")
    short_place: reactive[str] = reactive("")
    """The part of `place` that stands where there is no more room: without it the end, which is the model."""
    state: reactive[str] = reactive("")
    """One of ready, starting, answering, nothing to talk to; any words will do, or none."""

    unsaved: reactive[str] = reactive("")
    """What is not saved, and why, in a few words; it goes before all else."""
    losing: reactive[bool] = reactive(False)
    """Whether that is not as it should be."""

    _COLOURS = {"ready": "$text-success", "failed": "$text-error"}

    def __init__(self, unsaved: Unsaved) -> None:
        super().__init__()
        self._unsaved = unsaved

    def on_mount(self) -> None:
        self._unsaved.watch(self._show_unsaved)
        self._show_unsaved()

    def on_unmount(self) -> None:
        self._unsaved.unwatch(self._show_unsaved)

    def _show_unsaved(self) -> None:
        self.unsaved, self.losing = self._unsaved.words, self._unsaved.failing

    def render(self) -> Content:
        width = self.content_size.width
        left = Content.assemble(("tui-chat", "bold $text"), "   ", one_line(self.title, 200))
        right = self._right(min(48, width // 2 - 6), width - left.cell_length - 2)
        room = width - right.cell_length - 2
        left = left.truncate(max(0, room), ellipsis=True, pad=True)
        return Content.assemble(left, "  ", right)

    def _right(self, room: int, free: int) -> Content:
        """Place and state. The place has so much room in any case, and with the state what the title
        leaves free."""
        mark = "●" if self.state == "ready" else "○"
        words = f"{mark} {self.state}" if self.state else ""
        taken = sum(len(shown) + 3 for shown in (words, self.unsaved) if shown)
        room = max(room - (len(self.unsaved) + 3 if self.unsaved else 0), free - taken)
        state = (words, self._COLOURS.get(self.state, "$text-warning"))
        place = one_line(self.place)
        short = one_line(self.short_place) or place.rpartition(" · ")[2]
        shown = next((words for words in (place, short) if len(words) <= room), "")
        lost = (self.unsaved, "$text-error" if self.losing else "$text-warning")
        parts = [part for part in ((shown, ""), lost, state) if part[0]]
        return Content("   ").join(Content.assemble(part) for part in parts)


class Keyline(Widget):
    """The keys that do something now, in the order of their bindings, as many as fit whole."""

    DEFAULT_CSS = """
    Keyline { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    """

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._keys_changed)

    def _keys_changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def _shown(self) -> list[Binding]:
        active = self.screen.active_bindings.values()
        bindings: dict[str, Binding] = {}
        for found in active:
            if found.binding.show and found.enabled:
                bindings.setdefault(found.binding.action, found.binding)
        return list(bindings.values())

    def render(self) -> Content:
        if self.app.screen is not self.screen:
            return Content()  # Under a dialog these keys do nothing, or something else.
        shown = {
            binding: Content.assemble(
                (self.app.get_key_display(binding), "bold $text"), " ", binding.description
            )
            for binding in self._shown()
        }
        room = self.content_size.width
        fitting: list[Binding] = []
        for binding in sorted(shown, key=_importance):
            width = shown[binding].cell_length + (2 if fitting else 0)
            if width > room:
                break
            fitting.append(binding)
            room -= width
        return Content("  ").join([shown[binding] for binding in sorted(fitting, key=_order)])


def _number(binding: Binding) -> int:
    """Which function key it is; 0 for another key."""
    key = binding.key.split(",")[0]
    return int(key[1:]) if key.startswith("f") and key[1:].isdigit() else 0


def _of_the_house(binding: Binding) -> bool:
    return (binding.id or "").startswith("app.")


def _order(binding: Binding) -> tuple[int, int]:
    """Keys of the focused widget first, then the function keys by number, help last."""
    number = _number(binding)
    if number:
        return (3, 0) if number == 1 else (1, number)
    # What takes away comes last.
    return (2, 0) if _of_the_house(binding) else (0, binding.key == "delete")


def _importance(binding: Binding) -> tuple[int, int]:
    """Which keys are shown where not all fit: those that lead to all others go last."""
    number = _number(binding)
    if binding.id in _RARE:
        return (1, 0)
    if number == 1:  # Where every key is explained.
        return (0, 0)
    if number:
        return (2, number) if number <= 3 else (4, number)
    if binding.id in _SELDOM:
        return (5, 0)
    return (3 if _of_the_house(binding) else 1, 0)
