"""Windows that are dragged to any size while a reply arrives: nothing breaks, and all is right afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from time import monotonic

import pytest
from textual import events
from textual.geometry import Size
from textual.screen import Screen

from tests.load.flood import event, flood
from tests.load.rod import Rod
from tests.nightly import NIGHTLY, times
from tests.rooms.house import House, open_house, wait_until
from tests.rooms.library import open_review
from tests.rooms.texts import open_room, room
from tui_chat.rooms.lens.screen import LensScreen
from tui_chat.widgets.steady_app import BETWEEN_SIZES

LARGEST = (500, 200)
EXTREMES = [(1, 1), LARGEST, (1, 200), (500, 1), (60, 16), (2, 2)]
USUAL = (120, 40)
SIZES = times(8, 300)
HELD = 0.1
"""Seconds of the processor for which nothing may hold the loop."""


def resize(house: House, size: tuple[int, int]) -> None:
    """What a terminal's driver does when its window has another size."""
    driver = house.app._driver
    assert driver is not None
    driver._size = size
    event = events.Resize(Size(*size), Size(*size))
    event.set_sender(house.app)
    driver.process_message(event)


async def storm(house: House) -> None:
    chance = Random(7)
    for number in range(SIZES):
        any_size = chance.randint(1, 200), chance.randint(1, 80)
        resize(house, EXTREMES[number // 2 % len(EXTREMES)] if number % 2 else any_size)
        await asyncio.sleep(chance.choice((0, 0.01, 0.08)))
    resize(house, USUAL)
    await wait_until(lambda: tuple(house.app.screen.size) == USUAL, "it has its size again")
    await house.pilot.pause()


async def large(house: House) -> None:
    """One layout in the largest window keeps no key waiting; on a busy machine the best of three is looked at."""
    for trial in range(3):
        with Rod() as rod:
            resize(house, LARGEST)
            await wait_until(lambda: tuple(house.app.screen.size) == LARGEST, "it has its size")
            await house.pilot.pause(0.2)
        resize(house, USUAL)
        await wait_until(lambda: tuple(house.app.screen.size) == USUAL, "it has its size again")
        await house.pilot.pause()
        if rod.held < HELD:
            return
        assert trial < 2, str(rod)


async def in_the_chat(house: House) -> None:
    await house.press("escape")


async def in_the_lens(house: House) -> None:
    await house.press("f4")
    await wait_until(lambda: isinstance(house.app.screen, LensScreen), "the lens")


async def in_the_list(house: House) -> None:
    await open_review(house)


async def in_a_text(house: House) -> None:
    await house.press("escape")
    await house.answered()
    await open_room(house, "Once upon")
    await house.press("f5")
    await wait_until(lambda: room(house).answering, "it is continued")


PLACES = {"chat": in_the_chat, "lens": in_the_lens, "list": in_the_list, "text": in_a_text}


@pytest.mark.parametrize("place", PLACES if NIGHTLY else ("chat", "list"))
async def test_a_storm_of_sizes_leaves_all_as_it_was(tmp_path: Path, place: str) -> None:
    go: Callable[[House], Awaitable[None]] = PLACES[place]
    line = event("some **words** and\n\n") if place != "text" else TEXT
    with flood(tmp_path / "flood", line, 2_000, 100) as server:
        async with open_house(tmp_path, server, size=USUAL) as house:  # type: ignore[arg-type]  # only its address is needed
            await house.write("hi")
            await house.press("enter")
            await wait_until(lambda: len(house.thread) == 2, "it is asked")
            if place != "chat":
                await go(house)
            screen = house.app.screen
            await storm(house)
            await large(house)
            assert house.app.screen is screen
            await house.press("escape", *(["escape"] if place == "list" else []))
            await wait_until(lambda: not still_answering(house), "it is stopped")
            await house.pilot.pause(0.1)
            await wait_until(lambda: len(texts(house)) == USUAL[1], "it is laid out for its size")
            after = texts(house)
            for size in ((USUAL[0] - 20, USUAL[1] - 5), USUAL):
                resize(house, size)
                await wait_until(lambda size=size: tuple(house.app.screen.size) == size)  # type: ignore[misc]  # bound now
                await house.pilot.pause(0.1)
            await wait_until(lambda: texts(house) == after, "it is as it was")


def texts(house: House) -> list[str]:
    """What is on the screen but for the column of parameters, where probabilities arrive."""
    return [row[:76] for row in house.screen_text().split("\n")]


def still_answering(house: House) -> bool:
    return house.chat.answering or getattr(house.app.screen, "answering", False)


TEXT = b'data: {"choices":[{"index":0,"text":" some words","finish_reason":null}]}\n\n'


async def test_of_many_sizes_that_come_quickly_few_are_laid_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[Size] = []

    def counted(screen: Screen[object], size: Size) -> None:
        # No more than that: layouts that take long would be few in any case.
        laid_out.append(size)

    with flood(tmp_path / "flood", event("ok")) as server:
        async with open_house(tmp_path, server, size=USUAL) as house:  # type: ignore[arg-type]  # as above
            monkeypatch.setattr(Screen, "_screen_resized", counted)
            began = monotonic()
            for number in range(60):
                resize(house, (100 + number, 30))
                await asyncio.sleep(0.005)
            took = monotonic() - began
            await wait_until(lambda: laid_out and laid_out[-1] == (159, 30), "the last size")
            assert 1 < len(laid_out) <= took / BETWEEN_SIZES + 2
