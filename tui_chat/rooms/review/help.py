"""What the help says of the saved conversations: keys by place, and search filters."""

from __future__ import annotations

from tui_chat.core.filters import FILTERS
from tui_chat.rooms.review.catalogue import Catalogue
from tui_chat.rooms.review.screen import ReviewScreen
from tui_chat.rooms.review.search_field import SearchField
from tui_chat.widgets.help import Places, Section
from tui_chat.widgets.roll import Roll

PLACES: Places = (
    ("Searching", SearchField.BINDINGS),
    (
        "Among the saved conversations",
        (*Roll.BINDINGS, *Catalogue.BINDINGS, *ReviewScreen.BINDINGS),
    ),
)
TABLES = (
    Section(
        "Search filters",
        (
            *((one.typed, one.explanation) for one in FILTERS if not one.parameter),
            ("temperature>1", "replies made with it; so for every parameter that is a number"),
        ),
    ),
)
