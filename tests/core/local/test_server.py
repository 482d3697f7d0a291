"""The built-in model's server, with the real model: it answers us alone, and never outlives us."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.core.local.processes import Generating, client, command_lines, runs, said, until
from tests.core.stored import Other
from tui_chat.core.chunks import Ending
from tui_chat.core.conversation import Setup, Token
from tui_chat.core.conversation import said as message_of
from tui_chat.core.endpoints import BUILT_IN, known_endpoints
from tui_chat.core.errors import ChatError
from tui_chat.core.local.server import STOP_SECONDS, LocalServer
from tui_chat.core.params import PARAMETERS, Params, Value
from tui_chat.core.provider import Provider

PARENT = """
import asyncio, sys
from pathlib import Path
from tests.core.local.processes import Generating
from tui_chat.core.local.server import LocalServer

async def main():
    server = await LocalServer.start(Path(sys.argv[1]), model_id="m", log=Path(sys.argv[2]))
    print("ready", flush=True)
    print(server.process_id, flush=True)
    if sys.argv[3] == "generating":
        async with Generating(server):
            print("generating", flush=True)
            await asyncio.sleep(60)
    print("idle", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""

# Serves nobody but us, says so, and does not care for polite requests to end.
STUBBORN = """
import json, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

signal.signal(signal.SIGTERM, signal.SIG_IGN)
order = json.loads(sys.stdin.readline())

class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.headers.get("Authorization")
        self.send_response(200 if asked == f"Bearer {order['key']}" or sys.argv[1] == "open" else 401)
        self.end_headers()

with HTTPServer(("127.0.0.1", 0), Answering) as server:
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
    server.serve_forever()
"""


def _status(server: LocalServer, method: str, path: str, key: str | None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.base_url).port, timeout=10)
    try:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        connection.request(method, path, "{}" if method == "POST" else None, headers)
        return connection.getresponse().status
    finally:
        connection.close()


async def test_it_answers_and_repeats_itself_at_zero(server: LocalServer) -> None:
    question = "What is the capital of Brazil?"

    first = await said(server, question, temperature=0, max_tokens=20)
    second = await said(server, question, temperature=0, max_tokens=20)

    assert "Brasilia" in first
    assert second == first


async def _answered(
    provider: Provider, question: str, logprobs: int = 0, **params: Value
) -> tuple[list[Token], Ending]:
    """What the program itself gets for a question."""
    tokens: list[Token] = []
    setup = Setup(BUILT_IN, "smollm2", params=Params(params))
    ending = await provider.reply(
        setup, [message_of("user", question)], tokens.append, logprobs=logprobs
    )
    return tokens, ending


def _text(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens)


@pytest.fixture
async def provider(server: LocalServer) -> AsyncIterator[Provider]:
    """The built-in model's endpoint, as the program makes it."""
    known = next(endpoint for endpoint in known_endpoints() if endpoint.name == BUILT_IN)
    asking = Provider(replace(known, base_url=server.base_url), server.key)
    yield asking
    await asking.close()


async def test_the_program_gets_its_answer_token_by_token(provider: Provider) -> None:
    question = "What is the capital of Brazil?"

    tokens, ending = await _answered(provider, question, temperature=0)
    again, _ = await _answered(provider, question, temperature=0)
    wild, _ = await _answered(provider, question, temperature=1.9, seed=1, max_tokens=20)
    other, _ = await _answered(provider, question, temperature=1.9, seed=2, max_tokens=20)

    assert len(tokens) > 3
    assert "Brasilia" in _text(tokens)
    assert ending.status == "complete"
    assert ending.usage.completion_tokens is not None
    assert ending.usage.completion_tokens >= len(tokens)
    assert _text(again) == _text(tokens)
    assert len({_text(tokens), _text(wild), _text(other)}) == 3


async def test_max_length_and_stop_sequences_end_a_reply(provider: Provider) -> None:
    question = "Count from one to ten in words."

    whole, _ = await _answered(provider, question, temperature=0, max_tokens=60)
    short, at_length = await _answered(provider, question, temperature=0, max_tokens=5)
    word = _text(whole).split()[4]
    stopped, at_stop = await _answered(provider, question, temperature=0, stop=(word,))

    assert (at_length.status, at_length.usage.completion_tokens) == ("length", 5)
    assert _text(whole).startswith(_text(short))
    assert at_stop.status == "complete"
    assert _text(stopped) == _text(whole).partition(word)[0] != ""


async def test_the_program_gets_counts_and_probabilities(provider: Provider) -> None:
    thread = [message_of("user", "hi")]

    counted = await provider.count(Setup(BUILT_IN, "smollm2"), thread)
    tokens, ending = await _answered(provider, "hi", 3, temperature=0, max_tokens=4)

    assert counted == ending.usage.prompt_tokens == 31
    for token in tokens:
        assert token.logprob is not None
        assert token.logprob <= 0
        assert len(token.top) == 3
        # At zero the likeliest is taken, and the likeliest comes first.
        assert token.top[0] == (token.text, token.logprob)
        assert sorted((chance for _, chance in token.top), reverse=True) == [
            chance for _, chance in token.top
        ]


