"""The built-in model's process and its file, with all that can be wrong with them, met through the app."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.core.local.processes import STUBBORN, runs, until
from tests.local_model import put_model
from tests.rooms.house import House, open_house, wait_until
from tui_chat.core.local.model import SMOLLM2, model_path
from tui_chat.core.local.server import LocalServer
from tui_chat.core.local.serving import Serving

# Serves our way, streams a few words to any question, then dies as a program with a fault does.
DYING = """
import json, os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

order = json.loads(sys.stdin.readline())

class Answering(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.told({"data": [{"id": order["model"], "object": "model"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers.get("Authorization") != f"Bearer {order['key']}":
            self.send_response(401)
            self.end_headers()
        elif body.get("stream"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for word in ("So ", "far ", "it ", "came "):
                delta = {"choices": [{"index": 0, "delta": {"content": word}}], "id": "1"}
                self.wfile.write(f"data: {json.dumps(delta)}\\n\\n".encode())
            self.wfile.flush()
            os.kill(os.getpid(), signal.SIGSEGV)
        else:
            self.told({"input_tokens": 3})

    def told(self, said):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())

with open(sys.argv[1], "a") as starts:
    starts.write("started\\n")
with HTTPServer(("127.0.0.1", 0), Answering) as server:
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()
"""
NEVER_READY = "import sys, time; sys.stderr.write('still loading\\n'); time.sleep(60)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The model's file as this test's program has it: its own, to be broken."""
    put_model(tmp_path / "cache" / "models")
    return model_path(tmp_path / "cache" / "models", SMOLLM2)


def replaced(
    monkeypatch: pytest.MonkeyPatch, script: str, *given: str, seconds: float = 20
) -> None:
    """Have the program start this in place of its own child."""
    command = (sys.executable, "-S", "-c", script, *given)
    start = partial(LocalServer.start, command=command, seconds=seconds)
    monkeypatch.setattr(LocalServer, "start", start)


def server_of(house: House) -> LocalServer:
    return house.app._world.serving._servers["built-in"]


async def told(house: House, *words: str) -> None:
    for one in words:
        await wait_until(lambda one=one: one in " ".join(house.screen_text().split()), one)  # type: ignore[misc]


def broken(path: Path, content: bytes) -> None:
    """Put other bytes there; the file may be a link to one that all tests share."""
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "is not on this machine yet."),
        (b"GGUF" + bytes(5000), "has 5,004 bytes, not 98,362,432."),
        (b"<!DOCTYPE html><p>Log in", "is not a model file."),
    ],
    ids=["missing", "truncated", "a web page"],
)
async def test_a_file_that_is_no_model_is_named_and_the_prompt_is_kept(
    tmp_path: Path, file: Path, content: bytes | None, words: str
) -> None:
    async with open_house(tmp_path) as house:
        # It was there when the program began.
        server_of(house).kill()
        await until(lambda: not server_of(house).alive)
        file.unlink() if content is None else broken(file, content)
        await house.write("Is anybody there?")
        await house.press("enter")
        await wait_until(lambda: house.chat.topline.state == "failed")
        (question, reply) = (await house.saved()).thread()
        assert question.content == "Is anybody there?"
        assert reply.status == "failed"
        assert words in reply.error
        assert "Fetch or choose a model to talk to" in reply.error
        assert house.app.is_running


async def test_a_file_of_the_right_size_that_is_another_is_found_out_and_can_be_fetched_again(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(file, b"GGUF" + bytes(SMOLLM2.size - 4))
    fetched: list[bool] = []

    async def fetch(*_: object, again: bool) -> None:
        fetched.append(again)
        file.unlink()
        put_model(file.parent)

    monkeypatch.setattr("tui_chat.core.local.model.fetch", fetch)
    async with open_house(tmp_path) as house:
        words = "is not the file it should be: its SHA-256 differs."
        await wait_until(lambda: words in house.notices())
        await house.press("ctrl+p")
        await house.write("Fetch or choose")
        await house.press("enter")
        await told(house, "fetched once")
        await house.press("enter")
        await wait_until(lambda: house.app.screen is house.chat and fetched)
        await house.command("/max-tokens 1")
        reply = await house.send("Are you there now?")
        assert (reply.status, fetched) == ("length", [True])


async def test_a_process_that_dies_in_mid_reply_is_started_again_once_asked_and_never_by_itself(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = tmp_path / "starts"
    replaced(monkeypatch, DYING, str(starts))
    async with open_house(tmp_path) as house:
        first = await house.send("What came?")
        assert (first.status, first.content) == ("cut", "So far it came ")
        assert (
            "The model's process ended in the middle of this (Segmentation fault)." in first.error
        )
        assert "F5 starts it again" in first.error
        # Looks at the next token, counts and keys do not: it would die again and again.
        await house.write("Another draft, which is looked at")
        looks = house.chat.looks
        assert looks is not None
        await wait_until(lambda: looks._shown.words.startswith("Nothing was asked of built-in"))
        assert starts.read_text().count("started") == 1
        await house.press("f5")
        await house.answered()
        again = house.thread[-1]
        assert starts.read_text().count("started") == 2
        assert (again.status, again.content) == ("cut", "So far it came ")
        assert "ended again, 2 times in a row" in again.error
        assert "built-in.log" in again.error
        saved = await house.saved()
        both = [saved.message(one) for one in saved.siblings(again.id)]
        assert [(one.status, one.content) for one in both] == [("cut", "So far it came ")] * 2
        assert house.chat.draft == "Another draft, which is looked at"


async def test_a_real_process_that_is_killed_answers_again_after_the_next_message(
    tmp_path: Path, file: Path
) -> None:
    async with open_house(tmp_path) as house:
        await house.command("/temperature 0")
        await house.write("Count from one to a thousand in words.")
        await house.press("enter")
        await wait_until(lambda: any(house.chat.talk._answers.arriving.values()))
        await asyncio.to_thread(os.kill, server_of(house).process_id, signal.SIGKILL)
        await house.answered()
        cut = house.thread[-1]
        assert (cut.status, bool(cut.content)) == ("cut", True)
        assert "(Killed)" in cut.error
        await house.command("/max-tokens 3")
        assert (await house.send("And now?")).status in ("length", "complete")
        assert house.app._world.serving._ends == {}


async def test_another_program_at_its_address_gets_no_prompt(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(monkeypatch, STUBBORN, "open")
    async with open_house(tmp_path) as house:
        reply = await house.send("A secret")
        assert reply.status == "failed"
        assert "another program answers at its address. Nothing was sent there." in reply.error
        assert not house.app._world.serving._servers


async def test_a_process_that_is_never_ready_is_given_up_and_can_be_left_before(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(monkeypatch, NEVER_READY, seconds=0.4)
    async with open_house(tmp_path) as house:
        reply = await house.send("Ready?")
        assert "was not ready after 0.4 s; still loading." in reply.error
        replaced(monkeypatch, NEVER_READY, seconds=60)
        await house.press("f5")
        await wait_until(lambda: house.chat.answering)
        await house.press("escape")
        await house.answered()
        assert house.thread[-1].status == "stopped"


async def test_a_process_that_ignores_every_request_to_end_is_ended_with_the_program(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(monkeypatch, STUBBORN, "closed")
    monkeypatch.setattr("tui_chat.core.local.server.STOP_SECONDS", 0.3)
    async with open_house(tmp_path) as house:
        await wait_until(lambda: house.app._world.is_running("built-in"))
        process = server_of(house).process_id
        await house.press("ctrl+q")
        await wait_until(lambda: house.app._exit)
        assert not runs(process)
    assert isinstance(house.app._world.serving, Serving)
