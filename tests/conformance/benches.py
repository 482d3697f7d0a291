"""The servers that can be started on this machine, each as a bench."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from tests.conformance.bench import Bench
from tests.conformance.installed import LITELLM, LLAMA_CPP_PYTHON, carried
from tests.local_model import model_file
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import BUILT_IN, Endpoint
from tui_chat.core.keys import Secret
from tui_chat.core.local.server import CONTEXT, LocalServer

MODEL = "smollm2"
READY_SECONDS = 120
"""A proxy imports for ten seconds, on a busy machine for longer."""


def known(name: str, base_url: str) -> Endpoint:
    """An endpoint that comes along, at another address."""
    found = next(endpoint for endpoint in known_endpoints() if endpoint.name == name)
    return replace(found, base_url=base_url)


@asynccontextmanager
async def serving(log: Path) -> AsyncIterator[LocalServer]:
    """The built-in model's server, ended at the end."""
    server = await LocalServer.start(model_file(), model_id=MODEL, log=log)
    try:
        yield server
    finally:
        await server.stop()


def built_in(server: LocalServer) -> Bench:
    """The built-in model as the program asks it."""
    # llama.cpp's server has one model, whatever it is called.
    lacks = {"unknown model": ""}
    return Bench("the built-in model", known(BUILT_IN, server.base_url), server.key, MODEL, lacks)


@asynccontextmanager
async def litellm(directory: Path) -> AsyncIterator[Bench]:
    """A LiteLLM proxy in front of the built-in model, both started here; files and logs in `directory`."""
    LITELLM.install()
    key = Secret(f"sk-{secrets.token_hex(16)}")
    async with serving(directory / "built-in.log") as behind:
        config = directory / "config.yaml"
        # JSON is YAML.
        config.write_text(json.dumps(_proxy_config(behind, key)), "utf-8")
        config.chmod(0o600)
        port = _free_port()
        command = [str(LITELLM.directory / "bin" / "litellm"), "--config", str(config)]
        command += ["--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"]
        # Without it the proxy fetches its table of prices.
        offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        base_url = f"http://127.0.0.1:{port}"
        async with _running(command, offline, f"{base_url}/health/liveliness", directory, key):
            yield Bench("LiteLLM proxy", known("litellm", f"{base_url}/v1"), key, "small", LACKS_OF_LITELLM)  # fmt: skip


LACKS_OF_LITELLM = {
    # It knows no key but its own, and looks for others in a database that it has not got.
    "wrong key": "It says: No connected db.",
    "unknown model": "Invalid model name passed in model=no-such-model.",
    # It takes completions apart and puts them together, in OpenAI's shape; llama.cpp's has another one.
    "completion logprobs": "",
    # Nothing it says tells what server is behind it.
    "goes on": "litellm cannot go on with a reply.",
}


def _proxy_config(behind: LocalServer, key: Secret) -> Mapping[str, object]:
    model = {"model": f"openai/{MODEL}", "api_base": behind.base_url, "api_key": behind.key.reveal()}  # fmt: skip
    return {
        "model_list": [{"model_name": "small", "litellm_params": model}],
        "general_settings": {"master_key": key.reveal()},
        "litellm_settings": {"num_retries": 0},
    }


@asynccontextmanager
async def llama_cpp_python(directory: Path) -> AsyncIterator[Bench]:
    """llama-cpp-python's own server with the built-in model's file; its log in `directory`."""
    LLAMA_CPP_PYTHON.install()
    key = Secret(f"sk-{secrets.token_hex(16)}")
    port = _free_port()
    command = [str(LLAMA_CPP_PYTHON.python), "-m", "llama_cpp.server", "--model", str(model_file())]
    command += ["--model_alias", MODEL, "--n_ctx", str(CONTEXT), "--n_threads", "2"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--api_key", key.reveal()]
    # Else each new request ends the one before it.
    command += ["--interrupt_requests", "false"]
    base_url = f"http://127.0.0.1:{port}/v1"
    async with _running(command, {}, f"{base_url}/models", directory, key):
        endpoint = Endpoint("llama-cpp-python", base_url)
        yield Bench("llama-cpp-python", endpoint, key, MODEL, LACKS_OF_LLAMA_CPP_PYTHON)


LACKS_OF_LLAMA_CPP_PYTHON = {
    "unknown model": "",
    # It does not say the same again, not even at temperature 0: that hangs on what it read before.
    "seed": "",
    # It counts only what it does not stream.
    "usage": "",
    # It begins to answer before it looks at the length, and then has nothing to say.
    "overflow": "is not an API answer (text/event-stream). It is empty.",
    # It begins anew after a last message of the assistant's.
    "goes on": "llama-cpp-python cannot go on with a reply.",
}


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@asynccontextmanager
async def _running(
    command: Sequence[str], environ: Mapping[str, str], alive: str, directory: Path, key: Secret
) -> AsyncIterator[None]:
    """A program from when `alive` is answered until the end, with all that it started."""
    log = directory / "log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=directory,
            env={**carried(), **environ},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not await asyncio.to_thread(_answers, alive, key):
            ended = process.returncode is not None
            assert not ended, f"it ended: {log.read_text('utf-8', 'replace')[-2000:]}"
            assert time.monotonic() < deadline, f"it was not ready after {READY_SECONDS} s"
            await asyncio.sleep(0.2)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _answers(url: str, key: Secret) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {key.reveal()}"})
    try:
        with opener.open(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
