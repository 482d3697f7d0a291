"""The candidates at one place of a reply: what the model computed, what is drawn from now, what was chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from tui_chat.core.candidates import Candidate
from tui_chat.core.conversation import Token
from tui_chat.core.engines import USUAL, Sampler
from tui_chat.core.params import Params
from tui_chat.core.places import Place
from tui_chat.core.sampling import Distribution, bits, distribution, drawn
from tui_chat.widgets.candidates import (
    DRAWS,
    Dice,
    dice_words,
    height_of,
    name_of,
    percent,
    rows,
    summary,
)
from tui_chat.widgets.tones import MUTED


@dataclass(frozen=True)
class At:
    """One place of a reply, and what is to be known of it."""

    token: Token | None = None
    place: Place | None = None
    """None where nothing is known."""
    number: int = 0
    """The how manyth token it is, from 0."""
    of: int = 0
    sampler: Sampler = USUAL
    shaped: bool = False
    """Whether the probabilities are those after sampling, which no knob shapes again."""
    words: str = ""
    """What is to be said besides."""


class CandidatePanel(Widget, can_focus=True):
    """Up to 20 candidates with a cursor, the figures of the token above them and of all below."""

    DEFAULT_CSS = """
    CandidatePanel { height: 1fr; padding: 0 1; border-top: solid $foreground 20%; }
    CandidatePanel:focus { border-top: solid $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Candidate", key_display="↑ ↓", tooltip="The candidate above, below", id="candidate.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="candidate.down"),
        Binding("home", "move(-99)", "First", show=False, id="candidate.first"),
        Binding("end", "move(99)", "Last", show=False, id="candidate.last"),
        Binding("enter", "take", "Take this road", tooltip="Go on from this candidate, in a sibling", id="candidate.take"),
    ]  # fmt: skip

    at: reactive[At] = reactive(At(), init=False)
    params: reactive[Params] = reactive(Params(), init=False)
    surprise: reactive[bool] = reactive(False, init=False)
    """Whether surprise in bits is shown in place of probabilities."""
    cursor: reactive[int] = reactive(0, init=False)

    @dataclass(eq=False, repr=False)
    class Taken(Message):
        """A candidate was chosen to go on from."""

        candidate: Candidate

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._found: Distribution | None = None
        self._random = Random()
        self.dice: Dice | None = None

    def watch_at(self) -> None:
        self._found = self.dice = None
        self.set_reactive(CandidatePanel.cursor, 0)
        token = self.at.token
        if token is not None and (found := self.found) is not None:
            raws = [share.candidate.raw for share in found.shares]
            self.set_reactive(
                CandidatePanel.cursor, raws.index(token.raw) if token.raw in raws else 0
            )

    def watch_params(self) -> None:
        chosen = self.candidate
        self._found = self.dice = None
        if chosen is not None and (found := self.found) is not None:
            raws = [share.candidate.raw for share in found.shares]
            self.set_reactive(CandidatePanel.cursor, raws.index(chosen.raw))

    @property
    def found(self) -> Distribution | None:
        """What is drawn from at this place; None where nothing is known of it."""
        place = self.at.place
        if self._found is None and place is not None and place.candidates:
            params = Params() if self.at.shaped else self.params
            self._found = distribution(place, params, self.at.sampler, len(place.candidates))
        return self._found

    @property
    def candidate(self) -> Candidate | None:
        """The candidate under the cursor."""
        found = self.found
        return found.shares[self.cursor].candidate if found and found.shares else None

    @property
    def likeliest(self) -> list[Candidate]:
        """All candidates, the likeliest first."""
        return [share.candidate for share in self.found.shares] if self.found else []

    def roll(self) -> None:
        """Draw from what is shown, and lay over the bars what came."""
        if (found := self.found) is not None:
            self.dice = Dice(*drawn(found, DRAWS, self._random))
            self.refresh()

    # Drawing

    def render(self) -> Content:
        width, height = self.content_size
        at = self.at
        if at.token is None:
            return Content.styled(at.words, MUTED)
        head = self._head(at.token, width)
        found = self.found
        if found is None:
            words = at.words or "Nothing is known of this token."
            return Content("\n").join([*head, Content.styled(words, MUTED)])
        if at.words and height <= 8:
            notes = [Content.styled(at.words, "$text-warning").truncate(width, ellipsis=True)]
        else:
            notes = [summary(found, width)] if height > 5 else []
        if self.dice is not None and height > 7:
            notes.append(Content.styled(dice_words(self.dice, found), MUTED))
        if at.words and height > 8:
            notes.append(Content.styled(at.words, "$text-warning"))
        room = max(2, height - len(head) - height_of(notes, width))
        lines = rows(
            found,
            width,
            room,
            dice=self.dice,
            chosen=at.token.raw,
            cursor=self.cursor if self.has_focus else -1,
            raw_figures=width >= 36,
            bits=self.surprise,
        )
        return Content("\n").join([*head, *lines, *notes])

    def _head(self, token: Token, width: int) -> list[Content]:
        name = Content.styled(name_of(token.raw), "bold $text").truncate(
            max(4, width - 26), ellipsis=True
        )
        if token.logprob is None:
            told = ""
        elif self.surprise:
            told = f"{bits(token.logprob):.2f} bits"
        else:
            told = percent(math.exp(token.logprob))
        place = f"token {self.at.number + 1} of {self.at.of}"
        left = Content.assemble(name, "  ", told)
        gap = " " * max(1, width - left.cell_length - len(place))
        return [Content.assemble(left, gap, (place, MUTED))]

    # Choosing

    def action_move(self, steps: int) -> None:
        if (found := self.found) is not None:
            self.cursor = max(0, min(len(found.shares) - 1, self.cursor + steps))
            self.dice = None

    def action_take(self) -> None:
        if (candidate := self.candidate) is not None:
            self.post_message(self.Taken(candidate))

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is not None and self.found is not None:
            self.cursor = max(0, min(len(self.found.shares) - 1, place.y - 1))
