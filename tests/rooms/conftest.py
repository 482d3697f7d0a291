"""In the rooms' tests Textual's Pilot waits for an idle program in small steps, and not for long.

Its own step of 20 ms, twice for each key, was most of what these tests took; while a reply streams it
waits a whole second for a pause that does not come. They wait for what they are about.
"""

from __future__ import annotations

import pytest
import textual._wait
import textual.app
import textual.pilot

from tests.rooms.seldom import draw_seldom
from tests.rooms.styled import parse_styles_once

STEP = 0.002
LONGEST = 0.03


async def _wait_for_idle(min_sleep: float = STEP, max_sleep: float = LONGEST) -> None:
    await textual._wait.wait_for_idle(min(min_sleep, STEP), min(max_sleep, LONGEST))


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_seldom(monkeypatch)
    parse_styles_once(monkeypatch)
    monkeypatch.setattr(textual._wait, "SLEEP_GRANULARITY", STEP)
    monkeypatch.setattr(textual._wait, "SLEEP_IDLE", STEP / 4)
    monkeypatch.setattr(textual.app, "wait_for_idle", _wait_for_idle)
    monkeypatch.setattr(textual.pilot, "wait_for_idle", _wait_for_idle)
