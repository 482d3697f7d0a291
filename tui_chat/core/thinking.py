"""What a model thinks aloud, told apart from what it says: some servers leave `<think>…</think>` in the reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tui_chat.core.conversation import Token

OPEN, CLOSE = "<think>", "</think>"
_MOST_SPACE = 1_000
"""Characters of white space in a thought that are held back; what is looked at again with each token."""


class Thinking:
    """Passes tokens on, those between the marks at the very beginning of a reply as reasoning.

    Probabilities of a thought's tokens, and of a token that a mark cuts, are not kept.
    """

    def __init__(self, sink: Callable[[Token], None]) -> None:
        self._sink = sink
        self._state = "before"
        self._held: list[Token] = []
        """What came so far and may still turn out to be the first mark."""
        self._start = ""
        """Its text, without the white space before it."""
        self._tail = ""
        """The end of the thought so far, where it may be the beginning of the last mark."""
        self._thought = False

    def take(self, token: Token) -> None:
        """The next token of the reply; one that its server calls reasoning is passed on."""
        if token.reasoning or self._state == "off":
            self._sink(token)
        elif self._state == "before":
            self._begin(token)
        elif self._state == "inside":
            self._think(token.text)
        else:
            self._after(token)

    def _begin(self, token: Token) -> None:
        self._held.append(token)
        self._start = text = (self._start + token.text).lstrip()
        if text.startswith(OPEN):
            self._held.clear()
            self._state = "inside"
            self._think(text[len(OPEN) :])
        elif not OPEN.startswith(text):
            self._flush()
            self._state = "off"

    def _flush(self) -> None:
        for one in self._held:
            self._sink(one)
        self._held.clear()

    def _think(self, text: str) -> None:
        thought, mark, rest = (self._tail + text).partition(CLOSE)
        if mark:
            self._tail = ""
            self._reason(thought.rstrip())
            self._state = "after"
            if rest:
                self._after(Token(rest))
            return
        # White space at its end may be that before the mark.
        open_end = thought[: len(thought) - _may_begin(thought)]
        ready = open_end.rstrip()
        if len(open_end) - len(ready) > _MOST_SPACE:
            ready = open_end
        self._tail = thought[len(ready) :]
        self._reason(ready)

    def _reason(self, text: str) -> None:
        if not self._thought:
            text = text.lstrip()
        if text:
            self._thought = True
            self._sink(Token(text, reasoning=True))

    def _after(self, token: Token) -> None:
        text = token.text.lstrip()
        if text:
            self._state = "off"
            self._sink(token if text == token.text else replace(token, text=text, own=None))

    def end(self) -> None:
        """The reply ended: pass on what was held back."""
        self._flush()
        self._reason(self._tail)
        self._tail = ""


def _may_begin(text: str) -> int:
    """How many characters at the end of the text may be the beginning of the last mark."""
    return next((size for size in range(len(CLOSE) - 1, 0, -1) if text.endswith(CLOSE[:size])), 0)
