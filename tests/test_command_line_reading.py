"""`search`, `list` and `show`: what is saved, said without a screen."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.library import COLD, HOT, kept, message
from tests.documents import ROOT
from tests.forked import LoadedTerminal
from tests.terminal import home_environment
from tests.test_command_line import run
from tui_chat.core import flags
from tui_chat.core.conversation import Conversation, Refusal
from tui_chat.core.exporting import FORMATS
from tui_chat.core.finding import RANKED
from tui_chat.core.formats import jsonl
from tui_chat.core.store import Store

NOW = 1_768_000_000_000


@pytest.fixture
async def home(tmp_path: Path) -> Path:
    """A home with three saved conversations, one of them in the trash."""
    store = await Store.open(tmp_path / "config" / "conversations.db")
    first = await kept(
        store,
        message("Qual é a ação?", created=NOW),
        message("Uma ação, \x1b[31mem breve", "assistant", HOT, created=NOW),
        title="Plano\x1b]0;x\x07",
    )
    await kept(
        store,
        message("hello", created=NOW),
        message("acaos", "assistant", COLD, created=NOW),
        title="Hi",
    )
    gone = await kept(store, message("ação thrown away"), title="Gone")
    await store.tag([first], "work")
    await store.star([first])
    await store.delete([gone])
    await store.close()
    return tmp_path


async def _ids(home: Path, title: str) -> str:
    store = await Store.open(home / "config" / "conversations.db")
    lines = [one for one in await store.headlines() if one.title.startswith(title)]
    await store.close()
    return lines[0].id


def test_search_finds_messages_newest_first(home: Path) -> None:
    done = run(home, "search", "acao", "role:assistant", COLUMNS="80")

    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.rstrip("\n").split("\n\n")
    assert "llama-3 · temperature 0" in first
    head, title, words = second.splitlines()
    assert "assistant  gpt-4o · temperature 1.5 · seed 7" in head
    assert head[13:].startswith("  2026-01-")
    assert title.strip().startswith("Plano")
    assert words.strip() == "Uma ação, ␛[31mem breve"
    assert "\x1b" not in done.stdout


def test_search_as_json_has_all_of_a_hit(home: Path) -> None:
    done = run(home, "search", "ação", "model:gpt*", "--json")

    (row,) = map(json.loads, done.stdout.splitlines())
    assert list(row) == [
        *("conversation", "title", "state", "starred", "message", "role", "created", "status"),
        *("endpoint", "model", "params", "snippet", "spans"),
    ]
    assert (row["state"], row["starred"], row["role"]) == ("kept", True, "assistant")
    assert (row["endpoint"], row["params"]) == ("home", {"temperature": 1.5, "seed": 7})
    assert [row["snippet"][start:end] for start, end in row["spans"]] == ["ação"]


def test_what_is_not_found_is_an_exit_code_and_the_limit_holds(home: Path) -> None:
    nothing = run(home, "search", "nowhere")
    king = run(home, "search", "role:king", "acao")
    one = run(home, "search", "acao", "--limit", "1", "--json", "--best")

    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (1, "", "")
    assert (king.returncode, king.stdout) == (1, "")
    assert "“king”" in king.stderr
    assert (one.returncode, one.stdout.count("\n")) == (0, 1)
    for limit in ("0", "-1", "x", "9" * 20):
        refused = run(home, "search", "acao", f"--limit={limit}")
        assert refused.returncode == 2
        assert "whole number" in refused.stderr


def test_a_search_in_nothing_finds_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "search", "word")

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert run(tmp_path, "list").returncode == 0


def test_a_word_with_a_minus_goes_behind_two_of_them(home: Path) -> None:
    done = run(home, "search", "--json", "--", "acao", "-breve")

    assert [json.loads(line)["snippet"] for line in done.stdout.splitlines()] == [
        "acaos",
        "Qual é a ação?",
    ]


def test_a_search_for_conversations_lists_them(home: Path) -> None:
    done = run(home, "search", "tag:work")

    assert done.returncode == 0
    assert "#work" in done.stdout
    assert run(home, "search", "tag:none").returncode == 1


async def test_list_shows_conversations_newest_first(home: Path) -> None:
    lines = run(home, "list").stdout.splitlines()

    assert [line[:13] for line in lines] == [await _ids(home, "Hi"), await _ids(home, "Plano")]
    assert lines[0].split()[3:] == ["2", "llama-3", "Hi"]
    assert lines[1].endswith("#work")
    assert "* Plano" in lines[1]
    assert "\x1b" not in "".join(lines)


def test_list_is_narrowed_by_a_query(home: Path) -> None:
    for query, titles in (
        ("breve", ["Plano"]),
        ("acao", ["Hi", "Plano"]),
        ("is:deleted", ["Gone"]),
    ):
        rows = [json.loads(line) for line in run(home, "list", query, "--json").stdout.splitlines()]
        assert [row["title"][:5] for row in rows] == titles
    assert list(rows[0]) == [
        *("id", "title", "updated", "messages", "model", "state", "starred", "tags"),
    ]
    assert rows[0]["state"] == "deleted"
    assert run(home, "list", "--limit", "1").stdout.count("\n") == 1


def test_a_list_of_what_cannot_be_is_an_error(home: Path) -> None:
    done = run(home, "list", "before:someday")

    assert (done.returncode, done.stdout) == (1, "")
    assert "“someday”" in done.stderr


async def test_show_writes_a_conversation_by_the_beginning_of_its_id(home: Path) -> None:
    whole = await _ids(home, "Hi")
    markdown = run(home, "show", whole[:12])
    lines = run(home, "show", whole, "--format", "jsonl")

    assert markdown.returncode == 0
    assert "hello" in markdown.stdout
    assert "## Assistant (llama-3 · temperature 0)" in markdown.stdout
    assert json.loads(lines.stdout)["id"] == whole


async def test_show_writes_every_format_as_an_export_does(home: Path) -> None:
    whole = await _ids(home, "Hi")
    gone = json.loads(run(home, "list", "is:deleted", "--json").stdout)
    assert tuple(FORMATS) == flags.FORMATS
    for name in FORMATS:
        shown = run(home, "show", whole, "--format", name)
        exported = run(home, "export", "--id", whole, "--format", name)
        assert (shown.returncode, shown.stdout) == (0, exported.stdout)
        assert "hello" in shown.stdout

    html = run(home, "show", gone["id"], "--format", "html").stdout
    nothing = run(home, "show", gone["id"], "--format", "finetuning")

    assert html.endswith("</html>\n")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert "it has no finished reply" in nothing.stderr


async def test_show_says_which_conversations_it_could_be(home: Path) -> None:
    store = await Store.open(home / "config" / "conversations.db")
    ids = [await kept(store, message(f"many {number}")) for number in range(60)]
    await store.close()
    first = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)

    several = run(home, "show", first)
    none = run(home, "show", "no-such")

    assert (several.returncode, several.stdout) == (1, "")
    assert f"begin with “{first}”" in several.stderr
    assert (none.returncode, none.stdout) == (1, "")
    assert "There is no conversation “no-such”" in none.stderr
    assert run(home, "show", "").returncode == 1


def test_matches_stand_out_on_a_terminal(home: Path) -> None:
    environ = home_environment(
        home,
        TUI_CHAT_CONFIG_DIR=str(home / "config"),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )
    with LoadedTerminal(environ, "search", "breve") as terminal:
        assert terminal.wait_end() == 0
        assert b"\x1b[1mbreve\x1b[0m" in terminal.raw
        assert terminal.raw.count(b"\x1b") == 2


def test_the_index_is_kept_for_the_next_search(home: Path) -> None:
    run(home, "search", "acao")
    index = home / "cache" / "search.db"
    index.write_bytes(b"damaged")

    assert run(home, "search", "acao").returncode == 0
    assert index.read_bytes().startswith(b"SQLite format 3")
    assert index.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("search", "nowhere"), 1, "Nothing matches “nowhere”."),
        (("search", "tag:none"), 1, "Nothing matches “tag:none”."),
        (("list", "tag:none"), 0, "Nothing matches “tag:none”."),
        (("search", "role:king"), 1, "“king” is none."),
    ],
)
def test_on_a_terminal_a_sentence_says_that_nothing_is_found(
    home: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    environ = home_environment(
        home,
        TUI_CHAT_CONFIG_DIR=str(home / "config"),
        TUI_CHAT_CACHE_DIR=str(home / "cache"),
    )
    with LoadedTerminal(environ, *arguments) as terminal:
        assert terminal.wait_end() == code
        said = terminal.raw.decode()
        assert said.startswith("tui-chat: ")
        assert said.endswith(f"{words}\r\n")
        assert said.count("\n") == 1


def test_readme_names_the_keys_that_are_printed(home: Path) -> None:
    rows = re.findall(r"^\| (.*?) \| (`.*?) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    documented = {what: re.findall(r"`(\w+)`", keys) for what, keys in rows}

    def printed(*arguments: str) -> list[str]:
        return list(json.loads(run(home, *arguments).stdout.splitlines()[0]))

    assert documented["`search --json`"] == printed("search", "acao", "--json")
    assert documented["`list --json`"] == printed("list", "--json")
    setup = replace(HOT, system="Be brief.")
    reply = message("a", "assistant", setup, "cut", reasoning="Hm.")
    refused = (Refusal("seed", "no"),)
    reply = replace(
        reply,
        error="e",
        refused=refused,
        finish_reason="stop",
        request_id="r",
        begun=1,
        way="completion",
        suffix="s",
        logprobs=5,
    )
    made = Conversation(messages=[reply], preset="p", tags=("t",), starred=True, archived=True)
    row = json.loads(jsonl.line(made))
    assert documented["`show --format jsonl`, `export`"] == list(row)
    assert documented["… each of the `messages`"] == list(row["messages"][0])
    # What has none of these: where it stands is not told, and it begins anew, at the end of the text.
    left_out = ("id", "parent", "role", "created", "begun", "suffix")
    inner = [name for name in row["messages"][0] if name not in left_out]
    assert documented["`ask --json`, `complete --json`"] == [*inner, "tokens"]


def test_it_is_said_how_many_matches_are_ranked() -> None:
    many = f"newest {RANKED:,}"
    assert many in (ROOT / "README.md").read_text()
    assert many in run(ROOT, "search", "--help", COLUMNS="200").stdout
