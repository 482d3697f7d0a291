"""A home and a server in which everything that is foreign is hostile: each place says its own mark too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.core.stored import by_hand
from tests.fake_server import Answer, Body, FakeServer
from tests.hostile import deck
from tests.rooms.library import keep, talk

MARKS = (
    "title", "tag", "said", "model", "listed", "reply", "reason", "refused", "top", "file", "about", "error",
)  # fmt: skip
"""What is looked for on the screen, to be sure that the places were shown at all."""


_AT_ONCE = 4
"""Hostile pieces in each text."""


class Foreign:
    """Hostile texts, other ones for another seed; `at` gives one with the mark of a place."""

    def __init__(self, seed: int) -> None:
        self._deck = deck(seed)
        self._said = 0
        self._pieces: Iterator[str] = cycle(self._deck)

    def at(self, place: str) -> str:
        self._said += _AT_ONCE
        return f"[b]M-{place}[/b]{''.join(islice(self._pieces, _AT_ONCE))}"

    def unsaid(self) -> list[str]:
        """The hostile pieces that were not handed out."""
        return self._deck[self._said :]

    def on_disk(self, place: str) -> str:
        """As `at`, of what UTF-8 can hold."""
        return self.at(place).encode("utf-8", "replace").decode().replace("\x00", "\x01")


async def furnish(directory: Path, foreign: Foreign, base_url: str) -> None:
    """Fill `config` in a directory: conversations, settings, presets, with names that are hostile too."""
    config = directory / "config"
    await keep(directory, *(talk(f"question {n}", f"answer {n}") for n in range(3)))
    database = config / "conversations.db"
    for table, columns in {
        "conversation": ("title", "folded", "preset"),
        "message": ("content", "reasoning", "error", "finish_reason", "request_id"),
        "setup": ("model", "system"),
    }.items():
        for column in columns:
            text = foreign.on_disk({"content": "said", "reasoning": "thought"}.get(column, column))
            by_hand(database, f"UPDATE {table} SET {column}=?", given=(text,))
    tags = "INSERT INTO tag(conversation, name) SELECT seq, ? FROM conversation"
    by_hand(database, tags, given=(foreign.on_disk("tag"),))
    (config / "presets").mkdir(exist_ok=True)
    name = foreign.on_disk("file").replace("/", "_")[:60]
    for stem, text in {
        "Good": f"about = {_toml(foreign.on_disk('about'))}\nsystem = {_toml(foreign.on_disk('system'))}",
        "Broken": f"x = {_toml(foreign.on_disk('x'))}\ny =\x1b[2J",
        name: "temperature = 0.5",
    }.items():
        (config / "presets" / f"{stem}.toml").write_text(text, "utf-8", "replace")
    (config / "settings.toml").write_text(
        f"theme = {_toml(foreign.on_disk('theme'))}\n"
        f"{_toml(foreign.on_disk('unknown'))} = 1\n"
        f"[keys]\n{_toml(foreign.on_disk('key'))} = {_toml(foreign.on_disk('binding'))}\n"
        f"[endpoints.lab]\nbase_url = {_toml(base_url)}\ntitle = {_toml(foreign.on_disk('endpoint'))}\n"
        f"[endpoints.{_toml(foreign.on_disk('name'))}]\nbase_url = {_toml(base_url)}\n",
        "utf-8",
    )


def _toml(text: str) -> str:
    # As it is, but for controls: TOML has no pairs of surrogates.
    return json.dumps(text.replace("\x7f", "\x01"), ensure_ascii=False)


def _answers(foreign: Foreign) -> Iterator[Answer]:
    tokens = [foreign.at("reply"), *foreign.at("reply")]
    yield Answer(
        tokens,
        reasoning=[foreign.at("reason")],
        logprobs=[_place(foreign, token) for token in tokens],
        finish=foreign.at("finish"),
        headers={"x-request-id": "M-id\x9b31m\x1b]0;x\x07"},
    )
    error: dict[str, object] = {
        "message": foreign.at("refused"), "type": foreign.at("kind"), "code": foreign.at("code")
    }  # fmt: skip
    while True:
        yield Answer(
            status=400,
            error={"error": error},
            headers={"retry-after": "\x1b[2J", "x-request-id": "\x9b1m"},
        )


def _place(foreign: Foreign, token: str) -> Body:
    top: list[dict[str, Any]] = [{"token": foreign.at("top"), "logprob": -1.0, "bytes": None}]
    return {"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": top}


def hostile_server(foreign: Foreign) -> FakeServer:
    """Answers once, then refuses; what it lists, says and refuses with is hostile."""
    server = FakeServer()
    listed = {"object": foreign.at("object"), "data": [_model(foreign) for _ in range(4)]}
    server.listed = Answer(raw=json.dumps(listed).encode(), content_type="application/json")
    answers = _answers(foreign)
    server.answers = lambda body: next(answers)
    return server


def _model(foreign: Foreign) -> Mapping[str, object]:
    return {
        "id": foreign.at("listed"),
        "owned_by": foreign.at("owner"),
        "name": foreign.at("name"),
        "description": foreign.at("about"),
        "pricing": {"prompt": foreign.at("price")},
    }
