"""A text that is kept: what is written is on disk within a second, and back at the next start.

What was not continued yet is the draft of its conversation; a text that never was has a place of its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from textual import getters, on, work
from textual.timer import Timer
from textual.widgets import TextArea

from tui_chat.core.answering import RETRY_SECONDS
from tui_chat.core.conversation import Conversation
from tui_chat.core.errors import ChatError, Gone
from tui_chat.core.windows import News
from tui_chat.core.world import World
from tui_chat.rooms.completion.editor import TextEditor
from tui_chat.rooms.completion.giants import is_giant, why_not_opened
from tui_chat.rooms.completion.marks import read_off
from tui_chat.rooms.completion.session import KEY, UNSAVED, Session
from tui_chat.rooms.completion.texts import ending_in, pieces_of, text_of
from tui_chat.widgets.windows import WindowsScreen

SAVE_AFTER = 0.3
"""Seconds from the first change that is not on disk; a text there is never older than a second."""


@dataclass(frozen=True)
class Kept:
    """What is to be on disk of the open text."""

    conversation: str
    draft: str
    """The text where it is another than what was said; else empty."""
    cursor: int


class KeepingScreen(WindowsScreen):
    """Subclasses compose a TextEditor."""

    leads_to_news = "Where it is another continuation, ^↑ and ^↓ lead to it."

    editor = getters.query_one(TextEditor)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.there = asyncio.Event()
        """Set once what was there at the last start is back."""
        self._save_timer: Timer | None = None
        self._writing = asyncio.Lock()
        self._trouble = ""
        """Why the text is not saved now, as it was told."""

    @property
    def conversation(self) -> Conversation:
        return self.talk.conversation

    # Beginning

    async def restore(self) -> None:
        """Show the text that was open at the last start."""
        try:
            store = await self.world.store()
            session = Session.read(await store.state(KEY))
            if session.conversation:
                await self.talk.open(session.conversation)
            await self._bring(session.cursor)
        except ChatError as error:
            self.complain(error)
        self.there.set()
        self.text_shown()
        self.watch_windows()

    def show_news(self, news: News) -> None:
        super().show_news(news)
        self.text_shown()

    async def _bring(self, cursor: int = -1) -> None:
        """Show the open text with what was written since. ChatError."""
        store = await self.world.store()
        saved = self.talk.saved_id
        draft = await (store.draft(saved) if saved else store.state(UNSAVED))
        text = draft or text_of(self.conversation)
        if saved and is_giant(text):
            self.notify(why_not_opened(text), severity="warning", timeout=10, markup=False)
            self.talk.start_new()
            text, cursor = await store.state(UNSAVED) or "", -1
        self.editor.load(text, read_off(pieces_of(self.conversation), text), cursor)

    def text_shown(self) -> None:
        """Another text is shown: for subclasses."""

    # On disk

    @on(TextArea.Changed)
    @on(TextArea.SelectionChanged)
    def _save_soon(self) -> None:
        if self._save_timer is None:
            self._save_timer = self.set_timer(SAVE_AFTER, self._save_due)

    def _save_due(self) -> None:
        self._save_timer = None
        if self.there.is_set():
            self.save()
        else:
            self._save_soon()

    @property
    def kept(self) -> Kept:
        text = self.editor.text
        # While the model writes, what is there of it is kept with its message.
        same = self.answering or text == text_of(self.conversation)
        return Kept(self.talk.saved_id, "" if same else text, self.editor.cursor)

    def save(self) -> None:
        """Keep what is written, as it is now."""
        if self.answering and not self.talk.saved_id:
            return  # It is becoming a conversation; until then what was kept stays.
        self._save(self.kept)

    @work(group="keep")
    async def _save(self, kept: Kept) -> None:
        try:
            await self._write(kept)
        except ChatError as error:
            self.world.unsaved.failed(self, error)
            if error.message != self._trouble:
                self._trouble = error.message
                self.complain(error)
            if self._save_timer is None and not isinstance(error, Gone):
                self._save_timer = self.set_timer(RETRY_SECONDS, self._save_due)
        else:
            self.world.unsaved.written(self)
            self._trouble = ""

    async def _write(self, kept: Kept) -> None:
        async with self._writing:
            store = await self.world.store()
            if kept.conversation:
                await store.save_draft(kept.conversation, kept.draft)
            else:
                await store.set_state(UNSAVED, kept.draft)
            session = Session(kept.conversation, kept.cursor)
            await store.set_state(KEY, session.json())

    async def forget_unsaved(self) -> None:
        """The text that was not continued yet is a conversation now, with which the next start begins. ChatError."""
        # In this order: a kill in between leaves the text in two places, not in none.
        await self._write(Kept(self.talk.saved_id, "", self.editor.cursor))
        await (await self.world.store()).set_state(UNSAVED, "")

    async def store_is_back(self) -> None:
        if self.there.is_set():
            self.save()

    async def leave(self) -> None:
        await super().leave()
        if self.there.is_set():
            await self._write(self.kept)

    # Another text

    @work(group="open", exclusive=True)
    async def open(self, id: str, at: str | None = None, deed: str = "") -> None:
        """Show a saved text, with the setup of its last continuation; `at` is a message to read. The deeds
        are those of a chat."""
        if self.busy():
            return
        try:
            await self._write(self.kept)
            if await self.talk.open(id, at):
                setup = self.conversation.latest_setup()
                if setup is not None:
                    self.take_setup(setup)
            else:
                words = "That text is no longer there."
                self.notify(words, severity="warning", markup=False)
            await self._bring()
        except ChatError as error:
            self.complain(error)
        self.text_shown()
        self.leave_sidebar()

    async def leave_saved(self) -> None:
        """From a saved text to one that is not: to what was written of that before. ChatError."""
        await self._write(self.kept)
        self.talk.start_new()
        await self._bring()

    async def begin_text(self, text: str) -> None:
        """Begin a text of its own with these words; the one before stays saved, or can be undone. ChatError."""
        if self.talk.saved_id:
            await self.leave_saved()
        if self.editor.text != text:
            if self.editor.text:
                words = "ctrl+z brings back what stood here."
                self.notify(words, timeout=5, markup=False)
            self.editor.put(text, ())

    # The leaf

    def read_as_shown(self) -> None:
        """Where the text is what a message ends, that is the message being read."""
        shown = ending_in(self.conversation, self.editor.text)
        if shown is not None and shown != self.conversation.leaf:
            self.conversation.leaf = shown
            self.keep_leaf()

    @work(group="turn", exclusive=True)
    async def keep_leaf(self) -> None:
        try:
            await self.talk.keep_leaf()
        except ChatError as error:
            self.complain(error)
