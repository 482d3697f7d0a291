"""What the chat room remembers between two starts: conversation, setup, preset, and what was unfolded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tui_chat.core.conversation import Setup
from tui_chat.core.params import BY_NAME, Params

KEY = "chat"
"""Under this key the store keeps it."""


@dataclass(frozen=True)
class Session:
    """The room as it was left; any field may be missing in what was stored."""

    conversation: str = ""
    setup: Setup = field(default_factory=Setup)
    preset: str = ""
    servers: tuple[tuple[str, str], ...] = ()
    """URL and key variable of each endpoint that no settings name, for the conversations with them."""
    sidebar: bool = True
    unfolded: bool = False
    looking: Mapping[str, bool] = field(default_factory=dict)
    """The endpoints for which looks at the next token were turned on or off."""
    recorded: tuple[str, ...] = ()
    """The endpoints whose replies are asked for with probabilities."""

    def json(self) -> str:
        setup = self.setup
        return json.dumps(
            {
                "conversation": self.conversation,
                "endpoint": setup.endpoint,
                "model": setup.model,
                "system": setup.system,
                "params": dict(setup.params),
                "preset": self.preset,
                "servers": self.servers,
                "sidebar": self.sidebar,
                "unfolded": self.unfolded,
                "looking": dict(self.looking),
                "recorded": self.recorded,
            }
        )

    @classmethod
    def read(cls, text: str | None) -> Session:
        """The session that was stored; whatever cannot be read is as at a first start."""
        try:
            stored = json.loads(text or "{}")
        except (ValueError, RecursionError):
            stored = {}
        if not isinstance(stored, dict):
            return cls()

        def word(key: str) -> str:
            value = stored.get(key)
            return value if isinstance(value, str) else ""

        return cls(
            conversation=word("conversation"),
            setup=Setup(word("endpoint"), word("model"), word("system"), _params(stored)),
            preset=word("preset"),
            servers=_servers(stored.get("servers")),
            sidebar=stored.get("sidebar") is not False,
            unfolded=stored.get("unfolded") is True,
            looking=_looking(stored.get("looking")),
            recorded=_names(stored.get("recorded")),
        )


def _looking(stored: object) -> Mapping[str, bool]:
    given = stored if isinstance(stored, dict) else {}
    return {name: on for name, on in given.items() if isinstance(on, bool)}


def _names(stored: object) -> tuple[str, ...]:
    given = stored if isinstance(stored, list) else []
    return tuple(name for name in given if isinstance(name, str))


def _servers(stored: object) -> tuple[tuple[str, str], ...]:
    rows = stored if isinstance(stored, list) else []
    return tuple(
        (row[0], row[1])
        for row in rows
        if isinstance(row, list) and len(row) == 2 and all(isinstance(one, str) for one in row)
    )


def _params(stored: Mapping[str, object]) -> Params:
    given = stored.get("params")
    kept = {}
    for name, value in given.items() if isinstance(given, dict) else ():
        try:
            kept[name] = BY_NAME[name].check(value)
        except (KeyError, ValueError):
            continue
    return Params(kept)
