"""Messages and setups as rows of the database, and back; rows that someone edited by hand are read too.

What cannot be read in a row is left out; it never makes a conversation unreadable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tui_chat.core.conversation import ROLES, STATUSES, Message, Refusal, Setup, Usage
from tui_chat.core.endpoints import WAYS
from tui_chat.core.params import BY_NAME, Params
from tui_chat.core.text import clean

if TYPE_CHECKING:
    from tui_chat.core.database import Connection

MESSAGE_COLUMNS = "role,content,status,reasoning,error,setup,usage,refused,finish_reason,request_id,created_at,begun,way,suffix,logprobs"
_FIGURES = tuple(field.name for field in fields(Usage))
_USAGE = frozenset(_FIGURES) - {"estimated"}
_SECONDS = frozenset(name for name in _USAGE if name.endswith("seconds"))
_NO_USAGE = Usage()
LATEST = 253_370_764_800_000
"""The last year with four digits: no later time is a date, wherever it is read."""
_decoded = json.JSONDecoder().raw_decode
"""json.loads without its checks: half the time, for what is read with each message."""


def message_values(message: Message, setup: int | None) -> tuple[object, ...]:
    """The values for MESSAGE_COLUMNS."""
    usage = {
        name: value
        for name in _FIGURES
        if (value := getattr(message.usage, name)) is not None and value is not False
    }
    refused = [
        [clean(part) for part in (one.name, one.words, one.sent_as)] for one in message.refused
    ]
    return (
        message.role,
        clean(message.content),
        message.status,
        clean(message.reasoning),
        clean(message.error),
        setup,
        json.dumps(usage) if usage else "",
        json.dumps(refused) if refused else "",
        clean(message.finish_reason),
        clean(message.request_id),
        message.created,
        message.begun,
        clean(message.way),
        clean(message.suffix),
        message.logprobs,
    )


def message_from(
    row: Sequence[Any], ids: Mapping[int, str], setups: Mapping[int, Setup | None]
) -> Message:
    """The message in a row of seq, id, parent and MESSAGE_COLUMNS."""
    (
        _,
        name,
        parent,
        role,
        content,
        status,
        reasoning,
        error,
        setup,
        usage,
        refused,
        finish,
        request,
        made,
        begun,
        way,
        suffix,
        logprobs,
    ) = row
    return Message(
        text_of(name),
        ids.get(parent),
        role if role in ROLES else "user",
        text_of(content),
        status if status in STATUSES else "interrupted",
        text_of(reasoning) if reasoning else "",
        text_of(error) if error else "",
        setups[setup] if setup is not None else None,
        _usage(usage) if usage else _NO_USAGE,
        _refused(refused) if refused else (),
        text_of(finish) if finish else "",
        text_of(request) if request else "",
        time_of(made),
        begun if isinstance(begun, int) and 0 < begun <= len(content) else 0,
        way if way in WAYS else "",
        text_of(suffix) if suffix else "",
        logprobs if isinstance(logprobs, int) and logprobs > 0 else 0,
    )


def text_of(value: object) -> str:
    """A text as it stands; what someone put in its place as far as it can be read."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return clean(value.decode("utf-8", "replace"))
    return "" if value is None else str(value)


def time_of(value: object) -> int:
    """Milliseconds since the epoch as they stand, within what calendars know; 0 for anything else."""
    return min(max(value, 0), LATEST) if isinstance(value, int) else 0


def usage_from(table: Mapping[str, Any]) -> Usage:
    """The figures in a table under their names; what is none of ours, or no figure, is left out."""
    return Usage(**{name: value for name, value in table.items() if _fits(name, value)})


def _usage(text: object) -> Usage:
    return usage_from(_table(text))


def _fits(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return name == "estimated"
    if isinstance(value, int):
        return name in _USAGE and 0 <= value < 2**63
    return isinstance(value, float) and name in _SECONDS and 0 <= value < float("inf")


def _refused(text: object) -> tuple[Refusal, ...]:
    found = _json(text)
    rows = found if isinstance(found, list) else []
    return tuple(
        Refusal(*(clean(part) for part in row))
        for row in rows
        if isinstance(row, list) and len(row) in (2, 3) and all(isinstance(one, str) for one in row)
    )


def _table(text: object) -> dict[str, Any]:
    found = _json(text)
    return found if isinstance(found, dict) else {}


def _json(text: object) -> object:
    """What the JSON says; None when it is none. RecursionError is what deep nesting ends in."""
    try:
        return _decoded(text_of(text).lstrip())[0]
    except (ValueError, RecursionError):
        return None


def intern_setup(connection: Connection, setup: Setup | None) -> int | None:
    """The row of this setup, added when it is new: setups repeat, and never change."""
    if setup is None:
        return None
    # Escaped to ASCII: a stop sequence is kept to the letter, even half a surrogate pair.
    params = json.dumps(dict(setup.params), separators=(",", ":"))
    values = (clean(setup.endpoint), clean(setup.model), clean(setup.system), params)
    digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()
    connection.execute(
        "INSERT OR IGNORE INTO setup(digest,endpoint,model,system,params) VALUES(?,?,?,?,?)",
        (digest, *values),
    )
    row = connection.execute("SELECT seq FROM setup WHERE digest=?", (digest,)).fetchone()
    return int(row[0])


class Setups(dict[int, Setup | None]):
    """The setups of a database by row, each read when it is first asked for; None where there is none."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, row: int) -> Setup | None:
        found = self._connection.execute(
            "SELECT endpoint,model,system,params FROM setup WHERE seq=?", (row,)
        ).fetchone()
        if found is None:
            self[row] = None
        else:
            endpoint, model, system, params = found
            self[row] = Setup(text_of(endpoint), text_of(model), text_of(system), _params(params))
        return self[row]


def _params(text: object) -> Params:
    kept: dict[str, object] = {}
    for name, value in _table(text).items():
        try:
            kept[name] = BY_NAME[name].check(value)
        except (KeyError, ValueError, OverflowError):
            continue  # Of another version, or edited by hand.
    return Params(kept)
