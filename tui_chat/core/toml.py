"""TOML files read with the place of a mistake; what writes them keeps their comments and is elsewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tui_chat.core.errors import ChatError
from tui_chat.core.files import read_text
from tui_chat.core.text import one_line

_PLACE = re.compile(r"(.*?) \(at line (\d+), column (\d+)\)")


def read_table(path: Path) -> tuple[dict[str, Any], str]:
    """The table in a file, and its text. ChatError, as `name.toml:3:7: …`; FileNotFoundError passes."""
    text = read_text(path)
    # Deferred: most starts read no TOML at all, and its parser takes 2 ms of the first paint.
    import tomllib

    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.match(str(error))
        if found is None:  # At the end of the file.
            line = text.count("\n") + 1
            raise ChatError(f"{path.name}:{line}: {one_line(str(error), 120)}.") from error
        place = f"{path.name}:{found[2]}:{found[3]}"
        raise ChatError(f"{place}: {one_line(found[1], 120)}.") from error
