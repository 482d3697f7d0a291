"""Every failure is told on the screen in its own sentence, with the key that helps."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.core.failing import error, openai
from tests.fake_server import Answer, FakeServer
from tests.rooms.house import House, open_house, wait_until
from tui_chat.core.opening import Opening
from tui_chat.widgets import patience

PAGE = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"


@dataclass(frozen=True)
class Row:
    """What a server does, and the words that are on the screen for it."""

    answer: Answer
    words: tuple[str, ...]
    status: str = "failed"
    foot: str = "failed: F5 tries again"


def page(status: int) -> Answer:
    return error(status, PAGE, content_type="text/html")


ROWS = {
    "closed": Row(Answer(wire=b""), ("closed the connection without an answer.",)),
    "401": Row(
        error(401, openai("Incorrect API key provided.", code="invalid_api_key")),
        ("environment wants a key, and OPENAI_API_KEY is not set (401).", "Incorrect API key"),
    ),
    "402": Row(error(402, openai("Insufficient Balance")), ("wants to be paid first (402).", "balance")),
    "403": Row(error(403, openai("Not in your country.")), ("does not allow this (403).", "region")),
    "404 for a model": Row(
        error(404, openai("No such model.", code="model_not_found")),
        ("has no model “fake-1” (404).", "Choose another: /model or --model."),
    ),
    "404 for a path": Row(
        error(404, {"detail": "Not Found"}), ("There is no API at http://127.0.0.1", "Is the base URL right?", "/endpoint")
    ),
    "429 for the quota": Row(
        error(429, openai("You exceeded your quota.", code="insufficient_quota"), retry_after="1"),
        ("has no quota left (429).", "billing"),
    ),
    "429 for long": Row(
        error(429, openai("Slow down."), retry_after="3600"),
        ("gets too many requests (429).", "Try again in 60 minutes."),
    ),
    "500": Row(error(500, openai("Oh no.")), ("has a fault of its own (500). It says: Oh no.",)),
    "502 as a page": Row(page(502), ("(502). It sent a web page instead of an answer.",)),
    "503": Row(error(503, b""), ("has a fault of its own (503).", "Try again.")),
    "529": Row(error(529, openai("Overloaded")), ("has a fault of its own (529). It says: Overloaded.",)),
    "content filter": Row(
        Answer(finish="content_filter"), ("content filter stopped it.",), "filtered", "filtered: F5 answers again"
    ),
    "empty": Row(
        Answer(tokens=()), ("The model answered with nothing.",), "complete", "complete: F5 answers again"
    ),
    "cut": Row(
        Answer(cut_after=2), ("Hello,", "was lost in the middle of the answer."), "cut", "cut: F5 answers again"
    ),
    "200 with a page": Row(
        Answer(raw=PAGE, content_type="text/html"), ("is a web page (text/html), not an API answer.", "login page")
    ),
    "200 with other JSON": Row(
        Answer(raw=b'{"hello": 1}', content_type="application/json"), ("is not an API answer", "It begins:")
    ),
    "not HTTP": Row(Answer(wire=b"SSH-2.0-OpenSSH_9\r\n\r\n"), ("does not speak HTTP.", "right port?")),
    "a redirect": Row(
        error(307, b"", location="https://elsewhere.example/v1"),
        ("sends requests on to https://elsewhere.example/v1 (307); nothing was sent there.",),
    ),
}  # fmt: skip


def shown(house: House) -> str:
    """The words of the conversation on the screen, without its rows and borders."""
    rows = house.screen_text().splitlines()
    parts = [row.split("│")[1] if row.startswith("│") else "" for row in rows]
    return " ".join(" ".join(parts).split())


async def tried_again(house: House, answer: Answer, server: FakeServer) -> None:
    server.answer = answer
    before = len(server.chats)
    await house.press("f5")
    await wait_until(lambda: len(server.chats) > before, "it is asked")
    await house.answered()


async def test_each_failure_of_a_server_is_told_with_the_key_that_helps(tmp_path: Path) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(150, 40)) as house:
            await house.send("hi")
            for name, row in ROWS.items():
                await tried_again(house, row.answer, server)
                assert house.thread[-1].status == row.status, name
                words = shown(house)
                for one in row.words:
                    assert one in words, (name, one, words)
                assert row.foot in words, (name, words)
            await tried_again(house, Answer(), server)
            assert house.thread[-1].content == "Hello, world."


async def test_a_server_that_stalls_is_told_in_the_middle_and_before_the_first_word(
    tmp_path: Path,
) -> None:
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(150, 40)) as house:
            await house.send("hi")
            provider = await house.app._world.provider(house.chat.setup.endpoint)
            provider._read_seconds = 0.4
            await provider.close()
            await tried_again(house, Answer(stall_after=2), server)
            assert "cut: F5 answers again" in shown(house)
            assert "sent nothing more for 0.4 s." in shown(house)
            await tried_again(house, Answer(silent=True), server)
            assert "failed: F5 tries again" in shown(house)
            assert "No answer from http://127.0.0.1" in shown(house)


async def test_the_seconds_before_the_first_word_are_shown_and_esc_stops(tmp_path: Path) -> None:
    with FakeServer(Answer(silent=True)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("hi")
            await house.press("enter")
            await wait_until(lambda: "nothing came for 1 s · Esc stops" in house.screen_text())
            assert "○ waiting 1 s" in house.screen_text()
            await house.press("escape")
            await house.answered()
            assert house.thread[-1].status == "stopped"
            assert "Esc stops" not in house.screen_text()


async def test_a_first_word_ends_the_wait_for_it(tmp_path: Path) -> None:
    with FakeServer(Answer(("word ",) * 3, delay=1.2)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("hi")
            await house.press("enter")
            await wait_until(lambda: "○ waiting 1 s" in house.screen_text())
            await wait_until(lambda: "word" in house.screen_text())
            await wait_until(lambda: "○ answering" in house.screen_text())
            assert "Esc stops" not in house.screen_text()
            await house.press("escape")
            await house.answered()


async def test_a_stall_in_mid_reply_is_told_until_the_next_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "STALLED", 1.0)
    with FakeServer(Answer(("word ", "and ", "more"), delay=2.4)) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("hi")
            await house.press("enter")
            await wait_until(lambda: "word" in house.screen_text())
            await wait_until(lambda: "○ answering" in house.screen_text())
            assert "Esc stops" not in house.screen_text()
            await wait_until(lambda: "nothing came for 2 s · Esc stops" in house.screen_text())
            await wait_until(lambda: "word and" in house.screen_text())
            await wait_until(lambda: "Esc stops" not in house.screen_text())
            await house.press("escape")
            await house.answered()
            assert house.thread[-1].content.startswith("word and")


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


async def test_a_connection_that_cannot_be_had_is_told_by_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = f"127.0.0.1:{free_port()}"
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeServer() as server:
        async with open_house(tmp_path, server, size=(150, 40)) as house:
            await house.send("hi")
            for url, words in (
                (f"http://127.0.0.1:{free_port()}/v1", "Nothing answers at http://127.0.0.1"),
                ("http://nowhere.invalid/v1", "There is no host of that name: http://nowhere"),
                (server.base_url.replace("http:", "https:"), "does not speak TLS."),
            ):
                await house.command(f"/endpoint {url}")
                await house.command("/model m")
                await house.press("f5")
                await wait_until(lambda words=words: words in shown(house), words)  # type: ignore[misc]
                await house.answered()
                assert "failed: F5 tries again" in shown(house)
            monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy}")
            await house.command("/endpoint https://nowhere.invalid/v2")
            await house.command("/model m")
            await house.press("f5")
            words = f"The proxy {proxy} on the way to https://nowhere.invalid/v2 cannot be reached."
            await wait_until(lambda: words in shown(house))
            await house.answered()
            assert "HTTPS_PROXY names it; NO_PROXY goes around it." in shown(house)
            assert "secret" not in house.screen_text()


async def test_a_busy_server_is_counted_down_and_asked_once_more(tmp_path: Path) -> None:
    busy = error(429, openai("Slow down."), retry_after_ms="1600")
    with FakeServer() as server:
        server.answers = lambda body: busy if len(server.chats) == 1 else Answer()
        async with open_house(tmp_path, server) as house:
            await house.write("hi")
            await house.press("enter")
            for seconds in (2, 1):
                line = f"gets too many requests (429): again in {seconds} s · Esc cancels"
                await wait_until(lambda line=line: line in shown(house), line)  # type: ignore[misc]
                assert f"○ again in {seconds} s" in house.screen_text()
            await house.answered()
            assert house.thread[-1].content == "Hello, world."
            assert "again in" not in house.screen_text()
        assert len(server.chats) == 2


async def test_esc_cancels_the_countdown_and_the_failure_is_kept(tmp_path: Path) -> None:
    with FakeServer(error(429, openai("Slow down."), retry_after="60")) as server:
        async with open_house(tmp_path, server) as house:
            await house.write("hi")
            await house.press("enter")
            await wait_until(lambda: "again in 60 s · Esc cancels" in shown(house))
            await house.press("ctrl+n")
            assert "Waiting to ask again; Esc cancels." in house.notices()
            assert "still arriving" not in house.notices()
            await house.press("escape")
            await house.answered()
            assert "It says: Slow down. You cancelled the second try." in shown(house)
            assert "Try again in" not in shown(house)
            assert "failed: F5 tries again" in shown(house)
            kept = (await house.saved()).thread()[-1]
            assert (kept.status, kept.error) == ("failed", house.thread[-1].error)
        assert len(server.chats) == 1


async def test_a_text_tells_its_wait_and_its_failure_with_the_key(tmp_path: Path) -> None:
    busy = error(429, openai("Slow down."), retry_after="60")
    with FakeServer(busy) as server:
        async with open_house(tmp_path, server, opening=Opening(model="m")) as house:
            await house.press("f8")
            await wait_until(lambda: house.app.screen is not house.chat)
            await house.write("Once upon")
            await house.press("f5")
            await wait_until(lambda: "again in 60 s · Esc cancels" in shown(house))
            await house.press("escape")
            await wait_until(lambda: "failed: F5 tries again" in shown(house))
            await wait_until(lambda: "too many requests (429)" in shown(house))
            server.answer = Answer((" a time",))
            await house.press("f5")
            await wait_until(lambda: "Once upon a time" in shown(house))
        bodies = [one.body for one in server.requests if one.path.endswith("/completions")]
        asked = [body for body in bodies if body not in server.looks]
        assert [body["prompt"] for body in asked] == ["Once upon"] * 2


async def test_both_modes_side_by_side_tell_their_wait(tmp_path: Path) -> None:
    busy = error(429, openai("Slow down."), retry_after="60")
    with FakeServer(busy) as server:
        async with open_house(tmp_path, server, opening=Opening(model="m")) as house:
            await house.press("f8")
            await wait_until(lambda: house.app.screen is not house.chat)
            await house.press("f9")
            await wait_until(lambda: "Examples" in house.screen_text())
            await house.write("capital")
            await house.press("enter")
            await wait_until(lambda: house.screen_text().count("Esc cancels") == 2)
            await house.press("escape")
            await wait_until(lambda: "Chat and text" not in house.screen_text())
        assert len([one for one in server.requests if one.path.endswith("completions")]) == 2
