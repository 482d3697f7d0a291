"""The chat room: talk to one model, turn its parameters, and see at once what they do.

Here are the prompt, its typed commands, the draft and what the room remembers between starts; the
conversation itself is in conversing.py, the setup in setup_screen.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message as Event

from tui_chat.core.conversation import Message, Setup
from tui_chat.core.endpoints import BUILT_IN
from tui_chat.core.errors import ChatError
from tui_chat.core.opening import Opening
from tui_chat.core.world import World
from tui_chat.rooms.chat.command_actions import done
from tui_chat.rooms.chat.commands import KeyTyped, Typed, completions, read, written
from tui_chat.rooms.chat.drafting import DraftingScreen, joined
from tui_chat.rooms.chat.session import KEY, Session
from tui_chat.widgets.backdrop import Frame
from tui_chat.widgets.bars import Keyline, Topline
from tui_chat.widgets.doubting import tell_of_settings
from tui_chat.widgets.message_transcript import MessageTranscript
from tui_chat.widgets.preset_words import first_preset
from tui_chat.widgets.prompt import Prompt
from tui_chat.widgets.storing_app import store_to_begin_with

if TYPE_CHECKING:
    from tui_chat.widgets.palette import Command

MOST_SERVERS = 50
"""How many endpoints that were added by URL are remembered."""
HINT = ("Ask something.", "Then turn a knob (F2) and ask again (F5):", "see what the knob did.")


class ChatScreen(DraftingScreen):
    """One conversation with one model."""

    AUTO_FOCUS = "Prompt TextArea"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab", "messages", "Messages", tooltip="To the messages, and back", id="chat.messages"
        ),
        Binding("tab", "app.focus_next", "Next part", show=False, id="chat.next_part"),
        Binding("ctrl+n", "new", "New", show=False, tooltip="New conversation", id="chat.new"),
        Binding(
            "pageup",
            "page(-1)",
            "Scroll the conversation up",
            show=False,
            tooltip="Scroll the conversation up",
            id="chat.page_up",
        ),
        Binding(
            "pagedown",
            "page(1)",
            "Scroll it down",
            show=False,
            tooltip="Scroll it down",
            id="chat.page_down",
        ),
    ]

    @dataclass(eq=False, repr=False)
    class Called(Event):
        """A typed command that is the house's: open, theme, help, quit."""

        name: str
        argument: str

    def __init__(self, world: World, opening: Opening) -> None:
        super().__init__(world)
        self._opening = opening
        self._remembering = False
        self._preset_names: tuple[str, ...] = ()
        self._sent_early = ""

    def compose(self) -> ComposeResult:
        yield Topline(self.world.unsaved)
        with Frame(id="talk", classes="-focused"):
            yield MessageTranscript(self.caption, hint=HINT)
            # As it will be with the focus: another class later would style it twice.
            yield Prompt(classes="-focused")
        yield from self.compose_side(filled=False)
        yield Keyline()

    def on_mount(self) -> None:
        self.prompt.commands = self._completions
        self.prompt.ephemeral = self.world.ephemeral
        self.prompt.environ = lambda: self.world.endpoints.without_keys(self.world.environ)
        self.topline.state = "starting"

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        self.query_one("#talk").set_class(not self.in_parameters, "-focused")
        self.refresh_bindings()

    # Beginning: what was there at the last start is back

    async def begin(self) -> None:
        """What the first paint need not wait for; `Seen` tells that it is there."""
        await self.fill_side()
        self._begin()

    @work(group="begin")
    async def _begin(self) -> None:
        session = Session()
        try:
            store = await store_to_begin_with(self, self.world)
            session = Session.read(await store.state(KEY))
            if session.conversation:
                await self.show_end(session.conversation)
                await self.talk.open(session.conversation)
            self.prompt.set_history([written(text) for text in await store.prompts()])
            await self.restore_draft()
            self._remembering = True
            self.save_draft()
        except ChatError as error:
            self.complain(error)
        self.show_conversation()
        self.sidebar.unfolded = session.unfolded
        self.sidebar_shown = session.sidebar
        self.world.looking |= session.looking
        self.world.recorded |= set(session.recorded)
        await self._restore_setup(session)
        if not session.setup.endpoint:
            await self.begin_with_preset()
        self.keeping = True
        self.warm()
        await self.begin_looking()
        self._read_preset_names()
        self._take_early()
        self.watch_windows()
        self.post_message(self.Seen())

    def _take_early(self) -> None:
        text, self._sent_early = self._sent_early, ""
        if text:
            self._take(text)

    async def _restore_setup(self, session: Session) -> None:
        for url, key_env in session.servers:
            # One that cannot be used any more is no reason not to begin.
            with suppress(ChatError):
                if key_env:
                    self.world.add_endpoint(url, key_env)
                else:
                    self.world.endpoint_for(url)
        setup = session.setup
        known = self.world.endpoints.has(setup.endpoint)
        if known and not self.world.settings.unreadable:
            self.world.in_doubt = False  # It was chosen by a person, whatever settings want.
        if not known or (setup.endpoint == BUILT_IN and not self.world.model_ready):
            first = self.world.first_setup() or Setup()
            setup = replace(setup, endpoint=first.endpoint, model=first.model)
        self.preset = await first_preset(self, self._opening.preset, session.preset)
        self.use(self._opening.applied_to(setup))
        tell_of_settings(self)

    # Sending

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        if self.keeping:
            self._take(event.text)
        else:
            self._sent_early = event.text  # Where to send it is still being read.

    def _take(self, text: str) -> None:
        try:
            typed = read(text.strip())
        except KeyTyped as error:
            self.complain(error)
            self.prompt.set_draft("")
            return
        except ValueError as error:
            self.complain(error)
            self.prompt.keep_draft()
            return
        if isinstance(typed, Typed):
            self._do(typed)
        elif self.busy():
            self.prompt.keep_draft()
        elif self.edit(typed):
            return
        elif self.setup.endpoint:
            self.say_if_it_fits(typed, self.editing)
        else:
            self.post_message(self.NothingToTalkTo())
            self.prompt.keep_draft()

    def said(self, message: Message) -> None:
        if message.role == "user":
            # Whatever was open before and could not be read: now this is.
            self._remembering = True
            self.prompt.remember(written(message.content))
            self.prompt.clear_draft()
            self.bring_back()
            self.save_draft()
            if message.parent is None:
                self.write_draft("", "")  # It was the draft of a conversation not yet saved.
            self._remember()
        super().said(message)

    @property
    def draft_to_send(self) -> str:
        """The draft, unless it is a typed command, which is not sent."""
        with suppress(ValueError):
            sent = read(self.draft.strip())
            return sent if isinstance(sent, str) else ""
        return ""

    def watch_answering(self) -> None:
        super().watch_answering()
        self._remember()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "messages":
            said = self.is_mounted and self.talk.conversation.leaf is not None
            return said and self.focused is self.prompt.text_area
        return super().check_action(action, parameters)

    def action_messages(self) -> None:
        """From the prompt to the messages, where single keys act on the one under the cursor."""
        self.set_focus(self.transcript)

    def action_back(self) -> None:
        """Esc when nothing is to be stopped: leave an edit, else return to the prompt."""
        if self.editing is not None:
            self.give_edit_up()
        self.leave_sidebar()

    def leave_sidebar(self) -> None:
        self.remove_class("-sidebar-over")
        self.set_focus(self.prompt.text_area)

    def action_page(self, direction: int) -> None:
        if direction < 0:
            self.transcript.scroll_page_up(animate=False)
        else:
            self.transcript.scroll_page_down(animate=False)

    def action_new(self) -> None:
        # At once: the next key of a burst belongs to the new conversation.
        if self.keeping and not self.busy():
            self.put_draft_away()
            self.talk.start_new()
            self._show_other()

    @work(group="open", exclusive=True)
    async def open(self, id: str, at: str | None = None, deed: str = "") -> None:
        """Show a saved conversation with its branch and the setup of its last reply; `at` is a
        message to go to, `deed` the action to do to it."""
        if not self.keeping or self.busy():
            return
        self.put_draft_away()
        self.keeping = False
        try:
            await self.show_end(id, at)
            if await self.talk.open(id, at):
                setup = self.talk.conversation.latest_setup()
                if setup is not None:
                    self.take_setup(setup)
            else:
                words = "That conversation is no longer there."
                self.notify(words, severity="warning", markup=False)
        except ChatError as error:
            self.complain(error)
        finally:
            self.keeping = True
        self._show_other(at)
        self._take_early()
        if at is not None and self.talk.conversation.has(at):
            self.transcript.cursor = at
            if deed:
                self.set_focus(self.transcript)
                await self.run_action(deed)

    def _show_other(self, at: str | None = None) -> None:
        self.show_conversation(at)
        self._remember()
        self.set_focus(self.prompt.text_area)
        self.bring_draft()

    # Commands, of the palette and typed

    def commands(self) -> list[Command]:
        from tui_chat.rooms.chat.palette import chat_commands

        return chat_commands(self)

    def _completions(self, typed: str) -> Sequence[tuple[str, str]]:
        provider = self.world.asked(self.setup.endpoint)
        known = {
            "endpoint": [endpoint.name for endpoint in self.world.endpoints],
            "model": [one.id for one in provider.listed] if provider else (),
            "preset": self._preset_names,
            "theme": sorted(self.app.available_themes),
        }
        return completions(typed, known)

    @work(group="presets", exclusive=True)
    async def _read_preset_names(self) -> None:
        self._preset_names = await self.world.preset_names()

    @work(group="command")
    async def _do(self, typed: Typed) -> None:
        try:
            if typed.command.name == "new":
                self.action_new()
            elif not await done(self, typed):
                self.post_message(self.Called(typed.command.name, typed.argument))
        except (ChatError, ValueError) as error:
            self.complain(error)
            self.prompt.keep_draft()
        else:
            self.prompt.remember(f"/{typed.command.name} {typed.argument}".strip())
            self.prompt.clear_draft()

    # What is remembered

    def watch_preset(self) -> None:
        super().watch_preset()
        if self._remembering:
            self._read_preset_names()

    def setup_used(self) -> None:
        super().setup_used()
        self._remember()
        if self._remembering:
            self.warm_another()

    def _remember(self) -> None:
        if self._remembering:
            self._write_session()

    @work(group="session", exclusive=True)
    async def _write_session(self) -> None:
        # As it is now: the program may leave while the store is opened.
        session = self.session.json()
        try:
            await (await self.world.store()).set_state(KEY, session)
        except ChatError as error:
            self.complain(error)

    @property
    def session(self) -> Session:
        """The room as it stands, for the next start."""
        servers = self.world.endpoints.typed[-MOST_SERVERS:]
        return Session(
            conversation=self.talk.saved_id,
            setup=self.setup,
            preset=self.preset.name if self.preset else "",
            servers=tuple((server.gguf or server.base_url, server.key_env) for server in servers),
            sidebar=self.sidebar_shown,
            unfolded=self.sidebar.unfolded,
            looking=self.world.looking,
            recorded=tuple(sorted(self.world.recorded)),
        )

    async def leave(self) -> None:
        """Before the program ends: the reply is stopped and written, draft and room are kept.

        ChatError when they could not be.
        """
        # A screen that broke has no prompt any more in a moment.
        draft = self.kept_draft if self.keeping else None
        await super().leave()
        if draft is not None and (draft or self._remembering):
            store = await self.world.store()
            if self._remembering:
                await store.set_state(KEY, self.session.json())
            else:
                draft = joined(await store.draft(self.talk.saved_id), draft)
            await store.save_draft(self.talk.saved_id, draft)

    @property
    def has_read_drafts(self) -> bool:
        return self._remembering

    async def store_is_back(self) -> None:
        if not self.keeping:
            return  # It is still beginning.
        if self._remembering:
            self.save_draft()
            self._remember()
        else:
            self._begin()
