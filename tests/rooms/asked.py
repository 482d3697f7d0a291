"""The dialog about saved conversations that cannot be used, in tests: whether it is there, and what is chosen in it."""

from __future__ import annotations

from textual.widgets import OptionList

from tests.rooms.house import House, wait_until
from tui_chat.widgets import unasked


def asked(house: House) -> bool:
    """Whether it is there, and hears keys."""
    screen = house.app.screen
    return isinstance(screen, unasked.UnaskedChoice) and screen.hears


async def choose(house: House, words: str) -> None:
    """Choose the way with these words in the list."""
    for _ in range(9):
        ways = house.app.screen.query_one(OptionList)
        if words in str(ways.get_option_at_index(ways.highlighted or 0).prompt):
            break
        await house.press("down")
    await house.press("enter")


async def take(house: House, words: str) -> None:
    """Choose the way with these words in the list, and confirm it."""
    await choose(house, words)
    await wait_until(lambda: "Yes, do that" in house.screen_text(), "it is confirmed")
    await choose(house, "Yes")
