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
    url: str = ""
    """The endpoint's address, when it is one that no settings name."""
    key_env: str = ""
    sidebar: bool = True
    unfolded: bool = False

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
                "url": self.url,
                "key_env": self.key_env,
                "sidebar": self.sidebar,
                "unfolded": self.unfolded,
            }
        )

    @classmethod
    def read(cls, text: str | None) -> Session:
        """The session that was stored; whatever cannot be read is as at a first start."""
        try:
            stored = json.loads(text or "{}")
        except ValueError:
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
            url=word("url"),
            key_env=word("key_env"),
            sidebar=stored.get("sidebar") is not False,
            unfolded=stored.get("unfolded") is True,
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
