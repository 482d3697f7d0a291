"""Choosing a model from its endpoint's list, and what it costs, by keys."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer, words
from tests.rooms.house import House, open_house, wait_until
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.widgets.model_picker import ModelPicker

ROWS: list[dict[str, object]] = [
    {
        "id": "old/whisper",
        "pricing": {"prompt": "0.000001", "completion": "0"},
        "expiration_date": "2026-01-01",
    },
    {
        "id": "lab/thinker",
        "context_length": 1050000,
        "pricing": {"prompt": "0.000002", "completion": "0.00001"},
        "supported_parameters": ["max_tokens"],
    },
    {
        "id": "lab/talker",
        "owned_by": "the lab",
        "context_length": 131072,
        "pricing": {"prompt": "0.00000015", "completion": "0.0000006"},
        "supported_parameters": ["temperature", "top_p", "max_tokens"],
        "expiration_date": "2099-01-14",
    },
    {"id": "lab/bare"},
]
USAGE = {
    "prompt_tokens": 2000,
    "completion_tokens": 500,
    "prompt_tokens_details": {"cached_tokens": 1000},
}


def listing(server: FakeServer, rows: list[dict[str, object]]) -> None:
    raw = json.dumps({"object": "list", "data": rows}).encode()
    server.listed = Answer(raw=raw, content_type="application/json")


async def open_models(house: House) -> None:
    await house.command("/model")
    await wait_until(lambda: isinstance(house.app.screen, ModelPicker))


async def test_the_list_says_what_models_cost_read_heed_and_when_they_end(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3, "max_tokens": 100}))
    with FakeServer() as server:
        listing(server, ROWS)
        async with open_house(tmp_path, server, opening=opening) as house:
            await open_models(house)
            await wait_until(lambda: "$0.15 / $0.60" in house.screen_text())
            screen = house.screen_text()
            for row in (
                ("old/whisper", "shut down", "$1 / $0"),
                ("lab/thinker", "1.05M", "$2 / $10"),
                ("lab/talker", "131k", "until 2099-01-14", "$0.15 / $0.60"),
                ("lab/bare", "free"),
            ):
                line = next(line for line in screen.splitlines() if row[0] in line)
                assert all(part in line for part in row), line
            assert "Was shut down on 2026-01-01. Does not" not in screen
            assert "It does not seem to be made for chats." in screen
            await house.write("THINK")
            await wait_until(lambda: "Does not heed temperature." in house.screen_text())
            assert "lab/talker" not in house.screen_text()
            await house.press("backspace", "backspace", "backspace", "backspace", "backspace")
            await house.write("the lab")
            await wait_until(lambda: "Will be shut down on 2099-01-14." in house.screen_text())
            assert "$0.15 in, $0.60 out, per million tokens." in house.screen_text()
            assert "Does not heed" not in house.screen_text()
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.model == "lab/talker")


async def test_the_first_message_goes_to_a_model_that_is_alive_and_heeds(tmp_path: Path) -> None:
    with FakeServer() as server:
        listing(server, ROWS)
        async with open_house(tmp_path, server) as house:
            assert "chosen at first message" in house.screen_text()
            await house.send("hi")
            assert house.chat.setup.model == "lab/talker"
            await house.command("/model lab/thinker")
            await house.send("hi")
            await house.command("/endpoint ollama")
            await wait_until(lambda: house.chat.setup.model == "")
            await house.command("/endpoint environment")
            await wait_until(lambda: house.chat.setup.model == "lab/thinker")
            await open_models(house)
            await wait_until(lambda: "lab/bare" in house.screen_text())
            rows = house.screen_text().splitlines()
            first = next(place for place, row in enumerate(rows) if "● lab/thinker" in row)
            assert "lab/talker" in rows[first + 1]
            assert "old/whisper" in rows[first + 2]
        assert [body["model"] for body in server.chats] == ["lab/talker", "lab/thinker"]


async def test_each_reply_says_what_it_cost_and_the_meter_what_the_next_may(tmp_path: Path) -> None:
    opening = Opening(model="lab/own", params=Params({"max_tokens": 2000}))
    settings = tmp_path / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[prices."lab/own"]\ninput = 10\noutput = 20\ncached = 1\n')
    with FakeServer(Answer(words("one two"), usage=USAGE)) as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            # 1,000 tokens at 10, 1,000 at 1, and 500 at 20 dollars per million.
            await wait_until(lambda: "1\u202f000 cached" in house.screen_text())
            await wait_until(lambda: "$0.02 · complete" in house.screen_text())
            # The server's count of the thread, 2,500, and at most 2,000 more.
            await wait_until(lambda: "Next    ≈$0.02 + ≤$0.04" in house.screen_text())
            assert house.chat.meter.tooltip == (
                "The next request: about $0.02 for 2,500 tokens in, and at most $0.04 for 2,000 tokens out."
            )
            await house.press("tab", "G", "i")
            await wait_until(lambda: "Price" in house.screen_text())
            assert "Cost              $0.02" in house.screen_text()
            assert "$10 in, $20 out, $1 cached per million tokens," in house.screen_text()
            assert "as your settings say" in house.screen_text()


async def test_in_a_low_window_the_price_of_the_draft_stands_beside_it(tmp_path: Path) -> None:
    opening = Opening(model="lab/own", params=Params({"max_tokens": 2000}))
    settings = tmp_path / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[prices."lab/own"]\ninput = 10\noutput = 20\n')
    with FakeServer(Answer(words("one two"), usage=USAGE)) as server:
        async with open_house(tmp_path, server, opening=opening, size=(80, 24)) as house:
            await house.send("hi")
            await wait_until(lambda: "draft 0 · reply 500" in house.screen_text())
            await house.write("more of it")
            await wait_until(
                lambda: re.search(
                    r"draft ≈\d+ · ≈\$0\.03( \+ ≤\$0\.04)? +\$0\.0", house.screen_text()
                )
            )


async def test_what_is_made_on_this_machine_is_free(tmp_path: Path) -> None:
    with FakeServer(Answer(words("one two"), usage=USAGE)) as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await wait_until(lambda: "reply 500" in house.screen_text())
            assert "$0" in house.screen_text()
            assert "Next    ≈" not in house.screen_text()
            assert "$0 ·" not in house.screen_text()
            await house.press("tab", "G", "i")
            await wait_until(lambda: "free: it was made on this machine" in house.screen_text())


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_ten_thousand_models_are_priced_only_where_they_are_seen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    rows: list[dict[str, object]] = [{"id": f"vendor/model-{number}"} for number in range(10_000)]
    settings = tmp_path / "config" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[prices."vendor/model-9123"]\ninput = 3\noutput = 4\n')
    with FakeServer() as server:
        listing(server, rows)
        async with open_house(tmp_path, server, size=size) as house:
            await open_models(house)
            await wait_until(lambda: "vendor/model-1 " in house.screen_text())
            await house.write("9123")
            await wait_until(lambda: "$3 / $4" in house.screen_text())
            picker = house.app.screen
            assert isinstance(picker, ModelPicker)
            assert len(picker._prices) < 200
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.model == "vendor/model-9123")
