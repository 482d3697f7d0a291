"""A server that cannot start says why, and leaves no process."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.local.processes import STUBBORN, command_lines, runs, started, until
from tui_chat.core.errors import ChatError
from tui_chat.core.local.server import LocalServer, llama_command


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
        await started(tmp_path, sys.executable, "-S", "-c", script)

    assert words in caught.value.message


LOGGING = "import sys; sys.stderr.write(sys.argv[1]); raise SystemExit(1)"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("one\ntwo\n", "two"),
        ("0.1 E load: no memory\n0.2 I srv: cleaning up\n", "no memory; its log ends: cleaning up"),
        ("0.1 E load: no memory.\nfatal: \x1b[31m\n\n", "no memory; its log ends: fatal: ␛[31m"),
        ("0.1 E load: no memory\n0.2 E load: gave up\n", "no memory; its log ends: gave up"),
        ("0.1 I load: hm\n0.2 E load: no memory\n", "no memory"),
        ("0.1 E load: no memory\nno memory\n", "no memory"),
    ],
)
async def test_the_first_error_and_the_end_of_the_log_are_told(
    tmp_path: Path, log: str, words: str
) -> None:
    with pytest.raises(ChatError) as caught:
        await started(tmp_path, sys.executable, "-S", "-c", LOGGING, log)

    assert caught.value.message == f"a.gguf could not be loaded: {words}."


async def test_a_log_of_any_length_makes_one_short_sentence(tmp_path: Path) -> None:
    log = f"0.1 E load: {'x' * 5000}\n{'y' * 5000}\n"
    with pytest.raises(ChatError) as caught:
        await started(tmp_path, sys.executable, "-S", "-c", LOGGING, log)

    assert "x…; its log ends: y" in caught.value.message
    assert len(caught.value.message) < 700


async def test_a_server_that_does_not_ask_for_the_key_gets_no_prompt(tmp_path: Path) -> None:
    with pytest.raises(ChatError, match="another program answers at its address"):
        await started(tmp_path, sys.executable, "-c", STUBBORN, "open")


async def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChatError, match="no-such-program: No such file or directory"):
        await started(tmp_path, str(tmp_path / "no-such-program"))


WAITING = "import os, sys, time; open(sys.argv[1], 'w').write(f'{os.getpid()}\\n'); time.sleep(60)"


def _written_id(path: Path) -> int:
    text = path.read_text() if path.exists() else ""
    return int(text) if text.endswith("\n") else 0


async def test_a_process_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    place = tmp_path / "id"

    with pytest.raises(ChatError, match=r"^The built-in model was not ready after 0\.5 s;"):
        await started(tmp_path, sys.executable, "-S", "-c", WAITING, str(place), seconds=0.5)

    assert _written_id(place)
    assert not runs(_written_id(place))


async def test_cancelling_a_start_ends_the_process(tmp_path: Path) -> None:
    place = tmp_path / "id"
    starting = asyncio.create_task(
        started(tmp_path, sys.executable, "-S", "-c", WAITING, str(place))
    )
    await until(lambda: _written_id(place))

    starting.cancel()
    await asyncio.wait([starting])

    assert starting.cancelled()
    assert not runs(_written_id(place))


UNREACHABLE = """
import resource, sys
from pathlib import Path
from tui_chat.core.errors import ChatError
from tui_chat.core.keys import Secret
from tui_chat.core.local import server

# No socket is opened beside the three streams, as none is on a machine without its own address.
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
try:
    server._is_ours("http://127.0.0.1:9/v1", Secret("k"), Path("log"))
except ChatError as error:
    sys.stdout.write(error.message)
"""


def test_a_machine_on_which_nothing_can_be_reached_is_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNREACHABLE], capture_output=True, text=True, check=True
    )

    words = "The built-in model cannot be reached on this machine: Too many open files."
    assert (done.stdout, done.stderr) == (words, "")


def test_the_command_for_another_server_takes_any_path_and_is_one_line() -> None:
    path = Path("/my models/it's  $HOME.gguf")
    assert shlex.split(llama_command(path, "m 1"))[:5] == [
        "llama-server", "--model", str(path), "--alias", "m 1",
    ]  # fmt: skip
    assert len(llama_command(Path("/a\nb\x1b[2J.gguf"), "m").splitlines()) == 1
