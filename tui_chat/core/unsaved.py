"""What is not on disk although it was to be: who keeps it, and why in a word or two; for a lasting mark."""

from __future__ import annotations

from collections.abc import Callable

from tui_chat.core.errors import ChatError, Gone

NOT_SAVED = "not saved"
ALL_SAVED = "everything is saved"
"""What to say of leaving a run that saves."""


def not_written(what: str) -> ChatError:
    """What to say where a run that writes nothing was to write; `what` was not done, such as “the preset
    was not saved”."""
    words = f"This run writes nothing to disk, so {what}."
    return ChatError(words, "Start without --ephemeral for that.")


def gone() -> Gone:
    """What to say of a conversation that was there when it was read."""
    return Gone(
        "This conversation is no longer there, so nothing was added to it.",
        "Another window deleted it for good; ctrl+p exports what is on the screen.",
        short="deleted elsewhere",
    )


class Unsaved:
    """What was to be written and was not, until it is; for the event loop."""

    def __init__(self) -> None:
        self.saves = True
        """Whether this run saves what is said at all; see forgo()."""
        self._reasons: dict[object, str] = {}
        self._watchers: list[Callable[[], None]] = []

    @property
    def failing(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._reasons)

    @property
    def words(self) -> str:
        """A few words for a line: empty where all is saved, `not saved` where nothing is to be, else why."""
        reason = next((reason for reason in self._reasons.values() if reason), "")
        if reason:
            return f"{NOT_SAVED}: {reason}"
        return NOT_SAVED if self.failing or not self.saves else ""

    @property
    def at_the_end(self) -> str:
        """What to say of leaving this run."""
        return ALL_SAVED if self.saves else "what was said in this run is not saved"

    def forgo(self) -> None:
        """From now on nothing is saved, and that is as it should be."""
        self.saves = False
        self._tell()

    def failed(self, what: object, error: ChatError) -> None:
        """This could not be written, and is still to be."""
        self._reasons[what] = error.short
        self._tell()

    def written(self, what: object) -> None:
        """This waits no more: it was written, or is given up."""
        if self._reasons.pop(what, None) is not None:
            self._tell()

    def watch(self, tell: Callable[[], None]) -> None:
        """Tell this one of each change, until unwatch()."""
        self._watchers.append(tell)

    def unwatch(self, tell: Callable[[], None]) -> None:
        self._watchers.remove(tell)

    def _tell(self) -> None:
        for tell in list(self._watchers):
            tell()
