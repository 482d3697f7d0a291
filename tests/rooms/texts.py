"""The completion room in a test: opened, written in, waited for."""

from __future__ import annotations

from tests.fake_server import Body, FakeServer, is_look
from tests.rooms.house import House, wait_until
from tui_chat.core.conversation import Conversation
from tui_chat.rooms.completion.screen import CompletionScreen


def room(house: House) -> CompletionScreen:
    """The room that is open."""
    screen = house.app.room
    assert isinstance(screen, CompletionScreen)
    return screen


async def open_room(house: House, text: str = "") -> CompletionScreen:
    """Go there with F8, and type a text."""
    await house.press("f8")
    await wait_until(lambda: isinstance(house.app.screen, CompletionScreen), "the room opens")
    await wait_until(lambda: room(house).topline.state == "ready", "it is ready")
    await house.write(text)
    return room(house)


async def go(house: House, key: str = "f5") -> str:
    """Press a key that has the text continued, and wait for the end of that; the whole text."""
    before = len(room(house).talk.conversation)
    await house.press(key)
    await wait_until(lambda: len(room(house).talk.conversation) > before, "it begins")
    await done(house)
    return room(house).editor.text


async def done(house: House) -> None:
    await wait_until(lambda: not room(house).answering, "it ends")
    await house.pilot.pause()


def prompts(server: FakeServer) -> list[Body]:
    """The bodies of the completions that were asked for, but for looks at the next token."""
    return [
        one.body
        for one in server.requests
        if one.path.endswith("/completions") and "prompt" in one.body and not is_look(one.body)
    ]


def marked(house: House) -> list[str]:
    """What of the text is the model's."""
    editor = room(house).editor
    return [editor.text[start:end] for start, end in editor.marks]


async def saved(house: House) -> Conversation:
    """The open text as it is on disk."""
    store = await house.app._world.store()
    found = await store.load(room(house).talk.conversation.id)
    assert found is not None
    return found
