"""The token meter: the draft, how full the context window is, what the conversation cost."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.core.reading import Reading

_THIN = "\u202f"


def figure(number: int | None, *, exact: bool = True) -> str:
    """A count as people read it: `12 345`, with ≈ before an estimate, `–` while unknown."""
    if number is None:
        return "–"
    return ("" if exact or not number else "≈") + f"{number:,}".replace(",", _THIN)


def short(number: int) -> str:
    """A large count in few characters: `8 192`, `128k`, `1M`."""
    if number < 100_000:
        return figure(number)
    return f"{number / 1e6:.3g}M" if number >= 1_000_000 else f"{number / 1e3:.0f}k"


class Meter(Widget):
    """Two lines: the figures; a bar that fills with the context window, and the cost."""

    DEFAULT_CSS = """
    Meter { height: 2; padding: 0 1; color: $text-muted; }
    """

    reading: reactive[Reading] = reactive(Reading())

    def render(self) -> Content:
        reading = self.reading
        window = f" / {short(reading.window)}" if reading.window else ""
        total = None if reading.context is None else reading.context + (reading.draft or 0)
        first = Content.assemble(
            "draft ",
            (figure(reading.draft, exact=reading.exact), "$text"),
            " · context ",
            (figure(total, exact=reading.exact), "$text"),
            window,
        )
        whole = Content.assemble("Tokens  ", first)
        first = whole if whole.cell_length <= self.content_size.width else first
        return Content("\n").join([first, self._second_line(total)])

    def _second_line(self, total: int | None) -> Content:
        cost = self.reading.cost
        room = max(0, self.content_size.width - len(cost) - 1)
        if not self.reading.window or total is None or room < 4:
            return Content(cost)
        share = min(1.0, total / self.reading.window)
        full = min(room, round(share * room)) if total else 0
        colour = "$error" if share > 0.95 else "$warning" if share > 0.8 else "$primary"
        return Content.assemble(
            ("▬" * full, colour),
            ("─" * (room - full), "$text-disabled"),
            " ",
            (cost, "$text-muted"),
        )
