"""The whole program in a test: real keys in, what is on disk and what the server received out."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from tests.fake_server import FakeServer
from tests.rooms.seldom import draw_at_last
from tui_chat.app import TuiChat
from tui_chat.core.conversation import Conversation, Message
from tui_chat.core.opening import Opening
from tui_chat.core.store import Store
from tui_chat.core.world import World
from tui_chat.rooms.chat.screen import ChatScreen

SECONDS = 20


async def wait_until(condition: Callable[[], object], what: str = "") -> None:
    """Wait for a condition; AssertionError when it does not come true."""
    deadline = time.monotonic() + SECONDS
    while True:
        began = time.monotonic()
        if condition():
            return
        looked = time.monotonic()
        assert looked < deadline, f"it never came true: {what or condition}"
        # Who draws the whole screen to look at it leaves most of the time to the program, and misses little.
        await asyncio.sleep(min(max(0.01, 3 * (looked - began)), 0.05))


@dataclass
class House:
    """One run of the program on a directory of its own."""

    app: TuiChat
    pilot: Pilot[None]
    directory: Path

    @property
    def chat(self) -> ChatScreen:
        return self.app.chat

    @property
    def thread(self) -> tuple[Message, ...]:
        return self.chat.talk.conversation.thread()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        """Type a text into whatever has the focus, as fast as a terminal can send it."""
        await self.burst(*((_character_to_key(character), character) for character in text))

    async def burst(self, *keys: tuple[str, str]) -> None:
        """Send keys, as name and character, without waiting for what each of them does."""
        driver = self.app._driver
        assert driver is not None
        for name, character in keys:
            event = events.Key(name, character)
            event.set_sender(self.app)
            driver.process_message(event)
        await self.pilot.pause()

    async def send(self, text: str) -> Message:
        """Type a message, send it, and wait for the end of its answer."""
        before = len(self.chat.talk.conversation)
        await self.write(text)
        await self.press("enter")
        await wait_until(lambda: len(self.chat.talk.conversation) >= before + 2, "an answer begins")
        await self.answered()
        return self.thread[-1]

    async def answered(self) -> None:
        """Wait until no reply is arriving."""
        await wait_until(lambda: not self.chat.answering, "the reply ends")
        await self.pilot.pause()

    async def command(self, line: str) -> None:
        """Type a command and have it done."""
        await self.write(line)
        await self.press("escape", "enter")
        await wait_until(lambda: not self.chat.prompt.text_to_send, f"{line} is done")
        await self.pilot.pause()

    def notices(self) -> str:
        """The words of all notices so far."""
        return "\n".join(str(note.message) for note in self.app._notifications)

    def screen_text(self) -> str:
        """What is on the screen, as plain text."""
        rows = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in row) for row in rows)

    async def saved(self) -> Conversation:
        """The open conversation as it is on disk."""
        store = await self.app._world.store()
        found = await store.load(self.chat.talk.conversation.id)
        assert found is not None
        return found


def environment(directory: Path, **more: str) -> dict[str, str]:
    """Where a run keeps its things."""
    return {
        "TUI_CHAT_CONFIG_DIR": str(directory / "config"),
        "TUI_CHAT_CACHE_DIR": str(directory / "cache"),
    } | more


def _begun(house: House) -> bool:
    return house.chat.keeping and house.chat.topline.state not in ("", "starting")


@asynccontextmanager
async def open_house(
    directory: Path,
    server: FakeServer | None = None,
    *,
    size: tuple[int, int] = (120, 40),
    opening: Opening | None = None,
    environ: Mapping[str, str] | None = None,
    ready: Callable[[House], bool] = _begun,
) -> AsyncIterator[House]:
    """The program, started and ready; at the end it is left as a person leaves it."""
    url = {"OPENAI_BASE_URL": server.base_url} if server else {}
    world = World.standard(environment(directory, **url) | dict(environ or {}))
    app = TuiChat(world, opening or Opening())
    async with app.run_test(size=size) as pilot:
        house = House(app, pilot, directory)
        await wait_until(lambda: ready(house), "it is ready")
        await pilot.pause()
        try:
            yield house
            draw_at_last(app)
        except AssertionError:
            sys.stdout.write(f"{house.screen_text()}\n{house.notices()}\n")  # pytest shows it.
            raise
        if app.is_running and not app._leaving:
            await app.action_quit()
            await wait_until(lambda: app._exit, "it ends")


async def stored(directory: Path) -> list[Conversation]:
    """All conversations on disk, after a run."""
    store = await Store.open(directory / "config" / "conversations.db")
    try:
        return [conversation async for conversation in store.conversations()]
    finally:
        await store.close()
