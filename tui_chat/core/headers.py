"""The headers that a person gives an endpoint: checked, so that none is a key or breaks a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from tui_chat.core.text import one_line
from tui_chat.core.urls import begins_as_key, holds_key

LONGEST = 1_000
"""Characters of a value."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(rf"[!-~](?:[ -~]{{0,{LONGEST - 2}}}[!-~])?")
_OURS = {
    *("host", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect"),
    *("content-type", "content-length", "content-encoding", "transfer-encoding"),
    *("accept", "accept-encoding"),
}
"""What is said by the request itself, and what would break it."""
_SECRET = re.compile(
    r"auth(?!ors?\b)|cookies?\b|credential|password|secret|\btokens?\b|\bjwt\b|api[-_]?key|(?:^|[-_])keys?(?:$|[-_])"
)


def headers(value: object) -> Mapping[str, str]:
    """The headers in this table; ValueError in words for what cannot be one, which never repeats a value."""
    if not isinstance(value, dict):
        raise ValueError('headers takes a table of texts: headers = {NAME = "value"}.')
    seen = set[str]()
    for name, text in value.items():
        shown, plain = one_line(name, 40), name.lower()
        if not isinstance(text, str):
            raise ValueError(f"the header {shown} takes a text in quotes.")
        if _is_key(plain, text):
            which = "" if holds_key(name) else f" (the header {shown})"
            raise ValueError(
                f"a key does not belong here{which}."
                " Keys come from key_env, key_command or the endpoint dialog."
            )
        if _NAME.fullmatch(name) is None:
            raise ValueError(f"“{shown}” is no name of a header.")
        if plain in _OURS:
            raise ValueError(f"the header {shown} is set by the request itself.")
        if plain in seen:
            raise ValueError(f"the header {shown} stands there twice.")
        if _VALUE.fullmatch(text) is None:
            raise ValueError(
                f"the header {shown} takes plain characters, at most {LONGEST:,}, no space around them."
            )
        seen.add(plain)
    return MappingProxyType(dict(value))


def _is_key(name: str, value: str) -> bool:
    spaced = name.replace("_", "-")
    secret = _SECRET.search(spaced) is not None or holds_key(name)
    return secret or holds_key(value, begins_as_key)
