"""A text opened in the person's own editor, through a private file that is gone afterwards.

Whatever goes wrong raises ChatError, and the text one had stays what it was.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tui_chat.core.errors import ChatError
from tui_chat.core.text import clean, one_line


def edited(text: str, environ: Mapping[str, str]) -> str:
    """The text as the editor named by VISUAL or EDITOR left it; blocks until the editor ends. The editor has
    this environment, which is to hold no key.

    The terminal must be the editor's while this runs. ChatError when there is no editor, when it
    cannot be started, fails, or leaves no readable file.
    """
    editor = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        words = shlex.split(editor, posix=os.name != "nt")
    except ValueError as error:
        raise ChatError(
            f"The editor {one_line(editor)} cannot be read: {error}.", "Look at VISUAL and EDITOR."
        ) from error
    if not words:
        raise ChatError("No editor is set.", "Name one in EDITOR, for example: export EDITOR=nano.")
    try:
        # Created for this user alone (mode 0600): a draft may be private.
        with tempfile.TemporaryDirectory(prefix="tui-chat-", dir=environ.get("TMPDIR")) as folder:
            file = Path(folder, "prompt.md")
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8")
            _run([*words, str(file)], environ)
            left = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ChatError(
            f"The editor {one_line(words[0])} could not be used: {error.strerror or error}.",
            "The prompt is as it was.",
        ) from error
    # Most editors end a file with a newline that nobody typed.
    return clean(left).removesuffix("\n") if not text.endswith("\n") else clean(left)


def _run(command: list[str], environ: Mapping[str, str]) -> None:
    process = subprocess.Popen(command, env=dict(environ))
    # ctrl+c in the editor reaches every process of the terminal; it is meant for the editor.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    if code:
        raise ChatError(
            f"The editor {one_line(command[0])} ended with status {code}.",
            "The prompt is as it was.",
        )
