"""The list of the review room, with the keys that act on its lines."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_chat.rooms.review.lines import Line
from tui_chat.widgets.roll import Roll


class Catalogue(Roll[Line]):
    """The list of conversations or hits, with the keys that act on them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "screen.open",
            "Open",
            tooltip="Open in the chat, at what was found",
            id="saved.open",
        ),
        Binding(
            "tab", "screen.preview", "Read", tooltip="To the preview, and on", id="saved.preview"
        ),
        Binding("slash", "screen.search", "Find", key_display="/", id="saved.search"),
        Binding(
            "n",
            "screen.hit(1)",
            "Next hit",
            show=False,
            key_display="n N",
            tooltip="The next hit, the hit before",
            id="saved.next",
        ),
        Binding("N", "screen.hit(-1)", "Previous hit", show=False, id="saved.previous"),
        Binding("s", "screen.star", "Star", tooltip="Star, or take the star away", id="saved.star"),
        Binding(
            "number_sign",
            "screen.tag",
            "Tag",
            key_display="#",
            tooltip="Give a tag, or take it away",
            id="saved.tag",
        ),
        Binding(
            "a", "screen.archive", "Archive", tooltip="Out of the way, or back", id="saved.archive"
        ),
        Binding("u", "screen.restore", "Restore", tooltip="Out of the trash", id="saved.restore"),
        Binding(
            "x",
            "screen.export",
            "Export",
            tooltip="Export to a file or the clipboard: this, marked, found or all",
            id="saved.export",
        ),
        Binding(
            "b",
            "screen.import",
            "Import",
            tooltip="Import from a file of another program, or of this one",
            id="saved.import",
        ),
        Binding(
            "delete,d",
            "screen.delete",
            "Delete",
            key_display="del",
            tooltip="Into the trash; what is there, for good",
            id="saved.delete",
        ),
        Binding(
            "o",
            "screen.order",
            "Order",
            tooltip="Newest or best match first; the newest 2,000 are ranked",
            id="saved.order",
        ),
        Binding(
            "v",
            "screen.next_view",
            "View",
            tooltip="In use, starred, archived, in the trash",
            id="saved.view",
        ),
    ]
