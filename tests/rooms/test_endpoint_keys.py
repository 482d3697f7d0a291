"""A key that a person gives: masked, tried, kept where they say, sent to one server, and shown nowhere."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual import events

from tests.fake_server import FakeServer
from tests.rooms.endpoints import CANARY, flat, line_of, open_list, place
from tests.rooms.house import House, open_house, wait_until

SETTINGS = '[endpoints.lab]\nbase_url = "{url}"\nkey_env = "LAB_KEY"\nmodel = "fake-1"\n'


def describe(directory: Path, server: FakeServer) -> None:
    (directory / "config").mkdir(exist_ok=True)
    text = SETTINGS.format(url=server.base_url)
    (directory / "config" / "settings.toml").write_text(text)


async def ask_for_key(house: House) -> None:
    await open_list(house)
    await house.write("lab")
    await house.press("enter")
    await wait_until(lambda: "and to nobody else" in house.screen_text())


def holders(directory: Path, *texts: str) -> set[str]:
    """The files below a directory that hold one of these texts."""
    return {
        path.name
        for path in directory.rglob("*")
        if path.is_file() and any(text.encode() in path.read_bytes() for text in texts)
    }


async def test_a_key_is_masked_tried_kept_in_the_file_sent_and_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    keys = tmp_path / "config" / "keys.toml"
    screens = []
    with FakeServer() as present, FakeServer(key=CANARY) as lab:
        describe(tmp_path, lab)
        async with open_house(tmp_path, present) as house:
            await ask_for_key(house)
            whom = lab.base_url.removesuffix("/v1")
            assert f"It is sent to {whom} and to nobody else" in house.screen_text()
            await house.write(f"{CANARY}-wrong")
            await house.press("down", "enter")
            await wait_until(lambda: "lab refused this key (401)" in house.screen_text())
            assert "/endpoint" not in house.screen_text().split("Key for lab")[1]
            screens.append(house.screen_text())
            assert not keys.exists(), "what the server refuses is not kept"
            await house.write(CANARY)
            await wait_until(lambda: "•" * len(CANARY) in house.screen_text())
            assert "● In the file keys.toml" in house.screen_text(), "the choice stays"
            screens.append(house.screen_text())
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.endpoint == "lab")
            assert (await house.send("hi")).status == "complete"
            await house.command("/export " + str(tmp_path / "out.jsonl"))
            screens += [house.screen_text(), house.notices()]
        assert tomllib.loads(keys.read_text()) == {whom: CANARY}
        assert os.name != "posix" or keys.stat().st_mode & 0o777 == 0o600
        assert lab.requests[-1].headers["authorization"] == f"Bearer {CANARY}"
        async with open_house(tmp_path, present) as house:
            assert (await house.send("again")).status == "complete"
            await open_list(house)
            assert line_of(house, "lab").endswith("key in keys.toml")
            await house.write("lab")
            await wait_until(lambda: "del Forget key" in house.screen_text())
            await house.press("delete")
            await wait_until(lambda: "It is kept in keys.toml." in house.screen_text())
            await house.press("enter")
            await wait_until(lambda: "wants a key" in house.screen_text())
            assert tomllib.loads(keys.read_text()) == {}
            screens.append(house.screen_text())
    assert CANARY not in "".join(screens)
    assert not holders(tmp_path, CANARY)
    assert CANARY not in str(present.requests)


async def test_a_key_for_this_run_is_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer() as present, FakeServer(key=CANARY) as lab:
        describe(tmp_path, lab)
        async with open_house(tmp_path, present) as house:
            await ask_for_key(house)
            await house.write(CANARY)
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.endpoint == "lab")
            assert (await house.send("hi")).status == "complete"
            await open_list(house)
            assert line_of(house, "lab").endswith("key in this run")
            assert holders(tmp_path, CANARY) == set()
        async with open_house(tmp_path, present) as house:
            await house.send("again")
            reply = house.thread[-1]
            assert "LAB_KEY is not set (401)" in (reply.error or "") + house.screen_text()
    assert holders(tmp_path, CANARY) == set()


@pytest.mark.parametrize("around", [("", "\n"), ("\n\n", "\n"), ("  ", " \r\n")])
async def test_a_pasted_key_is_taken_without_what_is_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, around: Sequence[str]
) -> None:
    place(monkeypatch)
    with FakeServer() as present, FakeServer(key=CANARY) as lab:
        describe(tmp_path, lab)
        async with open_house(tmp_path, present) as house:
            await ask_for_key(house)
            house.app.screen.post_message(events.Paste(f"{around[0]}{CANARY}{around[1]}"))
            await wait_until(lambda: "•" * len(CANARY) in house.screen_text())
            assert "•" * (len(CANARY) + 1) not in house.screen_text()
            await house.press("ctrl+shift+a", "ctrl+c", "ctrl+x")
            assert CANARY not in house.app.clipboard
            await house.press("enter")
            await wait_until(lambda: house.chat.setup.endpoint == "lab")


@pytest.mark.parametrize(
    "pasted", [f"{CANARY}\n{CANARY}", f"export LAB_KEY={CANARY}", f"“{CANARY}”"]
)
async def test_what_cannot_be_a_key_is_refused_in_words_and_sent_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pasted: str
) -> None:
    place(monkeypatch)
    with FakeServer() as present, FakeServer(key=CANARY) as lab:
        describe(tmp_path, lab)
        async with open_house(tmp_path, present) as house:
            await ask_for_key(house)
            asked = len(lab.requests)
            house.app.screen.post_message(events.Paste(pasted))
            await wait_until(lambda: "•••" in house.screen_text())
            await house.press("enter")
            await wait_until(
                lambda: (
                    "cannot be a key" in house.screen_text()
                    or "a line of a shell" in house.screen_text()
                )
            )
            assert CANARY not in house.screen_text()
            assert len(lab.requests) == asked
            await house.press("escape", "escape")
            await wait_until(lambda: house.app.screen is house.chat)
            assert house.chat.setup.endpoint == "environment"
    assert not holders(tmp_path, CANARY)


async def test_a_key_is_not_sent_to_an_endpoint_that_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer() as present, FakeServer(key=CANARY) as lab, FakeServer() as thief:
        describe(tmp_path, lab)
        async with open_house(tmp_path, present) as house:
            await ask_for_key(house)
            await house.write(CANARY)
            await house.press("down", "enter")
            await wait_until(lambda: house.chat.setup.endpoint == "lab")
        describe(tmp_path, thief)
        async with open_house(tmp_path, present) as house:
            assert house.chat.setup.endpoint == "lab"
            await house.send("hi")
    assert thief.chats
    assert CANARY not in str(thief.requests)


async def test_a_file_that_others_can_read_is_said_at_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer() as present, FakeServer(key=CANARY) as lab:
        describe(tmp_path, lab)
        keys = tmp_path / "config" / "keys.toml"
        keys.write_text(f'"{lab.base_url.removesuffix("/v1")}" = "{CANARY}"\n')
        keys.chmod(0o644)
        async with open_house(tmp_path, present) as house:
            assert (await house.send("hi")).status == "complete", "others are not held up"
            await open_list(house)
            await house.write("lab")
            await wait_until(lambda: "Others can read" in flat(house))
            assert "so no key is taken from it. chmod 600" in flat(house)
            assert CANARY not in house.screen_text()
    assert not lab.chats


async def test_a_title_with_marks_is_plain_in_the_dialog_of_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    with FakeServer() as present, FakeServer(key=CANARY) as lab:
        describe(tmp_path, lab)
        with (tmp_path / "config" / "settings.toml").open("a") as settings:
            settings.write('title = "[/x] lab"\n')
        async with open_house(tmp_path, present) as house:
            await ask_for_key(house)
            assert "Key for [/x] lab" in house.screen_text()
