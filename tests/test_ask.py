"""`tui-chat ask` as it is installed: what it sends, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.asking import CANARY, ask, run, said
from tests.fake_server import Answer, FakeServer
from tests.local_model import put_model
from tui_chat.core.local.model import SMOLLM2
from tui_chat.core.params import PARAMETERS


def test_the_answer_is_plain_text_and_nothing_else(tmp_path: Path) -> None:
    with FakeServer() as server:
        done = ask(tmp_path, server, "Say", "hello")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello, world.\n", b"")
    (body,) = server.chats
    assert body["messages"] == [{"role": "user", "content": "Say hello"}]
    assert body["model"] == "fake-1"
    assert not (tmp_path / "config").exists()


def test_what_was_not_given_is_not_sent(tmp_path: Path) -> None:
    with FakeServer() as server:
        ask(tmp_path, server, "--model", "mine", "hi")

    (body,) = server.chats
    assert body.keys() == {"model", "messages", "stream", "stream_options"}
    assert body["model"] == "mine"


def test_every_parameter_reaches_the_wire(tmp_path: Path) -> None:
    values = {
        one.name: one.high if one.kind == "number" else one.choices[0] if one.choices else 7
        for one in PARAMETERS
        if one.kind != "texts"
    }
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
    with FakeServer() as server:
        done = ask(tmp_path, server, *flags, "--stop", r"\n\n", "--stop", r"caf\xe9 11", "hi")

    assert done.returncode == 0, done.stderr
    (body,) = server.chats
    assert {name: body.get(name) for name in values} == values
    assert body["stop"] == ["\n\n", "café 11"]
    assert len(values) == len(PARAMETERS) - 1


def test_a_flag_counts_before_and_after_the_command(tmp_path: Path) -> None:
    with FakeServer() as server:
        before = ["--temperature", "0", "--base-url", server.base_url]
        done = run(tmp_path, *before, "ask", "--top-p", "0,5", "--presence-penalty", "-2", "hi")

    assert done.returncode == 0, done.stderr
    (body,) = server.chats
    assert (body["temperature"], body["top_p"], body["presence_penalty"]) == (0, 0.5, -2)


def test_a_system_prompt_and_a_preset_are_used_and_flags_go_over_it(tmp_path: Path) -> None:
    presets = tmp_path / "config" / "presets"
    presets.mkdir(parents=True)
    (presets / "Mine.toml").write_text(
        'system = "Rhyme."\nmodel = "own"\n[parameters]\ntemperature = 0.3\nseed = 5\n'
    )
    with FakeServer() as server:
        ask(tmp_path, server, "--preset", "mine", "--temperature", "0.9", "hi")
        ask(tmp_path, server, "--preset", "mine", "--system", "Be [b]brief[/b].", "hi")
        unknown = ask(tmp_path, server, "--preset", "yours", "hi")

    first, second = server.chats
    assert first["messages"][0] == {"role": "system", "content": "Rhyme."}
    assert (first["model"], first["temperature"], first["seed"]) == ("own", 0.9, 5)
    assert second["messages"][0] == {"role": "system", "content": "Be [b]brief[/b]."}
    assert unknown.returncode == 2
    assert "There is no preset “yours”. There are:" in unknown.stderr.decode()
    assert "Mine" in unknown.stderr.decode()


def test_a_saved_conversation_is_found_by_its_preset(tmp_path: Path) -> None:
    with FakeServer() as server:
        ask(tmp_path, server, "--save", "--preset", "balanced", "with one")
        ask(tmp_path, server, "--save", "without")
    found = run(tmp_path, "list", "--json", "preset:Balanced")

    assert json.loads(found.stdout)["title"] == "with one"


def test_a_dash_reads_standard_input(tmp_path: Path) -> None:
    with FakeServer() as server:
        done = run(
            tmp_path, "ask", "--base-url", server.base_url, "-", given="Olá,\nmundo 漢字\n".encode()
        )

    assert done.returncode == 0, done.stderr
    assert server.chats[0]["messages"][0]["content"] == "Olá,\nmundo 漢字"


def test_text_that_is_no_utf_8_is_mended_and_sent(tmp_path: Path) -> None:
    with FakeServer() as server:
        url = server.base_url
        read = run(tmp_path, "ask", "--base-url", url, "-", given=b"caf\xe9 \x1b[31m\n")
        typed = ask(tmp_path, server, b"caf\xe9")
        system = ask(tmp_path, server, "--system", b"\xe9", "--model", b"m\xe9", "hi")
        refused = [ask(tmp_path, server, "--stop", text, "hi") for text in (b"\xe9", r"\ud800")]

    for done in (read, typed, system):
        assert (done.returncode, done.stderr) == (0, b"")
    for done, sentence in zip(refused, (b"this is not UTF-8 text.", b"is no escape."), strict=True):
        assert done.returncode == 2
        assert b"argument --stop: " in done.stderr
        assert sentence in done.stderr
    contents = [body["messages"][0]["content"] for body in server.chats]
    assert contents == ["caf\ufffd ␛[31m", "caf\ufffd", "\ufffd"]
    assert server.chats[2]["model"] == "m\ufffd"


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_an_answer_that_is_piped_is_utf_8_whatever_the_locale_says(
    tmp_path: Path, more: Sequence[str]
) -> None:
    with FakeServer(Answer(["5 € ", "漢"])) as server:
        done = ask(tmp_path, server, *more, "hi", PYTHONIOENCODING="latin-1")

    assert done.returncode == 0, done.stderr
    assert "5 € 漢" in done.stdout.decode()


@pytest.mark.parametrize("words", [["-"], ["   "], [""], []])
def test_nothing_to_ask_is_refused(tmp_path: Path, words: Sequence[str]) -> None:
    with FakeServer() as server:
        done = run(tmp_path, "ask", "--base-url", server.base_url, *words, given=b" \n")

    assert done.returncode == 2
    assert b"TEXT" in done.stderr
    assert not server.requests


def test_json_is_one_object_with_what_made_the_reply(tmp_path: Path) -> None:
    with FakeServer(Answer(reasoning=["Hm."])) as server:
        done = ask(tmp_path, server, "--json", "--system", "S", "--seed", "3", "hi")

    row = json.loads(done.stdout)
    usage = row.pop("usage")
    assert done.stdout.count(b"\n") == 1
    assert row == {
        "content": "Hello, world.",
        "status": "complete",
        "model": "fake-1",
        "endpoint": server.base_url.split("/")[2],
        "params": {"seed": 3},
        "system": "S",
        "reasoning": "Hm.",
        "finish_reason": "stop",
        "request_id": "req-1",
    }
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (7, 4)


def test_what_is_saved_is_exported_with_its_parameters(tmp_path: Path) -> None:
    with FakeServer() as server:
        ask(tmp_path, server, "not kept")
        backups = tmp_path / "config" / "backups"
        assert not backups.exists()
        done = ask(tmp_path, server, "--save", "--seed", "3", "Greet the [b]world[/b].")
    exported = run(tmp_path, "export", "--all")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"Hello, world.\n", b"")
    assert len([*backups.glob("*.db")]) == 1
    row = json.loads(exported.stdout)
    question, reply = row["messages"]
    assert row["title"] == question["content"] == "Greet the [b]world[/b]."
    assert reply["content"] == "Hello, world."
    assert (reply["status"], reply["params"], reply["model"]) == ("complete", {"seed": 3}, "fake-1")
    assert reply["parent"] == question["id"]


def test_the_key_comes_from_the_named_variable_alone_and_is_never_shown(tmp_path: Path) -> None:
    keys = {"LAB_KEY": CANARY, "OPENAI_API_KEY": "sk-other"}
    with FakeServer(key=CANARY) as server:
        right = ask(tmp_path, server, "--key-env", "LAB_KEY", "--save", "hi", **keys)
        none = ask(tmp_path, server, "--json", "--model", "m", "hi", **keys)
        wrong = ask(
            tmp_path, server, "--key-env", "LAB_KEY", "--model", "m", "hi", LAB_KEY=CANARY + "x"
        )
        pasted = ask(tmp_path, server, "--key-env", CANARY, "hi")

    assert right.returncode == 0, right.stderr
    assert none.returncode == 1
    sent = [one.headers.get("authorization", "") for one in server.requests]
    assert not any("sk-other" in one for one in sent)
    assert "key" in said(none)
    assert wrong.returncode == 1
    assert "LAB_KEY" in said(wrong)
    assert wrong.stdout == b""
    assert pasted.returncode == 2
    for done in (right, none, wrong, pasted):
        assert CANARY.encode() not in done.stdout + done.stderr
    kept = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert kept
    assert not any(CANARY.encode() in one.read_bytes() for one in kept)


def test_nothing_a_server_says_controls_the_terminal(tmp_path: Path) -> None:
    hostile = ["\x1b]52;c;aGk=\x07", "\x1b", "[2J", "\x9b31m", "\u202eabc\r\nd\x00\x7f"]
    with FakeServer(Answer(hostile)) as server:
        plain = ask(tmp_path, server, "--model", "m", "hi")
        as_json = ask(tmp_path, server, "--model", "m", "--json", "hi")
        server.answer = Answer(status=500, error={"error": {"message": "no \x1b[31m [b]way[/b]"}})
        failed = ask(tmp_path, server, "--model", "m", "hi")

    shown = "␛]52;c;aGk=␇␛[2J\ufffd31m\ufffdabc\nd\ufffd␡"
    assert plain.stdout.decode() == shown + "\n"
    assert json.loads(as_json.stdout)["content"] == shown
    assert "␛[31m [b]way[/b]" in said(failed)


def test_the_endpoint_of_the_environment_and_of_the_settings_is_used(tmp_path: Path) -> None:
    with FakeServer(key=CANARY) as server:
        own = run(tmp_path, "ask", "hi", OPENAI_BASE_URL=server.base_url, OPENAI_API_KEY=CANARY)
        config = tmp_path / "config"
        config.mkdir(exist_ok=True)
        (config / "settings.toml").write_text(
            f'endpoint = "lab"\n[endpoints.lab]\nbase_url = "{server.base_url}"\n'
            f'key_command = ["echo", "{CANARY}"]\nmodel = "lab-1"\n'
        )
        lab = run(tmp_path, "ask", "hi")

    assert (own.returncode, lab.returncode) == (0, 0), (own.stderr, lab.stderr)
    assert [body["model"] for body in server.chats] == ["fake-1", "lab-1"]


def test_with_nothing_configured_the_built_in_model_answers(tmp_path: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    done = run(
        tmp_path,
        "ask",
        "--temperature=0",
        "--max-tokens=24",
        "--json",
        "What is the capital of Brazil?",
    )

    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert "Bras" in row["content"]
    assert (row["endpoint"], row["model"]) == ("built-in", SMOLLM2.id)
    assert row["status"] in ("complete", "length")
    # Its process is gone with the program.
    assert not any(str(tmp_path).encode() in one for one in _environments())


def _environments() -> list[bytes]:
    """The environments of all processes of this machine that may be seen."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            found.append(place.read_bytes())
    return found


def test_a_model_file_answers(tmp_path: Path) -> None:
    file = put_model(tmp_path).rename(tmp_path / "Mine.gguf")
    done = run(tmp_path, "ask", "--endpoint", str(file), "--max-tokens", "1", "--json", "Hello?")
    missing = run(tmp_path, "ask", "--endpoint", f"{file}.gguf", "Hello?")

    assert done.returncode == 0
    message = json.loads(done.stdout)
    assert (message["endpoint"], message["model"], message["status"]) == ("Mine", "Mine", "length")
    assert missing.returncode == 2
    assert b"There is no model file" in missing.stderr


def test_a_busy_server_is_told_and_asked_once_more(tmp_path: Path) -> None:
    error = {"error": {"message": "Slow down."}}
    busy = Answer(status=429, error=error, headers={"retry-after-ms": "1200"})
    with FakeServer() as server:
        server.answers = lambda body: busy if len(server.chats) == 1 else Answer()
        done = ask(tmp_path, server, "--model", "m", "hi")
    assert (done.returncode, done.stdout) == (0, b"Hello, world.\n")
    assert said(done).endswith("gets too many requests (429): again in 2 s.\n")
    assert len(server.chats) == 2
