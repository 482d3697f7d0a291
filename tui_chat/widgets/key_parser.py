"""Textual's reader of terminal input, mended: newline keys, pastes, and the terminal's own replies.

A paste is one event whatever it holds, so no character of it is ever taken for a key; and what the
terminal answers to a question is not typed into the prompt.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterable

from textual import _xterm_parser, constants, events
from textual._time import get_time
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
# What a terminal answers, in the parts that follow each other; each but a text's is one character, or any number
# of one kind. From them is made what is dropped, and what waits because more of it may come.
_TEXT = r"[^\x07\x1b]*"
_ST = ("\x1b", r"\\")
_ANSWERS = (
    # Device attributes, key reports, states; Textual knows only mode reports, which end in $y.
    (r"\[", "[?>=]", r"[\d;:]*", "[A-Za-z]"),
    (r"\[", r"\d", r"\d*", "n"),
    # The window: its state, place and size. In-band sizes (48;…t) are Textual's.
    (r"\[", r"(?!48;)\d", r"[\d;]*", "t"),
    # ANSI's modes, and the terminal's parameters.
    (r"\[", r"\d", r"\d*", ";", r"\d", r"\$", "y"),
    (r"\[", r"\d", r"\d*", ";", r"[\d;]*", "x"),
    # Colours, the clipboard; the window's title and icon.
    *((r"\]", r"\d", r"\d*", ";", _TEXT, *end) for end in (("\x07",), _ST)),
    *((r"\]", "[lL]", _TEXT, *end) for end in (("\x07",), _ST)),
    # Its name, its settings, its checksums.
    ("P", r"[\d>=?!]", r"[\d;]*", "[ -/]*", "[@-~]", r"[^\x1b]*", *_ST),
    # Pictures.
    ("_", "G", r"[^\x1b]*", *_ST),
)
# What Textual itself reads: keys, the mouse, mode reports, in-band sizes.
_READ = (
    (r"\[", "[?<]", r"[\d;:-]*", r"\$?", "[A-Za-z]"),
    (r"\[", r"\d", r"[\d;:]*", "[A-Za-z~]"),
)
# No terminal is known to answer with other strings, but no person types one.
REPLY = re.compile("\x1b(?:" + "|".join(map("".join, _ANSWERS)) + r"|[P_^X][^\x1b]*\x1b\\)")


def _begun(parts: tuple[str, ...]) -> str:
    """What matches each beginning of these parts that is not the whole."""
    pattern = ""
    for part in reversed(parts[:-1]):
        pattern = f"(?:{part}{pattern})?"
    return pattern


# The beginning of a reply, of a key, or of a paste's start, at the end of what was read.
UNFINISHED = re.compile(
    "\x1b(?:" + "|".join(rf"{_begun(one)}\Z" for one in (*_ANSWERS, *_READ)) + ")"
)
UNFINISHED_END = re.compile(r"\x1b(?:\[(?:2(?:01?)?)?)?\Z")
# What a person may have pressed: escape, or alt with a sign or a letter.
PRESSED = re.compile(r"\x1b[\[\]P_]?")
# The same, and what was typed so soon after it that it came at once.
TYPED_ON = re.compile(r"\x1b(?:\][lL]|_G|P[\d>=?!](?!\|))")
# What no person types after one of those, all at once: the rest of a reply, or of what the mouse did.
LATE = re.compile(
    r"\x1b(?:\[(?:[?>=<][\d;-]|\d+;\d)|\]\d+;|P(?:[>!]\||[\d;]+[$+!]))|" + REPLY.pattern
)
LATE_SECONDS = 2.0
"""How long the rest of a reply may come after its beginning: after this, what was typed is typed."""
# Where a terminal was told to, it sends these as one character; nobody types them.
EIGHT_BIT = {code + 0x40: f"\x1b{chr(code)}" for code in b"OPX[\\]^_"}

AFTER_PASTE_SECONDS = 0.05
"""How long after the end of a paste nobody can have typed anything."""


class KeyParser(XTermParser):
    """Turns what the terminal sends into events."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._held = ""
        self._held_since = 0.0
        self._waiting = ""
        """What was held before the piece that is being read."""
        self._pressed = ""
        """What was held for a while and then taken for a key; it may have been a reply's beginning."""
        self._pasted: list[str] | None = None
        self._just_pasted, self._pasted_at = False, 0.0
        self._after = ""
        """What came in the very moment after a paste."""

    def feed(self, data: str) -> Iterable[Message]:
        if not data:  # The end of the input.
            yield from super().feed(data)
            return
        self._waiting, self._held = self._held, ""
        data = self._waiting + data
        pressed, self._pressed = self._pressed, ""
        if pressed and get_time() < self._held_since + LATE_SECONDS and LATE.match(pressed + data):
            data = pressed + data
        if self._after:
            data, self._after = self._after + data, ""
        while data:
            if self._pasted is not None:
                data = yield from self._paste_on(data)
            elif self._just_pasted and get_time() < self._pasted_at + AFTER_PASTE_SECONDS:
                data = yield from self._after_paste(data)
            else:
                self._just_pasted = False
                data = yield from self._typed(data)

    def _typed(self, data: str) -> Generator[Message, None, str]:
        """Take what is typed, up to a paste; the rest."""
        typed, start, rest = data.partition(BRACKETED_PASTE_START)
        typed = typed.translate(EIGHT_BIT)
        if start:
            self._pasted = []
        else:
            typed = self._hold(typed, UNFINISHED)
        if typed := REPLY.sub("", typed):
            yield from super().feed(typed)
        return rest

    def _paste_on(self, data: str) -> Generator[Message, None, str]:
        """Take what is pasted, up to its end; the rest."""
        assert self._pasted is not None
        end = _last_end(data)
        if end < 0:
            self._pasted.append(self._hold(data, UNFINISHED_END))
            return ""
        yield _paste("".join([*self._pasted, data[:end]]))
        self._pasted = None
        self._just_pasted, self._pasted_at = True, get_time()
        return data[end + len(BRACKETED_PASTE_END) :]

    def _after_paste(self, data: str) -> Generator[Message, None, str]:
        """Nobody types in the very moment after a paste: up to another end it is a paste's too, whose text
        had an end in it. The rest, or nothing as long as that may still come."""
        end = _last_end(data)
        self._pasted_at = get_time()
        if end >= 0:
            yield _paste(data[:end])
            return data[end + len(BRACKETED_PASTE_END) :]
        if BRACKETED_PASTE_START in data:
            self._just_pasted = False
            return data
        self._after = data
        return ""

    def tick(self) -> Iterable[Message]:
        """What was held and can only be a key by now; called ten times a second."""
        waited = get_time() - self._held_since if self._held and self._pasted is None else 0.0
        if waited >= constants.ESCAPE_DELAY and PRESSED.fullmatch(self._held):
            self._pressed, self._held = self._held, ""
            # With a bracket or a letter it types nothing: nothing is bound there, and a reply may begin so.
            if self._pressed == "\x1b":
                yield from super().feed(self._pressed)
                # The parser underneath would wait for as long again.
                self._timeout_time = get_time()
        elif waited >= LATE_SECONDS:
            # A reply that was cut off is nothing; a person's words are.
            held, self._held = self._held, ""
            if TYPED_ON.match(held):
                yield from super().feed(held[2:])
        if self._after and get_time() >= self._pasted_at + AFTER_PASTE_SECONDS:
            data, self._after, self._just_pasted = self._after, "", False
            yield from self.feed(data)
        yield from super().tick()

    def _hold(self, data: str, unfinished: re.Pattern[str]) -> str:
        """The data without an unfinished end, which waits for the next piece."""
        tail = unfinished.search(data)
        if tail is None:
            return data
        self._held = tail[0]
        if not self._waiting or tail.start():
            self._held_since = get_time()
        return data[: tail.start()]

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence in ENTERS:
            return [events.Key(ENTERS[sequence], None)]
        return super()._sequence_to_key_events(sequence, alt)


def _last_end(data: str) -> int:
    """Where the last end of a paste is before another begins; -1 where there is none. A text that was
    pasted may have ends in it."""
    start = data.find(BRACKETED_PASTE_START)
    return data.rfind(BRACKETED_PASTE_END, 0, start if start >= 0 else len(data))


def _paste(text: str) -> events.Paste:
    # Windows puts NUL between the characters of a paste.
    return events.Paste(text.replace(BRACKETED_PASTE_END, "").replace("\x00", ""))


def install() -> None:
    """Have every driver read through KeyParser, those loaded already and those to come."""
    _xterm_parser._MAX_SEQUENCE_SEARCH_THRESHOLD = LONGEST_SEQUENCE
    drivers = ("linux_driver", "linux_inline_driver", "web_driver", "win32")
    for name in ("textual._xterm_parser", *(f"textual.drivers.{driver}" for driver in drivers)):
        if name in sys.modules:
            vars(sys.modules[name])["XTermParser"] = KeyParser
