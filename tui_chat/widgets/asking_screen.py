"""A screen with a setup that asks for replies: one at a time is answered, can be stopped, and is counted.

It listens to a Talk; what is said and kept is decided there, what is shown by the subclass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import getters, work
from textual.binding import Binding, BindingType
from textual.message import Message as Event
from textual.reactive import var

from tui_chat.core.conversation import Message, Refusal, Setup, Token
from tui_chat.core.errors import ChatError
from tui_chat.core.pace import stays
from tui_chat.core.params import label_of
from tui_chat.core.reading import Reading
from tui_chat.core.talk import Talk
from tui_chat.core.world import World
from tui_chat.widgets.bars import Topline
from tui_chat.widgets.patience import Patience
from tui_chat.widgets.rows import NEXT, OFF
from tui_chat.widgets.setup_screen import SetupScreen
from tui_chat.widgets.tally import Counted, Tally

if TYPE_CHECKING:
    from tui_chat.core.looking import Look
    from tui_chat.core.waiting import Wait
    from tui_chat.widgets.looks import Looks, Wanted
    from tui_chat.widgets.next_token import NextToken
    from tui_chat.widgets.palette import Command

Asking = Callable[[Setup], Awaitable[None]]
"""What is done with a setup once its model is known."""
STILL_ANSWERING = "A reply is still arriving; Esc stops it."
STILL_WAITING = "Waiting to ask again; Esc cancels."


class AskingScreen(SetupScreen):
    """Subclasses compose a Topline, show what the talk tells them, and say what the draft is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f4",
            "lens",
            "Lens",
            tooltip="The probabilities of a reply's tokens, and other roads",
            id="chat.lens",
        ),
    ]

    answering: var[bool] = var(False, init=False)

    topline = getters.query_one(Topline)

    @dataclass(eq=False, repr=False)
    class NothingToTalkTo(Event):
        """There is no endpoint to send to: the house shows what can be done."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.talk = Talk(world, self)
        self._warmed = ""
        self._away = False
        """Whether another room was opened over it, in which one goes on."""
        self._settling: asyncio.Future[Setup] | None = None
        self._state = "ready"
        """What the line at the top says while nothing is answered."""
        self.waiting = ""
        """How long a word is waited for, and the key that helps; empty while words come."""
        self.patience = Patience(self, self._show_patience)
        self.talk.on_wait(self._waits)
        self.tally = Tally(world, self, self._counted, self._show_reading, text=self.completes)
        self.looks: Looks | None = None
        """Looks at the next token; None before begin_looking()."""

    @property
    def draft_to_send(self) -> str:
        """What is written, would be sent and is not yet: for subclasses."""
        return ""

    @dataclass(eq=False, repr=False)
    class LensWanted(Event):
        """A reply is to be seen through the lens."""

        id: str

    # What happens to the conversation (the talk's listener)

    def said(self, message: Message) -> None:
        if message.setup is not None:
            self.tally.begin(message.setup)
        self.count_soon()

    def token(self, token: Token, id: str) -> None:
        self.patience.came()
        self.tally.take(token.text)

    def ended(self, message: Message) -> None:
        self._state = "failed" if message.status == "failed" else "ready"
        self.tally.end()
        self.show_heeds()
        self.count_soon()

    def refused(self, refusal: Refusal) -> None:
        if refusal.unasked:
            return
        self.remember_refusal(refusal)
        if refusal.sent_as:
            return  # Nothing was left out; the line under the reply says so.
        label = label_of(refusal.name)
        words = f"{label} was refused; the request was repeated without it: {refusal.words}"
        self.notify(words, severity="warning", timeout=8, markup=False)

    def trouble(self, error: ChatError) -> None:
        self.complain(error)

    def watch_answering(self) -> None:
        self.topline.state = "answering" if self.answering else self._state
        self.refresh_bindings()

    # Asking

    def ask(self, deed: Asking, check: Asking | None = None) -> None:
        """Do what sends, once the model is known, and where `check` allows it."""
        if self.world.in_doubt:
            self._ask_whom(deed, check)
            return
        # At once: the next key of a burst may be for another conversation.
        self.answering = True
        self.patience.begin()
        if self.looks is not None:
            self.looks.stop()
        self._answer(deed, check)

    @work(group="doubt", exclusive=True)
    async def _ask_whom(self, deed: Asking, check: Asking | None) -> None:
        from tui_chat.widgets.doubting import confirmed

        conversation = self.talk.conversation
        sure = await confirmed(self.app, self.world, self.setup.endpoint)
        if sure and self.talk.conversation is conversation and not self.busy():
            self.ask(deed, check)
        else:
            self.not_sent()

    @work(group="talk")
    async def _answer(self, deed: Asking, check: Asking | None) -> None:
        try:
            # A task of its own, so that it can be stopped: a server may not list its models for minutes.
            self._settling = asyncio.ensure_future(self._settled(check))
            self.use(await self._settling)
            await deed(self.setup)
        except ChatError as error:
            self.complain(error, awaited=True)
            self.not_sent()
        except asyncio.CancelledError:
            if self._settling is None or not self._settling.cancelled():
                raise
            self.not_sent()
        finally:
            # Where the program leaves without waiting there is nothing left to show it on.
            if self.query("Topline"):
                self.patience.end()
                self.answering = False

    def _waits(self, id: str, wait: Wait | None) -> None:
        if wait is not None and not self.waiting and not self.is_active:
            # What is over this room does not show it.
            self.notify(f"{wait.words} · Esc cancels", severity="warning", markup=False)
        self.patience.wait(wait)

    def _show_patience(self, state: str, line: str) -> None:
        self.waiting = line
        if self.is_attached:
            if self.answering:
                self.topline.state = state or "answering"
            self.show_waiting()

    def show_waiting(self) -> None:
        """Show what stands in `waiting`: for subclasses."""

    async def _settled(self, check: Asking | None) -> Setup:
        setup = await self.world.settled(self.setup)
        if check is not None:
            await check(setup)
        return setup

    def not_sent(self) -> None:
        """What was to be sent was not: for subclasses."""

    def stop(self) -> bool:
        """Stop what is being answered, keeping what has arrived; False when nothing is."""
        if self._settling is not None and self._settling.cancel():
            return True
        return self.talk.stop()

    def busy(self) -> bool:
        """Whether a reply is arriving, so that the conversation cannot be left; says so."""
        if self.answering:
            waits = self.patience.counting_down
            self.notify(STILL_WAITING if waits else STILL_ANSWERING, markup=False)
        return self.answering

    async def leave(self) -> None:
        """Before the program ends: the reply is stopped and written. ChatError when it could not be."""
        await self.talk.finish()

    # What the house asks of a room

    def commands(self) -> list[Command]:
        """What the palette offers of the room: for subclasses."""
        return []

    def open(self, id: str, at: str | None = None, deed: str = "") -> object:
        """Show what is saved under this id; `at` is a message to go to, `deed` an action to do to it."""
        raise NotImplementedError

    def action_new(self) -> object:
        """Begin something new; what was open stays."""
        raise NotImplementedError

    # Whom to ask

    async def begin_with(self, endpoint: str) -> None:
        """Send to the endpoint of this name, which was just made ready."""
        self._warmed = endpoint
        self.take_endpoint(endpoint)
        await self.begin_with_preset()
        self.warm()

    async def begin_with_preset(self) -> None:
        """Where a person has set nothing yet, begin with what suits the endpoint."""
        endpoint = self.endpoint
        if endpoint is None or not endpoint.preset or self.setup.params or self.preset is not None:
            return
        try:
            await self.use_preset(endpoint.preset)
        except ChatError as error:
            self.complain(error)

    def take_over(self, before: SetupScreen) -> None:
        if isinstance(before, AskingScreen):
            before._away = True
        self._away = False
        super().take_over(before)
        self.warm_another()

    def warm_another(self) -> None:
        """As warm(), where the endpoint is another one than before."""
        if not self._away and self.setup.endpoint not in ("", self._warmed):
            self.warm()

    @work(group="warm", exclusive=True)
    async def warm(self) -> None:
        """Have the client, and the built-in model where it is chosen, ready before the first question."""
        if not self.setup.endpoint:
            self.topline.state = "nothing to talk to"
            self.post_message(self.NothingToTalkTo())
            return
        self.topline.state = "starting"
        self._warmed = self.setup.endpoint
        try:
            await (await self.world.provider(self.setup.endpoint)).warm()
            stays("loaded")
            self._state = "ready"
            self.topline.state = "answering" if self.answering else self._state
        except ChatError as error:
            self.topline.state = "failed"
            self.complain(error)
        self.show_heeds()  # By now it is read what models refused in earlier runs.
        self.count_soon()

    # The token meter

    def setup_used(self) -> None:
        self.topline.place = " · ".join(
            part for part in (self.setup.endpoint, self.setup.model) if part
        )
        self.count_soon()
        if self.looks is not None:
            self._shape()

    def _shape(self) -> None:
        """Draw the bars from what is sent."""
        from tui_chat.core.caveats import caveat

        name = self.setup.endpoint
        sent = self.world.as_accepted(self.setup, completes=self.completes).params
        self.next_token.params = sent
        if self.world.endpoints.has(name):
            self.next_token.caveat = caveat(
                sent, self.world.engine(name), neutral=self.world.is_neutral(name)
            )

    def count_soon(self) -> None:
        """Thread, draft or setup are others now: count their tokens, and look at the next one."""
        self.tally.soon()
        if self.looks is not None:
            self.looks.soon()

    @property
    def next_thread(self) -> Sequence[Message]:
        """The messages that what is written now would follow."""
        return self.talk.conversation.thread()

    def _counted(self) -> Counted:
        return self.setup, self.next_thread, self.draft_to_send

    def _show_reading(self, reading: Reading) -> None:
        self.meter.reading = reading

    @property
    def reply_to_see(self) -> Message | None:
        """The reply that the lens is opened on: the last one."""
        thread = self.talk.conversation.thread()
        return next((one for one in reversed(thread) if one.role == "assistant"), None)

    def action_lens(self) -> None:
        """Look at a reply through the lens."""
        if (reply := self.reply_to_see) is not None:
            self.post_message(self.LensWanted(reply.id))

    def read_reply(self, id: str) -> None:
        """Read the branch of the reply with this id: for subclasses."""

    # The next token

    @property
    def wanted_look(self) -> Wanted | None:
        """What stands before the next token; None where there is nothing yet."""
        raise NotImplementedError

    @property
    def next_token(self) -> NextToken:
        from tui_chat.widgets.next_token import NextToken

        return self.query_one(NextToken)

    async def begin_looking(self) -> None:
        """Show the next token in the column at the right: not at the first paint, which must not wait."""
        from tui_chat.widgets.looks import Looks
        from tui_chat.widgets.next_token import NextToken

        side = self.query_one("#side")
        await side.mount(NextToken(), before="#explanation")
        side.add_class("-with-next")
        self.looks = Looks(
            self.world, self, lambda: self.wanted_look, self._show_look, lambda: self.answering
        )
        self.sidebar.looking = ""
        self._shape()
        self.looks.soon()

    def _show_look(self, found: Look, where: str, stale: bool) -> None:
        if not self.is_running or not self.query("NextToken"):
            return  # The program is ending.
        panel = self.next_token
        panel.look, panel.stale = found, stale
        self._shape()  # By now it may be known what kind of server it is, and what it refuses.
        self.show_heeds()
        off = not self.world.looks_at(self.setup.endpoint)
        self.sidebar.looking = OFF if off else where

    async def open_dialog(self, name: str) -> None:
        if name == NEXT:
            self.turn_looking()
        else:
            await super().open_dialog(name)

    def turn_looking(self) -> None:
        """Turn looks at the next token on or off for this endpoint."""
        name = self.setup.endpoint
        self.world.looking[name] = not self.world.looks_at(name)
        if self.looks is not None:
            self.looks.again()

    def action_roll(self) -> None:
        """Draw samples of the next token."""
        if self.looks is not None:
            self.next_token.roll()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "stop":
            return self.answering
        if action == "lens":
            return self.reply_to_see is not None
        return super().check_action(action, parameters)

    def action_stop(self) -> None:
        self.stop()
