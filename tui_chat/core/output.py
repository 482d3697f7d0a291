"""The last gate of what is said without a screen: nothing written here controls a terminal."""

from __future__ import annotations

import os
import sys

from tui_chat.core.text import clean


class Unwritten(Exception):
    """Standard output takes no more; `reason` is what the system said."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def put(text: str, *, now: bool = False, styled: bool = False) -> None:
    """Write to standard output, through to its other end when it is to be seen `now`.

    A `styled` text has sequences of ours in it; all else in it must be clean already.
    """
    try:
        sys.stdout.write(text if styled else clean(text))
        if now:
            sys.stdout.flush()
    except OSError as error:
        # Other things fail with an OSError too, and are not the output's fault.
        raise Unwritten(error) from error


def tell(words: str) -> None:
    """One sentence on standard error, on a line of its own; for nobody, where there is nobody to be told."""
    try:
        sys.stderr.write(f"tui-chat: {clean(words)}\n")
        sys.stderr.flush()
    except OSError:
        # What was not taken would be tried again at exit, and hide the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
