"""The sidebar tells which knobs a model does not heed, before anything is sent; `!` sends them anyway."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer
from tests.rooms.house import open_house, wait_until
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params

LAB = """\
[endpoints.lab]
base_url = "{url}"
model = "m-1"
accepts = []
[[endpoints.lab.rules]]
refuses = ["temperature"]
models = ["m-*"]
unless = {{ temperature = ["unset", "1"] }}
why = "it takes only the default, 1"
[[endpoints.lab.rules]]
ignores = ["seed"]
why = "it has no dice"
"""


def put_settings(directory: Path, text: str) -> None:
    (directory / "config").mkdir()
    (directory / "config" / "settings.toml").write_text(text, "utf-8")


async def test_a_knob_that_a_model_refuses_is_marked_and_sent_only_at_wish(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3, "seed": 7}))
    with FakeServer() as server:
        put_settings(tmp_path, LAB.format(url=server.base_url))
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.command("/endpoint lab")
            await house.press("f2")
            await wait_until(lambda: "Temperature      ⊘" in house.screen_text())
            assert "Refused by m-1: it takes only the" in house.screen_text()
            await house.press("escape")
            reply = await house.send("hi")
            assert "Temperature was not sent: it takes only the default, 1." in house.screen_text()
            assert [one.name for one in reply.refused] == ["temperature"]
            assert "temperature 0.3" not in house.screen_text(), "it was not made with it"

            await house.press("f2", "exclamation_mark")
            await wait_until(lambda: "Sent all the same" in house.screen_text())
            assert "⊘" not in house.screen_text()
            await wait_until(lambda: "! Hold back" in house.screen_text())
            assert "! Send anyway" not in house.screen_text()
            await house.press("escape")
            reply = await house.send("again")
            assert reply.refused == ()

            # At the value that it takes there is nothing to say.
            await house.press("f2", "exclamation_mark")
            await wait_until(lambda: "Temperature      ⊘" in house.screen_text())
            await house.press("1")
            await wait_until(lambda: "Temperature      ⊘" not in house.screen_text())
        assert ["temperature" in body for body in server.chats] == [False, True]
        assert all(body["seed"] == 7 for body in server.chats), "what is only ignored is sent"


async def test_the_key_that_helps_is_seen_under_a_long_reason(tmp_path: Path) -> None:
    opening = Opening(params=Params({"temperature": 0.3}))
    why = "it takes only the default, 1, since it is of a kind that thinks before it answers, and draws as it likes"
    with FakeServer() as server:
        put_settings(
            tmp_path, LAB.format(url=server.base_url).replace("it takes only the default, 1", why)
        )
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.command("/endpoint lab")
            await house.press("f2")
            await wait_until(lambda: "sends it anyway." in house.screen_text())


async def test_a_knob_that_does_nothing_is_said_to_under_more(tmp_path: Path) -> None:
    with FakeServer() as server:
        put_settings(tmp_path, LAB.format(url=server.base_url))
        async with open_house(tmp_path, server) as house:
            await house.command("/endpoint lab")
            house.chat.sidebar.unfolded = True
            house.chat.sidebar.cursor = "seed"
            await wait_until(lambda: "Ignored by m-1: it has no dice." in house.screen_text())
            house.chat.sidebar.cursor = "verbosity"
            await wait_until(lambda: "Not sent: lab does not know" in house.screen_text())


async def test_what_a_look_learns_first_and_what_was_learned_before_is_on_the_rows(
    tmp_path: Path,
) -> None:
    refusal = {"error": {"message": "Unsupported parameter: 'max_tokens'.", "param": "max_tokens"}}
    opening = Opening(params=Params({"max_tokens": 50}))
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await house.command("/max-tokens 50")
            assert "⊘" not in house.screen_text()
            server.refuses = {"max_tokens": refusal}
            await house.write("and")
            await wait_until(lambda: "Max length       ⊘" in house.screen_text())
            assert len(house.thread) == 2, "a look has learned it"
            await house.press("ctrl+u")
        async with open_house(tmp_path, server, opening=opening) as house:
            await wait_until(lambda: "Max length       ⊘" in house.screen_text())
            house.chat.sidebar.cursor = "max_tokens"
            await house.press("f2")
            await wait_until(lambda: "! Send anyway" in house.screen_text())
            await house.press("exclamation_mark")
            await wait_until(lambda: "⊘" not in house.screen_text())


async def test_strict_requests_send_all_and_end_with_a_refusal(tmp_path: Path) -> None:
    refusal = {
        "error": {"message": "Unsupported parameter: 'temperature'.", "param": "temperature"}
    }
    opening = Opening(params=Params({"temperature": 0.3}))
    with FakeServer() as server:
        server.refuses = {"temperature": refusal}
        put_settings(tmp_path, LAB.format(url=server.base_url))
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.command("/endpoint lab")
            await house.press("ctrl+p")
            await house.write("strict requests")
            await house.press("enter")
            await wait_until(lambda: "a refusal is final" in house.notices())
            reply = await house.send("hi")
            assert reply.status == "failed"
            assert "Unsupported parameter" in reply.error
        assert len(server.chats) == 1


@pytest.mark.parametrize(("more", "model"), [("forwards = true\n", "m-1"), ("", "gpt-4.1")])
async def test_a_proxy_on_this_machine_is_asked_nothing_that_costs_unasked(
    tmp_path: Path, more: str, model: str
) -> None:
    with FakeServer(models=[model]) as server:
        put_settings(tmp_path, f'[endpoints.proxy]\nbase_url = "{server.base_url}"\n{more}')
        async with open_house(tmp_path, server) as house:
            await house.command("/endpoint proxy")
            await house.send("hi")
            await house.write("a draft that goes on")
            await wait_until(lambda: re.search(r"draft ≈?[1-9]", house.screen_text()))
            await wait_until(lambda: "Off: at proxy each look is a" in house.screen_text())
            assert "$0 " not in house.screen_text()
        assert server.looks == []
        assert ["logprobs" in body for body in server.chats] == [False]


async def test_a_look_that_is_refused_for_good_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_chat.widgets.looks.TRY_AGAIN_AFTER", 0.01)
    quota = {"error": {"message": "No quota.", "code": "insufficient_quota"}}
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.send("hi")
            await wait_until(lambda: server.looks)
            server.answer = Answer(status=429, error=quota)
            before = len(server.looks)
            await house.write("x")
            await wait_until(lambda: "quota" in house.screen_text())
            assert len(server.looks) == before + 1
            server.answer = Answer()
            await house.write("y")
            await wait_until(lambda: len(server.looks) > before + 1)
            assert len(server.looks) == before + 2
