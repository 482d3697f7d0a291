"""The programs that "view code" shows, run as they are: they send what the program itself sends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fake_server import FakeServer
from tests.nightly import times
from tui_chat.core.conversation import Message, Setup, said
from tui_chat.core.endpoint_tables import known_endpoints
from tui_chat.core.endpoints import Endpoint
from tui_chat.core.formats import code
from tui_chat.core.heeding import held_back
from tui_chat.core.key_store import KeyStore
from tui_chat.core.keys import Named, Secret, key_named
from tui_chat.core.params import Params
from tui_chat.core.provider import Provider
from tui_chat.core.text import clean
from tui_chat.core.wire import Request, after_refusals, wire_body

KEY = "key-0123456789"
NASTY = "quotes \" ' `x` $HOME $(id) \\n \\ %s {x}\nBODY\n'BODY'\n\ttab 👩‍👩‍👧 é 漢字 </x> \x1b]52;c;aGk=\x07 "
EVERY: dict[str, object] = {
    "temperature": 0.7,
    "top_p": 1.0,
    "max_tokens": 64,
    "stop": ("11", "\n", "\"'", "\\"),
    "frequency_penalty": -0.5,
    "presence_penalty": 2.0,
    "seed": 2**53,
    "top_k": 40,
    "min_p": 0.05,
    "repeat_penalty": 1.1,
}
CURL = """#!{python}
import os, sys, urllib.request
given = sys.argv[1:]
headers, url, at = {{}}, "", 0
while at < len(given):
    if given[at] == "-H":
        name, _, value = given[at + 1].partition(": ")
        headers[name] = value
        at += 1
    elif given[at] == "--data-binary":
        assert given[at + 1] == "@-"
        at += 1
    elif given[at] != "-N":
        url = given[at]
    at += 1
