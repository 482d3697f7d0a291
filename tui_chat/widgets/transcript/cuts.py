"""Cuts texts of any size in short turns; what was cut of a giant is kept, so that none is cut twice."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field

from tui_chat.widgets.transcript.blocks import Block, State, cutting

TURN_LINES = 6_000
"""Lines that are cut in one go, which takes some 15 ms."""
_LINES_OF_A_BLOCK = 10
"""What a block costs above its lines, in lines."""
_KEPT = 4
"""Giants of which the blocks are kept."""


@dataclass
class _Cut:
    """One text from `at` on, as far as it was cut."""

    text: str
    at: int
    state: State
    final: bool
    blocks: list[Block] = field(default_factory=list)
    coming: Iterator[Block] | None = None
    """What was not cut yet; None at the end."""

    def __post_init__(self) -> None:
        self.coming = cutting(self.text, self.at, self.state, final=self.final)

    def leads_to(self, text: str, at: int, state: State, final: bool) -> bool:
        """Whether it has the blocks from this place on."""
        same = (self.text, self.final) == (text, final)
        return same and (self.at < at or (self.at, self.state) == (at, state))

    def go_on(self) -> None:
        """Cut for one turn."""
        lines = 0
        for block in self.coming or ():
            self.blocks.append(block)
            lines += _LINES_OF_A_BLOCK + self.text.count("\n", block.start, block.end)
            if lines > TURN_LINES:
                return
        self.coming = None


class Cuts:
    """The texts of one document, each known by a key."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Cut] = {}

    def clear(self) -> None:
        self._kept.clear()

    def blocks(
        self, key: Hashable, text: str, at: int, state: State, *, final: bool
    ) -> list[Block]:
        """The blocks from `at` on, as `cut` gives them, as far as they are known after one more turn;
        the last is then of the kind `rest`."""
        kept = self._kept.pop(key, None)
        cut = kept if kept and kept.leads_to(text, at, state, final) else None
        cut = cut or _Cut(text, at, state, final)
        cut.go_on()
        if cut.coming is not None or cut is kept:
            self._kept[key] = cut
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        found = [block for block in cut.blocks if block.start >= at]
        last = cut.blocks[-1] if cut.blocks else None
        if cut.coming is not None and last is not None and last.end < len(text):
            found.append(Block("rest", last.end, len(text), last.after, settled=False))
        return found
