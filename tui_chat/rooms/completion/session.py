"""What the completion room remembers between two starts: which text is open, and where the cursor stands."""

from __future__ import annotations

import json
from dataclasses import dataclass

KEY = "completion"
"""Under this key the store keeps it."""
UNSAVED = "completion.text"
"""Under this key the store keeps a text that was not continued yet."""


@dataclass(frozen=True)
class Session:
    """The room as it was left; any field may be missing in what was stored."""

    conversation: str = ""
    cursor: int = -1
    """In characters; less than 0 for the end."""

    def json(self) -> str:
        return json.dumps({"conversation": self.conversation, "cursor": self.cursor})

    @classmethod
    def read(cls, text: str | None) -> Session:
        """The session that was stored; whatever cannot be read is as at a first start."""
        try:
            stored = json.loads(text or "{}")
        except (ValueError, RecursionError):
            return cls()
        if not isinstance(stored, dict):
            return cls()
        conversation, cursor = stored.get("conversation"), stored.get("cursor")
        return cls(
            conversation if isinstance(conversation, str) else "",
            cursor if isinstance(cursor, int) else -1,
        )
