"""Looking for something in long conversations: no key waits for it."""

from __future__ import annotations

import re
import time

from tests.rooms.house import wait_until
from tests.widgets.transcript.host import SIZE, settled
from tests.widgets.transcript.test_view_matches import FindingHost, present
from tui_chat.core.conversation import said


async def test_ten_thousand_messages_are_looked_through_without_holding_keys_up() -> None:
    app = FindingHost()
    messages = [said("user", f"hay {n}") for n in range(10_000)]
    messages[9_990] = said("user", "needle")

    def find(text: str) -> list[tuple[int, int]]:
        end = time.perf_counter() + 0.0001
        while time.perf_counter() < end:
            pass
        return [match.span() for match in re.finditer("needle", text)]

    async with app.run_test(size=SIZE) as pilot:
        app.transcript.load(messages, at=messages[0].id)
        app.transcript.focus()
        app.transcript.find(find)
        await settled(pilot)
        started = time.perf_counter()
        assert app.transcript.next_match(1)
        assert time.perf_counter() - started < 0.5
        assert app.transcript.cursor == messages[0].id
        await wait_until(lambda: app.transcript.cursor == messages[9_990].id)
        await settled(pilot)
        assert present(app) == ["needle"]
        assert app.transcript.next_match(1) is False
        assert app.transcript.next_match(-1) is False


async def test_a_long_search_that_finds_nothing_says_so_and_another_thing_to_find_ends_it() -> None:
    app = FindingHost()
    slow = 0.0002

    def find(text: str) -> list[tuple[int, int]]:
        end = time.perf_counter() + slow
        while time.perf_counter() < end:
            pass
        return []

    async with app.run_test(size=SIZE):
        messages = [said("user", f"hay {n}") for n in range(1_000)]
        app.transcript.load(messages, at=messages[0].id)
        app.transcript.find(find)
        assert app.transcript.next_match(1)
        app.transcript.find(lambda text: find(text))
        await wait_until(lambda: not [w for w in app.transcript.workers if w.group == "find"])
        assert app.ends == []
        assert app.transcript.next_match(1)
        await wait_until(lambda: app.ends == [1])
