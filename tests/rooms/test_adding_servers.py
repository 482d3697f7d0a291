"""A server added by its URL: tried at once, what is wrong is said, what works is used and written down."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer
from tests.rooms.endpoints import CANARY, closed_port, flat, open_list, place
from tests.rooms.house import House, open_house, wait_until
from tests.rooms.test_endpoint_keys import holders

PAGE = b"<!doctype html><html><body>Welcome</body></html>"


@pytest.fixture(autouse=True)
def _ports_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    place(monkeypatch)


async def add(house: House, url: str) -> None:
    """Open the list, type an address, and choose to add it."""
    await open_list(house)
    await house.write(url)
    await wait_until(lambda: "Add the server" in house.screen_text())
    await house.press("enter")


async def test_a_server_is_tried_named_and_written_down(tmp_path: Path) -> None:
    settings = tmp_path / "config" / "settings.toml"
    settings.parent.mkdir()
    settings.write_text("# mine\n[keys]\n# a key\n")
    with FakeServer() as present, FakeServer(Answer(["from the lab"]), models=["m-1"]) as lab:
        lab.by_path["/models"] = Answer(status=404, error={"detail": "Not Found"})
        async with open_house(tmp_path, present) as house:
            await add(house, lab.base_url.removeprefix("http://").removesuffix("/v1"))
            await wait_until(lambda: "It answers: 1 model" in house.screen_text())
            assert "/v1 was missing in the address, and was added." in flat(house)
            assert not present.chats
            await house.press("enter")
            await wait_until(lambda: "The name under which it stands" in house.screen_text())
            await house.press("ctrl+u")
            await house.write("groq")
            await house.press("enter")
            await wait_until(lambda: "There is an endpoint “groq” already." in house.screen_text())
            await house.press("ctrl+u")
            await house.write("lab")
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.endpoint == "lab")
            assert (await house.send("hi")).content == "from the lab"
        wanted = f'# mine\n[keys]\n# a key\n\n[endpoints.lab]\nbase_url = "{lab.base_url}"\n'
        assert settings.read_text() == wanted
        async with open_house(tmp_path, present) as house:
            assert house.chat.setup.endpoint == "lab"
            assert (await house.send("again")).content == "from the lab"


async def test_a_server_that_wants_a_key_asks_for_it_and_one_token_tests_it(tmp_path: Path) -> None:
    with FakeServer() as present, FakeServer(Answer(["Yes"]), key=CANARY) as lab:
        async with open_house(tmp_path, present) as house:
            await add(house, lab.base_url)
            await wait_until(lambda: "refused a request without a key (401)" in house.screen_text())
            await house.write(CANARY)
            await house.press("enter")
            await wait_until(lambda: "It answers: 2 models" in house.screen_text())
            await house.press("down", "down", "enter")
            await wait_until(lambda: "fake-1 answered with “Yes”" in house.screen_text())
            assert [body["max_tokens"] for body in lab.chats] == [1]
            assert not (tmp_path / "config" / "settings.toml").exists()
            await house.press("down", "enter")
            await wait_until(lambda: house.app.screen is house.chat)
            assert (await house.send("hi")).content == "Yes"
            assert CANARY not in house.screen_text()
        assert not (tmp_path / "config" / "settings.toml").exists()
    assert not holders(tmp_path, CANARY)


async def test_a_variable_can_be_named_in_place_of_a_key(tmp_path: Path) -> None:
    environ = {"MY_LAB": CANARY}
    with FakeServer() as present, FakeServer(key=CANARY) as lab:
        async with open_house(tmp_path, present, environ=environ) as house:
            await add(house, lab.base_url)
            await wait_until(lambda: "$NAME stands for" in flat(house))
            await house.write("$NOT_SET")
            await house.press("enter")
            await wait_until(lambda: "No such environment variable is set." in house.screen_text())
            await house.press("ctrl+u")
            await house.write("$MY_LAB")
            await house.press("enter")
            await wait_until(lambda: "It answers: 2 models" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "The name under which it stands" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: house.app.screen is house.chat)
            assert (await house.send("hi")).status == "complete"
    written = tomllib.loads((tmp_path / "config" / "settings.toml").read_text())
    name = lab.base_url.split("/")[2]
    assert written["endpoints"][name] == {"base_url": lab.base_url, "key_env": "MY_LAB"}
    assert not holders(tmp_path, CANARY)


async def test_what_is_wrong_is_said_and_it_may_be_used_anyway(tmp_path: Path) -> None:
    port = closed_port()
    with FakeServer() as present:
        async with open_house(tmp_path, present) as house:
            await add(house, f"127.0.0.1:{port}/v1")
            await wait_until(lambda: "Is the server running?" in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "Use it anyway" in house.screen_text())
            await house.press("down", "down", "down", "enter")
            await wait_until(lambda: house.chat.setup.endpoint == f"127.0.0.1:{port}")
    assert not present.chats


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (Answer(raw=PAGE, content_type="text/html"), "is a web page"),
        (Answer(status=404, error={"detail": "Not Found"}), "There is no API at"),
        (Answer(status=403, error={"error": {"message": "no"}}), "does not allow this (403)"),
        (Answer(status=500, error=b"oh"), "has a fault of its own (500)"),
    ],
)
async def test_each_failure_is_said_in_words(tmp_path: Path, listed: Answer, words: str) -> None:
    with FakeServer() as present, FakeServer() as lab:
        lab.listed = listed
        async with open_house(tmp_path, present) as house:
            await add(house, lab.base_url)
            if listed.status == 403:
                await wait_until(lambda: "Key for" in house.screen_text())
                await house.press("escape")
            await wait_until(lambda: words in house.screen_text())
            await wait_until(lambda: "Change the address" in house.screen_text())
            await house.press("escape")
            await wait_until(lambda: "The URL of its API" in house.screen_text())
            await house.press("escape", "escape")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.setup.endpoint == "environment"


async def test_the_other_scheme_is_tried_and_no_key_goes_there_unasked(tmp_path: Path) -> None:
    with FakeServer() as present, FakeServer() as lab:
        async with open_house(tmp_path, present) as house:
            await add(house, lab.base_url.replace("http:", "https:"))
            await wait_until(lambda: f"Try {lab.base_url}" in house.screen_text())
            assert "does not speak TLS" in house.screen_text()
            await house.press("down", "down", "enter")
            await wait_until(lambda: "and to nobody else" in house.screen_text())
            await house.write(CANARY)
            await house.press("enter")
            await wait_until(lambda: f"Try {lab.base_url}" in house.screen_text())
            await house.press("home", "enter")
            await wait_until(lambda: "It answers: 2 models" in house.screen_text())
        assert CANARY not in str(lab.requests), "it was given for https"


async def test_a_password_in_a_url_is_refused_and_not_shown_again(tmp_path: Path) -> None:
    with FakeServer() as present:
        async with open_house(tmp_path, present) as house:
            await open_list(house)
            await house.press("end", "pagedown", "pagedown", "pagedown", "enter")
            await wait_until(lambda: "The URL of its API" in house.screen_text())
            await house.press("ctrl+u")
            await house.write(f"https://me:{CANARY}@host/v1")
            await house.press("enter")
            await wait_until(lambda: "must not hold a key or a password" in house.screen_text())
            assert CANARY not in house.screen_text()
            await house.press("ctrl+u")
            await house.write("no url")
            await house.press("enter")
            await wait_until(lambda: "“no url” is not a URL." in house.screen_text())


async def test_a_url_that_is_known_is_used_under_its_name(tmp_path: Path) -> None:
    with FakeServer() as present:
        async with open_house(tmp_path, present) as house:
            await add(house, present.base_url)
            await wait_until(lambda: "It answers: 2 models" in house.screen_text())
            assert "settings.toml" not in house.screen_text()
            await house.press("enter")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.setup.endpoint == "environment"


async def test_a_server_that_is_typed_as_a_command_is_tried_at_once(tmp_path: Path) -> None:
    with FakeServer() as server, FakeServer(key="sk-other") as closed:
        async with open_house(tmp_path, server) as house:
            await house.command(f"/endpoint {closed.base_url}")
            await wait_until(lambda: "refused a request without a key" in house.notices())
            await house.command("/endpoint http://nowhere.invalid/v1")
            await wait_until(lambda: "There is no host of that name" in house.notices())
            root = server.base_url.removesuffix("/v1")
            server.by_path = {"/models": Answer(status=404, error={"detail": "Not Found"})}
            await house.command(f"/endpoint {root}")
            await wait_until(lambda: "/v1 was missing in the address" in house.notices())
            assert house.chat.endpoint is not None
            assert house.chat.endpoint.base_url == server.base_url
            await house.send("hi")
        assert len(server.chats) == 1
        assert closed.chats == []
