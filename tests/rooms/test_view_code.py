"""View code in the chat room: the request that it shows is the one that Enter sends."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import TextArea

from tests.core.wire import unsupported
from tests.fake_server import Answer, FakeServer, words
from tests.local_model import put_model
from tests.rooms.house import House, open_house, wait_until
from tests.rooms.test_branches import on_messages, stopped
from tui_chat.core.endpoints import ENVIRONMENT
from tui_chat.core.known import Endpoints
from tui_chat.core.local.model import SMOLLM2
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params
from tui_chat.widgets.code_dialog import CodeDialog

SET = {"temperature": 0.25, "max_tokens": 42, "stop": ["11", "\n"], "top_k": 40}


async def _shown(house: House) -> dict[str, Any]:
    """The body in the curl command that the palette's “View code” shows for the present draft."""
    await house.press("ctrl+p")
    await house.write("View code")
    await house.press("enter")
    await wait_until(lambda: isinstance(house.app.screen, CodeDialog), "the code is shown")
    text = house.app.screen.query_one(TextArea).text
    await house.press("escape")
    await wait_until(lambda: house.app.screen is house.chat, "the dialog is closed")
    body: dict[str, Any] = json.loads(text.partition("<<'BODY'\n")[2].rpartition("\nBODY")[0])
    return body


async def _agrees(house: House, server: FakeServer, draft: str) -> None:
    await house.write(draft)
    shown = await _shown(house)
    await house.send("")
    assert shown == server.chats[-1]
    assert shown["messages"][-1] == {"role": "user", "content": draft}


async def test_it_shows_what_enter_sends(tmp_path: Path) -> None:
    opening = Opening(system="Be “brief”.", params=Params(SET))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await _agrees(house, server, "it's $HOME \\ `x` 漢")
            await _agrees(house, server, "and now?")

    assert len(server.chats) == 2
    assert server.chats[1]["temperature"] == 0.25
    assert len(server.chats[1]["messages"]) == 4


@pytest.mark.parametrize("refused", ["stream_options", "temperature", "top_k"])
async def test_after_a_refusal_it_shows_what_is_sent_from_then_on(
    tmp_path: Path, refused: str
) -> None:
    with FakeServer() as server:
        server.refuses[refused] = unsupported(refused)
        async with open_house(tmp_path, server, opening=Opening(params=Params(SET))) as house:
            await house.send("hi")
            await _agrees(house, server, "and now?")

    assert refused in server.chats[0]
    assert refused not in server.chats[-1]
    assert len(server.chats) == 3


async def test_where_no_model_can_be_named_it_says_why(tmp_path: Path) -> None:
    with FakeServer(models=()) as server:
        async with open_house(tmp_path, server) as house:
            await house.command("/code")
            await wait_until(lambda: "lists no models" in house.notices())
            assert house.app.screen is house.chat


async def _of_reply(house: House) -> dict[str, Any]:
    """The body in the curl command for the last reply, by its key."""
    house.chat.set_focus(house.chat.transcript)
    await house.press("G", "v")
    await wait_until(lambda: isinstance(house.app.screen, CodeDialog), "the code is shown")
    text = house.app.screen.query_one(TextArea).text
    await house.press("escape")
    body: dict[str, Any] = json.loads(text.partition("<<'BODY'\n")[2].rpartition("\nBODY")[0])
    return body


@pytest.mark.parametrize("refused", ["", "stream_options", "temperature", "top_k"])
async def test_the_code_of_a_reply_is_what_was_sent_for_it(tmp_path: Path, refused: str) -> None:
    opening = Opening(system="Be brief.", params=Params(SET))
    with FakeServer() as server:
        if refused:
            server.refuses[refused] = unsupported(refused)
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            await house.send("and now?")
            assert await _of_reply(house) == server.chats[-1]


