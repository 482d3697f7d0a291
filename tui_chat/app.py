"""The house: which rooms there are, the keys between them, themes, signals, the way out.

Rooms that are not there at the first paint are imported when they are first opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from tui_chat.core.unsaved import ALL_SAVED
from tui_chat.core.world import World
from tui_chat.rooms.chat.screen import ChatScreen
from tui_chat.widgets.asking_screen import AskingScreen
from tui_chat.widgets.message_screen import MessageScreen
from tui_chat.widgets.setup_screen import SetupScreen
from tui_chat.widgets.storing_app import StoringApp

if TYPE_CHECKING:
    from tui_chat.rooms.completion.screen import CompletionScreen
    from tui_chat.rooms.review.keeping import Trash
    from tui_chat.rooms.review.preview import Left, PreviewingScreen
    from tui_chat.widgets.help import Section

STANDARD_THEME = "textual-dark"
_DIALOGS = ("code_dialog", "compare", "endpoint_picker", "info", "overflowing", "pickers", "tree")
ROOM_SECONDS = 1
"""How long keys wait for a room that is opened for the first time."""
OPENED_LATER = (
    "rooms.lens.screen",
    "rooms.completion.screen",
    "rooms.completion.both",
    "rooms.review.screen",
    "rooms.welcome.screen",
    *(f"widgets.{name}" for name in _DIALOGS),
)
"""The modules that have keys and are imported only when they are needed."""

EXPLAINED = ("chat", "lens", "completion", "review")
"""The rooms that the help explains, each in its module `help`."""


class TuiChat(StoringApp):
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
        Binding(
            "f8",
            "toggle_mode",
            "Mode",
            tooltip="Mode: from the chat to a text that the model continues, and back",
            id="app.mode",
        ),
        Binding("f1", "help", "Help", id="app.help"),
        Binding(
            "ctrl+p",
            "command_palette",
            "Palette",
            tooltip="All commands",
            id="app.palette",
            priority=True,
        ),
        Binding(
            "ctrl+q",
            "quit",
            "Quit",
            show=False,
            tooltip=f"Quit; {ALL_SAVED}",
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
        super().__init__(world)
        self.places, self.ephemeral = world.places, world.ephemeral
        self._trash: Trash | None = None
        """What was deleted in this run and can be undone."""
        self._looked_for = ""
        """What was looked for last among the saved conversations."""
        self._came_by = ""
        """The id of the message there that led to the open conversation."""
        self.chat = ChatScreen(world, opening)
        self._texts: CompletionScreen | None = None
        if world.settings.theme in self.available_themes:
            self.theme = world.settings.theme
        else:
            self.theme = STANDARD_THEME
        self.set_keymap(dict(world.settings.keys))

    @property
    def environ(self) -> Mapping[str, str]:
        # Each time: endpoints that name other variables may have been added.
        return self._world.endpoints.without_keys(self._world.environ)

    @property
    def room(self) -> AskingScreen:
        """The room in which one writes: the chat, or the text over it."""
        texts = self._texts
        return texts if texts is not None and texts in self.screen_stack else self.chat

    def open_rooms(self) -> Sequence[ChatScreen | CompletionScreen]:
        return [self.chat] if self._texts is None else [self.chat, self._texts]

    def get_default_screen(self) -> Screen[None]:
        return self.chat

    # Beginning

    def on_mount(self) -> None:
        self.loop_runs()
        if not self.ephemeral:
            remember = self._remember_theme
            self.theme_changed_signal.subscribe(self, lambda theme: remember(theme.name))
        # Where nothing of them could be read, the chat says whom messages go to as well.
        problems = () if self._world.settings.unreadable else self._world.settings.problems
        for problem in problems:
            self.notify(problem, severity="warning", timeout=15, markup=False)

    def on_ready(self) -> None:
        # What the first frame leaves out is drawn at once, not piece by piece.
        self.hold_drawing()
        self.chat.call_next(self.chat.begin)
        self.chat.call_next(self.call_next, self._take_keys)

    @on(ChatScreen.Seen)
    def _draw_all(self) -> None:
        self.draw_again()

    async def _take_keys(self) -> None:
        await self.release_keys()
        if self._world.settings.keys:
            self._name_unknown_keys()
        self.begin_keeping()

    def _name_unknown_keys(self) -> None:
        for module in OPENED_LATER:
            import_module(f"tui_chat.{module}")
        from tui_chat.widgets.help import unknown_keys

        for name in unknown_keys(self._world.settings.keys):
            words = f"settings.toml: there is no key named “{name}”."
            self.notify(words, severity="warning", timeout=15, markup=False)

    # The rooms

    @on(AskingScreen.NothingToTalkTo)
    @work(group="room", exclusive=True)
    async def _welcome(self) -> None:
        from tui_chat.rooms.welcome.screen import Welcome

        if isinstance(self.screen, Welcome):
            return
        chosen = await self.push_screen_wait(
            Welcome(self._world, in_use=bool(self.room.setup.endpoint))
        )
        if chosen:
            await self.room.begin_with(chosen)
        self.room.leave_sidebar()

    @on(SetupScreen.ModeTurned)
    async def action_toggle_mode(self) -> None:
        if self._may_open("toggle_mode"):
            await self._go_to_text(self.room is self.chat)

    async def _go_to_text(self, text: bool) -> None:
        """To the room for texts, or to the chat, with the setup of the one that was open."""
        before = self.room
        if text is (before is not self.chat):
            return
        if not text:
            await self.pop_screen()
        elif self._texts is not None:
            await self.push_screen(self._texts)
        else:
            from tui_chat.rooms.completion.screen import CompletionScreen

            self._texts = CompletionScreen(self._world, before)
            self.install_screen(self._texts, "completion")
            await self.push_screen(self._texts)
            # The next key of a burst is for the text.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._texts.there.wait(), ROOM_SECONDS)
            return
        self.room.take_over(before)

    async def action_open_saved(self, words: str = "") -> None:
        from tui_chat.rooms.review.keeping import Trash
        from tui_chat.rooms.review.screen import ReviewScreen

        if not self._may_open("open_saved"):
            return
        trash = self._trash = self._trash or Trash()
        words = words or self._looked_for
        present, at = self.room.talk.saved_id, self._came_by
        room = ReviewScreen(self._world, present, trash, words=words, at=at)
        room.mark = self.chat.mark
        room.present_setup = self.room.setup

        def take(left: Left | None) -> None:
            self._looked_for = room.words
            self._came_by = (left and left.message) or ""
            self._go_on(left, trash)

        await self.push_screen(room, take)

    @on(AskingScreen.LensWanted)
    async def _open_lens(self, event: AskingScreen.LensWanted) -> None:
        from tui_chat.rooms.lens.screen import LensScreen

        if isinstance(asker := self.screen, AskingScreen):
            await self.push_screen(LensScreen(asker, event.id))

    # By its name: the room is imported when it is first opened.
    def on_previewing_screen_setup_taken(self, event: PreviewingScreen.SetupTaken) -> None:
        self.room.take_setup(event.setup)

    @work(group="room")
    async def _go_on(self, left: Left | None, trash: Trash) -> None:
        """Open what was chosen among the saved ones; where what was open is deleted, begin something new."""
        deleted = [room for room in self.open_rooms() if trash.has(room.talk.saved_id)]
        for room in deleted:
            if room.stop():
                for answer in [one for one in self.workers if one.group == "talk"]:
                    with suppress(WorkerError):
                        await answer.wait()
        opened = None
        if left is not None and left.conversation:
            opened = await self._open(left)
        for room in deleted:
            if room is not opened:
                room.action_new()

    async def _open(self, left: Left) -> AskingScreen:
        """Open a saved conversation in the room that it is for; that room."""
        text = False
        with suppress(ChatError):  # The room says why.
            text = await (await self._world.store()).is_text(left.conversation)
        await self._go_to_text(text)
        self.room.open(left.conversation, left.message, left.deed)
        return self.room

    def action_command_palette(self) -> None:
        from tui_chat.widgets.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    async def action_help(self) -> None:
        from tui_chat.widgets.help import Help

        if self._may_open("help"):
            end = self._world.unsaved.at_the_end
            await self.push_screen(Help(help_sections(self._world.settings.keys, end)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self._may_open(action)

    def _may_open(self, action: str) -> bool:
        """Rooms open over the chat, not over each other, whichever way they are asked for.

        Any other action may always be done.
        """
        if action in ("open_saved", "toggle_mode"):
            return self.screen is self.room
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
        from tui_chat.widgets.palette import message_commands, setup_commands

        room = self.room
        commands: list[tuple[str, str, Callable[[], object]]] = []
        # Asked by its name: the room is imported when it is first opened.
        if screen.id == "review":
            from tui_chat.rooms.review.commands import review_commands

            commands += review_commands(screen)
        if screen is room:
            commands += room.commands()
            commands += [
                ("Mode", "Chat, or a text that the model continues", self.action_toggle_mode),
                ("Saved conversations", "Find, reread, keep in order", self.action_open_saved),
                ("Fetch or choose a model to talk to", "Built-in, a server, a key", self._welcome),
                *setup_commands(room),
            ]
        if isinstance(screen, MessageScreen):
            commands += message_commands(screen, screen.transcript)
        commands += [
            ("Check what is saved", "Is it sound? If not: ways out", self.action_check_store),
            ("Theme", "Choose the colours", self.action_change_theme),
            ("Help", "Keys and commands", self.action_help),
            ("Quit", self._world.unsaved.at_the_end.capitalize(), self.action_quit),
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

    def stop_reply(self) -> bool:
        return self.room.stop()

    async def action_quit(self) -> None:
        self.leave(0)

    async def save_all(self) -> None:
        for room in (self._texts, self.chat):
            if room is not None:
                await room.leave()
        await self.end_work()
        await self._world.close()

    def end_children(self) -> None:
        self._world.kill()


def help_sections(keymap: Mapping[str, str], at_the_end: str = ALL_SAVED) -> list[Section]:
    """What the help says: keys by place, typed commands, parameters. `keymap`: binding's id → its key;
    `at_the_end`: what leaving does to what was said."""
    from tui_chat.core.params import PARAMETERS
    from tui_chat.widgets.help import Places, Section, key_rows

    pages = [import_module(f"tui_chat.rooms.{name}.help") for name in EXPLAINED]
    places: Places = [
        ("Everywhere", TuiChat.BINDINGS),
        *(place for page in pages for place in page.PLACES),
    ]
    keys = [(title, key_rows(bindings, keymap)) for title, bindings in places]
    return [
        *(
            Section(
                title, tuple((key, words.replace(ALL_SAVED, at_the_end)) for key, words in rows)
            )
            for title, rows in keys
        ),
        *(table for page in pages for table in page.TABLES),
        Section("Parameters", tuple((one.label, one.explanation) for one in PARAMETERS)),
    ]