body = sys.stdin.buffer.read()
print(urllib.request.urlopen(urllib.request.Request(url, body, headers)).read().decode())
"""


def thread(*texts: str) -> list[Message]:
    """These texts, by turns a person's and a model's."""
    return [said("assistant" if n % 2 else "user", clean(text)) for n, text in enumerate(texts)]


async def own_body(
    server: FakeServer, endpoint: Endpoint, setup: Setup, said_before: list[Message]
) -> dict[str, Any]:
    """What the program itself sends."""
    provider = Provider(endpoint, Secret(KEY) if endpoint.key_env else None)
    try:
        await provider.reply(Request(setup, said_before), lambda token: None)
    finally:
        await provider.close()
    return server.chats[-1]


def run_python(program: str, directory: Path, **environ: str) -> None:
    script = directory / "request.py"
    script.write_text(program, "utf-8")
    subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"LAB_KEY": KEY, "PYTHONIOENCODING": "utf-8"} | environ,
        check=True,
        timeout=60,
        capture_output=True,
    )


def run_curl(command: str, directory: Path, **environ: str) -> None:
    """Run it with curl, or where there is none with a program that takes its arguments in its place."""
    path = os.environ["PATH"]
    if shutil.which("curl") is None:
        stand_in = directory / "curl"
        stand_in.write_text(CURL.format(python=sys.executable))
        stand_in.chmod(0o755)
        path = f"{directory}{os.pathsep}{path}"
    script = directory / "request.sh"
    script.write_text(command, "utf-8")
    subprocess.run(
        ["sh", str(script)],
        env=os.environ | {"LAB_KEY": KEY, "PATH": path, "NO_PROXY": "*"} | environ,
        check=True,
        timeout=60,
        capture_output=True,
    )


@pytest.mark.parametrize(
    ("key_env", "params", "endpoint"),
    [
        ("", {}, {}),
        ("LAB_KEY", EVERY, {}),
        ("", EVERY, {"accepts": frozenset({"top_k"})}),
        (
            "LAB_KEY",
            EVERY,
            {"rename": {"max_tokens": "max_completion_tokens", "repeat_penalty": "penalty"}},
        ),
        ("", {"max_tokens": 5}, {"rename": {"max_tokens": "n_predict"}}),
    ],
)
async def test_both_programs_send_the_body_that_the_program_sends(
    tmp_path: Path, key_env: str, params: dict[str, object], endpoint: dict[str, Any]
) -> None:
    with FakeServer(key=KEY if key_env else "") as server:
        lab = Endpoint("lab", server.base_url, key_env, **endpoint)
        setup = Setup("lab", "fake-1", clean(NASTY), Params(params))
        before = thread(NASTY, "An answer.", f"And {NASTY}?")
        own = await own_body(server, lab, setup, before)
        _, setup = after_refusals(lab, setup, held_back(lab, setup))
        body = wire_body(lab, setup, before)

        run_python(code.python(lab, body, key_env), tmp_path)
        run_curl(code.curl(lab, body, key_env), tmp_path)
        both = code.parted(code.snippets(lab, Request(setup, before), Named(key_env)))
        assert both == (code.python(lab, body, key_env), code.curl(lab, body, key_env))

        assert len(server.chats) == 3
        assert server.chats[1] == own
        assert server.chats[2] == own
        assert list(server.chats[2]) == list(own)
        assert own["messages"][1]["content"] == clean(NASTY)
        keys = {request.headers.get("authorization") for request in server.requests[-2:]}
        assert not key_env or keys == {f"Bearer {KEY}"}


@settings(
    max_examples=times(3, 40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_no_text_breaks_out_of_either_program(tmp_path: Path, texts: list[str]) -> None:
    with FakeServer() as server:
        lab = Endpoint("lab", server.base_url)
        body = wire_body(lab, Setup("lab", "fake-1"), thread(*texts))
        run_python(code.python(lab, body, ""), tmp_path)
        run_curl(code.curl(lab, body, ""), tmp_path)
        assert server.chats[0] == server.chats[1] == body


def test_a_long_conversation_is_no_argument_too_long(tmp_path: Path) -> None:
    with FakeServer() as server:
        lab = Endpoint("lab", server.base_url)
        body = wire_body(lab, Setup("lab", "fake-1"), thread("x" * 400_000))
        run_curl(code.curl(lab, body, ""), tmp_path)
        assert server.chats[0] == body


def test_the_key_is_only_named_and_a_model_of_ours_is_told() -> None:
    for endpoint in known_endpoints():
        serve = "llama-server --model m.gguf" if endpoint.served_here else ""
        text = code.snippets(
            endpoint,
            Request(Setup(endpoint.name, "m"), thread("hi")),
            key_named(endpoint, {}),
            serve=serve,
        )
        if endpoint.key_env and not endpoint.local:
            assert f'os.environ["{endpoint.key_env}"]' in text
            assert f"Bearer ${endpoint.key_env}" in text
        else:
            assert "os.environ" not in text
            assert "Bearer" not in text
        assert endpoint.served_here == ("#     llama-server --model m.gguf\n" in text)


def test_a_key_that_a_command_prints_has_a_variable_and_the_command_is_not_shown(
    tmp_path: Path,
) -> None:
    with FakeServer(key=KEY) as server:
        lab = Endpoint("lab", server.base_url, key_command=("pass", "show lab"))
        text = code.snippets(
            lab, Request(Setup("lab", "fake-1"), thread("hi")), key_named(lab, {"LAB_KEY": KEY})
        )
        program, command = code.parted(text)
        run_python(program, tmp_path, API_KEY=KEY)
        run_curl(command, tmp_path, API_KEY=KEY)

    assert "pass" not in text
    for one in (text, program, command):
        assert one.startswith("# API_KEY is for the key")
    keys = [request.headers["authorization"] for request in server.requests]
    assert keys == [f"Bearer {KEY}"] * 2


def test_without_the_count_of_tokens_where_the_server_does_not_take_it() -> None:
    lab = Endpoint("lab", "https://lab.example/v1")
    request = Request(Setup("lab", "m"), thread("hi"))
    assert "stream_options" in code.snippets(lab, request, Named())
    assert "stream_options" not in code.snippets(lab, request, Named(), usage=False)


HOST = "https://lab.example/v1"
HERE = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("base_url", "names", "environ", "given", "variable"),
    [
        (HERE, ("LAB_KEY",), {}, False, ""),
        (HERE, ("LAB_KEY",), {"LAB_KEY": "x"}, False, "LAB_KEY"),
        (HERE, (), {}, False, ""),
        (HERE, (), {}, True, "API_KEY"),
        (HERE, ("LAB_KEY",), {}, True, "LAB_KEY"),
        (HOST, ("LAB_KEY",), {}, False, "LAB_KEY"),
        (HOST, ("LAB_KEY", "OTHER_KEY"), {"OTHER_KEY": "x"}, False, "OTHER_KEY"),
        (HOST, ("LAB_KEY", "OTHER_KEY"), {"OTHER_KEY": "x", "LAB_KEY": " "}, True, "OTHER_KEY"),
        (HOST, ("LAB_KEY", "OTHER_KEY"), {}, True, "LAB_KEY"),
        (HOST, (), {"OPENAI_API_KEY": "x"}, False, ""),
        (HOST, (), {}, True, "API_KEY"),
    ],
)
@pytest.mark.parametrize("where", ["run", "file"])
def test_the_variable_is_the_one_that_holds_the_key_or_one_for_what_is_kept(
    tmp_path: Path,
    base_url: str,
    names: tuple[str, ...],
    environ: dict[str, str],
    given: bool,
    variable: str,
    where: Literal["run", "file"],
) -> None:
    lab = Endpoint("lab", base_url, names[0] if names else "", names[1:])
    kept = KeyStore(tmp_path / "keys.toml")
    if given:
        kept.keep(base_url, Secret(KEY), where)
    named = key_named(lab, environ, kept)
    text = code.snippets(lab, Request(Setup("lab", "m"), thread("hi")), named)

    assert named.variable == variable
    assert ("Bearer" in text, "os.environ" in text) == (bool(variable), bool(variable))
    told = f"# {variable} is for the key, which tui-chat keeps itself"
    assert text.startswith(told) == (given and not environ)
    assert KEY not in text


def test_a_server_here_that_wants_no_key_is_asked_without_one(tmp_path: Path) -> None:
    with FakeServer() as server:
        lab = Endpoint("vllm", server.base_url, "NO_SUCH_KEY")
        text = code.snippets(
            lab, Request(Setup("vllm", "fake-1"), thread("hi")), key_named(lab, {})
        )
        program, command = code.parted(text)
        run_python(program, tmp_path)
        run_curl(command, tmp_path)
        assert len(server.chats) == 2
