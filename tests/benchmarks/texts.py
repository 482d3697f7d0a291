"""Replies as models write them: paragraphs, lists and code, a token an event."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.load.flood import event

_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "that",
    "for",
    "it",
    "as",
    "was",
    "with",
    "be",
    "by",
    "on",
    "not",
    "he",
    "his",
    "but",
    "at",
    "are",
    "this",
    "have",
    "from",
    "or",
    "had",
    "an",
    "they",
    "which",
    "one",
    "you",
    "were",
    "all",
    "her",
    "she",
    "there",
    "would",
    "their",
    "we",
    "him",
    "been",
    "has",
    "when",
    "who",
    "will",
    "no",
    "more",
    "if",
    "out",
    "so",
    "up",
    "said",
    "what",
    "its",
    "about",
    "than",
    "into",
    "them",
    "can",
    "only",
    "other",
    "time",
    "new",
    "some",
    "could",
    "these",
    "two",
    "may",
    "first",
    "then",
    "do",
    "any",
    "like",
    "my",
    "now",
    "over",
    "such",
    "our",
    "man",
    "me",
    "even",
    "most",
]
END = "the very end"
"""The last words of a reply."""


def tokens(count: int, seed: int = 3) -> Iterator[str]:
    """So many tokens of a reply in Markdown: a paragraph of some 60, at times a list or a block of code."""
    dice = random.Random(seed)
    made: list[str] = []
    while len(made) < count:
        kind = dice.random()
        if kind < 0.7:
            made += [f" {dice.choice(_WORDS)}" for _ in range(dice.randint(40, 80))] + [".", "\n\n"]
        elif kind < 0.85:
            for _ in range(4):
                made += ["-", *(f" {dice.choice(_WORDS)}" for _ in range(10)), "\n"]
            made.append("\n")
        else:
            made += ["```", "python", "\n"]
            for number in range(6):
                made += ["value", f"_{number}", " =", f" {number}", " #", " note", "\n"]
            made += ["```", "\n\n"]
    return iter(made[:count])


def reply(count: int, seed: int = 3) -> bytes:
    """The events of a reply of so many tokens, with END at its end."""
    return b"".join(map(event, tokens(count, seed))) + event("\n\n") + event(END)
