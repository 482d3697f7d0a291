"""What the token meter shows, as a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """The meter's figures; None until they are known."""

    draft: int | None = None
    context: int | None = None
    """Tokens of the next request without the draft: system prompt and thread."""
    exact: bool = True
    window: int | None = None
    cost: str = ""
