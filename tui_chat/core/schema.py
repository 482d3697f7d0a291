"""The database's shape and its versions, as SQL.

Every step from one version to the next is one transaction; a version that is newer than ours is
never touched. No STRICT and no RETURNING: systems in use link SQLite 3.34.
"""

from __future__ import annotations

APPLICATION_ID = 0x54554943
"""`TUIC`, in the file's header: tells our databases from others'."""

PRAGMAS = (
    "PRAGMA journal_mode=DELETE",  # WAL has a corruption bug in every SQLite before 3.51.3.
    "PRAGMA synchronous=EXTRA",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA mmap_size=0",
)

_FIRST = """
CREATE TABLE conversation(
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  title      TEXT NOT NULL DEFAULT '',
  folded     TEXT NOT NULL DEFAULT '',
  preset     TEXT NOT NULL DEFAULT '',
  leaf       INTEGER REFERENCES message(seq) DEFERRABLE INITIALLY DEFERRED,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  meta       TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX conversation_recent ON conversation(updated_at DESC, seq DESC) WHERE deleted_at IS NULL;
CREATE TABLE setup(
  seq      INTEGER PRIMARY KEY,
  digest   TEXT NOT NULL UNIQUE,
  endpoint TEXT NOT NULL,
  model    TEXT NOT NULL,
  system   TEXT NOT NULL,
  params   TEXT NOT NULL
);
CREATE TABLE message(
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  id            TEXT NOT NULL UNIQUE,
  conversation  INTEGER NOT NULL REFERENCES conversation(seq) ON DELETE CASCADE,
  parent        INTEGER REFERENCES message(seq),
  role          TEXT NOT NULL CHECK(role IN ('system','user','assistant')),
  content       TEXT NOT NULL CHECK(typeof(content)='text'),
  status        TEXT NOT NULL CHECK(status IN
                ('streaming','complete','length','stopped','cut','filtered','failed','interrupted')),
  reasoning     TEXT NOT NULL DEFAULT '',
  error         TEXT NOT NULL DEFAULT '',
  setup         INTEGER REFERENCES setup(seq),
  usage         TEXT NOT NULL DEFAULT '',
  refused       TEXT NOT NULL DEFAULT '',
  finish_reason TEXT NOT NULL DEFAULT '',
  request_id    TEXT NOT NULL DEFAULT '',
  created_at    INTEGER NOT NULL,
  owner         TEXT NOT NULL DEFAULT ''
);
CREATE INDEX message_conversation ON message(conversation, seq);
CREATE INDEX message_parent ON message(parent);
CREATE INDEX message_streaming ON message(owner) WHERE status='streaming';
CREATE TABLE piece(
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  message   INTEGER NOT NULL REFERENCES message(seq) ON DELETE CASCADE,
  content   TEXT NOT NULL,
  reasoning TEXT NOT NULL
);
CREATE INDEX piece_message ON piece(message, seq);
CREATE TABLE draft(conversation TEXT PRIMARY KEY, content TEXT NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE change(
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  message INTEGER NOT NULL,
  op      TEXT NOT NULL CHECK(op IN ('put','del'))
)
"""

_SECOND = """
ALTER TABLE conversation ADD COLUMN starred INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversation_deleted ON conversation(deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TABLE tag(
  conversation INTEGER NOT NULL REFERENCES conversation(seq) ON DELETE CASCADE,
  name         TEXT NOT NULL,
  PRIMARY KEY(conversation, name)
) WITHOUT ROWID;
CREATE INDEX tag_name ON tag(name);
ALTER TABLE message ADD COLUMN deleted_at INTEGER;
ALTER TABLE message ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversation_leaf ON conversation(leaf);
CREATE INDEX message_deleted ON message(deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX message_setup ON message(setup) WHERE setup IS NOT NULL;
DROP TABLE change
"""

SAID = "CASE typeof(m.created_at) WHEN 'integer' THEN min(max(m.created_at,0),253370764800000) ELSE 0 END"
"""When the message `m` was said, as `records.time_of` reads it; in these words it is in an index."""

_THIRD = f"CREATE INDEX message_said ON message({SAID.replace('m.', '')}, seq)"

_FOURTH = "ALTER TABLE message ADD COLUMN way TEXT NOT NULL DEFAULT ''"

# Counting, and looking for words of a title, go through all lines, but need not read them elsewhere.
_FIFTH = """
DROP INDEX conversation_recent;
CREATE INDEX conversation_recent ON conversation(updated_at DESC, seq DESC, archived, folded)
  WHERE deleted_at IS NULL
"""

# Apart from the messages: a reply's probabilities take a hundred times its words.
_SIXTH = """
ALTER TABLE message ADD COLUMN suffix TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN logprobs INTEGER NOT NULL DEFAULT 0;
ALTER TABLE piece ADD COLUMN tokens BLOB NOT NULL DEFAULT x'';
CREATE TABLE probabilities(
  message INTEGER PRIMARY KEY REFERENCES message(seq) ON DELETE CASCADE,
  tokens  BLOB NOT NULL
)
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH, _SIXTH)
"""The step at place n leads from version n to n + 1; the number of steps is the present version."""


def statements(step: str) -> list[str]:
    """The single statements of a step; SQLite's executescript would commit what came before it."""
    return [statement.strip() for statement in step.split(";") if statement.strip()]
