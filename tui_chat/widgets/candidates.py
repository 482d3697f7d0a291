"""The candidates for one token as rows: name, bars, figures; what is cut is struck, what is unknown a range.

Of each bar the lower half is what is drawn from, the upper half, dimmer, what the model computed; once
dice are thrown, the upper half is what came.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from tui_chat.core.sampling import Distribution, Range
from tui_chat.core.text import visible
from tui_chat.widgets.meter import figure
from tui_chat.widgets.tones import FAINT, MUTED

DRAWS = 100
"""How many tokens are drawn at a throw of the dice."""
_NAME = 12
_END = "‹end›"


_MOST_BYTES = 1_000
"""Of a token that are named; a reply of which no tokens are known is shown as one."""


def name_of(raw: bytes) -> str:
    """A token's name; one without text is, as a rule, the end of the reply."""
    if len(raw) > _MOST_BYTES:
        raw = raw[:_MOST_BYTES].decode("utf-8", "ignore").encode()
    return visible(raw) or _END


def percent(chance: float) -> str:
    """`81.2 %`; never a 0 that is none, nor a 100 that is not all."""
    if 0 < chance < 0.0005:
        return "<0.1 %"
    if 0.9995 <= chance < 1:
        return ">99.9 %"
    return f"{chance * 100:.1f} %"


def span(chances: Range) -> str:
    """A probability, or between which two it lies."""
    if chances.exact:
        return percent(chances.middle)
    low, high = chances.low * 100, chances.high * 100
    # Outwards, so that what is read holds the truth too.
    if high - low >= 2:
        return f"{math.floor(low)}–{math.ceil(high)} %"
    return f"{math.floor(low * 10) / 10:.1f}–{math.ceil(high * 10) / 10:.1f} %"


def surprise(chances: Range) -> str:
    """The same in bits: how surprising it would be to be drawn."""
    if chances.high <= 0:
        return "never"
    low = -math.log2(chances.high) + 0.0
    if chances.low <= 0:
        return f"≥ {low:.1f}"
    high = -math.log2(chances.low) + 0.0
    return f"{low:.1f} bits" if high - low < 0.1 else f"{low:.1f}–{high:.1f}"


@dataclass(frozen=True)
class Dice:
    """What came of a throw: how often each of the shares, and how often any other token."""

    came: Sequence[int]
    others: int

    @property
    def count(self) -> int:
        return sum(self.came) + self.others


def dice_words(dice: Dice, found: Distribution) -> str:
    """What the bars show after a throw."""
    if found.exact:
        return f"{dice.count} draws: the upper half of each bar"
    return f"{dice.count} draws, from the middle of each range"


@dataclass(frozen=True)
class Bar:
    """The lengths of a bar's halves, 0 to 1."""

    after: float
    before: float
    thrown: bool = False
    """Whether the upper half is what the dice gave."""

    def drawn(self, width: int) -> Content:
        """The bar in so many cells."""
        upper_colour = "$accent" if self.thrown else "$primary-muted"
        lower = self._cells(self.after, width)
        upper = self._cells(self.before, width)
        parts: list[tuple[str, str]] = []
        both = min(lower, upper)
        parts.append(("▀" * both, f"{upper_colour} on $primary"))
        if upper > both:
            parts.append(("▀" * (upper - both), upper_colour))
        elif lower > both:
            parts.append(("▄" * (lower - both), "$primary"))
        parts.append((" " * (width - max(lower, upper)), ""))
        return Content.assemble(*(part for part in parts if part[0]))

    def _cells(self, chance: float, width: int) -> int:
        cells = min(width, round(chance * width))
        return 1 if chance > 0 and not cells else cells


def rows(
    found: Distribution,
    width: int,
    most: int,
    *,
    dice: Dice | None = None,
    chosen: bytes | None = None,
    cursor: int | None = None,
    raw_figures: bool = False,
    bits: bool = False,
) -> list[Content]:
    """At most so many rows for the likeliest, and one for all others.

    `chosen` is the token that stands there, marked; `cursor` the row that keys act on, which is among
    those shown; `raw_figures` adds what each had before, `bits` gives figures as surprise.
    """
    places = _named(found, max(1, most - 1), chosen, cursor)
    named = [found.shares[place] for place in places]
    raw_figures = raw_figures and dice is None
    marks = chosen is not None or cursor is not None
    # To the longest of them, so that short ones can be told apart.
    scale = max([share.raw for share in named] + [share.after.middle for share in named] + [1e-9])
    lines = []
    for place, share in zip(places, named, strict=True):
        taken = chosen is not None and share.candidate.raw == chosen
        mark = f"{'›' if place == cursor else ' '}{'●' if taken else ' '}" if marks else ""
        came = dice.came[place] if dice is not None and place < len(dice.came) else None
        lines.append(
            _row(
                _Row(
                    name_of(share.candidate.raw),
                    share.after,
                    share.raw,
                    came,
                    dice.count if dice else 0,
                    share.cut,
                    mark,
                    place == cursor,
                    scale=scale,
                ),
                width,
                raw_figures,
                bits,
            )
        )
    others = _others(found, places, dice)
    row = _Row(*others, mark="  " if marks else "", other=True, scale=scale)
    lines.append(_row(row, width, raw_figures, bits))
    return lines


