"""Completes the end of a text that is still arriving, so that half a mark is not shown as text.

Only how the open end is drawn depends on it: a finished text is drawn as it is.
"""

from __future__ import annotations

import re

_MARKS_ALONE = re.compile(r"^[ \t>]*[-=*+_#|~`]+[ \t]*\Z", re.M)
_FENCE_LINES = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})", re.M)
_HALF_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\s]*\Z")
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
_OPEN_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)(?P<content>[^`]*)\Z")
_EMPHASIS = re.compile(r"(?<!\\)(\*\*|~~|\*)")


def completed(text: str) -> str:
    """The text with its open emphasis, code and link closed at the end."""
    text = _MARKS_ALONE.sub("", text.rstrip())
    if len(_FENCE_LINES.findall(text)) % 2:
        return text
    line_start = text.rfind("\n") + 1
    line = _HALF_LINK.sub(r"\1", text[line_start:])
    prose = _CODE.sub(lambda code: "x" * len(code[0]), line)
    if half := _OPEN_CODE.search(prose):
        content = half["content"].strip()
        return text[:line_start] + (line + half[1] if content else line[: half.start()])
    return text[:line_start] + _closed(line, prose)


def _closed(line: str, prose: str) -> str:
    """The line with every emphasis closed that was opened before a word."""
    opened: list[str] = []
    for match in _EMPHASIS.finditer(prose):
        mark, after = match[0], prose[match.end() : match.end() + 1]
        before = prose[match.start() - 1 : match.start()]
        if mark in opened and before and not before.isspace():
            del opened[opened.index(mark) :]
        elif not after:
            return _closed(line[: match.start()].rstrip(), prose[: match.start()].rstrip())
        elif not after.isspace():
            opened.append(mark)
    return line + "".join(reversed(opened))
