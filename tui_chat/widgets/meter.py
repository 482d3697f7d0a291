"""The token meter: the draft, how full the context window is, what the branch being read cost."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.core.reading import UNKNOWN_COST, Reading
from tui_chat.widgets.tones import FAINT

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
    """Two lines: draft, reply and cost; a bar that fills with the context window, and its figures. A third
    one for what the next request may cost, where that is known and there is room."""

    DEFAULT_CSS = """
    Meter { height: 2; padding: 0 1; color: $text-muted; }
    """

    reading: reactive[Reading] = reactive(Reading())

    def watch_reading(self) -> None:
        self.tooltip = self.reading.next_words or None
        # Screens with room give it one line more.
        self.set_class(bool(self.reading.next), "-priced")

    def render(self) -> Content:
        roomy = bool(self.reading.next) and self.content_size.height > 2
        lines = [self._first_line(priced=not roomy), self._second_line()]
        if roomy:
            lines.append(Content.assemble(("Next    ", ""), (self.reading.next, "$text")))
        return Content("\n").join(lines)

    def _first_line(self, *, priced: bool) -> Content:
        """`priced`: whether what the draft may cost stands here, in place of the last reply's tokens."""
        reading, width = self.reading, self.content_size.width
        left = Content.assemble(
            ("draft ", ""), (figure(reading.draft, exact=reading.exact), "$text")
        )
        following = reading.next if priced and reading.draft and not reading.arriving else ""
        free = width - left.cell_length - len(reading.cost) - 4
        shown = next(
            (one for one in (following, following.partition(" + ")[0]) if len(one) <= free), ""
        )
        if shown:
            left = Content.assemble(left, (" · ", ""), (shown, "$text"))
        elif reading.reply is not None:
            reply = figure(reading.reply, exact=reading.reply_exact)
            left = Content.assemble(left, (" · reply ", ""), (reply, "$text"))
        cost = reading.cost
        if cost == UNKNOWN_COST and left.cell_length + len(cost) >= width:
            cost = "$?"
        room = width - len(cost) - 1
        whole = Content.assemble(("Tokens  ", ""), left)
        left = whole if whole.cell_length <= room else left
        return Content.assemble(left.truncate(max(0, room), ellipsis=True, pad=True), " ", cost)

    def _second_line(self) -> Content:
        reading = self.reading
        total = reading.total
        left = "Context "
        window = f" / {short(reading.window)}" if reading.window else ""
        right = Content.assemble((figure(total, exact=reading.total_exact), "$text"), window)
        room = self.content_size.width - len(left) - right.cell_length - 1
        if not reading.window or total is None or room < 4:
            return Content.assemble(left, right)
        if total > reading.window:
            # In words too: colour is not everybody's.
            words = "too long" if room >= 8 else "!"
            return Content.assemble(left, (words.ljust(room), "bold $text-error"), " ", right)
        share = min(1.0, total / reading.window)
        full = max(1, round(share * room)) if total else 0
        colour = "$error" if share > 0.95 else "$warning" if share > 0.8 else "$primary"
        return Content.assemble(
            left, ("▬" * full, colour), ("─" * (room - full), FAINT), " ", right
        )