def _named(
    found: Distribution, room: int, chosen: bytes | None, cursor: int | None
) -> Sequence[int]:
    """The places of the shares that have a row: those about the cursor where there is one, else the first,
    the last of them the one that was chosen where it stands further down."""
    if cursor is not None and cursor >= 0:
        first = max(0, cursor - room + 1)
        return range(first, min(len(found.shares), first + room))
    places = list(range(min(room, len(found.shares))))
    for place, share in enumerate(found.shares[room:], room):
        if share.candidate.raw == chosen:
            places[-1] = place
    return places


def _others(
    found: Distribution, named: Sequence[int], dice: Dice | None
) -> tuple[str, Range, float, int | None, int]:
    left = [place for place in range(len(found.shares)) if place not in named]
    rest = [found.shares[place] for place in left]
    low = sum(share.after.low for share in rest) + found.others.low
    high = min(1.0, sum(share.after.high for share in rest) + found.others.high)
    raw = sum(share.raw for share in rest) + found.others_raw
    came = None if dice is None else dice.others + sum(dice.came[place] for place in left)
    return "others", Range(low, high), raw, came, dice.count if dice else 0


@dataclass(frozen=True)
class _Row:
    name: str
    after: Range
    raw: float
    came: int | None = None
    thrown: int = 0
    cut: bool = False
    mark: str = ""
    at: bool = False
    other: bool = False
    scale: float = 1.0
    """The probability that fills the bar."""


def _row(row: _Row, width: int, raw_figures: bool, bits: bool = False) -> Content:
    told = surprise if bits else span
    value = "cut" if row.cut else told(row.after)
    if row.came is not None:
        value = f"{row.came}×  {value}"
    figures = f"{value:>{max(8, len(value))}}"
    if raw_figures:
        figures = f"{told(Range(row.raw, row.raw)):>8} {figures}"
    room = width - len(row.mark) - _NAME - 1 - len(figures) - 1
    style = MUTED if row.other else f"strike {FAINT}" if row.cut else "$text"
    name = Content.styled(row.name, style).truncate(_NAME, ellipsis=True)
    gap = Content(" " * (_NAME - name.cell_length + 1))
    thrown = row.came is not None and row.thrown > 0
    before = (row.came or 0) / row.thrown if thrown else row.raw
    after = 0.0 if row.cut else row.after.middle
    bar = Bar(after / row.scale, before / row.scale, thrown).drawn(max(0, room))
    line = Content.assemble(
        row.mark, name, gap, bar, " ", (figures, FAINT if row.cut else MUTED if row.other else "")
    )
    return line.stylize("on $primary 25%") if row.at else line


def summary(found: Distribution, width: int) -> Content:
    """The uncertainty in figures: entropy, as how many equal choices it is, how many are drawn from."""
    entropy, choices, kept = found.entropy, found.choices, found.kept
    same = entropy.high - entropy.low < 0.01
    bits = f"{entropy.middle:.2f}" if same else f"{entropy.low:.1f}–{entropy.high:.1f}"
    few = _figure(choices.middle) if same else _few(choices)
    words = f"{bits} bits · like {few} equal choices"
    if not math.isinf(kept.high) and kept.low == kept.high:
        longer = f"{words} of {figure(int(kept.low))}"
        words = longer if len(longer) <= width else words
    short = f"{bits} bits · {few} choices"
    return Content.styled(words if len(words) <= width else short, MUTED)


def height_of(notes: Sequence[Content], width: int) -> int:
    """How many rows these take, words wrapped."""
    return sum(max(1, len(textwrap.wrap(note.plain, max(1, width)))) for note in notes)


def _few(choices: Range) -> str:
    if choices.high > 10_000:
        return f"{_figure(choices.low)} or more"
    low, high = _figure(choices.low), _figure(choices.high)
    return low if low == high else f"{low}–{high}"


def _figure(number: float) -> str:
    return f"{number:.1f}" if number < 100 else figure(round(number))
