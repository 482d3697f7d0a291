"""Says how long a reply is waited for: seconds without a word, or until a busy server is asked again."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.timer import Timer

if TYPE_CHECKING:
    from tui_chat.core.waiting import Wait

EVERY = 1.0
"""Seconds between two tellings."""
STALLED = 5.0
"""Seconds without a word in mid-reply after which that is told."""


class Patience:
    """Tells `show` in a few words, and in a line with the key that helps; both empty when nothing is waited for."""

    def __init__(self, screen: Screen[None], show: Callable[[str, str], None]) -> None:
        self._screen = screen
        self._show = show
        self._began = 0.0
        self._timer: Timer | None = None
        self._counting_down = False
        self._begun = False
        """Whether words have come."""
        self._told = False

    @property
    def counting_down(self) -> bool:
        """Whether a busy server is to be asked again."""
        return self._counting_down

    def begin(self) -> None:
        """Something is asked now."""
        self.end()
        self._began, self._begun = monotonic(), False
        self._timer = self._screen.set_interval(EVERY, self._tell)

    def _tell(self) -> None:
        seconds = round(monotonic() - self._began)
        if not self._counting_down and seconds >= (STALLED if self._begun else 0):
            self._told = True
            self._show(f"waiting {seconds} s", f"nothing came for {seconds} s · Esc stops")

    def came(self) -> None:
        """A word came."""
        self._began, self._begun = monotonic(), True
        if self._told:
            self._told = False
            self._show("", "")

    def wait(self, wait: Wait | None) -> None:
        """A busy server is asked again after this wait; None when that is over."""
        self._counting_down = wait is not None
        if wait is not None:
            self._show(f"again in {wait.seconds} s", f"{wait.words} · Esc cancels")
        else:
            self._began = monotonic()
            self._show("", "")

    def end(self) -> None:
        """Nothing is asked any more."""
        self._counting_down = self._told = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self._show("", "")
