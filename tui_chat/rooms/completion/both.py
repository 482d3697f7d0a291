"""One text given to both modes side by side: the chat's answer at the left, the text's continuation at the right."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui_chat.core.conversation import Message, Refusal, Setup, Token
from tui_chat.core.errors import ChatError
from tui_chat.core.talk import Talk
from tui_chat.core.world import World
from tui_chat.widgets.bars import Keyline
from tui_chat.widgets.captions import foot, trouble
from tui_chat.widgets.dialogs import Modal
from tui_chat.widgets.doubting import confirmed
from tui_chat.widgets.tones import MUTED

if TYPE_CHECKING:
    from tui_chat.core.waiting import Wait

FRAME = 1 / 30
"""Seconds between two drawings of a text that grows."""
_MODEL = "italic $text-primary"


class Column(VerticalScroll):
    """What one mode makes of the text; it listens to a talk of its own."""

    def __init__(self, world: World, title: str, before: str) -> None:
        super().__init__()
        self.talk = Talk(world, self)
        self.talk.on_wait(self._waits)
        self.border_title = Content(title)
        self._before = before
        self._pieces: list[str] = []
        self._words = Content("")
        self._frame: Timer | None = None
        self._shown = Static("", markup=False)

    def compose(self) -> ComposeResult:
        yield self._shown

    def on_mount(self) -> None:
        self._show()

    def said(self, message: Message) -> None:
        """Shown by what comes."""

    def token(self, token: Token, id: str) -> None:
        if not token.reasoning:
            self._pieces.append(token.text)
            if self._frame is None:
                self._frame = self.set_timer(FRAME, self._show)

    def ended(self, message: Message) -> None:
        lines = [Content.styled(foot(message), MUTED)]
        if wrong := trouble(message):
            lines.append(Content.styled(wrong, "$text-error"))
        self._words = Content("\n").join(lines)
        self._show()

    def refused(self, refusal: Refusal) -> None:
        """Said under the text, as it ends."""

    def trouble(self, error: ChatError) -> None:
        self._words = Content.styled(str(error), "$text-warning")
        self._show()

    def _waits(self, id: str, wait: Wait | None) -> None:
        words = f"{wait.words} · Esc cancels" if wait is not None else ""
        self._words = Content.styled(words, "$text-warning")
        self._show()

    def _show(self) -> None:
        self._frame = None
        text = Content.assemble(self._before, ("".join(self._pieces), _MODEL))
        parts = [text, self._words] if self._words.plain else [text]
        if self.is_attached:
            self._shown.update(Content("\n\n").join(parts))
            self.scroll_end(animate=False)


class Both(Modal[None]):
    """Both modes under one setup; what they make is kept like any conversation."""

    DEFAULT_CSS = """
    Both {
        align: center middle;
        & > Vertical {
            width: 100%; height: 100%;
            border: round $primary; border-title-color: $text; background: $surface; padding: 0 1;
        }
        & Horizontal { height: 1fr; }
        & Column {
            width: 1fr; height: 1fr; border: round $foreground 20%; border-title-color: $text-muted;
            padding: 0 1; scrollbar-size-vertical: 1;
            &:focus { border: round $primary; border-title-color: $text; }
        }
        & Keyline { background: $surface; padding: 0; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", key_display="esc", id="both.back"),
        Binding("tab", "app.focus_next", "Other side", id="both.other"),
    ]

    def __init__(self, world: World, setup: Setup, text: str) -> None:
        super().__init__()
        self._world, self._setup, self._text = world, setup, text
        self._chat = Column(world, "Chat: the model answers", f"You: {text}\n\n")
        self._on = Column(world, "Text: the model goes on", text)

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = "Chat and text, with the same setup"
            with Horizontal():
                yield self._chat
                yield self._on
            yield Keyline()

    def on_mount(self) -> None:
        self._ask()

    @work(group="both")
    async def _ask(self) -> None:
        if not await confirmed(self.app, self._world, self._setup.endpoint):
            self._chat.trouble(ChatError("Nothing was sent."))
            return
        try:
            setup = await self._world.settled(self._setup)
        except ChatError as error:
            self._chat.trouble(error)
            return
        await asyncio.gather(
            self._tried(self._chat, lambda: self._chat.talk.say(self._text, setup)),
            self._tried(self._on, lambda: self._on.talk.write_on(self._text, setup)),
        )

    async def _tried(self, column: Column, ask: Callable[[], Awaitable[None]]) -> None:
        try:
            await ask()
        except ChatError as error:
            column.trouble(error)

    async def finish(self) -> None:
        """Stop what is in flight and wait until it is written. ChatError when it could not be."""
        await self._chat.talk.finish()
        await self._on.talk.finish()

    def action_leave(self) -> None:
        for column in (self._chat, self._on):
            column.talk.stop()
        self.dismiss()
