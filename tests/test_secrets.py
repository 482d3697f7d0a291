"""A key is where it was put, in the header of a request to its server, and nowhere else at all.

Of a key that is typed see tests/rooms/test_endpoint_keys.py.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake_server import Answer, Body, FakeServer
from tests.nightly import NIGHTLY
from tests.terminal import TUI_CHAT, Terminal, home_environment

ENV, FILE, PRINTED, URL = (f"sk-canary-{name}-0123456789" for name in ("env", "file", "printed", "url"))  # fmt: skip
CANARIES = (ENV, FILE, PRINTED, URL)
ESCAPE, F1, CTRL_P = "\x1b", "\x1bOP", "\x10"
# The program as it is, but that F1 ends it by a fault whose words and values hold keys.
BROKEN = """
import os, sys
from tui_chat import app, __main__

async def broken(self):
    held = os.environ["OPENAI_API_KEY"]
    raise RuntimeError("it held " + held + " and https://me:{url}@host/v1?key={url}")

app.TuiChat.action_help = broken
sys.exit(__main__.main([]))
"""
# A program that copies, and tells what it was given.
EDITS = '#!/bin/sh\nenv > "$HOME/edited-environment"\necho "by hand" > "$1"\n'
COPIES = '#!/bin/sh\nenv > "$HOME/copied-environment"\ncat > "$HOME/copied"\n'


def _answers(body: Body) -> Answer:
    """As servers do that say which key was wrong."""
    if "refuse" in body["messages"][-1]["content"]:
        words = f"Incorrect API key provided: {ENV}. Also {FILE}, {PRINTED}."
        return Answer(status=401, error={"error": {"message": words, "code": "invalid_api_key"}})
    return Answer(("Fine",))


def _furnish(home: Path, server: FakeServer) -> dict[str, str]:
    config = home / "config"
    for folder in (config, home / "bin", home / "tmp"):
        folder.mkdir(mode=0o700, parents=True)
    root = server.base_url.removesuffix("/v1")
    by_name = root.replace("127.0.0.1", "localhost")
    _private(config / "keys.toml", f'"{by_name}" = "{FILE}"\n')
    _private(
        home / "bin" / "told", f"#!/bin/sh\nenv > $HOME/told-environment\necho {PRINTED}\n", 0o700
    )
    _private(home / "bin" / "xclip", COPIES, 0o700)
    _private(home / "bin" / "edits", EDITS, 0o700)
    _private(
        config / "settings.toml",
        f'[endpoints.kept]\nbase_url = "{by_name}/v1"\nkey_env = "NO_SUCH"\nmodel = "fake-1"\n'
        f'[endpoints.told]\nbase_url = "{root}/v1/"\nkey_command = ["{home}/bin/told"]\nmodel = "fake-1"\n'
        f'[endpoints.wrong]\nbase_url = "https://me:{URL}@host.invalid/v1"\n',
    )
    return home_environment(
        home,
        PATH=f"{home / 'bin'}:{os.environ['PATH']}",
        TMPDIR=str(home / "tmp"),
        DISPLAY=":0",
        EDITOR="edits",
        OPENAI_BASE_URL=server.base_url,
        OPENAI_API_KEY=ENV,
        TUI_CHAT_CONFIG_DIR=str(config),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )


def _private(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)


def _holding(home: Path) -> set[str]:
    return {
        str(path.relative_to(home))
        for path in home.rglob("*")
        if path.is_file() and any(key.encode() in path.read_bytes() for key in CANARIES)
    }


def _loose(home: Path) -> set[str]:
    """What others than its owner may look at."""
    return {
        f"{stat.filemode(path.stat().st_mode)} {path.relative_to(home)}"
        for path in home.rglob("*")
        if stat.S_IMODE(path.lstat().st_mode) & 0o077
    }


def _command_lines(process: int) -> str:
    """The command lines of a process and of all that it started."""
    shown = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace")
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return shown + "".join(_command_lines(int(child)) for child in children)


def _shown_in_a_walk(home: Path, environ: dict[str, str], umask: str) -> bytes:
    program = home / "program.py"
    _private(program, BROKEN.format(url=URL))
    command = ["bash", "-c", f"umask {umask}; exec {sys.executable} {program}"]
    here = str(Path(__file__).parent.parent)
    environ = environ | {"PYTHONPATH": f"{environ['PYTHONPATH']}:{here}"}
    with Terminal(command, environ) as terminal:
        terminal.wait_for("ready")
        for keys, words in (
            ("hello\r", "Fine"),
            ("refuse\r", "401"),
            ("/endpoint kept\r", "kept · fake-1"),
            ("by the file\r", "Fine"),
            ("/endpoint told\r", "told · fake-1"),
            ("by a command\r", "Fine"),
            ("refuse again\r", "401"),
            ("/code\r", "import"),
            (ESCAPE, "Parameters"),
            ("/copy\r", "Copied"),
            (CTRL_P, "Search for commands"),
            ("edit the draft\r", "by hand"),
        ):
            terminal.go(keys, words)
        lines = _command_lines(terminal.process.pid)
        assert not [key for key in CANARIES if key in lines]
        terminal.type(F1)
        assert terminal.wait_end() == 1
        assert "had to stop" in terminal.text
        return bytes(terminal.drawn)


@pytest.mark.parametrize("umask", ["000", "022", "077"] if NIGHTLY else ["000"])
def test_after_a_walk_that_ends_in_a_fault_no_key_is_anywhere(tmp_path: Path, umask: str) -> None:
    with FakeServer() as server:
        server.answers = _answers
        environ = _furnish(tmp_path, server)
        raw = _shown_in_a_walk(tmp_path, environ, umask)
        said = raw + _said_without_a_screen(environ, umask)
        sent = {request.headers["authorization"] for request in server.requests}
    assert {f"Bearer {ENV}", f"Bearer {FILE}", f"Bearer {PRINTED}"} <= sent
    assert not [key for key in CANARIES if key.encode() in said]
    for told in ("copied-environment", "edited-environment"):
        assert b"PATH=" in (tmp_path / told).read_bytes()
    # The command that prints a key is the person's own, and may need another to be told it.
    (tmp_path / "told-environment").unlink()
    (tmp_path / "program.py").unlink()
    assert _holding(tmp_path) == {"config/keys.toml", "config/settings.toml", "bin/told"}
    # What programs wrote that were started is among it: that is the umask's work alone.
    assert _loose(tmp_path) == set()


def _said_without_a_screen(environ: dict[str, str], umask: str) -> bytes:
    said = b""
    tried = [
        ("ask --endpoint told --json refuse", 1),
        ("export --format jsonl", 0),
        ("export --format html", 0),
        ("doctor", 0),
    ]
    if NIGHTLY:
        tried += [
            ("ask --save hello", 0),
            ("ask refuse", 1),
            ("list", 0),
            ("export --format markdown", 0),
        ]
    program = " ".join(TUI_CHAT)
    for words, code in tried:
        command = ["bash", "-c", f"umask {umask}; exec {program} {words}"]
        done = subprocess.run(command, env=environ, capture_output=True, check=False)
        assert done.returncode == code, (words, done)
        said += done.stdout + done.stderr
    return said
