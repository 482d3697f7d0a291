"""Large pastes as attachments: one short chip in the document, the whole text when it is sent.

A chip is known by its exact label, whose spaces are no-break spaces. Foreign text that looks like a
label gets plain spaces before it enters, so only the prompt itself ever makes a chip.
"""

from __future__ import annotations

import re

# TextArea wraps and draws a line as a whole on every key: 13 ms for 10 KB in lines, 200 ms for one
# line of 100 KB.
LARGE = 8_192
"""Characters above which a text becomes an attachment."""
LONG_LINE = 2_048
"""Characters above which a single line makes its text an attachment."""

_SPACE = "\u00a0"
_LOOKS_LIKE_A_LABEL = re.compile(rf"\[pasted{_SPACE}[^]]*]")


EDITABLE = 100_000
"""As LARGE, for a text that is brought into the prompt to be changed: 17 ms a key."""
EDITABLE_LINE = 8_192


def is_large(text: str, *, editable: bool = False) -> bool:
    """Whether the text would slow the prompt down, or for one that is to be edited, very much so."""
    most, longest = (EDITABLE, EDITABLE_LINE) if editable else (LARGE, LONG_LINE)
    return len(text) > most or any(len(line) > longest for line in text.split("\n"))


def size(count: int) -> str:
    """So many bytes, in words."""
    if count < 1_000:
        return f"{count} B"
    if count < 999_950:
        return f"{count / 1_000:.1f} KB"
    return f"{count / 1_000_000:,.1f} MB"


class Attachments:
    """The attachments of one prompt: which label stands for which text.

    Nothing is forgotten before the prompt is gone, because undo and recalled prompts may bring
    any label back.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._labels: re.Pattern[str] | None = None

    def entered(self, text: str, *, editable: bool = False) -> str:
        """What clean foreign text becomes in the document: itself, or the label of an attachment."""
        if is_large(text, editable=editable):
            return self._attach(text)
        return _LOOKS_LIKE_A_LABEL.sub(lambda found: found[0].replace(_SPACE, " "), text)

    def _attach(self, text: str) -> str:
        lines = text.count("\n") + (not text.endswith("\n"))
        facts = f"{size(len(text.encode()))} · {lines:,} {'line' if lines == 1 else 'lines'}"
        label = self._label(facts)
        number = 1
        while self._texts.get(label, text) != text:
            number += 1
            label = self._label(f"{facts} #{number}")
        self._texts[label] = text
        self._labels = None
        return label

    @staticmethod
    def _label(facts: str) -> str:
        return f"[pasted {facts}]".replace(" ", _SPACE)

    def _pattern(self) -> re.Pattern[str]:
        if self._labels is None:
            self._labels = re.compile("|".join(map(re.escape, self._texts)))
        return self._labels

    def expanded(self, document: str) -> str:
        """The document with every chip replaced by its text."""
        if not self._texts or _SPACE not in document:
            return document
        if document in self._texts:
            return self._texts[document]  # The very text: a copy would be one more for each draft.
        return self._pattern().sub(lambda chip: self._texts[chip[0]], document)

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Where chips stand in a line of the document, as (start, end) columns."""
        if not self._texts or _SPACE not in line:
            return []
        return [chip.span() for chip in self._pattern().finditer(line)]
