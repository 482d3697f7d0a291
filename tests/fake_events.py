"""The events of a stream as servers of the OpenAI API send them, of chats and of completions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

Body = dict[str, Any]


class Events:
    """Writes the events of one stream, in the shape of chats or of completions."""

    def __init__(self, writer: asyncio.StreamWriter, body: Body, make: Callable[..., Body]) -> None:
        self.writer = writer
        self._make = make
        self._frame = {"id": "c1", "created": 1, "model": body.get("model", "")}

    def send(
        self, piece: str | None, *, name: str = "content", logprobs: Body | None = None
    ) -> None:
        self._event(self._make(piece, name, logprobs))

    def end(self, reason: str) -> None:
        self._event(self._make("", "content", None), reason)

    def usage(self, counts: Body) -> None:
        self._write(self._frame | {"choices": [], "usage": counts})

    def _event(self, choice: Body, reason: str | None = None) -> None:
        choice = {"index": 0, "finish_reason": reason} | choice
        self._write(self._frame | {"choices": [choice]})

    def _write(self, event: Body) -> None:
        put_chunk(self.writer, b"data: " + json.dumps(event).encode() + b"\n\n")


def chat_event(piece: str | None, name: str, logprobs: Body | None) -> Body:
    if piece is None:
        return {"delta": {"role": "assistant", "content": None}}
    choice: Body = {"delta": {name: piece} if piece else {}}
    if logprobs is not None:
        choice["logprobs"] = {"content": [logprobs]}
    return choice


def text_event(piece: str | None, name: str, logprobs: Body | None) -> Body:
    """Legacy completions: the text itself, and logprobs as lists side by side."""
    choice: Body = {"text": piece or "" if name == "content" else "", "logprobs": None}
    if logprobs is not None:
        choice["logprobs"] = {
            "tokens": [logprobs["token"]],
            "token_logprobs": [logprobs["logprob"]],
            "top_logprobs": [{one["token"]: one["logprob"] for one in logprobs["top_logprobs"]}],
        }
    return choice


def put_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
