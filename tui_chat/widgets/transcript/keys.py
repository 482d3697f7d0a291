"""The keys of the transcript, each with a stable id under which it can be remapped."""

from __future__ import annotations

from textual.binding import Binding


def _binding(
    keys: str,
    action: str,
    words: tuple[str, str],
    name: str,
    *,
    show: bool,
    key_display: str | None = None,
) -> Binding:
    description, tooltip = words
    return Binding(
        keys,
        action,
        description,
        show=show,
        id=f"transcript.{name}",
        tooltip=tooltip,
        key_display=key_display,
    )


BINDINGS = (
    _binding(
        "j,down",
        "next_message",
        ("Next message", "Move the cursor to the next message"),
        "down",
        show=False,
    ),
    _binding(
        "k,up",
        "previous_message",
        ("Previous message", "Move the cursor to the message before"),
        "up",
        show=False,
    ),
    _binding(
        "g",
        "first_message",
        ("First message", "Move the cursor to the first message"),
        "first",
        show=False,
    ),
    _binding(
        "G",
        "last_message",
        ("Last message", "Move the cursor to the last message and follow the end"),
        "last",
        show=False,
    ),
    _binding(
        "enter",
        "toggle_fold",
        ("Unfold", "Unfold or fold the reasoning of a reply, or a long message"),
        "fold",
        show=True,
    ),
    _binding(
        "n",
        "next_match",
        ("Next match", "In the preview: the next place that is found, the one before"),
        "next_match",
        show=True,
        key_display="n N",
    ),
    _binding(
        "N",
        "previous_match",
        ("Previous match", ""),
        "previous_match",
        show=False,
    ),
    _binding("pageup", "page_up", ("Page up", "Scroll up by a screen"), "pageup", show=False),
    _binding(
        "pagedown", "page_down", ("Page down", "Scroll down by a screen"), "pagedown", show=False
    ),
    _binding("home", "scroll_home", ("Top", "Scroll to the beginning"), "home", show=False),
    _binding("end", "scroll_end", ("End", "Scroll to the end and follow it"), "end", show=False),
)
