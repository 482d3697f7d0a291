"""Hostile texts, and a strict reader of what reached a terminal: all in it must be the program's own."""

from __future__ import annotations

import base64
import binascii
import random
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator

from hypothesis import strategies as st

ESCAPES = (
    "\x1b]0;a title\x07",
    "\x1b]2;a title\x1b\\",
    "\x1b]52;c;aGFja2Vk\x07",
    "\x1b]8;;https://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]9;a notice\x07",
    "\x1b]1337;File=name=eA==:eA==\x07",
    "\x1b[2J\x1b[1;1H",
    "\x1b[31m",
    "\x1b[38;2;1;2;3m",
    "\x1b[5m\x1b[8m",
    "\x1b[?1049l\x1b[?25l",
    "\x1b[21t\x1b[6n\x1b[c",
    '\x1bP$q"p\x1b\\',
    "\x1b_Gf=24;AAAA\x1b\\",
    "\x1b^secret\x1b\\",
    "\x1bc",
    "\x1b(0",
    "\x1b",
    "\x1b[",
    "\x1b]52;c;",
    "\x9b31m",
    "\x9d0;a title\x9c",
    "\x90q\x9c",
    "\x9b?1049l\x1b[?1000;1003l",
    "\x0e\x0f\x05\x07\x00\x7f",
    "overwritten\rtyped over\x08\x08_",
    "\u202egnp.exe\u202c\u2066\u2069\u061c\u200e",
    "\u200b\ufeff\u2060\u2028\u2029\u00ad",
    "\u206a\u206f\ufff9words\ufffaabove\ufffb\ufffe\ufdd0",
    "\U0001d173\U0001bca0\U000e0041\U000e0042\U000e007f",
)
MARKUP = (
    "[/]",
    "[red]",
    "[@click=app.quit]quit[/]",
    "[link=https://evil.example]a[/link]",
    "[$error on $success]",
    "\\[b]",
    "&#27;[31m&#x9b;1m&#13;&#x202e;",
    "![picture](https://evil.example/x.png)",
    "[words](https://evil.example/\x1b]0;x\x07)",
    "<img src=x><script>",
    "| a | b |\n|--|\n| \x1b[1m",
    "```\x1b]0;lang\x07\ncode\x1b[2J\n",
    "$(reboot)`reboot`%n%s{0.__class__}",
)
_PIECES = st.one_of(
    st.sampled_from(ESCAPES),
    st.sampled_from(MARKUP),
    st.text(st.characters(max_codepoint=0x9F), max_size=6),
    st.text(max_size=6),
    st.sampled_from(("\ud83d", "\udc00", "👩‍👩‍👧", "漢字", "é", "  ", "\n", "\t")),
)
TEXTS = st.lists(_PIECES, min_size=1, max_size=5).map("".join)
"""Texts that try to do something to a terminal, or to what draws them."""


def deck(seed: int) -> list[str]:
    """All hostile pieces and as many random texts, shuffled; the same for the same seed."""
    chance = random.Random(seed)
    tops = (0x9F, 0x2FFF, sys.maxunicode)
    mixed = [
        "".join(chr(chance.randint(0, chance.choice(tops))) for _ in range(chance.randint(1, 6)))
        for _ in range(len(ESCAPES))
    ]
    pieces = [*ESCAPES, *MARKUP, *mixed]
    chance.shuffle(pieces)
    return pieces


# By their classes in Unicode, not by what the program knows of them.
_SPELLING = "\u200c\u200d\u180e"
"""Joiners and a separator without which some scripts cannot be written."""
_MARKS = "\u061c\u200e"
_UNDRAWN = {0x2065, *range(0xFFF0, 0xFFF9), *range(0xE_0000, 0xE_1000)}
"""Places that no character has yet, and that are to be drawn as nothing (Other_Default_Ignorable_Code_Point)."""
_PLANES = (*range(0x2_0000), *range(0xE_0000, 0xE_1000))
"""Where there are characters of these classes."""


