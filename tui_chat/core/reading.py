"""What the token meter shows, as a value."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN_COST = "price unknown"
"""What stands for a cost that the tables do not know."""


@dataclass(frozen=True)
class Reading:
    """The meter's figures; None until they are known."""

    draft: int | None = None
    context: int | None = None
    """Tokens of the next request without the draft: system prompt and thread."""
    exact: bool = True
    """Whether the draft's figure is one, not an estimate; likewise for the others."""
    context_exact: bool = True
    reply: int | None = None
    """Tokens of the reply that arrives, else of the last one of the thread."""
    reply_exact: bool = True
    arriving: bool = False
    """Whether the reply is still arriving, so that `context` is without it."""
    window: int | None = None
    cost: str = ""
    next: str = ""
    """What the next request may cost, in few characters; empty where that is not known, or nothing."""
    next_words: str = ""
    """The same in a sentence."""

    @property
    def total(self) -> int | None:
        """Tokens in the context window, with the draft and all that has arrived."""
        if self.context is None:
            return None
        return self.context + (self.draft or 0) + ((self.reply or 0) if self.arriving else 0)

    @property
    def total_exact(self) -> bool:
        drafted = self.exact or not self.draft
        return self.context_exact and drafted and (self.reply_exact or not self.arriving)
