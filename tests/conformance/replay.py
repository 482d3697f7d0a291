"""Answers written down from the documents of servers, and what the program must make of each.

A file has a head in TOML and then, each after a line `=== ANSWER ===`, the answers to one request after the
other, from the status line on: sent byte for byte, but that the lines of their heads end as HTTP wants it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.fake_server import Answer, Body, FakeServer
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint

DIRECTORY = Path(__file__).with_name("replays")
FILES = sorted(DIRECTORY.glob("*.http"))
MARK = b"=== ANSWER ===\n"


@dataclass(frozen=True)
class Expected:
    """What must come out; what is not said is not looked at, but that nothing may fail unsaid."""

    text: str = ""
    reasoning: str = ""
    status: str = "complete"
    finish: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    """Counts by their names in Usage; those that are not named must be unknown."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Each parameter that was refused, and what its words hold."""
    sent_as: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, object] = field(default_factory=dict)
    """Fields of the last request."""
    unsent: list[str] = field(default_factory=list)
    """Fields that the last request must not have."""
    logprobs: list[float] = field(default_factory=list)
    bytes: list[list[int]] = field(default_factory=list)
    """What each token with a probability is made of."""
    fails: list[str] = field(default_factory=list)
    """What the error in place of a reply says, with its hint."""
    says: list[str] = field(default_factory=list)
    """What the words at the end of a reply that was cut or filtered hold."""
    silent_on: list[str] = field(default_factory=list)
    """What no words may hold."""
    models: list[str] = field(default_factory=list)
    context: Mapping[str, int] = field(default_factory=dict)
    request_id: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class Replay:
    """One file."""

    source: str
    """The documents that it was written from."""
    answers: list[bytes]
    expect: Expected
    endpoint: str = ""
    """The name of the known endpoint that it is of; empty for one of which nothing is known."""
    asks: str = "chat"
    """What is asked for: a chat, a completion, or the list of models."""
    model: str = "m-1"
    params: Mapping[str, object] = field(default_factory=dict)
    logprobs: int = 0

    def placed(self, base_url: str) -> Endpoint:
        """Its endpoint, at this address."""
        if not self.endpoint:
            return Endpoint("server", base_url, key_env="SERVER_KEY")
        found = next(one for one in known_endpoints() if one.name == self.endpoint)
        return replace(found, base_url=base_url)

    def serve(self, server: FakeServer) -> None:
        """Have a server give the answers, one after the other."""
        left = iter(self.answers)

        def answer(_: Body) -> Answer:
            return Answer(wire=next(left))

        server.answers = answer
        server.listed = Answer(wire=self.answers[0])


def read(path: Path) -> Replay:
    """A file; TypeError for a word in its head that means nothing."""
    head, *answers = path.read_bytes().split(MARK)
    table: dict[str, Any] = tomllib.loads(head.decode())
    expect = Expected(**table.pop("expect"))
    return Replay(answers=[_as_http(answer) for answer in answers], expect=expect, **table)


def _as_http(answer: bytes) -> bytes:
    head, blank, body = answer.partition(b"\n\n")
    assert blank, "a head ends with an empty line"
    return head.replace(b"\n", b"\r\n") + b"\r\nconnection: close\r\n\r\n" + body
