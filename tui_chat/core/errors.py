"""The one exception a person reads: what happened, and what can be done about it."""

from __future__ import annotations


class ChatError(Exception):
    """Something in the world went wrong, said in a person's words.

    `message` says what happened, with its figure or place, and ends with a full stop;
    `hint` says what can be done now ("" when there is nothing to add). Neither ever
    holds a key. Foreign words inside them are cleaned by whoever raises.
    """

    status: int = 0
    """The status code with which a server refused, where it matters to whoever asked; else 0."""

    def __init__(self, message: str, hint: str = "", *, short: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.short = short
        """Why, in a word or two where a line has to do, such as “disk full”; empty where nobody needs it."""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class Gone(ChatError):
    """What was to be added to is not there any more: trying again would not help."""
