"""logs.db of the `llm` command line: all three shapes it has had, read one conversation at a time.

The first kept one table of prompts and replies; the second `conversations` and `responses`; the third
(since llm 0.32) a store of messages that threads share, so that a fork is one more thread: it is read as a
conversation of its own, with what was said before. A database can hold all three. Fragments are put in
where they were used; tool calls and what they gave are blocks of code; an attachment is a `[image/png]`.
The connection must not be able to write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tui_chat.core.conversation import Conversation, Message, Role, Setup, Usage, title_from
from tui_chat.core.formats.foreign import (
    Context,
    count,
    derived_id,
    fenced,
    moment,
    name,
    params_of,
    rows,
    table,
    words,
)

if TYPE_CHECKING:
    from tui_chat.core.database import Connection

ENDPOINT = "llm"
"""The name under which replies made by llm keep their model."""

_Row = Mapping[str, Any]
_RESPONSE = (
    "id", "model", "resolved_model", "prompt", "system", "options_json", "response", "reasoning",
    "conversation_id", "duration_ms", "datetime_utc", "timestamp", "timestamp_utc", "chat_id",
    "input_tokens", "output_tokens",
)  # fmt: skip
_TURN = (
    "model", "resolved_model", "tip_message_hash", "parent_message_hash", "options_json",
    "input_tokens", "output_tokens", "duration_ms", "datetime_utc",
)  # fmt: skip


class LlmLogs:
    """An open logs.db."""

    def __init__(self, connection: Connection, context: Context) -> None:
        self._connection = connection
        self._context = context
        self._turns: dict[object, object] | None = None
        self._columns = {
            table_name: {row[1] for row in connection.execute(f'PRAGMA table_info("{table_name}")')}
            for (table_name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type='table'"
            ).fetchall()
            if isinstance(table_name, str) and table_name.isidentifier()
        }

    @property
    def is_one(self) -> bool:
        """Whether this database has the tables of any shape."""
        return bool(self._shared or self._has("responses", "prompt") or self._first)

    @property
    def _shared(self) -> bool:
        return (
            self._has("turns", "tip_message_hash")
            and self._has("parts", "message_hash")
            and self._has("messages", "hash")
            and self._has("threads", "tip_message_hash")
        )

    @property
    def _first(self) -> str:
        return next((one for one in ("logs", "log") if self._has(one, "prompt")), "")

    def _has(self, table_name: str, column: str) -> bool:
        return column in self._columns.get(table_name, ())

    def items(self) -> Iterator[Conversation]:
        """All conversations, those of the oldest shape first."""
        if self._first:
            yield from self._prompts(self._first, "chat_id", "logs")
        if self._has("responses", "prompt"):
            yield from self._prompts("responses", "conversation_id", "conversation")
        if self._shared:
            for (thread,) in self._connection.execute("SELECT id FROM threads ORDER BY rowid"):
                if found := self._thread(thread):
                    yield found

    def _rows(
        self, table_name: str, wanted: tuple[str, ...], rest: str, *given: object
    ) -> Iterator[_Row]:
        """Rows with those of the columns that the table has."""
        columns = [one for one in wanted if one in self._columns.get(table_name, ())]
        if columns:
            listed = ",".join(f'"{one}"' for one in columns)
            for row in self._connection.execute(f"SELECT {listed} FROM {table_name} {rest}", given):
                yield dict(zip(columns, row, strict=True))

    # One row for a prompt and its reply: the first and the second shape

    def _prompts(self, table_name: str, group: str, kind: str) -> Iterator[Conversation]:
        columns = self._columns[table_name]
        time = next((one for one in ("datetime_utc", "timestamp") if one in columns), "rowid")
        by = f"coalesce(nullif({group},''), id)" if group in columns else "id"
        if "id" not in columns:
            by = "rowid"
        # What is in both shapes is read from the newer one, which has all that was said before, too.
        once = (
            f" WHERE id NOT IN (SELECT id FROM turns) AND {by} NOT IN"
            " (SELECT id FROM threads WHERE tip_message_hash IS NOT NULL)"
            if table_name == "responses" and self._shared
            else ""
        )
        # Keys only: sorting whole rows would hold all texts at once.
        keys = self._connection.execute(
            f"SELECT {by}, rowid FROM {table_name}{once} ORDER BY 1, {time}, rowid"
        )
        for source, members in groupby(keys, lambda key: key[0]):
            rowids = [key[1] for key in members]
            if found := self._answered(table_name, kind, str(source), rowids):
                yield found

    def _answered(
        self, table_name: str, kind: str, id: str, members: list[int]
    ) -> Conversation | None:
        talk = _Talk(kind, id, self._context.time)
        for member in members:
            for row in self._rows(table_name, _RESPONSE, "WHERE rowid=?", member):
                self._add_response(talk, row, str(row.get("id", member)))
        named = self._rows("conversations", ("name",), "WHERE id=?", id)
        return talk.conversation(name(next(iter(named), {}).get("name")))

    def _add_response(self, talk: _Talk, row: _Row, id: str) -> None:
        talk.time = moment(
            row.get("datetime_utc") or row.get("timestamp_utc") or row.get("timestamp"), talk.time
        )
        system = self._with_fragments(id, "system_fragments", words(row.get("system")))
        talk.system = system or talk.system
        for result in self._rows(
            "tool_results", ("name", "output"), "WHERE response_id=? ORDER BY id", id
        ):
            talk.add(f"{id} results", "assistant", _result(result), own=False)
        prompt = self._with_fragments(id, "prompt_fragments", words(row.get("prompt")))
        talk.add(
            f"{id} prompt", "user", "\n\n".join([*filter(None, [prompt]), *self._attached(id)])
        )
        calls = self._rows(
            "tool_calls", ("name", "arguments"), "WHERE response_id=? ORDER BY id", id
        )
        answer = [words(row.get("response")), *(_call(one) for one in calls)]
        text = "\n\n".join(part for part in answer if part)
        talk.add(id, "assistant", text, reasoning=words(row.get("reasoning")), turn=row)

    def _with_fragments(self, id: str, join: str, text: str) -> str:
        if not self._has(join, "response_id") or not self._has("fragments", "content"):
            return text
        found = self._connection.execute(
            f"SELECT f.content FROM {join} j JOIN fragments f ON f.id=j.fragment_id"
            ' WHERE j.response_id=? ORDER BY j."order"',
            (id,),
        ).fetchall()
        return "\n\n".join(part for part in (*(words(one) for (one,) in found), text) if part)

    def _attached(self, id: str) -> list[str]:
        if not self._has("prompt_attachments", "response_id"):
            return []
        found = self._connection.execute(
            "SELECT a.type FROM prompt_attachments j JOIN attachments a ON a.id=j.attachment_id"
            ' WHERE j.response_id=? ORDER BY j."order"',
            (id,),
        ).fetchall()
        return [f"[{name(kind) or 'attachment'}]" for (kind,) in found]

    # Messages that threads share: the third shape

    def _thread(self, id: object) -> Conversation | None:
        thread = next(
            self._rows("threads", ("name", "tip_message_hash", "datetime_utc"), "WHERE id=?", id),
            {},
        )
        talk = _Talk("thread", str(id), moment(thread.get("datetime_utc"), self._context.time))
        for turn in self._rows("turns", _TURN, "WHERE thread_id=? ORDER BY datetime_utc, id", id):
            talk.time = moment(turn.get("datetime_utc"), talk.time)
            self._add_chain(talk, turn.get("tip_message_hash"), turn)
        # A fork to which nothing was added yet has no turn of its own.
        self._add_chain(talk, thread.get("tip_message_hash"), None)
        return talk.conversation(name(thread.get("name")))

    def _add_chain(self, talk: _Talk, tip: object, turn: _Row | None) -> None:
        """Add what is on the way to this message and is not there yet; the turn made the end of it."""
        roles: dict[str, str] = {}
        at = tip
        while isinstance(at, str) and at not in talk.stands_for and at not in roles:
            found = next(self._rows("messages", ("parent_hash", "role"), "WHERE hash=?", at), None)
            if found is None:
                break
            roles[at] = words(found.get("role"))
            at = found.get("parent_hash")
        talk.at = talk.stands_for.get(at) if isinstance(at, str) else None
        chain = list(roles)
        before = turn.get("parent_message_hash") if turn else None
        made = chain.index(before) if before in roles else len(chain)
        for place in reversed(range(len(chain))):
            key = chain[place]
            self._add_message(talk, key, roles[key], turn if place < made else None)
            talk.stands_for[key] = talk.at
        if isinstance(tip, str) and tip in talk.stands_for:
            talk.at = talk.stands_for[tip]

    def _add_message(self, talk: _Talk, hash: str, role: str, turn: _Row | None) -> None:
        parts: list[str] = []
        thoughts: list[str] = []
        columns = ("type", "text", "payload")
        for part in self._rows("parts", columns, "WHERE message_hash=? ORDER BY position", hash):
            (thoughts if part.get("type") == "reasoning" else parts).append(self._part(part))
        text = "\n\n".join(part for part in parts if part)
        if role == "system":
            talk.system = text
        elif role == "assistant":
            reasoning = "\n\n".join(filter(None, thoughts))
            made = turn or self._turn_elsewhere(hash) or self._answers_before(talk).get(text)
            talk.add(hash, "assistant", text, reasoning=reasoning, turn=made)
        else:
            talk.add(hash, "assistant" if role == "tool" else "user", text, own=False)

    def _turn_elsewhere(self, hash: str) -> _Row | None:
        """The turn of another thread that made this message, which a fork shares."""
        if self._turns is None:
            pairs = self._connection.execute("SELECT tip_message_hash, id FROM turns")
            self._turns = dict(pairs.fetchall())
        return next(self._rows("turns", _TURN, "WHERE id=?", self._turns.get(hash)), None)

    def _answers_before(self, talk: _Talk) -> Mapping[str, _Row]:
        """What the second shape knows of the replies in a conversation that went on in the third."""
        if talk.before is None:
            known = self._has("responses", "conversation_id")
            where = "WHERE conversation_id=?"
            found = self._rows("responses", _RESPONSE, where, talk.id) if known else iter(())
            talk.before = {words(row.get("response")): row for row in found}
        return talk.before

    def _part(self, part: _Row) -> str:
        payload = _json(part.get("payload"))
        kind = part.get("type")
        if kind == "tool_call":
            return _call(payload)
        if kind == "tool_result":
            return _result(payload)
        if kind == "attachment":
            return self._attachment(table(payload.get("attachment")).get("id"))
        text = words(part.get("text"))
        for piece in rows(payload.get("text_ref")):
            text += words(table(piece).get("literal")) + self._fragment(
                table(piece).get("fragment")
            )
        return text

    def _fragment(self, id: object) -> str:
        known = isinstance(id, int) and abs(id) < 2**63
        found = self._rows("fragments", ("content",), "WHERE id=?", id) if known else iter(())
        return words(next(found, {}).get("content"))

    def _attachment(self, id: object) -> str:
        found = (
            self._rows("attachments", ("type",), "WHERE id=?", id)
            if isinstance(id, str)
            else iter(())
        )
        return f"[{name(next(found, {}).get('type')) or 'attachment'}]"


class _Talk:
    """A conversation that is being put together; what is added comes after the message `at`."""

    def __init__(self, kind: str, id: str, time: int) -> None:
        self.time = time
        self.system = ""
        self.at: str | None = None
        self.stands_for: dict[str, str | None] = {}
        """Which message is read where the log names this one."""
        self.before: Mapping[str, _Row] | None = None
        self.id = id
        self._kind = kind
        self._messages: list[Message] = []

    def add(
        self,
        id: str,
        role: Role,
        text: str,
        *,
        reasoning: str = "",
        turn: _Row | None = None,
        own: bool = True,
    ) -> None:
        """Add a message, where there is a text; `own` is what the model itself said."""
        if not text and not reasoning:
            return
        message = Message(
            derived_id(ENDPOINT, self._kind, self.id, id),
            self.at,
            role,
            text,
            reasoning=reasoning,
            created=self.time,
        )
        if role == "assistant" and own:
            message = self._with_provenance(message, turn or {})
        self._messages.append(message)
        self.at = message.id

    def _with_provenance(self, message: Message, turn: _Row) -> Message:
        model = name(turn.get("resolved_model")) or name(turn.get("model"))
        params = params_of(_json(turn.get("options_json")))
        took = count(turn.get("duration_ms"))
        return replace(
            message,
            setup=Setup(ENDPOINT, model, self.system, params),
            usage=Usage(
                count(turn.get("input_tokens")),
                count(turn.get("output_tokens")),
                seconds=None if took is None else took / 1000,
            ),
        )

    def conversation(self, title: str) -> Conversation | None:
        """What was put together; None when it is empty."""
        if not self._messages:
            return None
        return Conversation(
            derived_id(ENDPOINT, self._kind, self.id),
            title or title_from(self._messages[0].content),
            self._messages,
            self.at,
            self._messages[0].created,
            updated=max(message.created for message in self._messages),
        )


def _call(call: _Row) -> str:
    arguments = call.get("arguments")
    shown = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return fenced(f"{name(call.get('name'))}({words(shown)})")


def _result(result: _Row) -> str:
    return fenced(words(result.get("output")))


def _json(text: object) -> _Row:
    try:
        return table(json.loads(text)) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