def _is_hostile(character: str) -> bool:
    """Controls, ends of lines and paragraphs, halves of pairs, noncharacters, and what formats unseen: a format
    character that is seen, such as a number sign, has a direction, as letters and numbers have."""
    kind = unicodedata.category(character)
    if kind == "Cf":
        seen = unicodedata.bidirectional(character) in ("L", "AL", "AN")
        return character in _MARKS or not (seen or character in _SPELLING)
    if kind == "Cn":
        nowhere = "\ufdd0" <= character <= "\ufdef" or character in "\ufffe\uffff"
        return nowhere or ord(character) in _UNDRAWN
    return kind in ("Cc", "Cs", "Zl", "Zp") and character not in "\t\n"


HOSTILE = frozenset(filter(_is_hostile, map(chr, _PLANES)))
"""Each character that does something to a terminal, or to the words around it, unseen."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -Z\\^-~])")
# What Textual sends with harmless texts. Each of its styles has a background out of 256 colours, and no other colour;
# nothing that blinks or hides.
_OWN = re.compile(
    r"\x1b\[(?:0|(?:[123479];)*(?:38;5;\d+;)?48;5;\d+)m"
    r"|\x1b\[\d+;\d+H"
    r"|\x1b\]22;(?:default|pointer|text)\x07"
)
# Modes on and off, and questions, with how often it sends them; the shape of the pointer.
_OFTEN = {
    **{f"\x1b[?{mode}{way}": 2 for mode in (1000, 1003, 1006, 1015) for way in "hl"},
    **{f"\x1b[?{mode}{way}": 1 for mode in (7, 25, 1004, 1049, 2004) for way in "hl"},
    **dict.fromkeys(("\x1b[>25u", "\x1b[<u", "\x1b[?2026$p", "\x1b[?2048$p"), 1),
}
_COPIED = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/]*=*)\x07")


def foreign(raw: bytes | bytearray, *, lines: bool = False) -> list[str]:
    """What reached a terminal and is not the program's own; `lines` without a screen, where nothing but
    line ends, tabs and bold letters are."""
    return list(_foreign(raw.decode("utf-8", "surrogateescape"), lines))


def _foreign(text: str, lines: bool) -> Iterator[str]:
    at = 0
    sent: Counter[str] = Counter()
    while (start := text.find("\x1b", at)) >= 0:
        yield from _in_words(text[at:start], lines)
        sequence = _SEQUENCE.match(text, start)
        if sequence is None:
            yield text[start : start + 20]
            at = start + 1
            continue
        at = sequence.end()
        copied = _COPIED.fullmatch(sequence[0])
        if lines:
            if sequence[0] not in ("\x1b[1m", "\x1b[0m"):
                yield sequence[0]
        elif copied is not None:
            yield from _in_copied(copied[1])
        elif sequence[0] in _OFTEN:
            sent[sequence[0]] += 1
        elif _OWN.fullmatch(sequence[0]) is None:
            yield sequence[0]
    yield from (one for one, times in sent.items() if times > _OFTEN[one])
    yield from _in_words(text[at:], lines)


def _in_copied(code: str) -> Iterator[str]:
    try:
        text = base64.b64decode(code, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        yield code
        return
    # Nobody copies this in the program: it comes out of a hostile text.
    yield from [text] if text == "hacked" else _in_text(text)


def _in_text(text: str) -> Iterator[str]:
    if not HOSTILE.isdisjoint(text):
        yield from (one for one in text if one in HOSTILE)


def _in_words(text: str, lines: bool) -> Iterator[str]:
    # The terminal itself writes a line's end as two characters; the screen has them where it is cleared.
    rest = text.replace("\r\n", "")
    if lines:
        rest = rest.replace("\r", "")  # A line that counts.
    yield from _in_text(rest)
    if not lines:
        yield from (one for one in rest if one in "\n\t")
