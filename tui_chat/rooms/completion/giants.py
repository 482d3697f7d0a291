"""Texts that are too long for the editor: it lays a whole text out at once, and a whole line for each key. Pure."""

from __future__ import annotations

MOST, MOST_LINES, MOST_IN_A_LINE = 200_000, 10_000, 50_000
"""Characters of a text, its lines, and characters of one of its lines."""
PASTED = (
    f"With what is pasted the text would be too long to be edited here: {MOST:,} characters,"
    f" {MOST_LINES:,} lines and {MOST_IN_A_LINE:,} characters in a line at most. Nothing was pasted."
)
GROWN = "The text is too long to be shown here to its end. All of it is kept: F3 shows it."


def is_giant(text: str) -> bool:
    """Whether each key in this text would have to be waited for."""
    return (
        len(text) > MOST
        or text.count("\n") > MOST_LINES
        or (len(text) > MOST_IN_A_LINE and max(map(len, text.split("\n"))) > MOST_IN_A_LINE)
    )


def fitting(text: str) -> str:
    """The beginning of a giant that is none: some of its lines, or of its first."""
    lines = [line[:MOST_IN_A_LINE] for line in text[:MOST].split("\n", MOST_LINES)[:MOST_LINES]]
    long = next((at for at, line in enumerate(lines) if len(line) == MOST_IN_A_LINE), len(lines))
    return "\n".join(lines[: long + 1])


def why_not_opened(text: str) -> str:
    """In words why a saved text is not opened."""
    lines = text.count("\n") + 1
    return (
        f"That text has {len(text):,} characters in {lines:,} lines: too long to be edited here."
        " It is kept as it is: F3 shows it, and exports it."
    )
