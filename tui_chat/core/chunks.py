"""From a stream's chunks to tokens: whatever a server leaves out, adds or splits, the texts add up.

Text is cleaned here, where it enters; characters split over chunks or tokens are joined first.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui_chat.core import failures
from tui_chat.core.conversation import Refusal, Status, Token, Usage
from tui_chat.core.errors import ChatError
from tui_chat.core.text import Joiner, one_line

_STATUS: Mapping[str, Status] = {"length": "length", "content_filter": "filtered"}
_MOST_TOKENS = 10**12
"""What a server says beyond this is no count."""
_REASONING = ("reasoning_content", "reasoning")


@dataclass(frozen=True)
class Ending:
    """How a reply ended that did begin."""

    status: Status
    finish_reason: str = ""
    error: str = ""
    """Why it was cut or filtered, for people."""
    usage: Usage = Usage()
    refused: tuple[Refusal, ...] = ()
    request_id: str = ""
    model: str = ""
    """The model that the server says it used."""


class Reader:
    """Takes the chunks of one stream and hands tokens to a sink."""

    def __init__(self, sink: Callable[[Token], None]) -> None:
        self._sink = sink
        self._content = Joiner()
        self._reasoning = Joiner()
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = False
        self._finish = ""
        self._usage = Usage()
        self._model = ""
        self._broken: ChatError | None = None
        self.chunks = 0

    def take(self, chunk: Any) -> None:
        """One chunk as the client library parsed it; any part of it may be missing or of another type."""
        self.chunks += 1
        self._model = self._model or one_line(str(getattr(chunk, "model", None) or ""))
        if usage := getattr(chunk, "usage", None):
            self._usage = usage_from(usage)
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list):
            extra = getattr(chunk, "model_extra", None) or {}
            if words := failures.server_words(extra.get("error") or extra.get("message")):
                self.broke(ChatError(f"The server broke off: {words}", "Try again with F5."))
            return
        if choices:
            self._take_choice(choices[0])

    def _take_choice(self, choice: Any) -> None:
        delta = getattr(choice, "delta", None)
        extra = getattr(delta, "model_extra", None) or {}
        for name in _REASONING:
            if isinstance(extra.get(name), str) and extra[name]:
                self._say(Token(self._reasoning.add(extra[name]), reasoning=True))
                break
        content = getattr(delta, "content", None)
        if isinstance(content, str) and content:
            self._take_content(content, choice)
        if isinstance(reason := getattr(choice, "finish_reason", None), str):
            self._finish = reason

    def _take_content(self, content: str, choice: Any) -> None:
        entries = getattr(getattr(choice, "logprobs", None), "content", None) or []
        pieces = [self._piece(entry) for entry in entries]
        if not pieces or any(piece is None for piece in pieces):
            self._say(Token(self._content.add(content)))
            return
        for entry, piece in zip(entries, pieces, strict=True):
            self._say(Token(self._content.add(piece or ""), entry.logprob, candidates(entry)))

    def _piece(self, entry: Any) -> str | None:
        raw = getattr(entry, "bytes", None)
        return None if raw is None else self._bytes.decode(bytes(raw))

    def _say(self, token: Token) -> None:
        if token.text or token.logprob is not None:
            self._text = self._text or bool(token.text)
            self._sink(token)

    def broke(self, error: ChatError) -> None:
        """The stream broke off; raises the error when nothing had arrived."""
        if not self._text:
            raise error
        self._broken = error

    def ending(self) -> Ending:
        """How it ended, after the last chunk; hands out what was held back."""
        rest = self._bytes.decode(b"", True)
        self._say(Token(self._content.add(rest) + self._content.end()))
        self._say(Token(self._reasoning.end(), reasoning=True))
        if self._broken is not None:
            return Ending("cut", self._finish, str(self._broken), self._usage, model=self._model)
        if not self._finish:
            words = "The answer stopped without an end: the connection was closed early."
            return Ending("cut", "", words, self._usage, model=self._model)
        status = _STATUS.get(self._finish, "complete")
        words = "The server's content filter stopped it." if status == "filtered" else ""
        return Ending(status, one_line(self._finish, 40), words, self._usage, model=self._model)


def candidates(entry: Any) -> tuple[tuple[str, float], ...]:
    """The likeliest tokens at one place, as (text, logprob); bytes of half a character as replacements."""
    found: Sequence[Any] = getattr(entry, "top_logprobs", None) or []
    return tuple(
        (
            bytes(one.bytes).decode("utf-8", "replace") if one.bytes is not None else one.token,
            one.logprob,
        )
        for one in found
    )


def usage_from(usage: Any) -> Usage:
    """The counts that the server sent; odd ones are left out."""

    def figure(holder: Any, name: str) -> int | None:
        value = getattr(holder, name, None)
        return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None

    return Usage(
        figure(usage, "prompt_tokens"),
        figure(usage, "completion_tokens"),
        figure(getattr(usage, "completion_tokens_details", None), "reasoning_tokens"),
        figure(getattr(usage, "prompt_tokens_details", None), "cached_tokens"),
    )
