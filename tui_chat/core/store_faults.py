"""What can be wrong with conversations.db, each in its own sentence with what can be done about it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tui_chat.core.errors import ChatError
from tui_chat.core.text import one_line

Kind = Literal[
    "busy", "full", "barred", "io", "damaged", "empty", "no file", "foreign", "newer", "unknown"
]
REPAIR = "tui-chat doctor --repair"
_SHORT: dict[Kind, str] = {
    "busy": "locked",
    "full": "disk full",
    "barred": "read-only",
    "io": "disk error",
    "damaged": "damaged",
    "empty": "damaged",
    "no file": "damaged",
    "foreign": "not ours",
    "newer": "newer version",
    "unknown": "disk error",
}
MENDED: frozenset[Kind] = frozenset(("damaged", "empty", "no file"))
"""What a repair helps with: what is in the way is renamed, and a sound database put in its place."""


class StoreFault(ChatError):
    """Why the saved conversations cannot be opened, read or written now."""

    def __init__(self, kind: Kind, message: str, hint: str = "") -> None:
        super().__init__(message, hint, short=_SHORT[kind])
        self.kind = kind

    @property
    def can_be_repaired(self) -> bool:
        return self.kind in MENDED


def named(path: Path) -> str:
    return one_line(str(path), 400)


def busy() -> StoreFault:
    return StoreFault(
        "busy",
        "Another window is writing to the saved conversations.",
        "Try again in a moment.",
    )


def full() -> StoreFault:
    return StoreFault(
        "full",
        "The disk is full, so this was not saved.",
        "Free some space, or export it elsewhere: ctrl+p; what is on the screen stays.",
    )


def barred(path: Path) -> StoreFault:
    return StoreFault(
        "barred",
        f"{named(path)} cannot be written to.",
        "Look at its permissions, or use another directory.",
    )


def io(path: Path) -> StoreFault:
    return StoreFault(
        "io",
        f"The disk did not do what was asked of it for {named(path)}, so this was not saved.",
        "What is on the screen stays; look at the disk.",
    )


def unread(path: Path) -> StoreFault:
    return StoreFault(
        "io",
        f"The disk failed to read {named(path)}.",
        "Nothing was changed. Look at the disk, and copy what you can of it to another one; then try again.",
    )


def damaged(path: Path) -> StoreFault:
    return StoreFault(
        "damaged",
        f"{named(path)} is damaged.",
        f"It was not changed. {REPAIR} shows ways out of this.",
    )


def no_database(path: Path) -> StoreFault:
    return StoreFault(
        "damaged",
        f"{named(path)} is no database, or its beginning is damaged.",
        f"It was not changed. {REPAIR} shows ways out of this.",
    )


def unreadable(path: Path) -> StoreFault:
    return StoreFault(
        "damaged",
        f"Nothing could be read of {named(path)}.",
        "It was not changed. A backup may have what was in it.",
    )


def emptied(path: Path) -> StoreFault:
    return StoreFault(
        "empty",
        f"{named(path)} has no bytes in it, though there are backups of it.",
        f"It was not changed. {REPAIR} brings a backup back.",
    )


def left_empty(path: Path) -> str:
    """What to tell a person of a file that would else become a new database silently."""
    return (
        f"{named(path)} had no bytes in it, and there is no backup: what was in it, if anything was, is gone, and"
        " new conversations are saved there now."
    )


def no_file(path: Path) -> StoreFault:
    what = "a directory, not the saved conversations" if path.is_dir() else "not a file"
    return StoreFault(
        "no file", f"{named(path)} is {what}.", f"Move it away, or let {REPAIR} do that."
    )


def foreign(path: Path) -> StoreFault:
    return StoreFault(
        "foreign",
        f"{named(path)} belongs to another program.",
        "Move it away, or use another directory.",
    )


def newer(path: Path, version: int, known: int) -> StoreFault:
    return StoreFault(
        "newer",
        f"{named(path)} was made by a newer tui-chat (version {version}, this one knows {known}).",
        "Use that one; nothing was changed.",
    )


def unknown(path: Path, words: str) -> StoreFault:
    return StoreFault(
        "unknown",
        f"The saved conversations at {named(path)} cannot be used: {one_line(words, 200)}.",
        "tui-chat doctor says more.",
    )


def closed() -> StoreFault:
    return StoreFault("busy", "The saved conversations are closed already.")


def repairing() -> StoreFault:
    return StoreFault(
        "busy",
        "The saved conversations are being repaired in another window.",
        "Try again in a moment.",
    )
