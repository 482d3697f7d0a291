"""The built-in model's process, for real: what it says, how it ends, what it keeps to itself."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.local_model import model_file
from tui_chat.core.conversation import Setup, Token, said
from tui_chat.core.endpoints import BUILT_IN, Endpoint
from tui_chat.core.errors import ChatError
from tui_chat.core.local.model import SMOLLM2
from tui_chat.core.local.server import LocalServer
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider

QUESTION = said("user", "What is the capital of Brazil?")


@pytest.fixture(scope="module")
def model() -> Path:
    return model_file()


@asynccontextmanager
async def running(model: Path, directory: Path) -> AsyncIterator[tuple[LocalServer, Provider]]:
    server = await LocalServer.start(model, model_id=SMOLLM2.id, log=directory / "log")
    endpoint = Endpoint(BUILT_IN, server.base_url, counts_tokens=True)
    provider = Provider(endpoint, server.key)
    try:
        yield server, provider
    finally:
        await provider.close()
        await server.stop()


async def told(provider: Provider, params: Mapping[str, object]) -> tuple[list[Token], str, str]:
    tokens: list[Token] = []
    setup = Setup(BUILT_IN, SMOLLM2.id, params=Params(params))
    ending = await provider.reply(setup, [QUESTION], tokens.append)
    return tokens, "".join(token.text for token in tokens), ending.status


def gone(pid: int) -> bool:
    path = Path(f"/proc/{pid}/stat")
    return not path.exists() or path.read_text().rpartition(")")[2].split()[0] == "Z"


def wait_gone(pid: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not gone(pid):
        assert time.monotonic() < deadline, "the model's process is still there"
        time.sleep(0.02)


async def test_the_built_in_model_heeds_every_knob(model: Path, tmp_path: Path) -> None:
    async with running(model, tmp_path) as (_, provider):
        greedy = {"temperature": 0, "max_tokens": 40}
        tokens, answer, status = await told(provider, greedy)
        assert len(tokens) > 3
        assert "Bras" in answer
        assert status == "complete"
        assert (await told(provider, greedy))[1] == answer
        wild = await told(provider, {"temperature": 1.9, "seed": 7, "max_tokens": 40})
        assert wild[1] != answer
        short = await told(provider, {"temperature": 0, "max_tokens": 5})
        assert short[2] == "length"
        assert answer.startswith(short[1])
        word = answer.split()[2]
        stopped = await told(provider, {**greedy, "stop": [word]})
        assert stopped[1] == answer.split(word)[0]
        assert stopped[2] == "complete"


async def test_what_is_not_set_changes_nothing(model: Path, tmp_path: Path) -> None:
    neutral = {
        "temperature": 1,
        "top_p": 1,
        "top_k": 0,
        "min_p": 0,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "repeat_penalty": 1,
    }
    async with running(model, tmp_path) as (_, provider):
        unset = await told(provider, {"seed": 3, "max_tokens": 24})
        spelled = await told(provider, {"seed": 3, "max_tokens": 24, **neutral})
    assert unset[1] == spelled[1]


async def test_it_counts_tokens_itself_and_lists_its_model(model: Path, tmp_path: Path) -> None:
    async with running(model, tmp_path) as (_, provider):
        (served,) = await provider.models()
        assert (served.id, served.context) == (SMOLLM2.id, 8192)
        one = await provider.count(Setup(BUILT_IN, SMOLLM2.id), [said("user", "hi")])
        two = await provider.count(Setup(BUILT_IN, SMOLLM2.id), [said("user", "hi there you")])
        assert one is not None
        assert two is not None
        assert two > one > 0


async def test_only_its_key_opens_it_and_only_from_this_machine(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    async with running(model, tmp_path) as (server, _):
        assert server.base_url.startswith("http://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError) as refused:
            await asyncio.to_thread(
                urllib.request.urlopen, server.base_url.removesuffix("/v1") + "/props"
            )
        assert refused.value.code == 401
        process = Path(f"/proc/{server.process_id}")
        key = server.key.reveal().encode()
        for part in ("cmdline", "environ"):
            content = (process / part).read_bytes()
            assert key not in content
            assert b"canary" not in content
        assert key not in (tmp_path / "log").read_bytes()
        port = f"{int(server.base_url.split(':')[2].split('/')[0]):04X}"
        listening = [
            row.split()[1]
            for table in ("tcp", "tcp6")
            for row in (process / "net" / table).read_text().splitlines()[1:]
            if row.split()[3] == "0A" and row.split()[1].endswith(f":{port}")
        ]
        assert listening == [f"0100007F:{port}"]


async def test_stopping_ends_the_process_also_while_it_answers(model: Path, tmp_path: Path) -> None:
    server = await LocalServer.start(model, model_id=SMOLLM2.id, log=tmp_path / "log")
    provider = Provider(Endpoint(BUILT_IN, server.base_url), server.key)
    first = asyncio.Event()
    setup = Setup(BUILT_IN, SMOLLM2.id, params=Params({"max_tokens": 4000}))
    answer = asyncio.create_task(provider.reply(setup, [QUESTION], lambda token: first.set()))
    await asyncio.wait_for(first.wait(), 30)
    await server.stop()
    assert gone(server.process_id)
    assert not server.alive
    await asyncio.wait([answer])
    assert answer.exception() is None
    assert answer.result().status in ("cut", "complete")
    await provider.close()


PARENT = """
import asyncio, sys
from pathlib import Path
from tui_chat.core.local.server import LocalServer
from tui_chat.core.provider import Provider
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.conversation import Setup, said
async def main():
    server = await LocalServer.start(Path(sys.argv[1]), model_id="m", log=Path(sys.argv[2]))
    print(server.process_id, flush=True)
    provider = Provider(Endpoint("x", server.base_url), server.key)
    if sys.argv[3] == "answering":
        said_so = []
        def sink(token):
            if not said_so:
                said_so.append(1); print("answering", flush=True)
        await provider.reply(Setup("x", "m"), [said("user", "Count to ten thousand.")], sink)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["idle", "answering"])
