"""From a stream's chunks to tokens: whatever a server leaves out, adds or splits, the texts add up.

Text is cleaned here, where it enters; characters split over chunks or tokens are joined first.
"""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from tui_chat.core import failures
from tui_chat.core.candidates import Candidate, Candidates
from tui_chat.core.conversation import Refusal, Status, Token, Usage
from tui_chat.core.errors import ChatError
from tui_chat.core.text import Joiner
from tui_chat.core.thinking import Thinking

_STATUS: Mapping[str, Status] = {"length": "length", "content_filter": "filtered"}
_BROKEN_OFF = ("error", "insufficient_system_resource", "abort")
"""The reasons of an end that is none: OpenRouter's for a provider that failed, DeepSeek's, vLLM's."""
_MOST_TOKENS = 10**12
"""What a server says beyond this is no count."""
_MOST_LOGPROB = 9000.0
"""OpenAI gives -9999 for a token that is not among those it tells of: what is beyond this, or NaN, is none."""
_AS_BYTES = re.compile(r"bytes:(\\x[0-9a-f]{2})+")
"""How OpenAI's completions write a token that is no text."""
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


@dataclass(frozen=True)
class Told:
    """One token's bytes, its logprob, and the candidates at its place."""

    raw: bytes = b""
    logprob: float | None = None
    top: Sequence[Candidate] = ()


class Clock:
    """Passes tokens on, and knows when the first text came; seconds on a monotonic clock."""

    def __init__(self, sink: Callable[[Token], None]) -> None:
        self._sink = sink
        self._began = time.monotonic()
        self.first: float | None = None

    def take(self, tokens: list[Token]) -> None:
        """Pass all of these on; the list is empty then."""
        for token in tokens:
            if self.first is None and token.text:
                self.first = self.elapsed
            self._sink(token)
        tokens.clear()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._began


def finished(ending: Ending, key: str, headers: Mapping[str, str], clock: Clock) -> Ending:
    """The ending with what only the request knows: its id and how long it took."""
    request_id = headers.get("x-request-id", "")
    return replace(
        ending,
        error=failures.redacted(ending.error, key),
        usage=replace(ending.usage, seconds=clock.elapsed, first_token_seconds=clock.first),
        request_id=failures.quoted(request_id, key, 100),
    )


class Reader:
    """Takes the chunks of one stream and hands tokens to a sink."""

    def __init__(
        self, sink: Callable[[Token], None], *, thinks: bool = False, key: str = ""
    ) -> None:
        """`thinks`: whether what stands in marks at the beginning is what the model thinks; see Thinking.
        `key` is what no words but those of the reply may repeat."""
        self._key = key
        self._thinking = Thinking(sink) if thinks else None
        self._sink = self._thinking.take if self._thinking else sink
        self._content = Joiner()
        self._reasoning = Joiner()
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._owed = False
        self._text = False
        self._finish = ""
        self._usage = Usage()
        self._model = ""
        self._broken: ChatError | None = None
        self.chunks = 0

    def take(self, chunk: Any) -> None:
        """One chunk, parsed; any part of it may be missing or of another type."""
        self.chunks += 1
        self._model = self._model or self._quoted(_of(chunk, "model"), 200)
        if usage := _of(chunk, "usage"):
            self._usage = usage_from(usage)
        choices = _of(chunk, "choices")
        if not isinstance(choices, list):
            said = _of(chunk, "error") or _of(chunk, "message")
            if words := failures.server_words(said, self._key):
                self.broke(ChatError(f"The server broke off: {words}", "Try again with F5."))
            return
        # One is asked for; a server that sends more sends them in turns, told apart by their index.
        first = next((one for one in choices if _of(one, "index") in (0, None)), None)
        if first is not None:
            self._take_choice(first)

    def _quoted(self, value: object, limit: int) -> str:
        return failures.quoted(str(value), self._key, limit) if value else ""

    def _take_choice(self, choice: Any) -> None:
        delta = _of(choice, "delta")
        given = (_of(delta, name) for name in _REASONING)
        thought = next((one for one in given if isinstance(one, str) and one), "")
        if thought:
            self._say(Token(self._reasoning.add(thought), reasoning=True))
        content = _of(choice, "text") if delta is None else _words(delta)
        told = places(choice)
        if content is None and told:
            content = ""  # A part of a character may come without text.
        # Probabilities beside a thought alone are the thought's.
        if isinstance(content, str) and (content or not thought):
            self._take_content(content, told)
        if isinstance(reason := _of(choice, "finish_reason"), str):
            self._finish = reason

    def _take_content(self, content: str, places: Sequence[Told]) -> None:
        before = self._bytes.getstate()
        pieces = [self._bytes.decode(place.raw) for place in places]
        # Servers give half a character as U+FFFD, or not before it is whole.
        marked = b"".join(place.raw for place in places).decode("utf-8", "replace")
        as_marks = "\ufffd" in content and _marked(marked) == _marked(content)
        if places and (as_marks or "".join(pieces) == content):
            self._owed = bool(self._bytes.getstate()[0]) and (as_marks or self._owed)
            for place, piece in zip(places, pieces, strict=True):
                self._say(_token(self._content.add(piece), place))
        elif not content:
            self._bytes.setstate(before)
        else:
            # The content is the reply. Text that was held back comes with its last token's bytes.
            told = places[0] if len(places) == 1 else Told()
            text = self._content.add(self._rest() + content)
            self._say(Token(text, told.logprob, told.top))

    def _rest(self) -> str:
        """Forgets the bytes of half a character; U+FFFD when the server had shown it so."""
        owed, self._owed = self._owed, False
        self._bytes.reset()
        return "\ufffd" if owed else ""

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
        """How it ended, after the last chunk; hands out what was held back. ChatError when nothing came."""
        self._say(Token(self._content.add(self._rest()) + self._content.end()))
        self._say(Token(self._reasoning.end(), reasoning=True))
        if self._thinking is not None:
            self._thinking.end()
        # A connection that breaks after the finish reason takes nothing away.
        if self._broken is not None and not self._finish:
            return Ending("cut", self._finish, str(self._broken), self._usage, model=self._model)
        if not self._finish:
            error = ChatError(
                "The answer stopped without an end: the connection was closed early.", "Try again."
            )
            if not self._text:
                raise error
            return Ending("cut", "", str(error), self._usage, model=self._model)
        if self._finish in _BROKEN_OFF:
            words = f"The server broke it off ({self._finish})."
            if not self._text:
                raise ChatError(words, "Try again.")
            return Ending("cut", self._finish, words, self._usage, model=self._model)
        status = _STATUS.get(self._finish, "complete")
        words = (
            "The server's content filter stopped it. Put it in other words."
            if status == "filtered"
            else ""
        )
        reason = self._quoted(self._finish, 40)
        return Ending(status, reason, words, self._usage, model=self._model)


