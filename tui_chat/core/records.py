"""Messages and setups as rows of the database, and back; rows that someone edited by hand are read too.

What cannot be read in a row is left out; it never makes a conversation unreadable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tui_chat.core.conversation import ROLES, STATUSES, Message, Refusal, Setup, Usage
from tui_chat.core.params import BY_NAME, Params
from tui_chat.core.text import clean

if TYPE_CHECKING:
    import sqlite3

MESSAGE_COLUMNS = (
    "role,content,status,reasoning,error,setup,usage,refused,finish_reason,request_id,created_at"
)
_USAGE = tuple(field.name for field in fields(Usage))
_NO_USAGE = Usage()


def message_values(message: Message, setup: int | None) -> tuple[object, ...]:
    """The values for MESSAGE_COLUMNS."""
    usage = {
        name: value
        for name, value in asdict(message.usage).items()
        if value is not None and value is not False
    }
    refused = {refusal.name: refusal.words for refusal in message.refused}
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
    )


def message_from(
    row: Sequence[Any], ids: Mapping[int, str], setups: Mapping[int, Setup]
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
    ) = row
    return Message(
        name,
        ids.get(parent),
        role if role in ROLES else "user",
        content,
        status if status in STATUSES else "interrupted",
        reasoning,
        error,
        setups.get(setup),
        _usage(usage) if usage else _NO_USAGE,
        _refused(refused) if refused else (),
        finish,
        request,
        made,
    )


@lru_cache(maxsize=4096)
def _usage(text: str) -> Usage:
    table = _table(text)
    kept = {name: table[name] for name in _USAGE if isinstance(table.get(name), int | float)}
    return Usage(**kept)


def _refused(text: str) -> tuple[Refusal, ...]:
    return tuple(Refusal(str(name), str(words)) for name, words in _table(text).items())


def _table(text: str) -> dict[str, Any]:
    try:
        table = json.loads(text)
    except ValueError:
        return {}
    return table if isinstance(table, dict) else {}


def intern_setup(connection: sqlite3.Connection, setup: Setup | None) -> int | None:
    """The row of this setup, added when it is new: setups repeat, and never change."""
    if setup is None:
        return None
    values = (setup.endpoint, setup.model, clean(setup.system), setup.params.json())
    digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()
    connection.execute(
        "INSERT OR IGNORE INTO setup(digest,endpoint,model,system,params) VALUES(?,?,?,?,?)",
        (digest, *values),
    )
    row = connection.execute("SELECT seq FROM setup WHERE digest=?", (digest,)).fetchone()
    return int(row[0])


def setups_of(connection: sqlite3.Connection, conversation: int) -> dict[int, Setup]:
    """The setups that a conversation's messages were made with, by row."""
    rows = connection.execute(
        "SELECT seq,endpoint,model,system,params FROM setup WHERE seq IN"
        " (SELECT DISTINCT setup FROM message WHERE conversation=?)",
        (conversation,),
    )
    return {
        seq: Setup(endpoint, model, system, _params(params))
        for seq, endpoint, model, system, params in rows
    }


def _params(text: str) -> Params:
    kept: dict[str, object] = {}
    for name, value in _table(text).items():
        try:
            kept[name] = BY_NAME[name].check(value)
        except (KeyError, ValueError):
            continue  # Of another version, or edited by hand.
    return Params(kept)
