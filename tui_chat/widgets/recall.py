"""Older prompts to go back to; the unfinished draft, and edits made on the way, are never lost."""

from __future__ import annotations

from collections.abc import Iterable

KEPT = 1_000
"""How many prompts can be recalled."""


class Recall:
    """A walk through older prompts. It starts at the draft, which is newer than all of them."""

    def __init__(self) -> None:
        self._prompts: list[str] = []
        # Keyed by steps back from the draft, which is 0, so that prompts loaded late move nothing.
        self._left: dict[int, str] = {}
        self._back = 0

    def fill(self, prompts: Iterable[str]) -> None:
        """Replace the prompts, oldest first."""
        self._prompts = []
        for prompt in prompts:
            self._append(prompt)

    def add(self, prompt: str) -> None:
        """Add the newest prompt and return to the draft."""
        self._append(prompt)
        self.leave()

    def _append(self, prompt: str) -> None:
        if prompt.strip() and prompt not in self._prompts[-1:]:
            self._prompts.append(prompt)
            del self._prompts[:-KEPT]

    def leave(self) -> None:
        """End the walk: the next one starts at a new draft."""
        self._left.clear()
        self._back = 0

    def older(self, shown: str) -> str | None:
        """The prompt before the one shown, None when there is none."""
        return self._walk(shown, 1)

    def newer(self, shown: str) -> str | None:
        """The prompt, or at last the draft, after the one shown; None on the draft."""
        return self._walk(shown, -1)

    def _walk(self, shown: str, step: int) -> str | None:
        back = self._back + step
        if not 0 <= back <= len(self._prompts):
            return None
        self._left[self._back] = shown
        self._back = back
        if back in self._left:
            return self._left[back]
        return self._prompts[-back] if back else ""