def _words(delta: Any) -> object:
    """The content, and what a model that refuses to answer says in place of one."""
    content, refusal = _of(delta, "content"), _of(delta, "refusal")
    if not isinstance(refusal, str):
        return content
    return content + refusal if isinstance(content, str) else refusal or content


def places(choice: Any) -> tuple[Told, ...]:
    """The tokens that a choice gives probabilities for; odd ones without."""
    given = _of(choice, "logprobs")
    entries = _of(given, "content")
    if isinstance(entries, list):
        return tuple(Told(_raw(entry), _logprob(entry), candidates(entry)) for entry in entries)
    return tuple(_side_by_side(given))


def _of(entry: Any, name: str) -> Any:
    """A field of what was parsed; None where that has no fields."""
    return entry.get(name) if isinstance(entry, dict) else None


def _side_by_side(given: Any) -> Iterator[Told]:
    """The shape that completions have: lists of tokens, of logprobs and of candidates."""
    tokens, logprobs, tops = (
        one if isinstance(one := _of(given, name), list) else []
        for name in ("tokens", "token_logprobs", "top_logprobs")
    )
    for token, logprob, top in zip_longest(tokens, logprobs[: len(tokens)], tops[: len(tokens)]):
        told = {"token": token, "logprob": logprob}
        rows = top.items() if isinstance(top, Mapping) else ()
        more = [{"token": other, "logprob": value} for other, value in rows]
        yield Told(_raw(told), _logprob(told), candidates({"top_logprobs": more}))


def _raw(entry: Any) -> bytes:
    """A token's bytes; where a server gives none, those of its text."""
    given = _of(entry, "bytes")
    if isinstance(given, list):
        try:
            return bytes(given)
        except (TypeError, ValueError):
            pass  # No bytes.
    token = _of(entry, "token")
    if not isinstance(token, str):
        return b""
    if _AS_BYTES.fullmatch(token):
        return bytes(int(code, 16) for code in token[len("bytes:") :].split("\\x")[1:])
    return token.encode("utf-8", "surrogatepass")


def _logprob(entry: Any) -> float | None:
    value = _of(entry, "logprob")
    if type(value) is float:
        return value if abs(value) < _MOST_LOGPROB else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _MOST_LOGPROB else None


def candidates(entry: Any) -> Sequence[Candidate]:
    """The likeliest tokens at one place, likeliest first."""
    given = _of(entry, "top_logprobs")
    found = [
        (_raw(one), logprob)
        for one in (given if isinstance(given, list) else ())
        if (logprob := _logprob(one)) is not None
    ]
    return Candidates(sorted(found, key=_unlikely)) if found else ()


def _unlikely(one: tuple[bytes, float]) -> float:
    return -one[1]


def _token(text: str, place: Told) -> Token:
    own = None if not place.raw or place.raw == text.encode() else place.raw
    return Token(text, place.logprob, place.top, own=own)


def _marked(text: str) -> str:
    """The text with one mark for each run of broken bytes, which decoders count differently."""
    return re.sub("\ufffd+", "\ufffd", text)


def usage_from(usage: Any) -> Usage:
    """The counts that the server sent; odd ones are left out."""

    def figure(holder: Any, name: str) -> int | None:
        value = _of(holder, name)
        return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None

    cached = figure(_of(usage, "prompt_tokens_details"), "cached_tokens")
    return Usage(
        figure(usage, "prompt_tokens"),
        figure(usage, "completion_tokens"),
        figure(_of(usage, "completion_tokens_details"), "reasoning_tokens"),
        cached if cached is not None else figure(usage, "prompt_cache_hit_tokens"),  # DeepSeek
    )
