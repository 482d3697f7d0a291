"""The next token, live: the distribution that it is drawn from, under the knobs as they stand.

Turning a knob draws the bars anew from what the model computed, without a request.
"""

from __future__ import annotations

from random import Random

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.core.looking import Look
from tui_chat.core.params import Params
from tui_chat.core.sampling import Distribution, distribution, drawn
from tui_chat.widgets.candidates import DRAWS, Dice, dice_words, height_of, rows, summary
from tui_chat.widgets.tones import FAINT, MUTED

_SHOWN = 20


class NextToken(Widget):
    """A row for each of the likeliest tokens, one for the others, and the entropy."""

    DEFAULT_CSS = """
    NextToken { height: 1fr; padding: 0 1; overflow: hidden; }
    """

    look: reactive[Look] = reactive(Look(), init=False)
    """What the endpoint told."""
    params: reactive[Params] = reactive(Params(), init=False)
    caveat: reactive[str] = reactive("", init=False)
    """What the bars leave open, in words."""
    stale: reactive[bool] = reactive(False, init=False)
    """Whether what it stands for has changed, and it is being asked for anew."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._found: Distribution | None = None
        self.dice: Dice | None = None
        self._random = Random()

    def watch_look(self) -> None:
        self._found = self.dice = None

    def watch_params(self) -> None:
        self._found = self.dice = None

    @property
    def found(self) -> Distribution | None:
        """What is drawn from under these parameters; None where nothing is known."""
        place = self.look.place
        if self._found is None and place is not None and place.candidates:
            params = Params() if self.look.shaped else self.params
            self._found = distribution(place, params, self.look.sampler, _SHOWN)
        return self._found

    def roll(self) -> None:
        """Draw from what is shown, and lay over the bars what came."""
        if (found := self.found) is not None:
            self.dice = Dice(*drawn(found, DRAWS, self._random))
            self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        found = self.found
        if found is None:
            return Content.styled(self.look.words or "…", MUTED)
        notes = self._notes(found, width)
        lines = rows(found, width, max(2, height - height_of(notes, width)), dice=self.dice)
        shown = Content("\n").join([*lines, *notes])
        return shown.stylize(FAINT) if self.stale else shown

    def _notes(self, found: Distribution, width: int) -> list[Content]:
        height = self.content_size.height
        notes = [summary(found, width)] if height >= 4 else []
        if self.dice is not None and height >= 5:
            notes.append(Content.styled(dice_words(self.dice, found), MUTED))
        words = self.look.words or self.caveat
        if words and height >= 9:
            notes.append(Content.styled(words, "$text-warning"))
        return notes
