"""What may reach a terminal or a disk: every foreign text passes clean() once, where it enters.

Cleaning is per character and keeps no state, so a text cut anywhere is cleaned the same
way as the whole; only surrogate halves need the neighbouring piece (see Joiner).
"""

from __future__ import annotations

import re
import unicodedata

# C0 but tab and newline, DEL, C1; what reorders, hides or annotates text; noncharacters, but for those of the upper
# planes, which are drawn as a box and cost every search; what Unicode keeps free to be drawn as nothing; halves of
# surrogate pairs. What a script is spelled with stays although it is invisible: ZWJ and ZWNJ, variation selectors
# (emoji, Japanese names), Mongolian's vowel separator, Hangul's fillers, which take cells as spaces do; and the format
# characters that are seen, such as Arabic's number signs.
HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
_LINE_ENDS = re.compile("\r\n?")
_HALVES = re.compile("[\ud800-\udfff]")


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    if 0 < code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code in (0xAD, 0x200B, 0xFEFF, 0x2060):
        return ""
    if code in (0x2028, 0x2029):
        return "\n"
    return "\ufffd"


def clean(text: str) -> str:
    """The text with nothing in it that could control a terminal or break a file.

    CRLF, CR, U+2028 and U+2029 become newlines; other C0 controls and DEL become their
    visible pictures (ESC is U+241B); NUL, C1, bidi controls, annotations, tag characters,
    noncharacters and lone surrogates become U+FFFD; zero-width space, BOM and soft hyphen vanish.
    Idempotent.
    """
    # What is hostile is never printable, and Python tells that of a whole text nine times as quickly.
    if text.replace("\n", " ").replace("\t", " ").isprintable():
        return text
    text = _LINE_ENDS.sub("\n", text)
    if _HALVES.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return HOSTILE.sub(_visible, text)


def one_line(text: str, limit: int = 200) -> str:
    """The cleaned text on one line, at most `limit` characters, cut with an ellipsis."""
    flat = " ".join(clean(text.lstrip()[: limit * 8]).split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


_SHOWN = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def visible(raw: bytes) -> str:
    """A token as people can see it: white space by its signs, bytes that are no whole character, and what
    would control a terminal, as escapes."""
    text = raw.decode("utf-8", "backslashreplace")
    shown = []
    for character in text:
        if character in _SHOWN:
            shown.append(_SHOWN[character])
        elif HOSTILE.match(character) or character.isspace():
            code = ord(character)
            shown.append(f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
        else:
            shown.append(character)
    return "".join(shown)


class Joiner:
    """Cleans a stream of pieces: holds back what only the next piece can decide.

    A pair of surrogates, or CR LF, may be split over two pieces. `add` returns the cleaned text that
    is decided, `end` the rest.
    """

    def __init__(self) -> None:
        self._held = ""

    def add(self, piece: str) -> str:
        text = self._held + piece
        self._held = ""
        if text and (text[-1] == "\r" or "\ud800" <= text[-1] <= "\udbff"):
            self._held, text = text[-1], text[:-1]
        return clean(text)

    def end(self) -> str:
        held, self._held = self._held, ""
        return clean(held)


def folded(text: str) -> str:
    """The text as searches compare it: without case, accents or width variants."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def counted(number: int, noun: str) -> str:
    """So many of something, in words: `1 hit`, `2,000 branches`."""
    ending = "" if number == 1 else "es" if noun.endswith("ch") else "s"
    return f"{number:,} {noun}{ending}"
