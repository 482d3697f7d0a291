"""What must be taken out of words that nobody wrote for a reader, such as those of a crash: keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui_chat.core.secrets import KEY_NAMES, keys_seen

TAKEN_OUT = "***"
_SHORTEST = 6
"""Characters; what is shorter is a word that may stand anywhere."""
_HEADERS = re.compile(
    r"\b(Bearer|Basic|(?:x-)?api[-_]?key['\"]?\s*[:=])\s*['\"]?[^\s'\",;)}\]]+", re.I
)
_KEYS = re.compile(
    r"\b(?:sk-|A[KS]IA|AIza|eyJ|(?:gsk|hf|r8|fw|tgp|gh[a-z]|github_pat)_|(?:xai|pplx|csk|nvapi)-)"
    r"[\w.~+/=-]{6,}"
)
_USERS = re.compile(r"(?<=://)[^/?#\s'\"]+@")
_QUERIES = re.compile(r"(://[^\s?#'\"]*\?)[^\s'\")>]+")


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """The text without keys: those that this run has held, those in variables named for one, what looks
    like one, and of a URL who asks and its query."""
    named = {value.strip() for name, value in environ.items() if KEY_NAMES.search(name)}
    for key in sorted(keys_seen() | named, key=len, reverse=True):
        if len(key) >= _SHORTEST:
            text = text.replace(key, TAKEN_OUT)
    text = _USERS.sub(f"{TAKEN_OUT}@", text)
    text = _QUERIES.sub(rf"\1{TAKEN_OUT}", text)
    text = _HEADERS.sub(rf"\1 {TAKEN_OUT}", text)
    return _KEYS.sub(TAKEN_OUT, text)
