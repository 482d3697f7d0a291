"""The command line as it is installed: what it refuses, what it says without a screen, how it ends."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests import preloaded
from tests.core.stored import NASTY, by_hand, saved
from tests.terminal import TUI_CHAT, Terminal, home_environment
from tui_chat import __version__
from tui_chat.core.conversation import Conversation
from tui_chat.core.flags import command_line, opening_of
from tui_chat.core.parameter import MOST_TEXTS, Parameter
from tui_chat.core.params import PARAMETERS
from tui_chat.core.store import Store
from tui_chat.core.text import clean
from tui_chat.core.world import World

CANARY = "sk-canary-0123456789"
NUMBERS = [one for one in PARAMETERS if one.is_number]
SECONDS = 60

Done = subprocess.CompletedProcess[str]


def _places(home: Path) -> dict[str, str]:
    return {
        "TUI_CHAT_CONFIG_DIR": str(home / "config"),
        "TUI_CHAT_CACHE_DIR": str(home / "cache"),
        "PYTHONIOENCODING": "utf-8:strict",
    }


def _run(command: Sequence[str], environ: Mapping[str, str]) -> Done:
    return subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )


def run(home: Path, *arguments: str, **environ: str) -> Done:
    """The program, run to its end; its directories are `config` and `cache` below `home`."""
    done = preloaded.run(
        arguments, home_environment(home, **(_places(home) | environ)), seconds=SECONDS
    )
    return Done(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def _refusal(done: Done) -> str:
    """The sentence after the usage, where the arguments were refused."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.rstrip("\n").rpartition("\n")[2]


async def _kept(home: Path, *texts: str) -> Conversation:
    store = await Store.open(home / "config" / "conversations.db")
    try:
        return await saved(store, *texts)
    finally:
        await store.close()


def test_the_version_is_told(tmp_path: Path) -> None:
    installed = str(Path(sys.executable).with_name("tui-chat"))

    for command in ([installed], TUI_CHAT):
        done = _run([*command, "--version"], home_environment(tmp_path))
        assert (done.returncode, done.stdout) == (0, f"tui-chat {__version__}\n")
    assert list(tmp_path.iterdir()) == []


def test_help_names_every_flag_with_its_range(tmp_path: Path) -> None:
    for command in ([], ["ask"]):
        done = run(tmp_path, *command, "--help", COLUMNS="500")
        assert (done.returncode, done.stderr) == (0, "")
        for parameter in PARAMETERS:
            assert re.search(
                rf"\n  {parameter.flag} \w+\s+\S.*\({re.escape(parameter.range)}\)\n", done.stdout
            )


