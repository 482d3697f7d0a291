"""The completion room: one text, and the model that continues it; no questions and no answers.

What is kept of it is in keeping.py, the text itself in editor.py.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static, TextArea

from tui_chat.core.conversation import Message, Setup, Token
from tui_chat.core.engines import completions_problem
from tui_chat.core.errors import ChatError
from tui_chat.core.wire import written
from tui_chat.core.world import World
from tui_chat.rooms.completion import words
from tui_chat.rooms.completion.editor import TextEditor
from tui_chat.rooms.completion.keeping import KeepingScreen
from tui_chat.rooms.completion.marks import read_off
from tui_chat.rooms.completion.texts import parted, pieces_of, text_of, untouched
from tui_chat.widgets.backdrop import Frame
from tui_chat.widgets.bars import Keyline, Topline
from tui_chat.widgets.setup_screen import SetupScreen

if TYPE_CHECKING:
    from tui_chat.rooms.completion.both import Both
    from tui_chat.rooms.completion.examples import Example
    from tui_chat.widgets.looks import Wanted
    from tui_chat.widgets.palette import Command

FRAME = 1 / 30
"""Seconds between two drawings of a text that grows."""


class CompletionScreen(KeepingScreen):
    """One text. The setup goes over from the room that one comes from."""

    AUTO_FOCUS = "TextEditor"
    CSS_PATH: ClassVar[list[str | PurePath] | None] = ["screen.tcss"]
    completes = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop", tooltip="Stop, keep what came", id="completion.stop"),
        Binding("escape", "back", "Back", tooltip="Back to the text", id="completion.back"),
        Binding(
            "f5,ctrl+r",
            "again",
            "Another",
            tooltip="Where the text ends with a continuation: another one, beside it",
            id="completion.again",
        ),
        Binding(
            "f5,ctrl+r",
            "begin",
            "Continue",
            tooltip="Else: have the model continue the text",
            id="completion.begin",
        ),
        Binding(
            "ctrl+j,ctrl+enter",
            "further",
            "Continue",
            tooltip="Continue the text, also from where the model ended; so does ctrl+enter",
            id="completion.continue",
        ),
        Binding("ctrl+j,ctrl+enter", "begin", "Continue", id="completion.continue"),
        Binding("f9", "examples", "Examples", tooltip="Texts to try", id="completion.examples"),
        Binding(
            "ctrl+up",
            "turn(-1)",
            "Older, newer",
            key_display="^↑ ^↓",
            tooltip="The continuation made before, after this one",
            id="completion.older",
        ),
        Binding("ctrl+down", "turn(1)", "Newer", show=False, id="completion.newer"),
        Binding("ctrl+n", "new", "New", show=False, tooltip="New text", id="completion.new"),
        Binding("tab", "app.focus_next", "Next part", show=False, id="completion.next_part"),
    ]

    def __init__(self, world: World, before: SetupScreen) -> None:
        """`before` is the room that one comes from, and which keeps the setup."""
        super().__init__(world)
        self._before = before
        self._taking_over = False
        self._growing = ""
        """The id of the continuation that arrives into the text."""
        self._pieces: list[str] = []
        self._frame: Timer | None = None
        self._both: Both | None = None

    def compose(self) -> ComposeResult:
        yield Topline(self.world.unsaved)
        with Frame(id="text", classes="-focused"):
            yield TextEditor()
            yield Static("", id="under", markup=False)
        yield from self.compose_side()
        yield Keyline()

    def on_mount(self) -> None:
        self.topline.state = "starting"
        self.take_over(self._before)
        self._begin()

    @work(group="begin")
    async def _begin(self) -> None:
        await self.restore()
        self.warm()
        await self.begin_looking()

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        self.query_one("#text").set_class(self.focused is self.editor, "-focused")
        self.refresh_bindings()

    def take_over(self, before: SetupScreen) -> None:
        self._taking_over = True
        super().take_over(before)
        self._taking_over = False

    def setup_used(self) -> None:
        super().setup_used()
        if not self._taking_over:
            # There is one setup for all rooms, and that room keeps it for the next start.
            self._before.preset, self._before.setup = self.preset, self.setup
        if self.there.is_set():
            self.warm_another()
            self._show_under()

    # What is shown

    def text_shown(self) -> None:
        self.topline.title = self.conversation.title or "New text"
        self._show_under()
        self.refresh_bindings()
        self.count_soon()

    @property
    def _made(self) -> Message | None:
        """The continuation with which the text ends, untouched."""
        return untouched(self.conversation, self.editor.text)

    @property
    def _problem(self) -> str:
        """Why the endpoint continues no texts, as far as that is known."""
        name = self.setup.endpoint
        if not self.world.endpoints.has(name):
            return ""
        error = completions_problem(self.world.engine(name), name, self.world.endpoint(name).apis)
        return str(error) if error is not None else ""

    @property
    def _inserts(self) -> bool:
        """Whether the endpoint takes a text that is to follow what it writes."""
        name = self.setup.endpoint
        return self.world.endpoints.has(name) and self.world.engine(name).suffix

    def _show_under(self) -> None:
        shown, made = Content(""), self._made
        if self.answering:
            shown = words.of_waiting(self.waiting)
        else:
            if problem := self._problem:
                shown = words.of_nobody(self.setup.endpoint, problem)
            elif made is not None:
                shown = words.of_continuation(made, self.conversation)
            elif self.editor.text and not self.editor.at_end and self.setup.endpoint:
                shown = words.of_cursor(self.setup.endpoint, here=self._inserts)
        self.query_one("#under", Static).update(shown)

    def show_waiting(self) -> None:
        self._show_under()

    @on(TextArea.Changed)
    def _changed(self) -> None:
        if self.answering or not self.there.is_set():
            return
        self.read_as_shown()
        self._show_under()
        self.refresh_bindings()
        self.count_soon()

    @on(TextArea.SelectionChanged)
    def _cursor_moved(self) -> None:
        if not self.answering:
            self._show_under()
            self.count_soon()

    def watch_answering(self) -> None:
        super().watch_answering()
        self.editor.read_only = self.answering
        self._show_under()
        if not self.answering:
            self.text_shown()
            self.save()

    # What happens to the text (the talk's listener)

    def said(self, message: Message) -> None:
        super().said(message)
        if message.parent is None:
            self._forget_unsaved()
        if message.role == "assistant" and message.id == self.conversation.leaf:
            before = written(self.conversation.thread()[:-1])
            self._growing = message.id
            self.editor.begin(before, message.suffix)
            self.editor.grow(message.content)  # The road that it takes.
        self.topline.title = self.conversation.title

    @work(group="keep")
    async def _forget_unsaved(self) -> None:
        try:
            await self.forget_unsaved()
        except ChatError as error:
            self.complain(error)

    def token(self, token: Token, id: str) -> None:
        super().token(token, id)
        if id == self._growing and not token.reasoning:
            self._pieces.append(token.text)
            if self._frame is None:
                self._frame = self.set_timer(FRAME, self._grow)

    def _grow(self) -> None:
        self._frame = None
        pieces, self._pieces = self._pieces, []
        if pieces and self._growing:
            self.editor.grow("".join(pieces))

    def ended(self, message: Message) -> None:
        if message.id == self._growing:
            self._grow()
            self.editor.end_growing()
            self._growing = ""
        super().ended(message)

    # Asking

    async def _check(self, setup: Setup) -> None:
        (await self.world.provider(setup.endpoint)).check_completions()

    def _ready(self) -> bool:
        """Whether something can be asked now; else it is said why not."""
        if self.busy() or not self.there.is_set():
            return False
        if not self.setup.endpoint:
            self.post_message(self.NothingToTalkTo())
        elif not self.editor.text:
            self.notify("Write how the text begins, or take an example: F9.", markup=False)
        else:
            return True
        return False

    def action_further(self) -> None:
        self.action_begin()

    def action_begin(self) -> None:
        """Have the text continued: at its end, or at the cursor where the endpoint can."""
        if not self._ready():
            return
        text, at = self.editor.text, self.editor.cursor
        made = self._made
        if made is not None and made.suffix and text[at:] == made.suffix:
            pass  # On from what was put in before.
        elif self.editor.at_end or not self._inserts or not text[:at]:
            at = len(text)
        preset = self.preset.name if self.preset else ""
        self.ask(
            lambda setup: self.talk.write_on(text[:at], setup, suffix=text[at:], preset=preset),
            self._check,
        )

    def action_again(self) -> None:
        """Another continuation of what the last one continued."""
        made = self._made
        if made is not None and self._ready():
            self.ask(lambda setup: self.talk.again(made.id, setup), self._check)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return super().check_action(action, parameters)
        if action in ("again", "begin", "further", "turn"):
            made = None if self.answering else self._made
            if action == "begin":
                return made is None and not self.answering
            if action == "turn":
                return made is not None and len(self.conversation.siblings(made.id)) > 1
            return made is not None
        if action == "back":
            return not self.answering and self.focused is not self.editor
        return super().check_action(action, parameters)

    def action_turn(self, step: int) -> None:
        """To the continuation before or after this one, of the same text."""
        made = self._made
        if made is None or self.answering:
            return
        siblings = self.conversation.siblings(made.id)
        place = siblings.index(made.id) + step
        if 0 <= place < len(siblings):
            self.read_reply(siblings[place])

    def read_reply(self, id: str) -> None:
        if self.answering or not self.conversation.has(id):
            return
        if all(one.id != id for one in self.conversation.thread()):
            self.conversation.leaf = id
            text = text_of(self.conversation)
            self.editor.put(text, read_off(pieces_of(self.conversation), text))
            self.keep_leaf()
            self.text_shown()

    # Actions

    def commands(self) -> list[Command]:
        from tui_chat.rooms.completion.palette import completion_commands

        return completion_commands(self)

    def action_back(self) -> None:
        self.leave_sidebar()

    def leave_sidebar(self) -> None:
        self.remove_class("-sidebar-over")
        self.set_focus(self.editor)

    @work(group="open", exclusive=True)
    async def action_new(self) -> None:
        """From a saved text to the one that is not saved yet; from that to an empty one."""
        if self.busy() or not self.there.is_set():
            return
        try:
            await (self.leave_saved() if self.talk.saved_id else self.begin_text(""))
        except ChatError as error:
            self.complain(error)
        self.text_shown()
        self.leave_sidebar()

    def action_copy_all(self) -> None:
        self.app.copy_to_clipboard(self.editor.text)

    async def action_examples(self) -> None:
        from tui_chat.rooms.completion.examples import ExamplePicker, example

        def take(chosen: str | None) -> None:
            if chosen:
                self._take_example(example(chosen))

        if self.is_active and not self.busy():
            await self.app.push_screen(ExamplePicker(), take)

    @work(group="open", exclusive=True)
    async def _take_example(self, chosen: Example) -> None:
        if chosen.both:
            from tui_chat.rooms.completion.both import Both

            self._both = Both(self.world, self.setup, chosen.text)
            await self.app.push_screen(self._both)
            return
        try:
            await self.begin_text(chosen.text)
        except ChatError as error:
            self.complain(error)
            return
        self.leave_sidebar()
        self.use(chosen.applied_to(self.setup))
        self.action_begin()

    async def leave(self) -> None:
        if self._both is not None:
            await self._both.finish()
        await super().leave()

    # The numbers and the next token

    @property
    def next_thread(self) -> list[Message]:
        return list(parted(self.conversation, self._upto)[0])

    @property
    def draft_to_send(self) -> str:
        return parted(self.conversation, self._upto)[1]

    @property
    def _upto(self) -> str:
        """The text up to where the model would write."""
        text = self.editor.text
        return text if self.answering or not self._inserts else text[: self.editor.cursor]

    @property
    def wanted_look(self) -> Wanted | None:
        from tui_chat.widgets.looks import in_text

        return in_text(self.setup, self.editor.text[: self.editor.cursor])
