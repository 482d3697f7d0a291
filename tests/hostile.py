"""Hostile texts, and a strict reader of what reached a terminal: all in it must be the program's own."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from hypothesis import strategies as st

from tui_chat.core.text import HOSTILE

ESCAPES = (
    "\x1b]0;a title\x07",
    "\x1b]2;a title\x1b\\",
    "\x1b]52;c;aGFja2Vk\x07",
    "\x1b]8;;https://evil.example\x1b\\a link\x1b]8;;\x1b\\",
    "\x1b]9;a notice\x07",
    "\x1b]1337;File=name=eA==:eA==\x07",
    "\x1b[2J\x1b[1;1H",
    "\x1b[31m",
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
    "\x0e\x0f\x05\x07\x00\x7f",
    "overwritten\rtyped over\x08\x08_",
    "\u202egnp.exe\u202c\u2066\u2069\u061c\u200e",
    "\u200b\ufeff\u2060\u2028\u2029",
    "\U000e0041\U000e0042\U000e007f",
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

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -Z\\^-~])")
# What Textual sends with harmless texts: modes on and off, questions, the shape of the pointer.
_OWN = re.compile(
    r"\x1b\[[\d;]*m"
    r"|\x1b\[\d+;\d+H"
    r"|\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1049|2004)[hl]"
    r"|\x1b\[>25u|\x1b\[<u|\x1b\[\?2026\$p|\x1b\[\?2048\$p"
    r"|\x1b\]22;(?:default|pointer|text)\x07"
)
_COPIED = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/]*=*)\x07")


def foreign(raw: bytes | bytearray, *, lines: bool = False) -> list[str]:
    """What reached a terminal and is not the program's own; `lines` without a screen, where nothing but
    line ends, tabs and bold letters are."""
    return list(_foreign(raw.decode("utf-8", "surrogateescape"), lines))


def _foreign(text: str, lines: bool) -> Iterator[str]:
    at = 0
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
        elif _OWN.fullmatch(sequence[0]) is None:
            yield sequence[0]
    yield from _in_words(text[at:], lines)


def _in_copied(code: str) -> Iterator[str]:
    try:
        yield from HOSTILE.findall(base64.b64decode(code, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError):
        yield code


def _in_words(text: str, lines: bool) -> Iterator[str]:
    # The terminal itself writes a line's end as two characters; the screen has them where it is cleared.
    rest = text.replace("\r\n", "")
    if lines:
        rest = rest.replace("\r", "")  # A line that counts.
    yield from HOSTILE.findall(rest)
    if not lines:
        yield from (one for one in rest if one in "\n\t")
