"""How likely a token was, in five levels that are told apart by colour, and without it by weight and line.

One hue that grows stronger: so it is read with any kind of colour vision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.content import Content

from tui_chat.core.sampling import bits

STYLES = (
    "$text",
    "$text on $warning 16%",
    "$text on $warning 34%",
    "$text underline on $warning 52%",
    "$text bold underline on $warning",
)
"""From likely to unlikely."""
UNKNOWN = "$foreground 60%"
"""Of a token of which nothing is known."""
BOUNDS = (0.9, 0.5, 0.2, 0.05)
"""The least probability of each level but the last."""


def level(logprob: float) -> int:
    """The level of a token with this logprob, from 0 for the likely."""
    chance = math.exp(logprob)
    return next((place for place, least in enumerate(BOUNDS) if chance >= least), len(BOUNDS))


def legend(width: int, *, surprise: bool) -> Content:
    """What the styles mean, in probabilities or in bits of surprise."""
    if surprise:
        most = [f"{bits(math.log(least)):.1f}" for least in BOUNDS]
        words = [f"≤ {most[0]} bits", *(f"≤ {one}" for one in most[1:]), "more"]
    else:
        least = [f"{bound * 100:.0f} %" for bound in BOUNDS]
        words = [f"≥ {least[0]}", *(f"≥ {one}" for one in least[1:]), f"< {least[-1]}"]
    return _fitting(
        [Content.styled(f" {word} ", style) for word, style in zip(words, STYLES, strict=True)],
        width,
    )


def _fitting(parts: Sequence[Content], width: int) -> Content:
    whole = Content(" ").join(parts)
    return whole if whole.cell_length <= width else Content("").join(parts).truncate(width)
