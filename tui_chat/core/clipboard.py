"""Copying: by the terminal, by the system's own tool, and to a private file where neither can be.

A terminal never says whether it took what it was sent; a tool does.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tui_chat.core.files import write_text
from tui_chat.core.unsaved import not_written

MOST_BYTES = 74_000
"""Of base64 that are sent to a terminal: many drop longer sequences whole."""
PATIENCE = 2.0
"""Seconds that a tool may take."""
_SCREEN_PIECE = 240
"""Characters that GNU screen lets pass in one string."""
_FIRST_VTE = 7600
"""GNOME's terminals before this version (as VTE_VERSION counts) take nothing."""
_POWERSHELL = (
    "[Console]::InputEncoding = New-Object Text.UTF8Encoding $false; "
    "Set-Clipboard -Value ([Console]::In.ReadToEnd())"
)


@dataclass(frozen=True)
class Tool:
    """A program that puts what it reads on its standard input on the clipboard."""

    name: str
    command: tuple[str, ...]
    encoding: str = "utf-8"
    environ: Mapping[str, str] = field(default_factory=dict)
    """What it needs in its environment besides what is there."""


@dataclass(frozen=True)
class Copied:
    """Which way a text went: `ways` took it for sure, the terminal was sent it, or it is in a file."""

    ways: tuple[str, ...] = ()
    terminal: bool = False
    path: Path | None = None
    too_large: bool = False
    """Whether the terminal was not sent it only because it is too much."""


def tools(
    environ: Mapping[str, str],
    which: Callable[[str], str | None] | None = None,
    platform: str = sys.platform,
) -> list[Tool]:
    """The tools of this session, those first that are asked first; the first that succeeds is enough.

    Over ssh the machine's own clipboard is not the person's: only what ssh forwards counts then.
    """
    there = which or (lambda name: shutil.which(name, path=environ.get("PATH", "")))
    near = not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    windows = near and (platform == "win32" or "WSL_DISTRO_NAME" in environ)
    wanted = [
        (
            near and platform == "darwin",
            "pbcopy",
            Tool("pbcopy", (), environ={"LC_CTYPE": "UTF-8"}),
        ),
        (
            near and bool(environ.get("WAYLAND_DISPLAY")),
            "wl-copy",
            Tool("wl-copy", ("--type", "text/plain")),
        ),
        (bool(environ.get("DISPLAY")), "xclip", Tool("xclip", ("-selection", "clipboard", "-in"))),
        (bool(environ.get("DISPLAY")), "xsel", Tool("xsel", ("--clipboard", "--input"))),
        (windows, "clip.exe", Tool("clip.exe", (), "utf-16-le")),
        (
            windows,
            "powershell.exe",
            Tool("powershell", ("-NoProfile", "-NonInteractive", "-Command", _POWERSHELL)),
        ),
        (near and platform != "win32", "termux-clipboard-set", Tool("termux-clipboard-set", ())),
        # With -w it also sends it to the terminal outside, which tmux by default keeps programs from.
        (bool(environ.get("TMUX")), "tmux", Tool("tmux", ("load-buffer", "-w", "-"))),
    ]
    return [
        Tool(tool.name, (path, *tool.command), tool.encoding, tool.environ)
        for here, program, tool in wanted
        if here and (path := there(program))
    ]


def takes_sequences(environ: Mapping[str, str]) -> bool:
    """Whether this terminal can be expected to take a text by the sequence OSC 52."""
    version = environ.get("VTE_VERSION", "")
    old_vte = version.isdecimal() and int(version) < _FIRST_VTE
    unable = environ.get("TERM") in ("linux", "dumb")
    return not (unable or old_vte or environ.get("TERM_PROGRAM") == "Apple_Terminal")


def sequence(text: str, environ: Mapping[str, str]) -> str | None:
    """What to write to the terminal for it to take the text; None when that is too much for one."""
    if len(text) > MOST_BYTES:
        return None
    code = b64encode(text.encode()).decode()
    if len(code) > MOST_BYTES:
        return None
    whole = f"\x1b]52;c;{code}\x07"
    if "STY" not in environ or environ.get("TMUX"):
        return whole
    pieces = [whole[at : at + _SCREEN_PIECE] for at in range(0, len(whole), _SCREEN_PIECE)]
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


async def copy(
    text: str, environ: Mapping[str, str], write: Callable[[str], object], path: Path | None
) -> Copied:
    """Copy a cleaned text every way there is. `write` writes to the terminal; ChatError when there is
    no way and the file at `path` cannot be written, or there is to be none."""
    able = takes_sequences(environ)
    sent = sequence(text, environ) if able else None
    if sent is not None:
        write(sent)
    for tool in tools(environ):
        if await run(tool, text, environ):
            return Copied((tool.name,), terminal=sent is not None)
    if sent is not None:
        return Copied(terminal=True)
    if path is None:
        raise not_written("the text is in no file")
    await asyncio.to_thread(write_text, path, text)
    return Copied(path=path, too_large=able)


async def run(
    tool: Tool, text: str, environ: Mapping[str, str], patience: float = PATIENCE
) -> bool:
    """Have the tool take the text; False when it cannot, or takes longer than `patience` seconds."""
    try:
        process = await asyncio.create_subprocess_exec(
            *tool.command,
            stdin=PIPE,
            # What goes on running to serve the clipboard would keep a pipe open.
            stdout=DEVNULL,
            stderr=DEVNULL,
            env={**environ, **tool.environ},
            # It outlives this program and its terminal: what was copied stays on the clipboard.
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(patience):
            await process.communicate(text.encode(tool.encoding, "replace"))
    except TimeoutError:
        return False
    finally:
        await _end(process)
    return process.returncode == 0


async def _end(process: Process) -> None:
    """End a tool that did not end by itself, with what it started."""
    if process.returncode is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    await process.wait()