@pytest.mark.parametrize("refused", ["stream_options", "temperature", "max_tokens"])
@pytest.mark.parametrize("stopped_too", [False, True])
async def test_the_code_of_a_reply_is_the_same_after_a_new_start(
    tmp_path: Path, refused: str, stopped_too: bool
) -> None:
    opening = Opening(params=Params(SET))
    with FakeServer() as server:
        server.refuses[refused] = unsupported(refused)
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            if stopped_too:
                server.answer = Answer(words("word " * 400), delay=0.01)
                await stopped(house, server)
        server.refuses.clear()
        async with open_house(tmp_path, server) as house:
            await wait_until(lambda: house.thread, "it is open again")
            assert refused not in server.chats[-1]
            assert await _of_reply(house) == server.chats[-1]


async def test_the_code_of_a_reply_is_what_was_sent_whatever_its_endpoint_is_said_to_take_now(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=Opening(params=Params(SET))) as house:
            await house.send("hi")
            world = house.app._world
            here = replace(world.endpoint(ENVIRONMENT), accepts=frozenset())
            world.endpoints = Endpoints([here])
            assert await _of_reply(house) == server.chats[-1]
            assert server.chats[-1]["top_k"] == 40


async def test_a_model_of_ours_is_told_how_to_be_served_for_the_code(tmp_path: Path) -> None:
    place = put_model(tmp_path / "cache" / "models")
    async with open_house(tmp_path) as house:
        await house.command("/code")
        await wait_until(lambda: isinstance(house.app.screen, CodeDialog), "the code is shown")
        text = house.app.screen.query_one(TextArea).text
        command = next(line for line in text.splitlines() if "llama-server" in line)
        given = shlex.split(command.lstrip("# "))
        assert given[: given.index("--ctx-size")] == [
            "llama-server", "--model", str(place), "--alias", SMOLLM2.id,
        ]  # fmt: skip
        assert given[given.index("--port") + 1] == "8080"
        assert "base_url='http://127.0.0.1:8080/v1', api_key=\"none\"" in text


@pytest.mark.parametrize(
    ("owner", "more"),
    [("llamacpp", {}), ("vllm", {"continue_final_message": True, "add_generation_prompt": False})],
)
async def test_the_code_of_a_reply_that_went_on_has_what_it_went_on_from(
    tmp_path: Path, owner: str, more: dict[str, object]
) -> None:
    with FakeServer(Answer(words("word " * 400), delay=0.01)) as server:
        listed = {"data": [{"id": "fake-1", "owned_by": owner}]}
        server.listed = Answer(raw=json.dumps(listed).encode(), content_type="application/json")
        async with open_house(tmp_path, server) as house:
            await stopped(house, server)
            server.answer = Answer(words(" and an end."))
            await on_messages(house, "G", "c")
            await wait_until(lambda: len(server.chats) == 2)
            await house.answered()
            shown = await _of_reply(house)
            assert shown == server.chats[-1]
            assert {name: shown[name] for name in more} == more
            await house.press("i")
            await wait_until(lambda: "Went on" in house.app.screen.query_one(TextArea).text)
            assert (await house.saved()).thread()[-1].begun == len(shown["messages"][-1]["content"])
            await house.press("escape")
        async with open_house(tmp_path, server) as house:
            await wait_until(lambda: house.thread, "it is open again")
            assert await _of_reply(house) == shown


async def test_each_of_the_two_programs_is_copied_by_its_key(tmp_path: Path) -> None:
    opening = Opening(system="Say\n\ncurl -N x", params=Params(SET))
    with FakeServer() as server:
        async with open_house(tmp_path, server, opening=opening) as house:
            await house.send("hi")
            house.chat.set_focus(house.chat.transcript)
            await house.press("G", "v")
            await wait_until(lambda: "y Copy the Python  c Copy the curl" in house.screen_text())
            whole = house.app.screen.query_one(TextArea).text
            await house.press("y")
            await wait_until(lambda: "the Python program: " in house.notices())
            python = house.app.clipboard
            await house.press("c")
            await wait_until(lambda: "the curl command: " in house.notices())
            curl = house.app.clipboard
    assert python.startswith("from openai import OpenAI\n")
    assert python.endswith("flush=True)")
    assert curl.startswith(f"curl -N {server.base_url}/chat/completions")
    assert curl.endswith("\nBODY")
    assert f"{python}\n\n{curl}" == whole
