"""Textual's reader of terminal input, mended: newline keys, pastes, and the terminal's own replies.

A paste is one event whatever it holds, so no character of it is ever taken for a key; and what the
terminal answers to a question is not typed into the prompt.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from textual import _xterm_parser, events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

ENTERS = {
    # alt+enter without kitty's protocol; also what some terminals are set up to send for shift+enter.
    "\x1b\r": "alt+enter",
    # modifyOtherKeys, and the kitty forms when Textual has that protocol turned off.
    "\x1b[27;2;13~": "shift+enter",
    "\x1b[27;3;13~": "alt+enter",
    "\x1b[27;5;13~": "ctrl+enter",
    "\x1b[13;2u": "shift+enter",
    "\x1b[13;3u": "alt+enter",
    "\x1b[13;5u": "ctrl+enter",
}
# An input method may commit a sentence as one sequence; Textual gives up after 32 characters and
# types the rest as keys.
LONGEST_SEQUENCE = 1_024
# Device attributes, key and colour reports, window sizes. Textual knows only its own mode reports
# (they end in $y) and in-band sizes (48;…t); it would type the others as keys.
REPLY = re.compile(
    r"\x1b\[[?>=][\d;:]*[A-Za-z]"
    r"|\x1b\[\d+n"
    r"|\x1b\[(?!48;)\d+;\d+;\d+t"
    r"|\x1b\]\d[^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[P_^X][^\x1b]*\x1b\\"
)
# The beginning of a reply, or of a paste's start, at the end of what was read; no key that a person
# presses looks like it. (The first four bytes of a size or status report do, and are let through.)
UNFINISHED = re.compile(r"\x1b(?:\[[?>=][\d;:]*|\]\d+(?:;[^\x07\x1b]{0,4096}\x1b?)?|\[20?0?)\Z")
UNFINISHED_END = re.compile(r"\x1b(?:\[(?:2(?:01?)?)?)?\Z")


class KeyParser(XTermParser):
    """Turns what the terminal sends into events."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._held = ""
        self._pasted: list[str] | None = None

    def feed(self, data: str) -> Iterable[Message]:
        if not data:  # The end of the input.
            yield from super().feed(data)
            return
        data, self._held = self._held + data, ""
        while data:
            if self._pasted is None:
                typed, start, data = data.partition(BRACKETED_PASTE_START)
                if start:
                    self._pasted = []
                else:
                    typed = self._hold(typed, UNFINISHED)
                if typed := REPLY.sub("", typed):
                    yield from super().feed(typed)
            else:
                pasted, end, data = data.partition(BRACKETED_PASTE_END)
                self._pasted.append(pasted if end else self._hold(pasted, UNFINISHED_END))
                if end:
                    # Windows puts NUL between the characters of a paste.
                    yield events.Paste("".join(self._pasted).replace("\x00", ""))
                    self._pasted = None

    def _hold(self, data: str, unfinished: re.Pattern[str]) -> str:
        """The data without an unfinished end, which waits for the next piece."""
        tail = unfinished.search(data)
        if tail is None:
            return data
        self._held = tail[0]
        return data[: tail.start()]

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence in ENTERS:
            return [events.Key(ENTERS[sequence], None)]
        return super()._sequence_to_key_events(sequence, alt)


def install() -> None:
    """Have every driver read through KeyParser, those loaded already and those to come."""
    _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD = LONGEST_SEQUENCE
    drivers = ("linux_driver", "linux_inline_driver", "web_driver", "win32")
    for name in ("textual._xterm_parser", *(f"textual.drivers.{driver}" for driver in drivers)):
        if name in sys.modules:
            vars(sys.modules[name])["XTermParser"] = KeyParser
