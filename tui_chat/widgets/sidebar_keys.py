"""The keys of the parameter sidebar, each with a stable id."""

from __future__ import annotations

from textual.binding import Binding, BindingType

KEYS: list[BindingType] = [
    Binding(
        "up,k",
        "move(-1)",
        "Up",
        show=False,
        tooltip="The row above, below",
        key_display="↑ ↓ k j",
        id="sidebar.up",
    ),
    Binding("down,j", "move(1)", "Down", show=False, id="sidebar.down"),
    Binding("home", "move(-99)", "First", show=False, id="sidebar.first"),
    Binding("end", "move(99)", "Last", show=False, id="sidebar.last"),
    Binding(
        "left",
        "step(-1)",
        "Change",
        tooltip="Less, more; with shift, ten steps; digits type a value",
        key_display="← →",
        id="sidebar.less",
    ),
    Binding("right", "step(1)", "More", show=False, id="sidebar.more"),
    Binding("shift+left", "step(-10)", "Ten less", show=False, id="sidebar.ten_less"),
    Binding("shift+right", "step(10)", "Ten more", show=False, id="sidebar.ten_more"),
    Binding(
        "delete",
        "unset",
        "Not set",
        tooltip="Not set: it is not sent",
        key_display="del",
        id="sidebar.unset",
    ),
    Binding("enter", "open", "Choose", tooltip="Choose, edit or unfold", id="sidebar.open"),
    Binding(
        "exclamation_mark",
        "insist",
        "Send anyway",
        tooltip="Send what the model is known to refuse; again: hold it back",
        key_display="!",
        id="sidebar.insist",
    ),
    Binding("exclamation_mark", "insist(True)", "Hold back", key_display="!", id="sidebar.insist"),
    Binding(
        "d",
        "screen.roll",
        "Dice",
        show=False,
        tooltip="Draw 100 samples of the next token",
        id="sidebar.roll",
    ),
]
