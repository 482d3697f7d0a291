"""Copying in the app: one way for all that is copied, which says what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from textual.app import App

from tui_chat.core.errors import ChatError
from tui_chat.core.files import Places
from tui_chat.core.text import clean, one_line

if TYPE_CHECKING:
    from tui_chat.core.clipboard import Copied

_CLEANED_AT_ONCE = 200_000
"""Characters; cleaning more is felt, and is for a thread."""
NEITHER = "Neither the terminal nor a program here can put it on the clipboard"


class CopyingApp(App[None]):
    """An app in which what widgets copy goes the same way. Its environment, its places and whether it writes are
    for subclasses to say."""

    places: Places
    ephemeral: bool
    """Whether nothing is written to disk."""

    def __init__(self) -> None:
        super().__init__()
        self.copying = asyncio.Lock()
        """What is copied last is on the clipboard in the end."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment for the programs that copy, edit and browse: without keys."""
        raise NotImplementedError

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        # Deferred: it starts other programs, which the first paint does not need.
        from tui_chat.widgets.browsing import browse

        # Textual's own hands the browser all that we have, keys too, and waits for some on the event loop.
        self.run_worker(browse(self, url), group="browse")

    def copy_to_clipboard(self, text: str) -> None:
        self.run_worker(copy(self, text), group="copy")
        # A key that pastes here may come next.
        self._clipboard = clean(text) if len(text) <= _CLEANED_AT_ONCE else ""


async def copy(app: App[Any], text: str, what: str = "") -> None:
    """Copy a text every way there is, and say which. `what` names it, such as “the message”.

    Where no program and no terminal can take it, it is put into a file, and the notice names that.
    """
    assert isinstance(app, CopyingApp)
    text = await asyncio.to_thread(clean, text)
    if not text:
        app.notify("There is nothing to copy.", timeout=2, markup=False)
        return
    # Deferred: it starts other programs, which the first paint does not need.
    from tui_chat.core import clipboard

    app._clipboard = text
    path = None if app.ephemeral else app.places.cache / "copied.txt"
    try:
        async with app.copying:
            copied = await clipboard.copy(text, app.environ, _to_terminal(app), path)
    except ChatError as error:
        words = f"{NEITHER}, and no file either: {error}"
        app.notify(words, severity="error", timeout=10, markup=False)
    else:
        sure = bool(copied.ways) and "tmux" not in copied.ways
        app.notify(said(copied, len(text), what), timeout=3 if sure else 8, markup=False)


def _to_terminal(app: CopyingApp) -> Callable[[str], None]:
    def write(sequence: str) -> None:
        # Textual's own way writes the same, but not through GNU screen.
        if app._driver is not None:
            app._driver.write(sequence)

    return write


async def copy_code(app: App[Any], markdown: str) -> None:
    """Copy a piece of code of a message; of several the one that is chosen. For workers."""
    from tui_chat.core.code_blocks import code_blocks
    from tui_chat.widgets.picker import Line, Picker

    class CodePicker(Picker):
        title_words = "Copy which code?"

    blocks = await asyncio.to_thread(code_blocks, markdown)
    if not blocks:
        app.notify("There is no code in this message.", timeout=3, markup=False)
        return
    place: str | None = "0"
    if len(blocks) > 1:
        lines = [
            Line(
                str(place),
                one_line(block.text),
                (block.language, f"{block.text.count(chr(10)) + 1} lines"),
                "\n".join(clean(block.text).split("\n")[:3]),
            )
            for place, block in enumerate(blocks)
        ]
        place = await app.push_screen_wait(CodePicker(lines))
    if place is not None:
        await copy(app, blocks[int(place)].text, "the code")


def said(copied: Copied, characters: int, what: str = "") -> str:
    """In words which way a text went; nothing is said to be on a clipboard that may not be."""
    size = "1 character" if characters == 1 else f"{characters:,} characters"
    size = f"{what}: {size}" if what else size
    if copied.path is not None:
        why = "It is too much for the terminal's clipboard" if copied.too_large else NEITHER
        return f"{why}, so {size} went into {one_line(str(copied.path), 400)}"
    terminal = ("the terminal",) if copied.terminal else ()
    if "tmux" in copied.ways or not copied.ways:
        ways = " and ".join((*copied.ways, *terminal))
        return f"Sent {size} to {ways}; not every terminal takes it to the clipboard."
    return f"Copied {size} ({' and '.join((*copied.ways, *terminal))})."