def test_a_killed_program_leaves_no_process(model: Path, tmp_path: Path, state: str) -> None:
    arguments = [sys.executable, "-c", PARENT, str(model), str(tmp_path / "log"), state]
    parent = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    if state == "answering":
        assert parent.stdout.readline() == "answering\n"
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    wait_gone(pid, 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no model at"),
        (b"<html>sign in</html>", "not a model file"),
        (b"GGUF" + b"\0" * 2000, "could not"),
    ],
)
async def test_a_file_that_cannot_be_served_is_said(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ChatError, match=words):
        await LocalServer.start(path, model_id="m", log=tmp_path / "log")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import time; time.sleep(60)", "not ready after"),
        ("import sys; sys.stderr.write('out of luck\\n'); sys.exit(3)", "out of luck"),
        ("print('nonsense', flush=True); import time; time.sleep(60)", "could not"),
        ("print('{}', flush=True); import time; time.sleep(60)", "could not"),
    ],
)
async def test_a_process_that_is_never_ready_is_given_up(
    tmp_path: Path, code: str, words: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    pids = tmp_path / "pids"
    noted = f"import os; open({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\n{code}"
    with pytest.raises(ChatError) as caught:
        await LocalServer.start(
            path,
            model_id="m",
            log=tmp_path / "log",
            command=[sys.executable, "-c", noted],
            seconds=1,
        )
    assert words in str(caught.value)
    for pid in pids.read_text().split():
        wait_gone(int(pid))


async def test_cancelling_a_start_leaves_no_process(model: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = f"import os, time; open({str(pids)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    starting = asyncio.create_task(
        LocalServer.start(
            model, model_id="m", log=tmp_path / "log", command=[sys.executable, "-c", code]
        )
    )
    deadline = time.monotonic() + 20
    while not pids.exists() or not pids.read_text():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    wait_gone(int(pids.read_text()))
