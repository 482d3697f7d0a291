"""What terminals send for keys: settings made before Textual is loaded, keys renamed, keys held.

Nothing here imports Textual at the top, because Textual reads its environment once, when it is first
imported, and `prepare_terminal` must come before that.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.events import Event

# xterm's modifyOtherKeys, level 1: shift+enter and ctrl+enter get sequences of their own, while
# ctrl+letter stays one byte. At level 2 ctrl+a would arrive with the text "a" as well.
MODIFIED_KEYS_ON = "\x1b[>4;1m"
MODIFIED_KEYS_OFF = "\x1b[>4;0m"


def prepare_terminal(environ: MutableMapping[str, str]) -> None:
    """Settle how keys are read; call once, before anything imports Textual.

    In tmux this writes to the terminal, and once more when the program ends.
    """
    if environ.get("TERM_PROGRAM") == "iTerm.app" and "TMUX" not in environ:
        # iTerm2 loses what input methods compose while all keys are reported as escape codes.
        environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
    from tui_chat.widgets.key_parser import install

    install()
    if "TMUX" in environ:
        # tmux does not speak kitty's protocol; it tells shift+enter from enter when asked this way.
        _write(MODIFIED_KEYS_ON)
        atexit.register(_write, MODIFIED_KEYS_OFF)


def _write(sequence: str) -> None:
    sys.stdout.write(sequence)
    sys.stdout.flush()


def renamed(event: Event) -> Event:
    """The event as the rest of the program knows it; anything but a few keys comes back as it is.

    Under modifyOtherKeys Textual names shift+enter "shift+" and a carriage return, calls alt+enter a
    carriage return alone, and gives ctrl+letter the letter as its text, which would be typed.
    """
    from textual.events import Key

    if not isinstance(event, Key) or event.is_forwarded:
        return event
    modifier, plus, name = event.key.rpartition("+")
    if name == "\r":
        return Key(f"{modifier or 'alt'}+enter", None)
    if plus and event.is_printable and "ctrl" in modifier.split("+"):
        return Key(event.key, None)
    return event


class HeldKeys:
    """Keys and pastes that came before there was a prompt to take them; `events` has them in order.

    Textual forwards a key to the focused widget; before the first paint there is none, and the key
    is lost.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []

    def take(self, event: Event) -> bool:
        """Keep the event if it is a key or a paste, and say whether it was kept."""
        from textual.events import Key, Paste

        if isinstance(event, Key | Paste) and not event.is_forwarded:
            self.events.append(event)
            return True
        return False
