"""How texts with control characters are typed and shown: backslash escapes, several in quotes."""

from __future__ import annotations

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}


def escape(text: str) -> str:
    """The text with control characters, quotes and backslashes as they are typed."""
    shown = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = shown.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return "".join(char if char.isprintable() else _numbered(ord(char)) for char in shown)


def _numbered(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unescape(text: str) -> str:
    """The text that escapes stand for; ValueError for an escape that is none."""
    parts: list[str] = []
    rest = iter(range(len(text)))
    for index in rest:
        if text[index] != "\\":
            parts.append(text[index])
            continue
        code = text[index + 1 : index + 2]
        if code in _ESCAPES and code:
            parts.append(_ESCAPES[code])
            next(rest)
            continue
        width = {"x": 2, "u": 4, "U": 8}.get(code, 0)
        digits = text[index + 2 : index + 2 + width]
        if not width or len(digits) != width:
            raise ValueError(f"“\\{code}” is no escape; a backslash itself is typed \\\\.")
        try:
            parts.append(_character(int(digits, 16)))
        except (ValueError, OverflowError):
            raise ValueError(f"“\\{code}{digits}” is no escape.") from None
        for _ in range(width + 1):
            next(rest)
    return "".join(parts)


def _character(code: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError("half a character")
    return chr(code)


def split_texts(text: str) -> tuple[str, ...]:
    """One text as it stands, or several in double quotes; escapes are read in both."""
    stripped = text.strip()
    if not stripped.startswith('"'):
        return (unescape(stripped),) if stripped else ()
    texts: list[str] = []
    start: int | None = None
    index = 0
    while index < len(stripped):
        char = stripped[index]
        if start is not None and char == "\\":
            index += 1
        elif char == '"' and start is None:
            start = index + 1
        elif char == '"' and start is not None:
            texts.append(unescape(stripped[start:index]))
            start = None
        elif start is None and not char.isspace() and char != ",":
            raise ValueError("Put each stop sequence in double quotes.")
        index += 1
    if start is not None:
        raise ValueError("A closing quote is missing.")
    return tuple(texts)
