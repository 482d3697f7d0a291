"""The lens: a reply with the probabilities of its tokens, and the roads that it did not take.

It is opened over a room that asks for replies, and shares its setup: a knob that is turned here is
turned there. What it makes is a sibling in that room's conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import PurePath
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui_chat.core.candidates import Candidate
from tui_chat.core.caveats import caveat
from tui_chat.core.conversation import COMPLETION, Message, Refusal, Setup, Token
from tui_chat.core.engines import UNKNOWN
from tui_chat.core.errors import ChatError
from tui_chat.core.places import place_of
from tui_chat.core.probabilities import Kept
from tui_chat.core.sampling import shaped_already
from tui_chat.rooms.lens import figures
from tui_chat.rooms.lens.levels import legend
from tui_chat.rooms.lens.panel import At, CandidatePanel
from tui_chat.rooms.lens.roads import road
from tui_chat.rooms.lens.view import LensView
from tui_chat.widgets.asking_screen import AskingScreen
from tui_chat.widgets.backdrop import Frame
from tui_chat.widgets.bars import Keyline, Topline
from tui_chat.widgets.setup_screen import SetupScreen
from tui_chat.widgets.sidebar import Sidebar

ROADS = 4
"""How many roads are taken at once."""
FRAME = 1 / 30
"""Seconds between two drawings of a reply that arrives."""


class LensScreen(SetupScreen):
    """One reply of the conversation that `asker` shows."""

    AUTO_FOCUS = "LensView"
    CSS_PATH: ClassVar[list[str | PurePath] | None] = ["screen.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", tooltip="Stop what arrives, keep its text", id="lens.stop"),
        Binding("escape", "back", "Back", tooltip="Back: to the text, to the conversation", id="lens.back"),
        Binding("f4", "leave", "Leave", show=False, tooltip="Back to the conversation", id="lens.leave"),
        Binding("tab,enter", "candidates", "Candidates", tooltip="To the candidates, and back", id="lens.candidates"),
        Binding("a", "roads", "4 roads", tooltip="Go on from the 4 likeliest candidates at once, as siblings", id="lens.roads"),
        Binding("d", "roll", "Dice", tooltip="Draw 100 samples from what is shown", id="lens.roll"),
        Binding("s", "surprise", "Bits", tooltip="Surprise in bits, or probabilities", id="lens.surprise"),
        Binding("left_square_bracket", "turn(-1)", "Siblings", key_display="[ ]", tooltip="The sibling before, after", id="lens.older"),
        Binding("right_square_bracket", "turn(1)", "Newer", show=False, id="lens.newer"),
        Binding("f5", "again", "Again", show=False, tooltip="Answer again, as a sibling", id="lens.again"),
        Binding("f6", "choose_preset", "Presets", show=False, id="lens.presets"),
    ]  # fmt: skip

    view = getters.query_one(LensView)
    panel = getters.query_one(CandidatePanel)
    topline = getters.query_one(Topline)

    def __init__(self, asker: AskingScreen, id: str) -> None:
        super().__init__(asker.world)
        self.asker = asker
        self._reply = id
        self._tokens: Sequence[Token] = []
        self._raws: list[bytes] = []
        """What each of them is made of; kept apart, since making thousands of tokens takes a while."""
        self._drawn = 0
        """How many of them the view has."""
        self._frame_due = False
        self._vocabulary: int | None = None
        self._prompt: Sequence[bytes] = ()
        """What a server tells of the prompt's tokens, for penalties that count them."""
        self._no_road = ""
        """Why no other road can be taken, in words; empty when one can."""
        self._untried = ""
        """That it is not known whether one can, in words; empty when it is."""
        self._surprise = False
        self._shaped = False
        """Whether the probabilities are those after sampling."""

    def compose(self) -> ComposeResult:
        yield Topline(self.asker.world.unsaved)
        with Frame(id="lens", classes="-focused"):
            yield LensView()
            yield Static("", id="legend", markup=False)
            yield Static("", id="figures", markup=False)
        self.set_size_classes()
        with Frame(id="side"):
            yield Sidebar(completes=self.asker.completes).data_bind(SetupScreen.setup)
            yield CandidatePanel()
            yield Static("", id="explanation", markup=False)
        yield Keyline()

    async def on_mount(self) -> None:
        self.topline.title = f"Lens · {self.asker.talk.conversation.title}"
        self.asker.talk.watch(self)
        self.watch(self.asker, "answering", self.refresh_bindings, init=False)
        self.setup = self.asker.setup
        self.preset = self.asker.preset
        self._show_setup()
        await self._show(self._reply)

    def on_unmount(self) -> None:
        self.asker.talk.unwatch(self)

    # The reply

    @property
    def message(self) -> Message:
        """The reply that is shown."""
        return self.asker.talk.conversation.message(self._reply)

    async def _show(self, id: str, cursor: int | None = None) -> None:
        self._reply = id
        try:
            tokens = await self.asker.talk.tokens(id)
        except ChatError as error:
            self.complain(error)
            tokens = ()
        if self._reply != id:
            return
        message = self.message
        if not tokens and message.content:
            tokens = [Token(message.content)]
        self._tokens = tokens
        if isinstance(tokens, Kept):
            texts, logprobs, self._raws = tokens.texts, tokens.logprobs, tokens.raws
        else:
            texts = [token.text for token in tokens]
            logprobs = [token.logprob for token in tokens]
            self._raws = [token.raw for token in tokens]
        place = cursor if cursor is not None else 0
        self.view.follow = message.status == "streaming"
        if self.view.follow:
            place = len(self._tokens) - 1
        self._drawn = len(self._tokens)
        self._shaped = self._is_shaped(message)
        self.view.show(texts, logprobs, place)
        self._show_figures()
        self.refresh_bindings()
        self._learn_of_endpoint()

    def _is_shaped(self, message: Message) -> bool:
        if message.setup is None:
            return False
        name = message.setup.endpoint
        if self.world.endpoints.has(name) and self.world.engine(name).name:
            return False  # It is known to tell the model's own.
        known = name in self.world.after_temperature
        return known or shaped_already(self._tokens, message.setup.params, message.logprobs)

    def _show_figures(self) -> None:
        width = max(20, self.query_one("#figures").content_size.width)
        line = figures.line(
            self.asker.talk.conversation,
            self.message,
            self.view.logprobs,
            self._raws,
            width,
            surprise=self._surprise,
        )
        self.query_one("#figures", Static).update(line)
        self.query_one("#legend", Static).update(legend(width, surprise=self._surprise))

    # What the endpoint can

    @work(group="endpoint", exclusive=True)
    async def _learn_of_endpoint(self) -> None:
        """Whether other roads can be taken, and what penalties count."""
        message = self.message
        setup = message.setup
        self._no_road, self._untried, self._prompt, self._vocabulary = "", "", (), None
        try:
            here, text = self.setup, message.way == COMPLETION
            if not await self.asker.talk.check_roads(here, text=text, unasked=True):
                self._untried = figures.untried(here.endpoint)
        except ChatError as error:
            self._no_road = f"No other road: {error.message}"
        if setup is not None and self.world.endpoints.has(setup.endpoint):
            await self._learn_of_tokens(message, setup)
        if not self.world.logprobs(self.setup.endpoint):
            self.world.recorded.add(self.setup.endpoint)
            self.asker.setup_used()
        self._show_place()

    async def _learn_of_tokens(self, message: Message, setup: Setup) -> None:
        from tui_chat.core.looking import prompt_tokens, vocabulary_of
        from tui_chat.core.wire import Request

        endpoint = self.world.endpoint(setup.endpoint)
        if not self.world.may_be_asked(endpoint):
            return
        conversation = self.asker.talk.conversation
        parent = conversation.parent(message.id)
        thread = () if parent is None else conversation.thread(parent)
        request = Request(setup, thread, completes=message.way == COMPLETION)
        try:
            provider = await self.world.provider(setup.endpoint)
            self._vocabulary = await vocabulary_of(provider, setup.model)
            self._prompt = await prompt_tokens(provider, request)
        except ChatError:
            return  # What is not known is not counted.

    # The place under the cursor

    @on(LensView.Moved)
    def _moved(self) -> None:
        self._show_place()

    def _show_place(self) -> None:
        recorded = self.world.logprobs(self.setup.endpoint) > 0
        place, words = self.view.cursor, figures.untold(self.message, self.view.logprobs, recorded)
        if not 0 <= place < len(self._tokens):
            self.panel.at = At(words=words)
            return
        token = self._tokens[place]
        made = self.message.setup
        known = made is not None and self.world.endpoints.has(made.endpoint)
        engine = self.world.engine(made.endpoint) if made and known else UNKNOWN
        open_left = caveat(self.panel.params, engine, neutral=True)
        counts = engine.sampler.counts(self._prompt, self._raws[:place])
        if self._shaped:
            words = "These are probabilities after sampling: no knob can shape them again."
        self.panel.at = At(
            token,
            place_of(token, self._vocabulary, counts),
            place,
            len(self._tokens),
            engine.sampler,
            self._shaped,
            " ".join(one for one in (words, self._no_road, self._untried, open_left) if one),
        )

    # The setup is the asking room's

    def setup_used(self) -> None:
        if not self.is_mounted:
            return
        self._show_setup()
        before = self.asker.setup
        if before != self.setup:
            self.asker.use(self.setup)
        if self.asker.preset is not self.preset:
            self.asker.preset = self.preset
        if (before.endpoint, before.model) != (self.setup.endpoint, self.setup.model):
            self._learn_of_endpoint()

    def _show_setup(self) -> None:
        self.panel.params = self.world.as_accepted(self.setup).params
        self.topline.place = " · ".join(
            part for part in (self.setup.endpoint, self.setup.model) if part
        )

    # What happens meanwhile (a listener of the talk)

    def said(self, message: Message) -> None:
        if message.role == "assistant":
            # The roads are told one after the other; the last is the one to be read.
            # A function, since a coroutine that the next one overtakes would be complained of.
            show = partial(self._show, message.id)
            self.run_worker(show, group="show", exclusive=True)  # type: ignore[arg-type]  # Textual's union of kinds

    def token(self, token: Token, id: str) -> None:
        if id != self._reply or token.reasoning:
            return
        if isinstance(self._tokens, list):
            self._tokens.append(token)
            self._raws.append(token.raw)
        if not self._frame_due:
            self._frame_due = True
            self.set_timer(FRAME, self._draw_tokens)

    def _draw_tokens(self) -> None:
        self._frame_due = False
        new = self._tokens[self._drawn :]
        self._drawn = len(self._tokens)
        self.view.extend([token.text for token in new], [token.logprob for token in new])
        self._show_figures()
        self._show_place()

    def ended(self, message: Message) -> None:
        if message.id == self._reply:
            self._draw_tokens()
            self.view.follow = False
            self._shaped = self._is_shaped(message)
        if self._untried:
            self._learn_of_endpoint()
        self.refresh_bindings()

    def refused(self, refusal: Refusal) -> None:
        self.remember_refusal(refusal)

    def trouble(self, error: ChatError) -> None:
        """It is told by the asking room."""

    # Other roads

    @on(CandidatePanel.Taken)
    def _taken(self, event: CandidatePanel.Taken) -> None:
        self._take([event.candidate], 1)

    def action_roads(self) -> None:
        """Go on from the likeliest candidates at once."""
        self._take(self.panel.likeliest, ROADS)

    def _take(self, candidates: Sequence[Candidate], most: int) -> None:
        """Go on from the first of these that can be gone on from."""
        if self._no_road:
            self.notify(self._no_road, severity="warning", markup=False)
            return
        if self.asker.busy():
            return
        place = self.view.cursor
        made = (road(self._tokens, place, one) for one in candidates)
        roads = [one for one in made if one is not None][:most]
        if not roads:
            words = "It ends the reply, or is a part of a character: nothing goes on from it."
            self.notify(words, markup=False)
            return
        reply = self._reply
        self.set_focus(self.view)
        self.asker.ask(lambda setup: self.asker.talk.take_roads(reply, roads, setup))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("roads", "roll", "candidates"):
            return (
                self.is_mounted
                and self.panel.found is not None
                and self.focused is not self.sidebar
            )
        if action in ("stop", "back"):
            return self.asker.answering is (action == "stop")
        if action == "turn":
            return len(self.asker.talk.conversation.siblings(self._reply)) > 1
        if action == "surprise":
            return self.focused is not self.sidebar
        return super().check_action(action, parameters)

    def action_candidates(self) -> None:
        """From the text to the candidates, and back."""
        self.set_focus(self.view if self.focused is self.panel else self.panel)

    def leave_sidebar(self) -> None:
        self.remove_class("-sidebar-over")
        self.set_focus(self.view)

    def action_back(self) -> None:
        """To the text, else to the conversation."""
        if self.focused is not self.view:
            self.leave_sidebar()
        else:
            self.action_leave()

    def action_stop(self) -> None:
        self.asker.stop()

    def action_leave(self) -> None:
        self.asker.read_reply(self._reply)
        self.dismiss(None)

    def action_surprise(self) -> None:
        self._surprise = not self._surprise
        self.panel.surprise = self._surprise
        self._show_figures()

    def action_roll(self) -> None:
        self.panel.roll()

    def action_again(self) -> None:
        """Answer again what this reply answers, as a sibling."""
        if not self.asker.busy():
            reply = self._reply
            self.asker.ask(lambda setup: self.asker.talk.again(reply, setup))

    async def action_turn(self, steps: int) -> None:
        siblings = self.asker.talk.conversation.siblings(self._reply)
        place = siblings.index(self._reply) + steps
        if 0 <= place < len(siblings):
            await self._show(siblings[place], self.view.cursor)

    @property
    def in_parameters(self) -> bool:
        return self.focused is self.sidebar

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_figures)

    def on_descendant_focus(self) -> None:
        self.query_one("#lens").set_class(self.focused is self.view, "-focused")
        self.refresh_bindings()