async def test_the_model_has_the_name_it_was_given(server: LocalServer) -> None:
    async with client(server) as asking:
        listed = [model.id async for model in asking.models.list()]

    assert listed == ["smollm2"]


async def test_what_is_not_sent_changes_nothing(server: LocalServer) -> None:
    neutral = {each.name: each.neutral for each in PARAMETERS if each.neutral is not None}
    shared = {"seed": 7, "max_tokens": 40, "cache_prompt": False}
    usual = {"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05}
    question = "Tell me a story about the sea."

    unset = await said(server, question, **shared)

    assert len(neutral) > 3
    assert unset == await said(server, question, **shared, **neutral)
    assert unset != await said(server, question, **shared, **usual)


async def test_counts_and_other_windows_do_not_wait_for_a_reply(server: LocalServer) -> None:
    async with Generating(server) as reply, client(server) as asking:
        async with asyncio.timeout(20):
            other = await said(server, "Hello", max_tokens=3)
        counted = await asking.post(
            "/chat/completions/input_tokens",
            cast_to=object,
            body={"messages": [{"role": "user", "content": "hi"}]},
        )

        assert reply.going

    assert other
    assert counted == {"object": "response.input_tokens", "input_tokens": 31}


async def test_nobody_is_answered_without_the_key(server: LocalServer) -> None:
    paths = (
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/completions"),
        ("POST", "/tokenize"),
        ("GET", "/props"),
        ("GET", "/slots"),
        ("GET", "/"),
    )

    for key in (None, "", "sk-guess", server.key.reveal()[:-1]):
        answers = [await asyncio.to_thread(_status, server, *path, key) for path in paths]

        assert set(answers) <= {401, 404}
        assert answers[0] == 401


async def test_only_loopback_is_served(server: LocalServer) -> None:
    port = urlsplit(server.base_url).port

    def reached(family: socket.AddressFamily, host: str) -> bool:
        with socket.socket(family, socket.SOCK_STREAM) as trying:
            trying.settimeout(5)
            return trying.connect_ex((host, port)) == 0

    assert server.base_url == f"http://127.0.0.1:{port}/v1"
    assert reached(socket.AF_INET, "127.0.0.1")
    # A server on all addresses of this machine would answer here.
    assert not reached(socket.AF_INET, "127.0.0.2")
    assert not reached(socket.AF_INET6, "::1")


async def test_the_key_is_new_at_each_start_and_shown_nowhere(
    server: LocalServer, model: Path, tmp_path: Path
) -> None:
    await said(server, "The word is perchance.", max_tokens=5)
    other = await LocalServer.start(model, model_id="m", log=tmp_path / "other.log")
    await other.stop()
    key = server.key.reveal()
    log = tmp_path / "logs" / "built-in.log"

    assert len(key) == 64
    assert key != other.key.reveal()
    lines = command_lines()
    assert any("child.py" in line for line in lines)
    assert not any(key in line for line in lines)
    assert key not in log.read_text()
    assert "perchance" not in log.read_text()
    assert key not in repr(server.key)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


async def test_the_process_gets_no_key_of_anybody(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("SOMEBODYS_SECRET", "sk-canary")

    server = await LocalServer.start(model, model_id="m", log=tmp_path / "log")
    environ = Path(f"/proc/{server.process_id}/environ").read_bytes()
    await server.stop()

    assert b"PATH=" in environ
    assert b"canary" not in environ
    assert server.key.reveal().encode() not in environ


async def test_a_program_lying_in_the_current_directory_is_not_run(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "tui_chat", "xllamacpp"):
        (tmp_path / f"{name}.py").write_text("open('was-run', 'w')\nraise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)

    server = await LocalServer.start(model, model_id="m", log=tmp_path / "log")
    await server.stop()

    assert not (tmp_path / "was-run").exists()


async def test_stopping_leaves_no_process(server: LocalServer) -> None:
    running = server.alive, runs(server.process_id)

    await server.stop()

    assert running == (True, True)
    assert not server.alive
    assert not runs(server.process_id)
    await server.wait()
    await server.stop()
    server.kill()


async def test_stopping_does_not_wait_for_a_reply(server: LocalServer) -> None:
    async with Generating(server):
        # Within the time it is given to go by itself: no force is needed.
        async with asyncio.timeout(STOP_SECONDS):
            await server.stop()

    assert not runs(server.process_id)


async def test_a_process_that_will_not_go_is_ended(tmp_path: Path) -> None:
    server = await _started(tmp_path, sys.executable, "-c", STUBBORN, "closed")

    await server.stop()

    assert not runs(server.process_id)


async def test_it_can_be_killed_without_waiting(server: LocalServer) -> None:
    server.kill()

    await until(lambda: not runs(server.process_id))
    await server.wait()
    assert not server.alive


async def test_a_crash_is_noticed(server: LocalServer) -> None:
    async with Generating(server) as reply:
        watch = asyncio.create_task(server.wait())
        os.kill(server.process_id, signal.SIGSEGV)

        async with asyncio.timeout(10):
            await watch
        await until(lambda: not reply.going)

    assert not server.alive
    assert server.last_words() == "it said nothing"


@pytest.mark.parametrize("state", ["idle", "generating"])
async def test_it_dies_with_a_program_that_is_killed(
    model: Path, tmp_path: Path, state: str
) -> None:
    parent = await Other.running(PARENT, str(model), str(tmp_path / "log"), state)
    process_id = int(await parent.line())
    assert await parent.line() == state
    assert runs(process_id)

    await parent.kill()

    await until(lambda: not runs(process_id), seconds=2)


async def test_ctrl_c_in_the_terminal_does_not_reach_it(server: LocalServer) -> None:
    assert os.getpgid(server.process_id) != os.getpgid(0)

    os.kill(server.process_id, signal.SIGINT)

    assert await said(server, "Hello", max_tokens=3)


async def _started(tmp_path: Path, *command: str, seconds: float = 10) -> LocalServer:
    """A server that runs the command in place of the real one."""
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    return await LocalServer.start(
        tmp_path / "a.gguf",
        model_id="m",
        log=tmp_path / "log",
        command=command,
        seconds=seconds,
    )


async def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    page, away = tmp_path / "page.gguf", tmp_path / "away.gguf"
    page.write_text("<!doctype html><title>Please log in</title>")
    log = tmp_path / "log"

    with pytest.raises(ChatError, match=r"^page\.gguf is not a model file\."):
        await LocalServer.start(page, model_id="m", log=log)
    with pytest.raises(ChatError, match=r"^There is no model at .*away\.gguf\."):
        await LocalServer.start(away, model_id="m", log=log)
    with pytest.raises(ChatError, match=r"^There is no model at "):
        await LocalServer.start(tmp_path, model_id="m", log=log)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (50_000_000, "data is not within the file bounds, model is corrupted or incomplete"),
        (5_000, "failed to read key-value pairs"),
        (4, "failed to read"),
    ],
)
async def test_a_truncated_model_is_named_with_the_reason(
    model: Path, tmp_path: Path, size: int, words: str
) -> None:
    short = tmp_path / "short.gguf"
    with model.open("rb") as file:
        short.write_bytes(file.read(size))

    with pytest.raises(ChatError) as caught:
        await LocalServer.start(short, model_id="m", log=tmp_path / "log")

    assert caught.value.message.startswith("short.gguf could not be loaded: ")
    assert words in caught.value.message
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "log") in caught.value.hint
    assert not any(str(short) in line for line in command_lines())


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("raise SystemExit('no \\x1b[31mluck')", "could not be loaded: no ␛[31mluck."),
        ("import os; os.abort()", "its process was ended (Aborted)"),
        ("print('hello', flush=True); input()", "does not say where it serves"),
        ("print('{\"url\": 3}', flush=True); input()", "does not say where it serves"),
        ("print('[]', flush=True); input()", "does not say where it serves"),
        ("print('x' * 100000, flush=True); input()", "does not say where it serves"),
        ('print(\'{"url": "http://10.0.0.1"}\', flush=True); input()', "beyond this machine"),
        ('print(\'{"url": "http://127.0.0.1:1"}\', flush=True); input()', "another program"),
    ],
)
async def test_a_process_that_cannot_serve_is_explained(
    tmp_path: Path, script: str, words: str
) -> None:
    with pytest.raises(ChatError) as caught:
        await _started(tmp_path, sys.executable, "-S", "-c", script)

    assert words in caught.value.message


