"""Words as searches compare them: without case, accents or width variants; and where they stand in a text.

Every character is folded by itself, whatever stands beside it: so a text and its index agree however the
text was composed, and a place in the folded text leads back to the text as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

VERSION = 1
"""Of the folding: an index made with another one is made again."""

_SINGLE = re.compile(
    # Thai and Lao, Myanmar, Khmer, kana, Han: written without spaces, so each character is a word.
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
WINDOW = 64_000
"""Characters of a long text that are looked at together."""
AROUND = 5_000
"""Characters beside them: more than a query has."""
_DRAWN = range(0x2500, 0x25A0)
"""Lines and blocks that tables are drawn with: nobody looks for them, and there are many."""


class _Folding(dict[int, str]):
    """What each character becomes: letters, a word of its own between spaces, a space, or nothing."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        decomposed = unicodedata.normalize("NFKD", char).casefold()
        self[code] = "".join(map(_folded, unicodedata.normalize("NFKD", decomposed)))
        return self[code]


def _folded(char: str) -> str:
    kind = unicodedata.category(char)
    if char.isascii():
        return char if char.isalnum() else " "
    if unicodedata.combining(char) or kind in ("Cf", "Me") or "\ufe00" <= char <= "\ufe0f":
        return ""
    if _SINGLE.match(char) or (kind in ("So", "Sm", "Sc") and ord(char) not in _DRAWN):
        return f" {char} "
    return char if kind[0] in "LNM" or kind == "Co" else " "


_FOLDING = _Folding()
for _code in range(128):
    _FOLDING[_code]


def normalised(text: str) -> str:
    """The text's words between single or several spaces: what the index holds and a query is compared with.

    ASCII gives as many characters as it has. Each Thai, Lao, Myanmar, Khmer, kana or Han character
    and each symbol is a word.
    """
    return text.translate(_FOLDING)


def in_line(text: str) -> str:
    """The words of a text between single spaces, and one at either end; `Phrase.stands_in` looks here."""
    return f" {' '.join(normalised(text).split())} "


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another; the last may go on when the phrase is not whole."""

    words: tuple[str, ...]
    whole: bool

    @classmethod
    def of(cls, text: str, *, whole: bool = False) -> Phrase | None:
        """The phrase in a typed text; None where it holds no word. One character is a whole word."""
        words = tuple(normalised(text).split())
        return cls(words, whole or len(words[-1]) == 1) if words else None

    def stands_in(self, line: str) -> bool:
        """Whether a line of in_line() has it."""
        return f" {' '.join(self.words)}{' ' if self.whole else ''}" in line

    @property
    def pattern(self) -> str:
        """A regular expression for it in a normalised text."""
        words = " +".join(re.escape(word) for word in self.words)
        return rf"(?<!\S){words}" + (r"(?!\S)" if self.whole else "")


def places(phrases: Iterable[Phrase], text: str) -> Iterator[tuple[int, int]]:
    """Where in a text these stand, one after the other, as (start, end); of a longer word its beginning."""
    pattern = _pattern(phrases)
    return iter(()) if pattern is None else _places(pattern, text)


def first_place(phrases: Iterable[Phrase], text: str) -> tuple[int, int] | None:
    """The first of places(), for texts of megabytes: what has no match is only folded.

    A phrase whose words are farther apart than some thousand characters may be missed.
    """
    phrases = tuple(phrases)
    pattern = _pattern(phrases)
    if pattern is None:
        return None
    for begin in range(0, len(text) or 1, WINDOW):
        # What lies around it tells where words begin and end.
        start = max(0, begin - AROUND)
        window = text[start : begin + WINDOW + AROUND]
        folded = normalised(window)
        # Looking for a text is a hundred times quicker than for a pattern.
        if any(one.words[0] in folded for one in phrases) and pattern.search(folded):
            for first, last in _places(pattern, window):
                if begin <= start + first < begin + WINDOW:
                    return start + first, start + last
    return None


def _pattern(phrases: Iterable[Phrase]) -> re.Pattern[str] | None:
    longest = sorted(phrases, key=lambda one: sum(map(len, one.words)), reverse=True)
    return re.compile("|".join(one.pattern for one in longest)) if longest else None


def _places(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    if text.isascii():
        for match in pattern.finditer(normalised(text)):
            yield match.span()
        return
    pieces = [_FOLDING[code] for code in map(ord, text)]
    ends = list(accumulate(map(len, pieces)))
    for match in pattern.finditer("".join(pieces)):
        # A piece is where its end is the first beyond the place; those without letters are skipped.
        start, last = bisect_right(ends, match.start()), bisect_right(ends, match.end() - 1)
        end = last + 1
        while end < len(pieces) and not pieces[end] and unicodedata.combining(text[end]):
            end += 1  # The accents that belong to the last letter.
        yield start, end
