"""`tui-chat doctor --test`: what is set up is asked, and a table tells what came, but never a key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fake_server import Answer, FakeServer
from tests.test_command_line import run

CANARY = "sk-canary-0123456789"
CLOSED = "http://127.0.0.1:9/v1"
LOCAL = ("ollama", "lmstudio", "llamacpp", "vllm", "litellm")


def settings(home: Path, **base_urls: str) -> Path:
    """Settings with these endpoints, whose keys are in KEY_NAME; what may listen here is left alone."""
    rows = [
        f'[endpoints.{name}]\nbase_url = "{CLOSED}"\n' for name in LOCAL if name not in base_urls
    ]
    rows += [
        f'[endpoints.{name}]\nbase_url = "{url}"\nkey_env = "KEY_{name.upper()}"\n'
        for name, url in base_urls.items()
    ]
    path = home / "config" / "settings.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(rows))
    return path


def test_those_that_are_named_are_asked_and_told_in_a_table(tmp_path: Path) -> None:
    with FakeServer(key=CANARY) as good, FakeServer(key="another") as bad:
        settings(tmp_path, good=good.base_url, bad=bad.base_url, away=CLOSED)
        keys = {"KEY_GOOD": CANARY, "KEY_BAD": CANARY}
        one = run(tmp_path, "doctor", "--test", "good", **keys)
        all_three = run(tmp_path, "doctor", "--test", "good", "bad", "away", **keys)

    assert (one.returncode, one.stderr) == (0, "")
    head, row = one.stdout.splitlines()
    assert head.split() == ["endpoint", "address", "key", "result"]
    address = good.base_url.split("/")[2]
    assert row[: head.index("result")].split() == ["good", address, "KEY_GOOD"]
    assert row[head.index("result") :].startswith("ok, 2 models, ")
    assert all_three.returncode == 1
    rows = all_three.stdout.splitlines()
    assert len(rows) == 4
    columns = [rows[0].index(name) for name in ("endpoint", "address", "key", "result")]
    assert rows[1][columns[3] :].startswith("ok, 2 models")
    assert rows[2][columns[3] :].startswith("bad refused the key from KEY_BAD (401).")
    assert rows[3][columns[3] :].startswith(f"Nothing answers at {CLOSED}.")
    assert CANARY not in one.stdout + all_three.stdout + all_three.stderr
    assert [request.path for request in good.requests] == ["/v1/models"] * 4
    assert good.count("/models") == 4
    assert all(not server.chats for server in (good, bad))


def test_without_a_name_all_that_are_set_up_are_asked_and_the_others_named(tmp_path: Path) -> None:
    with FakeServer() as server:
        path = settings(tmp_path, lab=server.base_url)
        path.write_text(path.read_text().replace(f'[endpoints.vllm]\nbase_url = "{CLOSED}"\n', ""))
        path.write_text(
            path.read_text() + f'\n[endpoints.openai]\nbase_url = "{server.base_url}"\n'
        )
        done = run(tmp_path, "doctor", "--test")

    tested, rest = done.stdout.split("\nnot tested\n")
    assert done.returncode == 1
    names = [row.split()[0] for row in tested.splitlines()[1:]]
    assert {"lab", "openai", "ollama"} <= set(names)
    assert "anthropic   no key: ANTHROPIC_API_KEY is not set" in rest
    assert "azure       AZURE_OPENAI_ENDPOINT is not set" in rest
    assert "built-in    not fetched yet" in rest
    assert "no key: GEMINI_API_KEY or GOOGLE_API_KEY is not set" in rest


def test_who_has_no_address_yet_is_told_what_names_it(tmp_path: Path) -> None:
    settings(tmp_path)
    done = run(tmp_path, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nazure         AZURE_OPENAI_ENDPOINT is not set   key: " in done.stdout
    assert "\nbuilt-in      on this machine   key: none needed" in done.stdout
    there = run(tmp_path, "doctor", AZURE_OPENAI_ENDPOINT="https://mine.example")
    assert "\nazure         https://mine.example/" in there.stdout


def test_one_token_is_asked_for_where_that_is_wanted(tmp_path: Path) -> None:
    with FakeServer(Answer(["Hi", "!"])) as server:
        settings(tmp_path, lab=server.base_url)
        done = run(tmp_path, "doctor", "--test", "lab", "--tokens")
        assert (done.returncode, done.stderr) == (0, "")
        assert "; fake-1 answered with “Hi!”" in done.stdout
        assert [body["max_tokens"] for body in server.chats] == [1]
        server.answer = Answer(status=402, error={"error": {"message": "Pay first."}})
        done = run(tmp_path, "doctor", "--test", "lab", "--tokens")
    assert done.returncode == 1
    assert "lab wants to be paid first (402). It says: Pay first." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--test", "nowhere"], "There is no endpoint “nowhere”."),
        (["--tokens"], "--tokens goes with --test."),
    ],
)
def test_what_cannot_be_tested_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run(tmp_path, "doctor", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="no modes")
def test_a_kept_key_is_used_and_one_that_others_can_read_is_not(tmp_path: Path) -> None:
    with FakeServer(key=CANARY) as server:
        settings(tmp_path, lab=server.base_url)
        keys = tmp_path / "config" / "keys.toml"
        whom = server.base_url.removesuffix("/v1")
        keys.write_text(f'"{whom}" = "{CANARY}"\n')
        keys.chmod(0o600)
        good, told = run(tmp_path, "doctor", "--test", "lab"), run(tmp_path, "doctor")
        keys.chmod(0o644)
        open_to_all = run(tmp_path, "doctor", "--test", "lab")
    assert (good.returncode, good.stderr) == (0, "")
    assert "  keys.toml  ok, 2 models" in good.stdout
    assert f"{server.base_url}   key: keys.toml" in told.stdout
    assert open_to_all.returncode == 1
    assert (
        f"Others can read {keys}, so no key is taken from it. chmod 600 {keys}"
        in open_to_all.stdout
    )
    for done in (good, told, open_to_all):
        assert CANARY not in done.stdout + done.stderr