async def test_a_server_that_does_not_ask_for_the_key_gets_no_prompt(tmp_path: Path) -> None:
    with pytest.raises(ChatError, match="another program answers at its address"):
        await _started(tmp_path, sys.executable, "-c", STUBBORN, "open")


async def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChatError, match="no-such-program: No such file or directory"):
        await _started(tmp_path, str(tmp_path / "no-such-program"))


WAITING = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()}\\n'); time.sleep(60)"


def _written_id(path: Path) -> int:
    text = path.read_text() if path.exists() else ""
    return int(text) if text.endswith("\n") else 0


async def test_a_process_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    place = tmp_path / "id"

    with pytest.raises(ChatError, match=r"^The built-in model was not ready after 0\.5 s;"):
        await _started(tmp_path, sys.executable, "-S", "-c", WAITING, str(place), seconds=0.5)

    assert _written_id(place)
    assert not runs(_written_id(place))


async def test_cancelling_a_start_ends_the_process(tmp_path: Path) -> None:
    place = tmp_path / "id"
    starting = asyncio.create_task(
        _started(tmp_path, sys.executable, "-S", "-c", WAITING, str(place))
    )
    await until(lambda: _written_id(place))

    starting.cancel()
    await asyncio.wait([starting])

    assert starting.cancelled()
    assert not runs(_written_id(place))
