"""The built-in model's server ends when it is told to, when it crashes, and with the program."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.core.local.processes import STUBBORN, Generating, runs, said, started, until
from tests.core.stored import Other
from tui_chat.core.local.server import STOP_SECONDS, LocalServer

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
    server = await started(tmp_path, sys.executable, "-c", STUBBORN, "closed")

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
