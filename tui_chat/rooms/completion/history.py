"""What can be undone: the text as it was, whoever changed it, with what was the model's in it; pure.

What is typed in one go is one step, and so is a whole continuation.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.rooms.completion.marks import Marks

PAUSE = 1.0
"""Seconds without a key after which the next one begins a new step."""
LONGEST_STEP = 60
"""Characters that are typed in one step at most."""
MOST_STEPS = 500
MOST_CHARACTERS = 20_000_000
"""Of all texts together; the oldest are forgotten."""


@dataclass(frozen=True)
class State:
    """The text at one moment."""

    text: str = ""
    cursor: int = 0
    """Where the cursor stands, in characters."""
    marks: Marks = ()


class History:
    """The states of one text, and which of them is the present one."""

    def __init__(self, state: State) -> None:
        self._states = [state]
        self._at = 0
        self._typed: tuple[str, float, int] | None = None
        """The kind of the step that is being typed, when its last key came, and how much it has."""

    @property
    def present(self) -> State:
        return self._states[self._at]

    def take(self, state: State, kind: str = "", now: float = 0.0) -> None:
        """The text is another now; keys of one kind, quickly one after the other, are one step."""
        del self._states[self._at + 1 :]
        kind_before, when, size = self._typed or ("", 0.0, 0)
        goes_on = kind and kind == kind_before and now - when < PAUSE and size < LONGEST_STEP
        if goes_on:
            self._states[-1] = state
        else:
            self._states.append(state)
            self._forget()
        self._at = len(self._states) - 1
        self._typed = (kind, now, size + 1 if goes_on else 1) if kind else None

    def moved(self, cursor: int) -> None:
        """The cursor was moved without a change, so that the next key begins a step of its own."""
        if cursor != self.present.cursor:
            self._typed = None

    def undo(self) -> State | None:
        """The state before the present one, which it becomes; None when there is none."""
        return self._turned(-1)

    def redo(self) -> State | None:
        return self._turned(1)

    def _turned(self, step: int) -> State | None:
        self._typed = None
        if not 0 <= self._at + step < len(self._states):
            return None
        self._at += step
        return self.present

    def _forget(self) -> None:
        total = sum(len(state.text) for state in self._states)
        while len(self._states) > 2 and (len(self._states) > MOST_STEPS or total > MOST_CHARACTERS):
            total -= len(self._states.pop(0).text)
