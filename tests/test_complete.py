"""`tui-chat complete`: a text goes out to the letter, and only what follows it comes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.asking import Done, environment, run, said
from tests.fake_server import Answer, Body, FakeServer
from tests.forked import LoadedTerminal
from tests.local_model import put_model
from tui_chat.core.engines import CONTINUE_TEXTS
from tui_chat.core.params import PARAMETERS

ONCE = Answer((" there", " was", " a", " queen"))


def complete(
    home: Path, server: FakeServer, *arguments: str, given: bytes = b"", **environ: str
) -> Done:
    """One text continued by the fake server."""
    return run(home, "complete", "--base-url", server.base_url, *arguments, given=given, **environ)


def sent(server: FakeServer) -> list[Body]:
    """The bodies of the completions that were asked for."""
    paths = [one.path for one in server.requests if one.method == "POST"]
    assert set(paths) <= {"/v1/completions"}
    return [one.body for one in server.requests if one.method == "POST"]


def test_only_the_continuation_is_printed(tmp_path: Path) -> None:
    with FakeServer(ONCE) as server:
        done = complete(tmp_path, server, "Once upon a time")
        (body,) = sent(server)

    assert (done.returncode, done.stdout, done.stderr) == (0, b" there was a queen\n", b"")
    assert body.keys() == {"model", "prompt", "stream", "stream_options"}
    assert (body["model"], body["prompt"]) == ("fake-1", "Once upon a time")
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    ("words", "given", "prompt"),
    [
        (["  Two spaces before, one after "], b"", "  Two spaces before, one after "),
        (["several", "words "], b"", "several words "),
        (["\n"], b"", "\n"),
        (["1. one\n2. two\n"], b"", "1. one\n2. two\n"),
        (["-"], "\tOlá,\r\nmundo 漢字 \n".encode(), "\tOlá,\nmundo 漢字 \n"),
        (["-"], b"caf\xe9 \x1b[31m", "caf\ufffd ␛[31m"),
        (["- a list"], b"", "- a list"),
        (["--", "--minus"], b"", "--minus"),
    ],
)
def test_the_text_is_continued_to_the_letter(
    tmp_path: Path, words: Sequence[str], given: bytes, prompt: str
) -> None:
    with FakeServer(ONCE) as server:
        done = complete(tmp_path, server, *words, given=given)

    assert done.returncode == 0, done.stderr
    assert [body["prompt"] for body in sent(server)] == [prompt]


@pytest.mark.parametrize(("words", "given"), [([""], b""), (["-"], b""), ([], b"")])
def test_nothing_to_continue_is_refused(tmp_path: Path, words: Sequence[str], given: bytes) -> None:
    with FakeServer() as server:
        done = complete(tmp_path, server, *words, given=given)

    assert done.returncode == 2
    assert b"TEXT" in done.stderr
    assert server.requests == []


def test_every_parameter_reaches_the_wire(tmp_path: Path) -> None:
    values = {
        one.name: one.high if one.kind == "number" else one.choices[0] if one.choices else 7
        for one in PARAMETERS
        if one.kind != "texts"
    }
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
    with FakeServer(ONCE) as server:
        done = complete(tmp_path, server, *flags, "--stop", "11", "1. one")
        (body,) = sent(server)

    assert done.returncode == 0, done.stderr
    assert {name: body.get(name) for name in values} == values
    assert body["stop"] == ["11"]


@pytest.mark.parametrize("place", ["before the command", "after it"])
def test_a_system_prompt_is_refused_where_there_is_no_chat(tmp_path: Path, place: str) -> None:
    system = ["--system", "Be brief."]
    before, after = (system, []) if place == "before the command" else ([], system)
    done = run(tmp_path, *before, "complete", *after, "Once")

    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--system goes with ask: a text that is continued has no system prompt." in done.stderr
    assert b"--system" not in run(tmp_path, "complete", "--help").stdout


def test_the_system_prompt_of_a_preset_is_not_sent_and_that_is_told(tmp_path: Path) -> None:
    presets = tmp_path / "config" / "presets"
    presets.mkdir(parents=True)
    (presets / "Mine.toml").write_text('system = "Rhyme."\n[parameters]\ntemperature = 0.25\n')
    with FakeServer(ONCE) as server:
        done = complete(tmp_path, server, "--preset", "mine", "--json", "Once")
        (body,) = sent(server)

    assert said(done) == (
        "tui-chat: The system prompt was not sent: a text that is continued has none.\n"
    )
    assert body["temperature"] == 0.25
    assert b"Rhyme" not in done.stdout


def test_json_is_one_object_and_has_the_probabilities_when_they_are_wanted(tmp_path: Path) -> None:
    def entry(text: str) -> Body:
        other = {"token": " x", "logprob": -2.5}
        mine = {"token": text, "logprob": -0.5}
        return {**mine, "top_logprobs": [mine, other]}

    answer = Answer(ONCE.tokens, logprobs=[entry(text) for text in ONCE.tokens])
    with FakeServer(answer) as server:
        done = complete(tmp_path, server, "--json", "--logprobs", "2", "Once ")
        (body,) = sent(server)

    row = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert body["logprobs"] == 2
    assert row["content"] == " there was a queen" == "".join(one["text"] for one in row["tokens"])
    assert (row["way"], row["status"]) == ("completion", "complete")
    assert row["tokens"][0] == {
        "text": " there",
        "logprob": -0.5,
        "top": [{"text": " there", "logprob": -0.5}, {"text": " x", "logprob": -2.5}],
    }


def test_what_is_saved_is_the_text_and_its_continuation(tmp_path: Path) -> None:
    with FakeServer(ONCE) as server:
        done = complete(tmp_path, server, "--save", "--seed", "3", "Once upon a time, ")
    (line,) = run(tmp_path, "export").stdout.splitlines()

    assert done.returncode == 0, done.stderr
    row = json.loads(line)
    text, reply = row["messages"]
    assert row["title"] == "Once upon a time,"
    assert (text["role"], text["content"]) == ("user", "Once upon a time, ")
    assert (reply["role"], reply["content"]) == ("assistant", " there was a queen")
    assert (reply["way"], reply["params"], reply["parent"]) == (
        "completion",
        {"seed": 3},
        text["id"],
    )
    assert "system" not in reply


def test_who_is_known_to_only_chat_is_not_asked_and_others_are_named(tmp_path: Path) -> None:
    for key in ("", "sk-canary"):
        arguments = ["complete", "--save", "--endpoint", "openai", "Once"]
        done = run(tmp_path, *arguments, OPENAI_API_KEY=key)
        assert (done.returncode, done.stdout) == (1, b"")
        assert said(done).startswith("tui-chat: openai continues no texts, it only chats.")
        assert CONTINUE_TEXTS in said(done)
    assert not (tmp_path / "config" / "conversations.db").exists()


CHATS = {"error": {"message": "This is a chat model. Did you mean v1/chat/completions?"}}


@pytest.mark.parametrize(
    ("status", "body"), [(404, {"detail": "Not Found"}), (404, CHATS), (405, b""), (501, b"")]
)
def test_a_server_without_completions_is_told_from_one_without_an_api(
    tmp_path: Path, status: int, body: object
) -> None:
    with FakeServer(Answer(status=status, error=body)) as server:
        done = complete(tmp_path, server, "--model", "some-model", "Once")
        host = server.base_url.split("/")[2]

    words = said(done)
    assert (done.returncode, done.stdout) == (1, b"")
    assert words.startswith(
        f"tui-chat: {host} continues no texts: it has no completions ({status})."
    )
    assert words.endswith(f"Texts are continued by {CONTINUE_TEXTS}.\n")


def test_a_missing_model_and_a_base_url_without_its_version_are_told(tmp_path: Path) -> None:
    missing = {"error": {"message": "No such model.", "code": "model_not_found"}}
    with FakeServer(Answer(status=404, error=missing)) as server:
        model = complete(tmp_path, server, "--model", "some-model", "Once")
        server.answer = Answer(status=404, error=b"404 page not found")
        root = server.base_url.removesuffix("/v1")
        lacking = run(tmp_path, "complete", "--base-url", root, "--model", "some-model", "Once")

    assert "has no model “some-model” (404)." in said(model)
    assert said(lacking).endswith("Or does its base URL lack /v1?\n")


@pytest.mark.parametrize("end", ["", "\n"])
def test_on_a_terminal_the_line_ends_once(tmp_path: Path, end: str) -> None:
    with FakeServer(Answer((" was", f" a queen.{end}"))) as server:
        command = ("complete", "--base-url", server.base_url, "Once")
        with LoadedTerminal(environment(tmp_path), *command) as terminal:
            assert terminal.wait_end() == 0
            printed = bytes(terminal.raw)

    assert printed == b" was a queen.\r\n"


def test_the_built_in_model_continues_for_real(tmp_path: Path) -> None:
    put_model(tmp_path / "cache" / "models")
    flags = ["--temperature=0", "--max-tokens=6", "--logprobs=5", "--json"]
    done = run(tmp_path, "complete", *flags, "One, two, three, four, five,")
    asked = run(tmp_path, "ask", *flags, "One, two, three, four, five,")
    listed = run(tmp_path, "complete", "--temperature=0", "--stop=8", "-", given=b"3\n4\n5\n6\n")

    row = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert row["content"].startswith(" six, seven")
    assert "".join(one["text"] for one in row["tokens"]) == row["content"]
    assert row["usage"]["prompt_tokens"] < json.loads(asked.stdout)["usage"]["prompt_tokens"]
    assert (listed.returncode, listed.stdout) == (0, b"7\n")
