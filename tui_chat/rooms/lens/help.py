"""What the help says of the lens."""

from __future__ import annotations

from tui_chat.rooms.lens.panel import CandidatePanel
from tui_chat.rooms.lens.screen import LensScreen
from tui_chat.rooms.lens.view import LensView
from tui_chat.widgets.help import Places, Section

PLACES: Places = (
    ("In the lens", (*LensView.BINDINGS, *CandidatePanel.BINDINGS, *LensScreen.BINDINGS)),
)
TABLES: tuple[Section, ...] = ()
