"""Provenance: how a reply was made, what differs now, and two replies compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.wire import unsupported
from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import House, open_house, wait_until
from tui_chat.core.endpoints import ENVIRONMENT
from tui_chat.core.known import Endpoints
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.widgets.compare import Comparison
from tui_chat.widgets.info import InfoDialog

REFUSAL = {"error": {"message": "Unsupported parameter: 'seed'.", "param": "seed"}}


async def on_messages(house: House, *keys: str) -> None:
    """Press keys on the transcript."""
    house.chat.set_focus(house.chat.transcript)
    await house.press(*keys)


async def info(house: House) -> str:
    """What the dialog on the message under the cursor says."""
    await house.press("i")
    await wait_until(lambda: isinstance(house.app.screen, InfoDialog))
    assert isinstance(house.app.screen, InfoDialog)
    return house.app.screen._text


async def close(house: House, key: str = "escape") -> None:
    await house.press(key)
    await wait_until(lambda: house.app.screen is house.chat)


async def test_a_reply_says_all_that_is_known_of_it(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3, "seed": 7}))
    usage = {
        "prompt_tokens": 1234,
        "completion_tokens": 5,
        "completion_tokens_details": {"reasoning_tokens": 2},
        "prompt_tokens_details": {"cached_tokens": 1000},
    }
    with FakeServer(Answer(words("word " * 4), delay=0.05, usage=usage)) as server:
        server.refuses = {"seed": REFUSAL}
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.command("/system Be brief.\\nAnd kind.")
            reply = await house.send("hi")
            await on_messages(house, "G")
            text = await info(house)
            assert "Temperature       0.30" in house.screen_text()
            await close(house, "enter")
    for fact in (
        "Endpoint          environment",
        "Model             fake-1",
        "System prompt     Be brief.\n                    And kind.",
        f"Message           {reply.id}",
        "Temperature       0.30",
        "Left out\n  Seed              refused: Unsupported parameter: 'seed'.",
        "Prompt            1\u202f234 tokens",
        "of it reasoning   2 tokens",
        "Prompt, cached    1\u202f000 tokens",
        "To first token    0.",
        "tokens per second",
        "Status            complete",
        "Finish reason     stop",
        "Request id        req-1",
        "Same as the present setup",
    ):
        assert fact in text, fact
    assert "Top P" not in text
    assert text.count("Seed") == 1


async def test_what_would_not_be_sent_now_is_no_difference(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3, "seed": 7}))
    with FakeServer() as server:
        server.refuses = {"seed": REFUSAL, "stream_options": unsupported("stream_options")}
        async with open_house(tmp_path, server, opening=opening) as house:
            world = house.app._world
            here = replace(world.endpoint(ENVIRONMENT), accepts=frozenset())
            world.endpoints = Endpoints([here])
            world._providers.clear()
            await house.send("hi")
            await house.command("/top-k 40")
            await on_messages(house, "G")
            text = await info(house)
            assert "Same as the present setup" in text
            assert "Count of tokens   refused: Unsupported parameter: 'stream_options'" in text
            await close(house)
            # That the program counts by itself then is no trouble of anybody's.
            assert "stream_options" not in house.screen_text()
            for line in ("/seed off", "/temperature 1"):
                await house.command(line)
            await on_messages(house, "G")
            _, differs = (await info(house)).split("Differs from the present setup\n")
            assert [line.split() for line in differs.splitlines()] == [
                ["Temperature", "0.30"],
                ["now", "1.00"],
            ]


async def test_what_differs_from_the_present_setup_is_said_and_p_takes_it_over(
    tmp_path: Path,
) -> None:
    opening = Opening(params=Params({"temperature": 0.3}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            await house.command("/temperature 1.5")
            await house.command("/top-p 0.5")
            await on_messages(house, "G")
            text = await info(house)
            _, differs = text.split("Differs from the present setup\n")
            assert [line.split() for line in differs.splitlines()] == [
                ["Temperature", "0.30"],
                ["now", "1.50"],
                ["Top", "P", "not", "set"],
                ["now", "0.50"],
            ]
            await close(house, "p")
            await wait_until(lambda: house.chat.setup.params == Params({"temperature": 0.3}))


async def test_info_is_copied_whole_and_a_question_has_some_too(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            question = (await house.send("hi")).parent
            await on_messages(house, "g")
            text = await info(house)
            assert f"Message           {question}" in text
            assert "Who               You" in text
            assert "present setup" not in text
            assert "Use parameters" not in house.screen_text()
            await house.press("p", "y")
            await wait_until(lambda: house.app.clipboard == text)
            assert isinstance(house.app.screen, InfoDialog)


async def test_a_failed_reply_says_why(tmp_path: Path) -> None:
    with FakeServer(Answer(status=503, error={"error": {"message": "overloaded [/]"}})) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await house.command("/info")
            await wait_until(lambda: isinstance(house.app.screen, InfoDialog))
            assert "overloaded [/]" in house.screen_text()
            assert "Status            failed" in house.screen_text()


async def two_replies(house: House, server: FakeServer) -> None:
    replies = iter(["The sky is blue today.\n\nSame end.", "The sea is blue today.\n\nSame end."])
    server.answers = lambda body: Answer(words(next(replies)))
    await house.send("What is blue?")
    await house.command("/temperature 1.5")
    await house.press("f5")
    await wait_until(lambda: len(server.chats) == 2)
    await house.answered()


@pytest.mark.parametrize("size", [(120, 40), (60, 16)])
async def test_two_replies_are_marked_and_compared(tmp_path: Path, size: tuple[int, int]) -> None:
    opening = Opening(params=Params({"temperature": 0.3}))
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=size, opening=opening) as house:
            await two_replies(house, server)
            await on_messages(house, "G", "m")
            await wait_until(lambda: "◆ marked" in house.screen_text())
            assert "Marked; m on another compares them." in house.notices()
            await house.press("left_square_bracket")
            await wait_until(lambda: "‹ 1/2 ›" in house.screen_text())
            assert "◆ marked" not in house.screen_text()
            await house.press("m")
            await wait_until(lambda: isinstance(house.app.screen, Comparison))
            await wait_until(lambda: "Same end." in house.screen_text())
            shown = house.screen_text()
            assert "The setups differ in" in shown
            assert "Temperature: 1.50 → 0.30" in shown
            assert "fake-1 · temperature 1.5" in shown
            rows = [row for row in shown.splitlines() if "is blue today" in row]
            if size[0] > 100:
                (row,) = rows
                assert row.index("The sea is") < row.index("≠") < row.index("The sky is")
            else:
                assert ["- The sea" in rows[0], "+ The sky" in rows[1]] == [True, True]
            assert differing(house) == ["sea", "sky"]
            await close(house)


def differing(house: House) -> list[str]:
    """The words that are underlined on the screen."""
    strips = house.app.screen._compositor.render_strips()
    return [
        segment.text
        for strip in strips
        for segment in strip
        if segment.style and segment.style.underline and segment.style.bold
    ]


async def test_a_mark_is_taken_away_by_marking_again(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "m")
            await wait_until(lambda: "◆ marked" in house.screen_text())
            await house.press("m")
            await wait_until(lambda: "◆ marked" not in house.screen_text())
            # A question cannot be compared.
            await house.press("k", "m")
            await house.pilot.pause()
            assert house.chat.mark.message is None


async def test_replies_of_two_conversations_are_compared(tmp_path: Path) -> None:
    with FakeServer() as server:
        replies = iter(["from the first", "from the second"])
        server.answers = lambda body: Answer(words(next(replies)))
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "m")
            await house.press("ctrl+n")
            await wait_until(lambda: not house.thread)
            await house.send("hi")
            await on_messages(house, "G", "m")
            await wait_until(lambda: isinstance(house.app.screen, Comparison))
            await wait_until(lambda: "from the second" in house.screen_text())
            assert "from the first" in house.screen_text()
            assert "The setups are the same." in house.screen_text()


async def test_long_replies_are_scrolled_together(tmp_path: Path) -> None:
    long = "\n".join(f"line {number} of the text" for number in range(2_000))
    with FakeServer() as server:
        replies = iter([f"{long}\nThe end.", f"{long}\nAn end."])
        server.answers = lambda body: Answer([next(replies)])
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await on_messages(house, "G", "m", "r")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            await on_messages(house, "G", "m")
            await wait_until(lambda: "line 1 of the text" in house.screen_text())
            await house.press("G")
            await wait_until(lambda: "line 1999 of the text" in house.screen_text())
            assert differing(house) == ["The", "An"]
            await house.press("g")
            await wait_until(lambda: "line 1 of the text" in house.screen_text())