@pytest.mark.parametrize("parameter", NUMBERS, ids=lambda one: one.name)
def test_a_value_out_of_range_is_refused_with_the_range(
    tmp_path: Path, parameter: Parameter
) -> None:
    beyond = ["nan", "x1", str(parameter.low - 1), str(parameter.high + 1)]
    if parameter.kind == "integer":
        beyond.append("1.5")
    # One start for all of them: each value with the command line's own reader, in the real program.
    script = (
        "import sys\nfrom tui_chat.__main__ import main\n"
        "for value in sys.argv[2:]:\n"
        "    try:\n        main(['ask', f'{sys.argv[1]}={value}', 'hi'])\n"
        "    except SystemExit as end:\n        print(end.code)\n"
    )
    command = [sys.executable, "-c", script, parameter.flag, *beyond]
    done = _run(command, home_environment(tmp_path, **_places(tmp_path)))

    assert done.stdout.split() == ["2"] * len(beyond)
    refusals = [line for line in done.stderr.splitlines() if "error: " in line]
    assert len(refusals) == len(beyond)
    for line in refusals:
        assert line.startswith(
            f"tui-chat ask: error: argument {parameter.flag}: {parameter.label} "
        )
        assert parameter.range in line
        assert line.endswith(".")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--temperature", "2.1"], "Temperature goes from 0 to 2; 2.1 is outside."),
        (["ask", "--stop", r"\q", "hi"], r"“\q” is no escape"),
        (["ask", *["--stop", "{}"] * (MOST_TEXTS + 1), "hi"], "at most 4, not 5."),
        (["ask", "--stop", "", "hi"], "at least one text that is not empty."),
        (["--preset", "no such"], "There is no preset “no such”. There are: Course, "),
        (["--endpoint", "nowhere"], "There is no endpoint “nowhere”. There are: built-in, "),
        (["--endpoint", CANARY], "That looks like a key; it is not shown."),
        (["ask", "--model", CANARY, "hi"], "That looks like a key; it is not shown."),
        (["doctor", "--test", CANARY], "That looks like a key; it is not shown."),
        (["--base-url", "ftp://host"], "http"),
        (["ask", "--base-url", "host", "hi"], "http"),
        (["--base-url", f"http://me:{CANARY}@host/v1"], "tui-chat: error: "),
        (["--base-url", "http://h/v1", "--endpoint", "openai"], "not allowed with argument"),
        (["ask", "--key-env", "LAB_KEY", "hi"], "--key-env goes with --base-url."),
        (["--key-env", CANARY, "--base-url", "http://h/v1"], "not a key."),
        # What a shell makes of a variable that is not set: the prompt would go to another server.
        (["--endpoint", ""], "--endpoint: this is empty."),
        (["ask", "--base-url", "", "hi"], "--base-url: this is empty."),
        (["--preset", " "], "--preset: this is empty."),
        (["ask", "--model", "", "hi"], "--model: this is empty."),
        (["--base-url", "http://h/v1", "--key-env="], "--key-env: this is empty."),
        (["--model", "", "ask", "hi"], "--model: this is empty."),
        (["export", "--all", "--id", "x"], "not allowed with argument"),
        (["export", "--all", "--format", "pdf"], "invalid choice: 'pdf'"),
        (["--temp=1"], "--temp=1"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(
    tmp_path: Path, arguments: Sequence[str], words: str
) -> None:
    numbered = [one.format(place) if one == "{}" else one for place, one in enumerate(arguments)]

    said = _refusal(run(tmp_path, *numbered))

    assert words in said
    assert CANARY not in said
    assert list(tmp_path.iterdir()) == []


def test_an_empty_system_prompt_is_one(tmp_path: Path) -> None:
    world = World.standard(_places(tmp_path))
    flags = command_line().parse_args(["ask", "--system", "", "hi"])

    assert opening_of(world, flags).system == ""


def test_without_a_terminal_it_says_so_and_paints_nothing(tmp_path: Path) -> None:
    piped = run(tmp_path)
    environ = home_environment(tmp_path, **_places(tmp_path))
    closed = _run(["bash", "-c", f"{shlex.join(TUI_CHAT)} <&-"], environ)

    for done in (piped, closed):
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("tui-chat: This needs a terminal")
        assert "tui-chat ask TEXT" in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_show_a_screen_is_told(tmp_path: Path, term: str) -> None:
    environ = home_environment(tmp_path, **_places(tmp_path)) | {"TERM": term}
    with Terminal(TUI_CHAT, environ) as terminal:
        assert terminal.wait_end() == 2
        assert "cannot show a screen" in terminal.text
        assert b"\x1b" not in terminal.raw


def test_paths_are_told_and_nothing_is_made(tmp_path: Path) -> None:
    done = run(tmp_path, "paths")
    usual = _run([*TUI_CHAT, "paths"], home_environment(tmp_path))

    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert done.returncode == 0
    assert rows == {
        "conversations": str(tmp_path / "config" / "conversations.db"),
        "presets": str(tmp_path / "config" / "presets"),
        "settings": str(tmp_path / "config" / "settings.toml"),
        "keys": str(tmp_path / "config" / "keys.toml"),
        "backups": str(tmp_path / "config" / "backups"),
        "models": str(tmp_path / "cache" / "models"),
        "logs": str(tmp_path / "cache" / "logs"),
    }
    assert all(str(tmp_path) in line for line in usual.stdout.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_tells_what_is_there_and_no_key(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", OPENAI_API_KEY=CANARY, SOME_TOKEN=CANARY)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"tui-chat      {__version__}" in done.stdout
    assert "OPENAI_API_KEY (set)" in done.stdout
    assert "not fetched yet" in done.stdout
    assert "not installed" not in done.stdout
    assert "none saved yet" in done.stdout
    assert CANARY not in done.stdout
    assert str(tmp_path / "config") in done.stdout


async def test_the_doctor_works_with_broken_files_and_names_them(tmp_path: Path) -> None:
    await _kept(tmp_path, f"Title {NASTY}")
    settings = tmp_path / "config" / "settings.toml"
    settings.write_text('endpoint = "lab"\n[keys\nx = \x1b')
    titled = run(tmp_path, "doctor")
    (tmp_path / "config" / "conversations.db").write_bytes(b"not a database" * 1000)
    broken = run(tmp_path, "doctor")

    assert titled.returncode == 0
    assert "newest “Title" in titled.stdout
    assert broken.returncode == 1
    for done in (titled, broken):
        assert "problem       settings.toml:2" in done.stdout
        assert done.stdout == clean(done.stdout)
        assert done.stderr == ""
    assert "conversations.db" in broken.stdout.rpartition("problem ")[2]


async def test_one_conversation_is_exported_as_markdown(tmp_path: Path) -> None:
    other = await _kept(tmp_path, "Not this one")
    wanted = await _kept(tmp_path, f"Oi {NASTY}", "[b]Olá[/b]")
    done = run(tmp_path, "export", "--format", "markdown", "--id", wanted.id)

    assert (done.returncode, done.stderr) == (0, "")
    assert "[b]Olá[/b]" in done.stdout
    assert "Not this one" not in done.stdout
    assert done.stdout == clean(done.stdout)
    assert other.id != wanted.id


async def test_all_conversations_are_exported_one_a_line(tmp_path: Path) -> None:
    empty = run(tmp_path, "export", "--all")
    for number in range(3):
        await _kept(tmp_path, f"Question {number}\u2028", "Answer")
    done = run(tmp_path, "export", "--all")

    assert run(tmp_path, "export").stdout == done.stdout
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "", "")
    rows = [json.loads(line) for line in done.stdout.split("\n")[:-1]]
    assert [row["messages"][0]["content"] for row in rows] == [
        f"Question {number}\n" for number in range(3)
    ]


async def test_what_is_exported_is_utf_8_whatever_the_locale_says(tmp_path: Path) -> None:
    await _kept(tmp_path, "5 € 漢", "👩‍👩‍👧")
    for kind in ("jsonl", "markdown"):
        done = run(tmp_path, "export", "--format", kind, PYTHONIOENCODING="latin-1")
        assert (done.returncode, done.stderr) == (0, "")
        assert "5 € 漢" in done.stdout
        assert "👩‍👩‍👧" in done.stdout


def test_a_terminal_gets_what_it_can_show(tmp_path: Path) -> None:
    environ = home_environment(tmp_path, **_places(tmp_path) | {"PYTHONIOENCODING": "ascii"})
    environ["TUI_CHAT_CONFIG_DIR"] = str(tmp_path / "configé")
    with Terminal([*TUI_CHAT, "paths"], environ) as terminal:
        assert terminal.wait_end() == 0
        assert "config?" in terminal.text


async def test_rows_that_someone_edited_are_exported_without_harm(tmp_path: Path) -> None:
    await _kept(tmp_path, "Question", "Answer")
    text = "\x1b[31m \x9b1m \u202e \u2028 \U000e0041"
    edit = "UPDATE message SET content=?, created_at=-9e18"
    by_hand(tmp_path / "config" / "conversations.db", edit, given=(text,))

    for kind in ("jsonl", "markdown"):
        done = run(tmp_path, "export", "--format", kind)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == clean(done.stdout)
    (line,) = run(tmp_path, "export").stdout.splitlines()
    assert [one["content"] for one in json.loads(line)["messages"]] == [text, text]


def test_an_unknown_conversation_is_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "export", "--id", "\x1b[31mnone")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tui-chat: There is no conversation “␛[31mnone”.")
    assert done.stderr.count("\n") == 1


async def test_an_export_that_cannot_be_written_is_no_traceback(tmp_path: Path) -> None:
    for number in range(3):
        await _kept(tmp_path, f"Question {number}", "word " * 20_000)
    environ = home_environment(tmp_path, **_places(tmp_path))
    program = shlex.join(TUI_CHAT)

    for command in ("export --all", "paths"):
        full = _run(["bash", "-c", f"{program} {command} > /dev/full"], environ)
        assert full.returncode == 1
        assert full.stderr == (
            "tui-chat: standard output cannot be written: No space left on device.\n"
        )
    left = _run(
        ["bash", "-c", f"{program} export --all | head -c 9; echo ${{PIPESTATUS[0]}}"], environ
    )
    assert left.stderr == ""
    assert left.stdout.endswith("141\n")


async def test_what_it_makes_is_this_persons_alone(tmp_path: Path) -> None:
    environ = home_environment(tmp_path, **_places(tmp_path))
    command = f"umask 000; {shlex.join(TUI_CHAT)} doctor > /dev/null"
    done = _run(["bash", "-c", command], environ)

    assert done.returncode == 0
    made = [one for one in tmp_path.rglob("*") if one.is_file() or one.is_dir()]
    assert made
    for one in made:
        assert one.stat().st_mode & 0o077 == 0, one


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file" / "config")

    done = run(tmp_path, "export", "--all", TUI_CHAT_CONFIG_DIR=place)
    told = run(tmp_path, "paths", TUI_CHAT_CONFIG_DIR=place)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tui-chat: ")
    assert "TUI_CHAT_CONFIG_DIR" in done.stderr
    assert done.stderr.count("\n") == 1
    assert told.returncode == 0
    assert place in told.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
