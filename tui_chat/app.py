"""The house: which rooms there are, the keys between them, themes, signals, the way out.

Rooms that are not there at the first paint are imported when they are first opened.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import WorkerError

from tui_chat.core.errors import ChatError
from tui_chat.core.opening import Opening
from tui_chat.core.world import World
from tui_chat.rooms.chat.screen import ChatScreen
from tui_chat.widgets.keyed_app import KeyedApp
from tui_chat.widgets.message_screen import MessageScreen

if TYPE_CHECKING:
    from tui_chat.rooms.review.keeping import Trash
    from tui_chat.rooms.review.preview import Left, PreviewingScreen
    from tui_chat.widgets.help import Section

STANDARD_THEME = "textual-dark"
LEAVE_SECONDS = 3
"""How long a signal leaves for an orderly end."""

_DIALOGS = ("code_dialog", "compare", "info", "pickers", "tree")
OPENED_LATER = (
    "rooms.review.screen",
    "rooms.welcome.screen",
    *(f"widgets.{name}" for name in _DIALOGS),
)
"""The modules that have keys and are imported only when they are needed."""

EXPLAINED = ("chat", "review")
"""The rooms that the help explains, each in its module `help`."""


class TuiChat(KeyedApp):
    """The program with a screen. `return_code` is 0, or 128 + the signal that ended it."""

    TITLE = "tui-chat"
    CSS_PATH: ClassVar[list[str | PurePath]] = ["app.tcss", "rooms/chat/screen.tcss"]
    # Its binding is ours, with a key that the line at the bottom shows.
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f3,ctrl+o",
            "open_saved",
            "Saved",
            tooltip="Saved conversations: find, reread, keep in order, export, import",
            id="app.saved",
        ),
        Binding("f1", "help", "Help", id="app.help"),
        Binding("ctrl+p", "command_palette", "All commands", id="app.palette", priority=True),
        Binding(
            "ctrl+q",
            "quit",
            "Quit",
            show=False,
            tooltip="Quit; everything is saved",
            id="app.quit",
            priority=True,
        ),
        Binding(
            "ctrl+c",
            "interrupt",
            "Quit",
            show=False,
            tooltip="Copy what is selected, else stop a reply, else quit at the second press",
            id="app.interrupt",
        ),
    ]

    def __init__(self, world: World, opening: Opening) -> None:
        super().__init__()
        self._world = world
        self.environ, self.places = world.environ, world.places
        self._running_loop: asyncio.AbstractEventLoop | None = None
        self._ended_early = 0
        """The signal that came before there was a loop to leave by."""
        self._leaving = False
        self._asked_to_quit = False
        self._trash: Trash | None = None
        """What was deleted in this run and can be undone."""
        self._looked_for = ""
        """What was looked for last among the saved conversations."""
        self._came_by = ""
        """The id of the message there that led to the open conversation."""
        self.chat = ChatScreen(world, opening)
        if world.settings.theme in self.available_themes:
            self.theme = world.settings.theme
        else:
            self.theme = STANDARD_THEME
        self.set_keymap(dict(world.settings.keys))

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    # Beginning

    def on_mount(self) -> None:
        self._running_loop = asyncio.get_running_loop()
        if self._ended_early:
            self._ended_by(self._ended_early, None)
        self.theme_changed_signal.subscribe(self, lambda theme: self._remember_theme(theme.name))
        for problem in self._world.settings.problems:
            self.notify(problem, severity="warning", timeout=15, markup=False)
        self.call_after_refresh(self._take_keys)

    async def _take_keys(self) -> None:
        await self.release_keys()
        if self._world.settings.keys:
            self._name_unknown_keys()
        self._empty_trash()

    @work(group="trash")
    async def _empty_trash(self) -> None:
        """Remove for good what has been in the trash for its days."""
        # Whatever is wrong with the disk is said by what needs it.
        with suppress(ChatError):
            await (await self._world.store()).purge_expired()
            await self._world.forget_purged()

    def _name_unknown_keys(self) -> None:
        for module in OPENED_LATER:
            import_module(f"tui_chat.{module}")
        from tui_chat.widgets.help import unknown_keys

        for name in unknown_keys(self._world.settings.keys):
            words = f"settings.toml: there is no key named “{name}”."
            self.notify(words, severity="warning", timeout=15, markup=False)

    def take_signals(self) -> None:
        """Have signals end the program by the door; to be called before the terminal is taken.

        Textual leaves the terminal in its own state when they end it.
        """
        for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            signal.signal(number, self._ended_by)

    def _ended_by(self, number: int, frame: object) -> None:
        if self._running_loop is None:
            self._ended_early = number
            return
        code = 128 + number
        # The loop may be waiting for a terminal that is gone, and never leave. What was said is on
        # disk by then, but for the last checkpoint's time.
        last_resort = threading.Timer(LEAVE_SECONDS, os._exit, (code,))
        last_resort.daemon = True
        last_resort.start()
        self._running_loop.call_soon_threadsafe(self._leave, code)

    # The rooms

    @on(ChatScreen.NothingToTalkTo)
    @work(group="room", exclusive=True)
    async def _welcome(self) -> None:
        from tui_chat.rooms.welcome.screen import Welcome

        if isinstance(self.screen, Welcome):
            return
        chosen = await self.push_screen_wait(
            Welcome(self._world, in_use=bool(self.chat.setup.endpoint))
        )
        if chosen:
            await self.chat.begin_with(chosen)
        self.chat.leave_sidebar()

    async def action_open_saved(self, words: str = "") -> None:
        from tui_chat.rooms.review.keeping import Trash
        from tui_chat.rooms.review.screen import ReviewScreen

        if not self._may_open("open_saved"):
            return
        trash = self._trash = self._trash or Trash()
        words = words or self._looked_for
        present, at = self.chat.talk.saved_id, self._came_by
        room = ReviewScreen(self._world, present, trash, words=words, at=at)
        room.mark = self.chat.mark
        room.present_setup = self.chat.setup

        def take(left: Left | None) -> None:
            self._looked_for = room.words
            self._came_by = (left and left.message) or ""
            if trash.has(self.chat.talk.saved_id):
                self._leave_deleted(left)
            elif left and left.conversation:
                self.chat.open(left.conversation, left.message, left.deed)

        await self.push_screen(room, take)

    # By its name: the room is imported when it is first opened.
    def on_previewing_screen_setup_taken(self, event: PreviewingScreen.SetupTaken) -> None:
        self.chat.take_setup(event.setup)

    @work(group="room")
    async def _leave_deleted(self, left: Left | None) -> None:
        """From the open conversation, which was deleted: to another, else to a new one."""
        if self.chat.stop():
            for answer in [one for one in self.workers if one.group == "talk"]:
                with suppress(WorkerError):
                    await answer.wait()
        if left and left.conversation:
            self.chat.open(left.conversation, left.message, left.deed)
        else:
            self.chat.action_new()

    def action_command_palette(self) -> None:
        from tui_chat.widgets.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    async def action_help(self) -> None:
        from tui_chat.widgets.help import Help

        if self._may_open("help"):
            await self.push_screen(Help(help_sections(self._world.settings.keys)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._may_open(action)

    def _may_open(self, action: str) -> bool:
        """Rooms open over the chat, not over each other, whichever way they are asked for.

        Any other action may always be done.
        """
        if action == "open_saved":
            return self.screen is self.chat
        return action != "help" or all(screen.id != "help" for screen in self.screen_stack)

    @on(ChatScreen.Called)
    async def _called(self, event: ChatScreen.Called) -> None:
        """A typed command that is the house's."""
        if event.name == "open":
            await self.action_open_saved(event.argument)
        elif event.name == "help":
            await self.action_help()
        elif event.name == "quit":
            await self.action_quit()
        elif event.name == "theme" and event.argument in self.available_themes:
            self.theme = event.argument
        elif event.name == "theme":
            self.action_change_theme()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        from tui_chat.rooms.chat.palette import chat_commands
        from tui_chat.widgets.palette import message_commands, setup_commands

        chat = self.chat
        commands: list[tuple[str, str, Callable[[], object]]] = []
        # Asked by its name: the room is imported when it is first opened.
        if screen.id == "review":
            from tui_chat.rooms.review.commands import review_commands

            commands += review_commands(screen)
        if screen is chat:
            commands += [
                *chat_commands(chat),
                ("Saved conversations", "Find, reread, keep in order", self.action_open_saved),
                ("Fetch or choose a model to talk to", "Built-in, a server, a key", self._welcome),
                *setup_commands(chat),
            ]
        if isinstance(screen, MessageScreen):
            commands += message_commands(screen, screen.transcript)
        commands += [
            ("Theme", "Choose the colours", self.action_change_theme),
            ("Help", "Keys and commands", self.action_help),
            ("Quit", "Everything is saved", self.action_quit),
        ]
        for title, words, deed in commands:
            yield SystemCommand(title, words, deed)

    # What is remembered of the house

    @work(group="theme", exclusive=True)
    async def _remember_theme(self, name: str) -> None:
        from tui_chat.core.settings import remember_setting

        try:
            path = self._world.places.settings
            await asyncio.to_thread(remember_setting, path, "theme", name)
        except ChatError as error:
            self.notify(str(error), severity="warning", markup=False)

    # The way out

    def action_interrupt(self) -> None:
        """Ctrl+C where nothing is selected: stop a reply, else leave at the second press."""
        if self.chat.stop():
            return
        if self._asked_to_quit:
            self._leave(0)
            return
        self._asked_to_quit = True
        self.notify("Press ctrl+c again to quit.", timeout=2, markup=False)
        self.set_timer(2, self._stay)

    def _stay(self) -> None:
        self._asked_to_quit = False

    async def action_quit(self) -> None:
        self._leave(0)

    @work(group="leave")
    async def _leave(self, code: int) -> None:
        """Save what there is, end what runs, and go; a second call does not wait for the first."""
        if self._leaving:
            self.exit(return_code=code)
            return
        self._leaving = True
        try:
            await self.chat.leave()
            await self._world.close()
        except ChatError as error:
            if code == 0:
                words = f"{error} Quit again to leave all the same."
                self.notify(words, severity="error", timeout=10, markup=False)
                return
        self.exit(return_code=code)


def help_sections(keymap: Mapping[str, str]) -> list[Section]:
    """What the help says: keys by place, typed commands, parameters. `keymap`: binding's id → its key."""
    from tui_chat.core.params import PARAMETERS
    from tui_chat.widgets.help import Places, Section, key_rows

    pages = [import_module(f"tui_chat.rooms.{name}.help") for name in EXPLAINED]
    places: Places = [
        ("Everywhere", TuiChat.BINDINGS),
        *(place for page in pages for place in page.PLACES),
    ]
    return [
        *(Section(title, key_rows(bindings, keymap)) for title, bindings in places),
        *(table for page in pages for table in page.TABLES),
        Section("Parameters", tuple((one.label, one.explanation) for one in PARAMETERS)),
    ]
